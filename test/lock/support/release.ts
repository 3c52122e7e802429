/** Releases as `--fix` does, with a judge that is asked about each lock alone: the doctor's own, or one from a test. */
import { dirname } from 'node:path';
import type { ReleaseOutcome } from '../../../src/core/report/report.ts';
import { doctorsJudge, type Judge } from '../../../src/lock/ask-the-judge.ts';
import { applyReleases } from '../../../src/repair/apply.ts';
import type { JudgeAgain, ReleaseStep, RepairOptions } from '../../../src/repair/repair-context.ts';

const askedAlone =
  (judge: Judge): JudgeAgain =>
  async (steps) => {
    const verdicts = new Map<string, NonNullable<Awaited<ReturnType<Judge>>>>();
    for (const { lock } of steps) {
      const verdict = await judge({ workerDir: dirname(dirname(lock.path)), path: lock.path });
      if (verdict !== null) verdicts.set(lock.id, verdict);
    }
    return verdicts;
  };

export type Releasing = RepairOptions & { readonly judge?: Judge };

/** One release of a run. */
export const applyRelease = async (
  step: Omit<ReleaseStep, 'number'>,
  run: string,
  number: number,
  options: Releasing,
): Promise<ReleaseOutcome> => {
  const [outcome] = await applyAll([{ ...step, number }], run, options);
  if (outcome === undefined) throw new Error('the release has no outcome');
  return outcome;
};

/** All releases of a run. Returns their outcomes in the order of the steps. */
export const applyAll = async (
  steps: readonly ReleaseStep[],
  run: string,
  { judge, ...options }: Releasing,
): Promise<readonly (ReleaseOutcome | undefined)[]> => {
  const outcomes = new Map<number, ReleaseOutcome>();
  await applyReleases(steps, run, {
    ...options,
    judge: askedAlone(judge ?? doctorsJudge({ town: options.townRoot })),
    onOutcome: ({ number }, outcome) => {
      if (outcomes.has(number)) throw new Error(`release ${number} has two outcomes`);
      outcomes.set(number, outcome);
    },
  });
  return steps.map(({ number }) => outcomes.get(number));
};
