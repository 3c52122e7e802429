/** Where the files of one lock are, and the names of those that a run makes beside it. */
import { dirname, join } from 'node:path';
import { AGENT_HOME, COMPANION_NAME, endOfNames, LOCK_NAME } from '../../core/record/lock-names.ts';
import { randomHex } from '../../io/disk/digest.ts';

/** The files of one lock, all in one directory, so that links and renames between them are possible. */
export interface LockFiles {
  /** Absolute path of the lock's directory: for an agent's `.runtime` (or, before December 2025, `.gastown`). */
  readonly directory: string;
  readonly lock: string;
  /** The file whose flock(2) guards every change. Never removed by anyone. */
  readonly guard: string;
  /** The second record, which keeps the true holder; null for locks that have none. */
  readonly companion: string | null;
}

export const lockFilesIn = (directory: string): LockFiles => ({
  directory,
  lock: `${directory}/${LOCK_NAME}`,
  guard: `${directory}/${LOCK_NAME}.flock`,
  companion: `${directory}/${COMPANION_NAME}`,
});

/** The lock of the agent that works in this directory. */
export const agentsLockFiles = (workerDir: string): LockFiles => lockFilesIn(join(workerDir, AGENT_HOME));

/** A lock of another kind than the agent's: one guard of the town serves all of these. */
export const lockFilesOf = (lock: string, guard: string): LockFiles => ({
  directory: dirname(lock),
  lock,
  guard,
  companion: null,
});

/** Random text, unique to one acquisition or one step. */
export const makeNonce = (): string => randomHex(8);

/** A file that is being written and will be linked or renamed to its name. */
export const stagedPath = (files: LockFiles, nonce: string): string => `${files.lock}.${nonce}.new`;

/** A lock that was moved aside to be looked at: it is not released yet, and the next run restores it. */
export const asidePath = (files: LockFiles, nonce: string): string =>
  `${files.lock}.${nonce}.old${endOfNames(files.lock)}`;

/** The kept copy of a released lock. Only `doctor undo` restores it. */
export const releasedPath = (files: Pick<LockFiles, 'lock'>, id: string): string =>
  `${files.lock}.released-${id}${endOfNames(files.lock)}`;

/** `20260811T070000Z-1f3a5c`: sorts by time, and no two runs share one. */
export const makeRunId = (nowMs: number): string => {
  const time = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, '');
  return `${time}-${randomHex(3)}`;
};
