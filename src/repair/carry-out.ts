/** Carries out a plan: takes the guard of each step's lock, then looks at the lock again. */
import { isToBeTidied, type Plan } from '../core/plan.ts';
import { lockBeside } from '../core/record/lock-names.ts';
import type { RepairRecord } from '../core/report/repaired.ts';
import type { ReleaseOutcome } from '../core/report/report.ts';
import type { LockFile } from '../core/types/evidence.ts';
import type { Examination } from '../core/types/judgement.ts';
import { makeRunId } from '../lock/files/names.ts';
import type { LookOptions, OpenTown } from '../look.ts';
import { applyReleases } from './apply.ts';
import type { Asked } from './by-whom.ts';
import { repairLeftovers } from './leftovers.ts';
import { skipped } from './outcomes.ts';
import type { ReleaseStep } from './repair-context.ts';
import { secondLook } from './second-look.ts';

/** The town as the diagnosis opened it. */
export interface CarryOutOptions extends LookOptions, OpenTown {
  /** Who acts, and how it was agreed to; default: a program that calls the library. */
  readonly asked?: Asked | undefined;
  /** The asker wants to start at that worker itself: it does not count there, as everywhere in preflight. */
  readonly wantsToStart?: boolean | undefined;
  /** Called after each release that was tried. */
  readonly onStep?: ((lock: LockFile, outcome: ReleaseOutcome) => void) | undefined;
  /** Once aborted no further step begins. */
  readonly signal?: AbortSignal | undefined;
}

/** The locks at these workers beside which killed runs left files, at the old place too. */
const leftoversAt = (workers: readonly string[], { snapshot }: Examination): readonly string[] => {
  const left = snapshot.leftovers.filter(
    (leftover) => workers.includes(leftover.worker) && isToBeTidied(leftover, snapshot.takenAtMs),
  );
  return [...new Set(left.map(({ path }) => lockBeside(path)))];
};

/** Finishes what killed runs left, then makes the releases of a plan, in its order. Expected failures are outcomes. */
export const carryOut = async (
  plan: Plan,
  examination: Examination,
  options: CarryOutOptions,
): Promise<RepairRecord> => {
  const { town, onStep, signal, asked, wantsToStart = false } = options;
  const repair = {
    townRoot: town.root,
    table: options.table,
    ...(signal === undefined ? {} : { signal }),
    ...(asked === undefined ? {} : { asked }),
  };
  for (const lock of leftoversAt(plan.leftovers, examination)) {
    if (signal?.aborted === true) break;
    await repairLeftovers(lock, repair);
  }
  const run = makeRunId(Date.now());
  // Locks of workers that were asked for by name get an outcome even where nothing is tried, and so do those left for the asker.
  const outcomes = new Map<string, ReleaseOutcome>(
    plan.left
      .filter(({ force, isAskers }) => force || isAskers)
      .map(({ verdict, why }) => [verdict.lock.id, skipped(why)]),
  );
  const settle = ({ lock }: Pick<ReleaseStep, 'lock'>, outcome: ReleaseOutcome): void => {
    outcomes.set(lock.id, outcome);
    onStep?.(lock, outcome);
  };
  const steps = plan.steps.map(
    ({ verdict: { lock, state }, force }, index): ReleaseStep => ({ lock, state, force, number: index + 1 }),
  );
  const judge = secondLook(examination, { ...options, wantsToStart });
  await applyReleases(steps, run, { ...repair, judge, onOutcome: settle });
  const moved = [...outcomes.values()].some(({ status }) => status === 'fixed');
  return { id: moved ? run : null, outcomes };
};
