/** Carries out planned releases: what forbids them beforehand, their guards, and the outcome of each. */
import { immovable } from '../core/judge/may-release.ts';
import { REFUSALS } from '../core/report/refusals.ts';
import type { ReleaseOutcome } from '../core/report/report.ts';
import { isAbsence } from '../io/errno.ts';
import { describeFailure } from '../io/programs/describe-failure.ts';
import { describeBusy } from '../lock/guard/take-guard.ts';
import { inBatches, type Refused } from './batches/in-batches.ts';
import { releaseBatch, type TriedRelease } from './batches/release-batch.ts';
import { changed, failed, interrupted, skipped } from './outcomes.ts';
import {
  contextOf,
  type JudgeAgain,
  type ReleaseStep,
  type RepairContext,
  type RepairOptions,
  symlinkOnTheWay,
} from './repair-context.ts';

export interface ReleaseOptions extends RepairOptions {
  readonly judge: JudgeAgain;
  /** Called once for each lock, when its outcome is known. */
  readonly onOutcome: (step: ReleaseStep, outcome: ReleaseOutcome) => void;
}

/**
 * Releases locks, each if it still is the file with the bytes and the verdict that were diagnosed. Expected failures are
 * outcomes and do not affect other locks; nothing is thrown for what the disk does.
 * @param run of `makeRunId`, one for all steps of a run
 */
export const applyReleases = async (
  steps: readonly ReleaseStep[],
  run: string,
  options: ReleaseOptions,
): Promise<void> => {
  const context = contextOf(options);
  const { judge, onOutcome } = options;
  const releases: TriedRelease[] = [];
  for (const step of steps) {
    const release = context.signal?.aborted === true ? interrupted() : beforeGuard(step, context);
    if ('status' in release) onOutcome(step, release);
    else releases.push(release);
  }
  const left = await inBatches(
    releases,
    {
      lockOf: ({ lock }) => lock.path,
      act: async (batch) => {
        for (const [step, outcome] of await releaseBatch(batch, run, judge, context))
          onOutcome(step, outcome);
      },
      refuse: (step, why) => onOutcome(step, withoutGuard(why)),
    },
    context,
  );
  for (const step of left) onOutcome(step, interrupted());
};

/** What can be decided without the guard: the release to be tried, or why it is not tried. */
const beforeGuard = (step: ReleaseStep, context: RepairContext): TriedRelease | ReleaseOutcome => {
  const { lock } = step;
  const kind = context.kinds.get(lock.kind);
  if (kind === undefined) return skipped(`unknown kind of lock: ${lock.kind}`);
  const { letGo: deed } = kind;
  if (deed === null) return skipped(REFUSALS.never);
  const problem = immovable(lock);
  if (problem !== null || lock.stamp === null) return skipped(REFUSALS[problem ?? 'not-a-file']);
  try {
    const symlink = symlinkOnTheWay(context.calls, context.townRoot, lock.path);
    if (symlink !== null) return skipped(`${symlink} is a symbolic link`);
  } catch (error) {
    return failed(describeFailure(error));
  }
  return { ...step, stamp: lock.stamp, deed };
};

const withoutGuard = (why: Refused): ReleaseOutcome => {
  if (why.kind === 'busy') return skipped(describeBusy(why));
  if (why.cause !== 'io') return skipped(`${why.why}. ${why.hint}`);
  return isAbsence(why.error) ? changed('its directory is gone') : failed(why.why);
};
