/** Process evidence: is the process that a record names still the one that took the lock? */

import { isPossiblePid } from '../pid.ts';
import { describeAge } from '../report/age.ts';
import type { TownIndex } from '../town/town-index.ts';
import type {
  LeftRunning,
  LockFile,
  LockRecord,
  PidLookup,
  ProcessInfo,
  TmuxServer,
  TrueHolder,
} from '../types/evidence.ts';
import type { Fact, ProcessState, Reason } from '../types/judgement.ts';
import { tiesOf } from './ties.ts';
import { isFromBeforeRestart, isThisBoot, placeOf, plainHostname } from './where-taken.ts';

export interface ProcessFinding {
  readonly state: ProcessState;
  readonly reason: Reason;
  readonly fact: Fact;
  /** Known where it exists, whether or not it is the holder. */
  readonly process: ProcessInfo | null;
  /** The number that was judged: the true holder's where the record names one. */
  readonly pid: number;
  /** A start token of our own proved it: nothing else can call that holder alive or dead. */
  readonly own: boolean;
}

type Known = Pick<ProcessFinding, 'pid' | 'own' | 'process'>;

const fact = (text: string): Fact => ({ source: 'processes', text });

/** A server that answers through a socket which was mounted into this container runs outside of it, and so do its agents. */
const runsBesideUs = ({ pid }: TmuxServer, { processes }: TownIndex): boolean =>
  pid !== null && processes.get(pid)?.names.some((name) => name.startsWith('tmux')) === true;

/**
 * Absence proves something only where the holder's numbers are ours: outside containers, or where the town's own tmux
 * runs in this one. Any other server may be the container's, and the town's agents outside it.
 */
const mayTrustAbsence = (index: TownIndex): boolean => {
  const { snapshot, panes } = index;
  if (snapshot.host.initialPidNamespace === true) return true;
  const ofTown = [
    ...panes.filter((view) => view.town === 'ours').map((view) => view.server),
    ...snapshot.tmux.servers.filter(
      ({ status, origin }) => status === 'ok' && (origin === 'town' || origin === 'flag'),
    ),
  ];
  return ofTown.some((server) => runsBesideUs(server, index));
};

const NAMESPACE_DOUBT = 'this is a container, and the holder may have been numbered outside it';

const died = (lookup: PidLookup): { reason: Reason; text: string } | null => {
  const { pid } = lookup;
  if (lookup.answer === 'absent') return { reason: 'process-gone', text: `no process ${pid}` };
  if (lookup.answer === 'zombie')
    return { reason: 'process-zombie', text: `process ${pid} has ended and waits to be reaped` };
  if (lookup.answer === 'thread')
    return { reason: 'process-thread', text: `${pid} is a thread of another process, no process` };
  return null;
};

const commandOf = (process: ProcessInfo | null): string => process?.names[0] ?? 'command unknown';

/** Spelled out, not spread: this is made for each of many locks. */
const finding = (
  { pid, own, process }: Known,
  state: ProcessState,
  reason: Reason,
  text: string,
): ProcessFinding => ({ state, reason, fact: fact(text), process, pid, own });

const gone = (known: Known, reason: Reason, text: string): ProcessFinding =>
  finding(known, 'gone', reason, text);

const recycled = (known: Known, text: string): ProcessFinding =>
  finding(
    known,
    'recycled',
    'process-recycled',
    `process ${known.pid} is another one now (${commandOf(known.process)}): ${text}`,
  );

const alive = (known: Known, doubtfully = ''): ProcessFinding =>
  finding(
    known,
    'alive',
    'process-alive',
    `process ${known.pid} (${commandOf(known.process)}) runs${doubtfully}`,
  );

const RESTARTED = 'this machine or container was started again since the lock was taken';

const restarted = (known: Known): ProcessFinding => gone(known, 'rebooted', RESTARTED);

/** The holder has ended, and what it left running holds the lock as it did. */
const outlived = ({ pid, own }: Known, left: LeftRunning): ProcessFinding =>
  finding(
    { pid: left.pid, own, process: null },
    'alive',
    'process-alive',
    `process ${left.pid} (${left.command}) runs, which process ${pid} left running under this lock`,
  );

const doubt = (known: Known, why: string): ProcessFinding =>
  finding(known, 'unknown', 'process-unknown', `process ${known.pid}: ${why}`);

/** Only a recorded boot id that differs, on the machine it was recorded on, proves death by restart. */
const judgeOtherBoot = (known: Known, record: LockRecord, index: TownIndex): ProcessFinding => {
  const { host } = index.snapshot;
  const sameMachine =
    record.hostname !== '' && plainHostname(record.hostname) === plainHostname(host.hostname);
  return sameMachine
    ? gone(known, 'rebooted', `this machine was restarted since process ${known.pid} took the lock`)
    : doubt(known, 'taken in another boot, on a machine it does not name');
};

/** Judges the true holder that a record of ours names: equality of tokens, no clocks. */
const judgeTrueHolder = (
  holder: TrueHolder,
  lock: LockFile | null,
  record: LockRecord,
  index: TownIndex,
): ProcessFinding => {
  const { host } = index.snapshot;
  const { pid, bootId, pidNamespace, startToken } = holder;
  const unseen: Known = { pid, own: true, process: null };
  if (bootId !== null && host.bootId !== null && bootId !== host.bootId)
    return judgeOtherBoot(unseen, record, index);
  if (bootId !== null && host.bootId === null && record.hostname === '')
    return doubt(unseen, 'neither its machine nor this boot could be told');
  const isOfOtherNamespace =
    pidNamespace !== null && host.pidNamespace !== null && pidNamespace !== host.pidNamespace;
  // The number would be another namespace's, but that one ended with the container.
  if (isOfOtherNamespace && lock !== null && isFromBeforeRestart(lock, record, host))
    return restarted(unseen);
  const lookup = index.lookups.get(pid);
  if (lookup === undefined || lookup.answer === 'unknown')
    return doubt(unseen, lookup?.why ?? 'was not looked up');
  const sure = pidNamespace === null ? mayTrustAbsence(index) : pidNamespace === host.pidNamespace;
  const known: Known = { pid, own: true, process: lookup.process };
  const end = died(lookup);
  const left = index.snapshot.processes.leftRunning?.find(({ nonce }) => nonce === holder.nonce);
  if (end !== null && left !== undefined) return outlived(known, left);
  if (end !== null) return sure ? gone(known, end.reason, end.text) : doubt(known, NAMESPACE_DOUBT);
  const token = lookup.process?.startToken ?? null;
  const differs = token !== null && startToken !== null && token !== startToken;
  if (!differs || !isThisBoot(holder, host)) return alive(known);
  if (left !== undefined) return outlived(known, left);
  return sure ? recycled(known, 'it started at another time than the holder') : doubt(known, NAMESPACE_DOUBT);
};

/** Milliseconds. Clocks step, by hours after a sleep: what started this much later than a lock may be another process. */
export const LATE_MS = 10 * 60_000;
/** Milliseconds. What started this much later and has nothing to do with the worker is another process. */
export const MUCH_LATER_MS = 24 * 3_600_000;

/**
 * Judges a bare number whose process exists. Only start tokens are exact, and there is none: time alone proves nothing,
 * for wall clocks step. Another process is what started late and is plainly elsewhere, or much later with nothing that
 * ties it to the worker.
 */
const judgeRunning = (
  known: Known,
  running: ProcessInfo,
  lock: LockFile,
  record: LockRecord,
  index: TownIndex,
): ProcessFinding => {
  const { startedAtMs } = running;
  const { acquiredAtMs } = record;
  const ties = tiesOf(running, lock, index.viewOf(lock.worker), index);
  const lateMs = startedAtMs === null || acquiredAtMs === null ? 0 : startedAtMs - acquiredAtMs;
  const since = `started ${describeAge(lateMs / 1000)} after the lock`;
  if (!ties.mine && ties.known && isFromBeforeRestart(lock, record, index.snapshot.host))
    return finding(known, 'recycled', 'rebooted', `process ${known.pid} is another one now: ${RESTARTED}`);
  if (!ties.mine && lateMs > LATE_MS) {
    const isAnother = ties.elsewhere !== null || (ties.known && lateMs > MUCH_LATER_MS);
    const where = ties.elsewhere ?? 'nothing ties it to this worker';
    if (isAnother)
      return mayTrustAbsence(index)
        ? recycled(known, `it ${since} was taken, and ${where}`)
        : doubt(known, NAMESPACE_DOUBT);
  }
  const signs = [...(lateMs > LATE_MS ? [since] : []), ...(ties.elsewhere === null ? [] : [ties.elsewhere])];
  return ties.mine || signs.length === 0
    ? alive(known)
    : alive(known, `, ${signs.join(', ')}: most likely not its holder`);
};

/** Judges a bare number. */
const judgePid = (lock: LockFile, record: LockRecord, index: TownIndex): ProcessFinding => {
  const { pid } = record;
  const unseen: Known = { pid, own: false, process: null };
  if (!isPossiblePid(pid)) return gone(unseen, 'pid-invalid', `${pid} is no process number`);
  const lookup = index.lookups.get(pid);
  if (lookup === undefined || lookup.answer === 'unknown')
    return doubt(unseen, lookup?.why ?? 'was not looked up');
  const known: Known = { pid, own: false, process: lookup.process };
  const end = died(lookup);
  if (end !== null) {
    if (mayTrustAbsence(index)) return gone(known, end.reason, end.text);
    return isFromBeforeRestart(lock, record, index.snapshot.host)
      ? restarted(known)
      : doubt(known, NAMESPACE_DOUBT);
  }
  return lookup.process === null ? alive(known) : judgeRunning(known, lookup.process, lock, record, index);
};

/**
 * Judges a number of a former host. Somebody said that this name is gone for good, and with it whoever bore it; or that
 * it is this machine's, and then the number may be alive here. So it can show life, by what ties its process to the
 * worker, and never death: the word for that is the configuration's. Sessions and occupants count as for every lock.
 */
const judgeVoidNumber = (lock: LockFile, record: LockRecord, index: TownIndex): ProcessFinding => {
  const { pid, hostname } = record;
  const lookup = index.lookups.get(pid);
  const process = lookup?.answer === 'exists' ? lookup.process : null;
  const known: Known = { pid, own: false, process };
  const ties = process === null ? null : tiesOf(process, lock, index.viewOf(lock.worker), index);
  if (ties?.mine === true) return alive(known, ', and works here');
  const isInUse = lookup?.answer === 'exists' && ties?.known !== true && ties?.elsewhere == null;
  if (lookup === undefined || lookup.answer === 'unknown' || isInUse)
    return doubt(known, `${hostname} is a former host, but nobody can see whose this number is here`);
  return gone(known, 'former-host', `${hostname} is a former host: its process ${pid} is not here any more`);
};

/**
 * Process evidence for a record taken here; null for one taken elsewhere, whose number means nothing here. The
 * companion record is believed unless its holder is proven dead: it outlasts the lock that it was written for.
 */
export const judgeProcess = (lock: LockFile, record: LockRecord, index: TownIndex): ProcessFinding | null => {
  const place = placeOf(lock, record, index.snapshot);
  if (place === 'former-host') return judgeVoidNumber(lock, record, index);
  if (place !== 'here') return null;
  if (record.holder !== null) return judgeTrueHolder(record.holder, lock, record, index);
  if (lock.companion !== null) {
    const behind = judgeTrueHolder(lock.companion, lock, record, index);
    if (behind.state === 'alive' || behind.state === 'unknown') return behind;
  }
  return judgePid(lock, record, index);
};

/**
 * Who stands behind a lock that is no record, or was removed, by the second record beside it: a holder who lives, or of
 * whom nobody can tell; null where there is none any more. A second record of another boot says nothing of this one.
 */
export const judgeCompanion = (companion: TrueHolder, index: TownIndex): ProcessFinding | null => {
  const { bootId } = index.snapshot.host;
  if (companion.bootId !== null && bootId !== null && companion.bootId !== bootId) return null;
  const unnamed = { pid: 0, acquiredAt: '', acquiredAtMs: null, sessionId: '', hostname: '', holder: null };
  const behind = judgeTrueHolder(companion, null, unnamed, index);
  return behind.state === 'alive' || behind.state === 'unknown' ? behind : null;
};
