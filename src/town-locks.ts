/** The locks of a whole town, for programs: what the original package's functions of these names promised to be. */
import { examineSnapshot } from './core/judge/examine.ts';
import { refusalOf } from './core/report/refusals.ts';
import type { ReleaseOutcome } from './core/report/report.ts';
import type { LockFile } from './core/types/evidence.ts';
import type { Collision } from './core/types/judgement.ts';
import { openTown } from './diagnose.ts';
import type { JudgeOptions } from './lock/ask-the-judge.ts';
import { examineTown, look, townOf } from './look.ts';
import { carryOut } from './repair/carry-out.ts';

export interface TownLocksOptions extends Omit<JudgeOptions, 'town'> {
  /** `default`: everything but repositories' insides; `deep`: everything; `quick`: known places only. */
  readonly scan?: 'default' | 'deep' | 'quick';
}

/** What became of one stale lock. */
export interface CleanedLock {
  readonly lock: LockFile;
  readonly outcome: ReleaseOutcome;
}

/**
 * Every lock below a directory, invalid and unreadable ones included, sorted by worker. Reads only.
 * Rejects where the directory does not exist.
 */
export const findAllLocks = async (
  root: string,
  options: TownLocksOptions = {},
): Promise<readonly LockFile[]> => {
  const { locks } = await look(townOf(root, options), options.scan ?? 'default', [], options);
  return locks;
};

/**
 * Releases every lock whose holder is proven gone, as `doctor --fix` does: looked at again under the guard, kept as a
 * copy, written to the journal, to be taken back by `doctor undo`. Locks that are stale and must stay for now (fresh,
 * tracked by git, busy) are in the answer with the reason.
 */
export const cleanStaleLocks = async (
  root: string,
  options: TownLocksOptions = {},
): Promise<readonly CleanedLock[]> => {
  const { town, config } = openTown(root, options);
  const examination = examineSnapshot(await look(town, options.scan ?? 'default', [], options, config));
  const stale = examination.verdicts.filter(({ state }) => state === 'stale');
  const steps = stale.filter(({ release }) => release.allowed).map((verdict) => ({ verdict, force: false }));
  const record = await carryOut({ steps, left: [], leftovers: [] }, examination, {
    ...options,
    scan: undefined,
    town,
    config,
  });
  return stale.map((verdict) => ({
    lock: verdict.lock,
    outcome: record.outcomes.get(verdict.lock.id) ?? {
      status: 'skipped',
      reason: refusalOf(verdict) ?? 'it was not tried',
      backup: null,
    },
  }));
};

/** Workers with two live agents, and live agents that several workers' locks claim. Reads only. */
export const detectCollisions = async (
  root: string,
  options: TownLocksOptions = {},
): Promise<readonly Collision[]> => (await examineTown(root, options)).collisions;
