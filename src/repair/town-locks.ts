/** The locks of a whole town, for programs: what the original package's functions of these names promised to be. */
import { countingTheAsker } from '../core/judge/asker.ts';
import { examineSnapshot } from '../core/judge/examine.ts';
import type { LockFile } from '../core/types/evidence.ts';
import type { Collision } from '../core/types/judgement.ts';
import type { JudgeOptions } from '../lock/ask-the-judge.ts';
import { makeRunId } from '../lock/files/names.ts';
import { examineTown, look, townOf } from '../look.ts';
import { applyRelease, type ReleaseOutcome } from './apply.ts';
import { secondLook } from './second-look.ts';

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
export async function findAllLocks(
  root: string,
  options: TownLocksOptions = {},
): Promise<readonly LockFile[]> {
  const { locks } = await look(townOf(root, options), options.scan ?? 'default', [], options);
  return locks;
}

/**
 * Releases every lock whose holder is proven gone, as `doctor --fix` does: looked at again under the guard, kept as a
 * copy, written to the journal, to be taken back by `doctor undo`. Locks that are stale and must stay for now (fresh,
 * tracked by git, busy) are in the answer with the reason.
 */
export async function cleanStaleLocks(
  root: string,
  options: TownLocksOptions = {},
): Promise<readonly CleanedLock[]> {
  const first = await examineTown(root, options);
  const { snapshot, verdicts } = examineSnapshot(countingTheAsker(first.snapshot));
  const run = makeRunId(Date.now());
  const townRoot = snapshot.town.root;
  const cleaned: CleanedLock[] = [];
  for (const { lock, state } of verdicts) {
    if (state !== 'stale') continue;
    const step = { lock, state, force: false };
    const judge = secondLook(lock, first, { ...options, town: townRoot, countsAsker: true });
    const outcome = await applyRelease(step, run, cleaned.length + 1, { townRoot, judge });
    cleaned.push({ lock, outcome });
  }
  return cleaned;
}

/** Workers with two live agents, and live agents that several workers' locks claim. Reads only. */
export async function detectCollisions(
  root: string,
  options: TownLocksOptions = {},
): Promise<readonly Collision[]> {
  return (await examineTown(root, options)).collisions;
}
