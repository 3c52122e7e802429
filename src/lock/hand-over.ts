/** Our lock goes on in the name of another process: what a command left running when it ended. */
import { type Acquired, refreshGuarded } from './acquire.ts';
import { isOurs, type LockContext, notOurs, recordOf } from './context.ts';
import { readCompanion, writeCompanion } from './files/companion.ts';
import { readRecord } from './files/read-record.ts';
import type { Guard } from './guard/guard.ts';
import { type HolderProcess, trueHolderOf } from './identity.ts';

/**
 * Writes our lock in that process's name, over itself; where another tool wrote over it, our second record alone.
 * Throws NotLockedError or LockedError where neither is ours any more, or what the system throws.
 */
export const handOverGuarded = async (
  guard: Guard,
  holder: HolderProcess,
  context: LockContext,
): Promise<Acquired | null> => {
  const { calls, place, nonce } = context;
  const seen = readRecord(calls, place.lock);
  if (isOurs(context, seen)) {
    const { record } = recordOf(context, seen);
    // The number of an ended helper stays: other tools go on as before.
    const isHelpers = record.pid !== record.holder?.pid;
    return refreshGuarded(guard, isHelpers ? { holder, recordedPid: record.pid } : { holder }, context);
  }
  if (nonce === null || readCompanion(calls, place)?.nonce !== nonce) throw notOurs(context, seen);
  writeCompanion(calls, place, trueHolderOf(holder, nonce));
  return null;
};
