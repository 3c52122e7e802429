/** Writes the journal's lines for what no repair does: `exec` takes a stale lock over, a lease is revoked by force. */
import { namedHolder } from '../core/record/lock-record.ts';
import type { LockRecord } from '../core/types/evidence.ts';
import { systemCalls } from '../io/disk/system-calls.ts';
import { describeFailure } from '../io/programs/describe-failure.ts';
import { type Asked, byWhom } from './by-whom.ts';
import { appendEntries, type RevokedEntry, type TakeOverEntry } from './journal.ts';
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
export const noteTakeOver = ({ townRoot, worker, lock, replaced }: TakenOver, asked: Asked): string | null =>
  note(townRoot, asked, {
    event: 'taken-over',
    id: worker,
    reason: null,
    lock: shortPath(townRoot, lock),
    holder: namedHolder(replaced),
  });

/** The lease of a dead holder that is about to be revoked. */
export interface Revocation {
  readonly townRoot: string;
  readonly worker: string;
  readonly lease: string;
  /** What it said of its holder. */
  readonly holder: RevokedEntry['holder'];
}

/** Writes the line; returns why that failed, or null. Never throws: what is not in the journal must not be revoked. */
export const noteRevocation = (
  { townRoot, worker, lease, holder }: Revocation,
  asked: Asked,
): string | null => note(townRoot, asked, { event: 'lease-revoked', id: worker, reason: lease, holder });

const note = (
  townRoot: string,
  asked: Asked,
  entry: Omit<TakeOverEntry, 'at' | 'by'> | Omit<RevokedEntry, 'at' | 'by'>,
): string | null => {
  try {
    const at = new Date().toISOString();
    appendEntries(systemCalls, townRoot, [{ ...entry, at, by: byWhom(asked) }]);
    return null;
  } catch (error) {
    return `the journal could not be written: ${describeFailure(error)}`;
  }
};
