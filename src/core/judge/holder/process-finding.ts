/** What can be found of the process behind a lock, and where a missing process proves anything. */
import { flat } from '../../record/flat.ts';
import type { TownIndex } from '../../town/views.ts';
import type { LockRecord, PidLookup, ProcessInfo, TmuxServer } from '../../types/evidence.ts';
import type { Fact, ProcessState, Reason, ReasonFor } from '../../types/judgement.ts';

export interface ProcessFinding {
  readonly state: ProcessState;
  readonly reason: Reason;
  readonly fact: Fact;
  /** Known where it exists, whether or not it is the holder. */
  readonly process: ProcessInfo | null;
  /** The number that was judged: the true holder's where the record names one. */
  readonly pid: number;
  /** Proved by a start token of our own: no other evidence can call that holder alive or dead. */
  readonly own: boolean;
}

/** What is known of a number before it is judged. */
export type Known = Pick<ProcessFinding, 'pid' | 'own' | 'process'>;

const fact = (text: string): Fact => ({ source: 'processes', text: flat(text) });

/** A server that answers through a socket which was mounted into this container runs outside of it, and so do its agents. */
const runsBesideUs = ({ pid }: TmuxServer, { machine: { processes } }: TownIndex): boolean =>
  pid !== null && processes.get(pid)?.names.some((name) => name.startsWith('tmux')) === true;

/**
 * Absence proves something only where the holder's numbers are ours: outside containers, or in one that alone has the
 * recorded name and runs the town's own tmux. Any other server may be the container's, and the town's agents outside it;
 * and a sandbox, where an agent may start a tmux of its own, shares its host's name but not its numbers.
 */
export const mayTrustAbsence = ({ hostname }: LockRecord, index: TownIndex): boolean => {
  const { seen, panes } = index.machine;
  const { host } = seen;
  if (host.initialPidNamespace === true) return true;
  if (host.numbersAreOurs !== true || hostname !== host.hostname) return false;
  const ofTown = [
    ...panes.filter((view) => view.town === 'ours').map((view) => view.server),
    ...seen.tmux.servers.filter(
      ({ status, origin }) => status === 'ok' && (origin === 'town' || origin === 'flag'),
    ),
  ];
  return ofTown.some((server) => runsBesideUs(server, index));
};

/** Why a missing process proves nothing here. */
export const NAMESPACE_DOUBT = 'this is a container, and the holder may have been numbered outside it';

/** How the process of that number ended; null where it did not end, or that is not known. */
export const died = (lookup: PidLookup): { reason: Reason; text: string } | null => {
  const { pid } = lookup;
  if (lookup.answer === 'absent') return { reason: 'process-gone', text: `no process ${pid}` };
  if (lookup.answer === 'zombie')
    return { reason: 'process-zombie', text: `process ${pid} is a zombie (exited)` };
  if (lookup.answer === 'thread')
    return { reason: 'process-thread', text: `${pid} is a thread of another process, not a process` };
  return null;
};

/** Its command, for a sentence. */
export const commandWord = (process: ProcessInfo | null | undefined): string =>
  process?.names[0] ?? 'command unknown';

/** Spelled out, not spread: this is made for each of many locks. */
export const finding = <S extends ProcessState>(
  { pid, own, process }: Known,
  state: S,
  reason: ReasonFor<S>,
  text: string,
): ProcessFinding => ({ state, reason, fact: fact(text), process, pid, own });

/** Nobody has that number any more. */
export const gone = (known: Known, reason: Reason, text: string): ProcessFinding =>
  finding(known, 'gone', reason, text);

/** Another process has that number by now. */
export const recycled = (known: Known, text: string): ProcessFinding =>
  finding(
    known,
    'recycled',
    'process-recycled',
    `PID ${known.pid} now belongs to another process (${commandWord(known.process)}): ${text}`,
  );

/** Its start token is not the holder's. */
export const startedOtherwise = (known: Known): ProcessFinding =>
  recycled(known, 'it started at another time than the holder');

/** It runs; `doubtfully` ends the sentence where it is most likely not the holder. */
export const alive = (known: Known, doubtfully = ''): ProcessFinding =>
  finding(
    known,
    'alive',
    'process-alive',
    `process ${known.pid} (${commandWord(known.process)}) is running${doubtfully}`,
  );

/** What the report says of a lock from before a restart. */
export const RESTARTED = 'this machine or container was started again since the lock was taken';

/** The holder ended with the machine or the container that it ran in. */
export const restarted = (known: Known): ProcessFinding => gone(known, 'rebooted', RESTARTED);

/** It cannot be told whether the process is the holder's. */
export const doubt = (known: Known, why: string): ProcessFinding =>
  finding(known, 'unknown', 'process-unknown', `process ${known.pid}: ${why}`);
