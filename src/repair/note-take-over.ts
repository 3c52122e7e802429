/** Writes the journal's line for a stale lock that `exec` took over. */
import type { LockRecord } from '../core/types/evidence.ts';
import { systemCalls } from '../io/disk/system-calls.ts';
import { describeFailure } from '../io/programs/describe-failure.ts';
import { type Asked, byWhom } from './by-whom.ts';
import { appendEntries } from './journal.ts';
import { shortPath } from './repair-context.ts';

/** A dead holder's lock that a starting command has taken over. */
export interface TakenOver {
  readonly townRoot: string;
  readonly worker: string;
  /** Absolute path. */
  readonly lock: string;
  /** What it said before. */
  readonly replaced: LockRecord;
}

/** Writes the line; returns why that failed, or null. Never throws: the lock is held by now and stays held. */
export const noteTakeOver = (
  { townRoot, worker, lock, replaced }: TakenOver,
  asked: Asked,
): string | null => {
  const { pid, sessionId, hostname } = replaced;
  try {
    appendEntries(systemCalls, townRoot, [
      {
        event: 'taken-over',
        id: worker,
        at: new Date().toISOString(),
        reason: null,
        lock: shortPath(townRoot, lock),
        holder: { pid, sessionId, hostname },
        by: byWhom(asked),
      },
    ]);
    return null;
  } catch (error) {
    return `the journal could not be written: ${describeFailure(error)}`;
  }
};
