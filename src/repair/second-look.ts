/** The look at one lock at the moment of acting: it must see what the diagnosis saw, and as it did. */
import { countingTheAsker } from '../core/judge/asker.ts';
import { examineSnapshot } from '../core/judge/examine.ts';
import { claimsWorker } from '../core/town/claims-worker.ts';
import { isWithin } from '../core/town/roles.ts';
import type { LockFile } from '../core/types/evidence.ts';
import type { Examination } from '../core/types/judgement.ts';
import type { Judge } from '../lock/ask-the-judge.ts';
import { type LookOptions, lookAtWorker } from '../look.ts';

export interface SecondLook extends LookOptions {
  /** Town root, symlinks resolved. */
  readonly town: string;
  /** An agent that asks is alive like any other; false where it wants to start at that worker itself, or is told to force. */
  readonly countsAsker: boolean;
}

/** Judges this lock again, together with whatever its first judgement depended on. */
export const secondLook =
  (lock: LockFile, examination: Examination, { countsAsker, ...options }: SecondLook): Judge =>
  async (workerDir, lockPath) => {
    const again = await lookAtWorker(workerDir, {
      ...options,
      lock,
      beside: lookedAtBeside(lock, examination),
    });
    const { verdicts } = countsAsker ? examineSnapshot(countingTheAsker(again.snapshot)) : again;
    return verdicts.find((one) => one.lock.path === lockPath) ?? null;
  };

/** A copy is told from its original by looking at both, and an agent further down belongs to the lock that lies there. */
const lookedAtBeside = (lock: LockFile, { snapshot }: Examination): readonly string[] =>
  snapshot.locks
    .filter(claimsWorker)
    .filter(
      (other) =>
        (other.stamp !== null && other.stamp.sha256 === lock.stamp?.sha256) ||
        isWithin(other.worker, lock.worker),
    )
    .map(({ worker }) => worker);
