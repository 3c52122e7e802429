/** Hands our lock over to another process: one that a command left running when it ended. */
import { type Acquired, refreshGuarded } from './acquire.ts';
import { readCompanion, writeCompanion } from './files/companion.ts';
import { readRecord } from './files/read-record.ts';
import type { Guard } from './guard/guard.ts';
import { type HolderProcess, trueHolderOf } from './identity.ts';
import { isOurs, type LockContext, notOurs, recordOf } from './lock-context.ts';

/**
 * Writes our lock again in that process's name; where another tool overwrote it, only our second record. Throws NotLockedError
 * or LockedError where neither is ours any more, or what the system throws.
 */
export const handOverGuarded = async (
  guard: Guard,
  holder: HolderProcess,
  context: LockContext,
): Promise<Acquired | null> => {
  const { calls, files, nonce } = context;
  const seen = readRecord(calls, files.lock);
  if (isOurs(context, seen)) {
    const { record } = recordOf(context, seen);
    // The PID of a helper that has ended stays, so that nothing changes for other tools.
    const isHelpers = record.pid !== record.holder?.pid;
    return refreshGuarded(guard, isHelpers ? { holder, recordedPid: record.pid } : { holder }, context);
  }
  if (nonce === null || readCompanion(calls, files)?.nonce !== nonce) throw notOurs(context, seen);
  writeCompanion(calls, files, trueHolderOf(holder, nonce));
  return null;
};
