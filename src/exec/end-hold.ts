/** Ends a hold: gives the lock back, or hands it over to a process that the command left running. */
import { setTimeout as sleep } from 'node:timers/promises';
import { relativeTo } from '../core/town/roles.ts';
import { commandOf, findLeftRunning, mayBeLeft } from '../evidence/processes/left-running.ts';
import type { ProcessRow, ProcessTable } from '../evidence/processes/row.ts';
import { readProcessTable } from '../evidence/processes/table.ts';
import type { Lock } from '../lock/agent-lock.ts';
import { LockError, NotLockedError } from '../lock/errors.ts';
import { type HolderProcess, startTokenOf } from '../lock/identity.ts';
import { giveBack } from '../lock/with-lock.ts';

export interface Hold {
  readonly worker: string;
  /** Absolute path of the worker. */
  readonly directory: string;
  /** The command, which has ended. */
  readonly holder: HolderProcess;
  readonly nonce: string;
  /** What the lock names as its session. */
  readonly sessionId: string;
}

/** Milliseconds between looks. Processes that end with the command do so within moments: half a second in all, and only where some are left. */
const GRACE_MS: readonly number[] = [20, 40, 80, 160, 200];

/** How often a new survivor is looked for because the last one ended before the lock named it. */
const ATTEMPTS = 5;

/** Ends a hold after its command. Returns one sentence where the lock is still there, else null. */
export const endHold = async (lock: Lock, hold: Hold): Promise<string | null> => {
  const wasOurs = await isStillOurs(lock, hold.nonce);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const left = await whoIsLeft(hold);
    if (typeof left === 'string')
      return `${hold.worker} stays locked: whether the command left anything running could not be checked: ${left}`;
    const [heir] = left;
    if (heir === undefined) return giveBack(lock, wasOurs);
    try {
      await passOn(lock, heir, hold);
    } catch (error) {
      if (error instanceof LockError) return error.message;
      throw error;
    }
    if ((await startTokenOf(heir.pid)) === heir.startToken) return describeHeir(heir, left.length - 1, hold);
  }
  return `${hold.worker} stays locked: what the command left running keeps starting new processes`;
};

/** Names the heir in the lock. If the command deleted the lock (`git clean -fdx`), it is taken again, so that the worker does not look free. */
const passOn = async (lock: Lock, { pid, startToken }: Heir, { nonce, sessionId }: Hold): Promise<void> => {
  const holder = { pid, startToken };
  try {
    await lock.handOver(holder);
  } catch (error) {
    if (!(error instanceof NotLockedError)) throw error;
    await lock.acquire({ holder, nonce, sessionId, needsGuard: true });
  }
};

interface Heir extends HolderProcess {
  readonly command: string;
  /** It cannot be told whether it has anything to do with the command. */
  readonly doubtful: boolean;
}

/** Finds the heirs; a text says why that is not possible. */
const whoIsLeft = async (hold: Hold): Promise<readonly Heir[] | string> => {
  let left = await lookForHeirs(hold);
  for (const pauseMs of GRACE_MS) {
    if (left.length === 0) break;
    await sleep(pauseMs);
    left = await lookForHeirs(hold);
  }
  return left;
};

const lookForHeirs = async (hold: Hold): Promise<readonly Heir[] | string> => {
  const table = await readProcessTable();
  if (!table.listing.seen) return table.listing.why;
  const { survivors, unread, unmarked } = await findLeftRunning(table, new Set([hold.nonce]));
  const heir = (row: ProcessRow, command: string, doubtful: boolean): Heir => ({
    pid: row.pid,
    startToken: table.details.recordedStart(row),
    command,
    doubtful,
  });
  const certain = survivors.map(({ row, command }) => heir(row, command, false));
  const doubted = await doubtfulOf([...unread, ...ofOurSession(unmarked, table)], table, hold);
  return [...certain, ...doubted.map((row) => heir(row, commandOf(row, table), true))];
};

/** Processes in the command's session. Those with a new environment (`env -i`, a launcher) lack the mark but belong to it. */
const ofOurSession = (rows: readonly ProcessRow[], table: ProcessTable): readonly ProcessRow[] => {
  const session = table.rows.get(process.pid)?.leader;
  return session === undefined ? [] : rows.filter(({ leader }) => leader === session);
};

/**
 * Processes without a mark that the command may have left: of our user, started during the hold, adopted by init, and not
 * seen to work elsewhere. A child of another process belongs to that process.
 */
const doubtfulOf = async (
  unmarked: readonly ProcessRow[],
  table: ProcessTable,
  { holder, directory }: Hold,
): Promise<readonly ProcessRow[]> => {
  const { rows, details } = table;
  const possible = unmarked.filter(
    (row) =>
      Number.parseInt(row.startToken, 10) >= Number.parseInt(holder.startToken ?? '0', 10) &&
      isOrphan(row, rows) &&
      details.uid(row.pid) === process.getuid?.() &&
      mayBeLeft(row, table),
  );
  if (possible.length === 0) return [];
  const cwds = await details.workingDirectories(possible.map(({ pid }) => pid));
  return possible.filter(({ pid }) => {
    const cwd = cwds.get(pid);
    return cwd?.seen !== true || relativeTo(directory, cwd.value) !== null;
  });
};

const isOrphan = ({ ppid }: ProcessRow, rows: ProcessTable['rows']): boolean =>
  ppid === 1 || rows.get(ppid)?.comm === 'systemd';

const isStillOurs = async (lock: Lock, nonce: string): Promise<boolean> => {
  try {
    return (await lock.read()).record.holder?.nonce === nonce;
  } catch {
    return false; // gone, damaged or unreadable: giving the lock back tells which
  }
};

const describeHeir = ({ pid, command, doubtful }: Heir, others: number, { worker }: Hold): string => {
  const who = `${command} (process ${pid})`;
  const more = others === 0 ? '' : ` (and ${others} more)`;
  return doubtful
    ? `${worker} stays locked in the name of ${who}: it started meanwhile, and its environment does not say for whom`
    : `${worker} stays locked: the command left ${who} running${more}; the lock is stale when that has ended`;
};
