/** How a person unlocks a git worktree: a lock that somebody took by hand is never released by the doctor. */
import type { LockFile } from '../types/evidence.ts';

/** The main git directory of a lock in the administrative files of a linked working tree. */
export const mainGitDirOf = ({ path }: Pick<LockFile, 'path'>): string =>
  path.replace(/\/worktrees\/[^/]+\/[^/]+$/, '');

/** `git worktree unlock` for the lock of a worktree; null for every other lock, and where git does not say where its worktree is. */
export const unlockCommand = (lock: Pick<LockFile, 'kind' | 'path' | 'tree'>): readonly string[] | null =>
  lock.kind === 'git-worktree' && lock.tree?.path != null
    ? ['git', '-C', mainGitDirOf(lock), 'worktree', 'unlock', lock.tree.path]
    : null;
