/** Finishes or undoes what killed runs left behind, at workers without a planned release. */
import { dirname } from 'node:path';
import { KEEP_RELEASED_MS } from '../core/record/lock-names.ts';
import { describeFailure } from '../io/programs/describe-failure.ts';
import { type LeftoverRepair, tidyUp } from '../lock/files/tidy-up.ts';
import { describeBusy } from '../lock/guard/take-guard.ts';
import { takeGuardOf } from './batches/guard-of.ts';
import { appendEntries } from './journal.ts';
import { contextOf, type RepairOptions, shortPath, symlinkOnTheWay } from './repair-context.ts';

export type LeftoverOutcome =
  | ({ readonly status: 'done' } & LeftoverRepair)
  | { readonly status: 'skipped' | 'failed'; readonly reason: string };

/**
 * Tidies up beside a lock: removes staged files of dead runs and kept copies older than a week, and restores a lock that
 * was moved aside and never released. Expected failures are outcomes.
 * @param lock absolute path of the lock, whether or not it is there
 */
export const repairLeftovers = async (lock: string, options: RepairOptions): Promise<LeftoverOutcome> => {
  const context = contextOf(options);
  const { calls, townRoot, now, by } = context;
  const directory = dirname(lock);
  try {
    const symlink = symlinkOnTheWay(calls, townRoot, lock);
    if (symlink !== null) return { status: 'skipped', reason: `${symlink} is a symbolic link` };
    const taken = await takeGuardOf(lock, context);
    if (taken.kind === 'busy') return { status: 'skipped', reason: describeBusy(taken) };
    if (taken.kind === 'none') return { status: 'skipped', reason: taken.why };
    try {
      const done = tidyUp(taken.guard, { nowMs: now(), clearReleasedAfterMs: KEEP_RELEASED_MS });
      if (done.restored || done.removed.length > 0) {
        const names = done.removed.map((path) => path.slice(directory.length + 1));
        const reason = `${done.restored ? 'restored the lock; ' : ''}removed ${names.join(', ') || 'nothing'}`;
        const id = shortPath(townRoot, dirname(directory));
        appendEntries(calls, townRoot, [
          { event: 'tidied', id, at: new Date(now()).toISOString(), reason, by },
        ]);
      }
      return { status: 'done', ...done };
    } finally {
      taken.guard.letGo();
    }
  } catch (error) {
    return { status: 'failed', reason: describeFailure(error) };
  }
};
