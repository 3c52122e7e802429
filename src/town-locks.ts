/** The locks of a whole town, for programs: functions with the names and promises of the original package. */
import { planRepair } from './core/plan.ts';
import { refusalOf } from './core/report/refusals.ts';
import type { ReleaseOutcome } from './core/report/report.ts';
import type { LockFile } from './core/types/evidence.ts';
import type { Collision, Examination } from './core/types/judgement.ts';
import { type ExamineOptions, judgeTown, lookInto, openTown } from './diagnose.ts';
import type { JudgeOptions } from './lock/ask-the-judge.ts';
import type { LookOptions } from './look.ts';
import { carryOut } from './repair/carry-out.ts';
import { skipped } from './repair/outcomes.ts';

export interface TownLocksOptions extends Omit<JudgeOptions, 'town'>, Pick<ExamineOptions, 'plugins'> {
  /** `default`: everything but repositories' insides; `deep`: everything; `quick`: known places only, in a Gas Town. */
  readonly scan?: 'default' | 'deep' | 'quick';
}

/** The outcome for one stale lock. */
export interface CleanedLock {
  readonly lock: LockFile;
  readonly outcome: ReleaseOutcome;
}

/** Judges every lock of a town. Throws Failure E_USAGE for a town that does not exist, E_CONFIG for a broken configuration. */
export const examineTown = async (
  town?: string,
  options: LookOptions & Pick<ExamineOptions, 'plugins'> = {},
): Promise<Examination> => judgeTown(await openTown(town, options), options);

/**
 * Every lock below a directory, invalid and unreadable ones included, sorted by worker. Reads only.
 * Rejects where the directory does not exist.
 */
export const findAllLocks = async (
  root: string,
  options: TownLocksOptions = {},
): Promise<readonly LockFile[]> => {
  const { locks } = await lookInto(await openTown(root, options), [], options);
  return locks;
};

/**
 * Releases every lock whose holder is proven gone, as `doctor --fix` does: each is looked at again under the guard, kept as a
 * copy and written to the journal, so that `doctor undo` can restore it. Stale locks that must stay for now (fresh, tracked
 * by git, busy) are in the result with the reason.
 */
export const cleanStaleLocks = async (
  root: string,
  options: TownLocksOptions = {},
): Promise<readonly CleanedLock[]> => {
  const place = await openTown(root, options);
  const examination = await judgeTown(place, options);
  const stale = examination.verdicts.filter(({ state }) => state === 'stale');
  const findings = stale.map(({ lock }) => ({ fix: { action: 'release', lock: lock.id } as const }));
  const plan = planRepair({ examination, outcomes: [{ findings }], workers: null, force: false });
  const acting = { ...options, scan: undefined, ...place };
  const { outcomes } = await carryOut({ ...plan, leftovers: [] }, examination, acting);
  return stale.map((verdict) => ({
    lock: verdict.lock,
    outcome: outcomes.get(verdict.lock.id) ?? skipped(refusalOf(verdict) ?? 'it was not tried'),
  }));
};

/** Workers with two live agents, and live agents that several workers' locks claim. Reads only. */
export const detectCollisions = async (
  root: string,
  options: TownLocksOptions = {},
): Promise<readonly Collision[]> => (await examineTown(root, options)).collisions;
