/** A town with many stale locks, and releases of all of them together. */
import { existsSync } from 'node:fs';
import type { ReleaseOutcome } from '../../src/core/report/report.ts';
import { makeRunId } from '../../src/lock/files/names.ts';
import type { ReleaseStep } from '../../src/repair/repair-context.ts';
import { examineTown } from '../../src/town-locks.ts';
import { applyAll, type Releasing } from '../lock/support/release.ts';
import { quickJudge } from '../stress/quick-judge.ts';
import { makeTown, type TestTown } from '../support/index.ts';

/** The names sort by index. */
export const workerAt = (index: number): string => `gastown/crew/w${String(index).padStart(3, '0')}`;

/** Every lock has different bytes, because a copy is judged by its original. */
export const townWithLocks = (count: number): TestTown => {
  const town = makeTown();
  for (let index = 0; index < count; index += 1)
    town.lock(workerAt(index), { session_id: '', nonce: `${index}` });
  return town;
};

export const stepsFor = async (town: TestTown): Promise<readonly ReleaseStep[]> => {
  const { verdicts } = await examineTown(town.root);
  return verdicts.map(({ lock, state }, index) => ({ lock, state, force: false, number: index + 1 }));
};

export const releaseAll = async (
  town: TestTown,
  extra: Partial<Releasing> & { readonly steps?: readonly ReleaseStep[] } = {},
): Promise<readonly (ReleaseOutcome | undefined)[]> => {
  const { steps = await stepsFor(town), ...options } = extra;
  return applyAll(steps, makeRunId(Date.now()), {
    townRoot: town.root,
    judge: quickJudge,
    guardTimeoutMs: 50,
    ...options,
  });
};

export const isLocked = (town: TestTown, index: number): boolean =>
  existsSync(town.path(workerAt(index), '.runtime/agent.lock'));

export const statuses = (outcomes: readonly ({ readonly status: string } | undefined)[]): readonly string[] =>
  outcomes.map((outcome) => outcome?.status ?? 'no outcome');
