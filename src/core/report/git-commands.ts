/** Commands about locks in git directories, wherever the caller's root is. */
import type { LockFile, LockGitDir } from '../types/evidence.ts';

/** The main git directory of a lock in the administrative files of a linked working tree. */
export const mainGitDirOf = ({ path }: Pick<LockFile, 'path'>): string =>
  path.replace(/\/worktrees\/[^/]+\/[^/]+$/, '');

/** `git worktree unlock` for the lock of a worktree; null for every other lock, and where git does not say where its worktree is. */
export const unlockCommand = (lock: Pick<LockFile, 'kind' | 'path' | 'tree'>): readonly string[] | null =>
  lock.kind === 'git-worktree' && lock.tree?.path != null
    ? ['git', '-C', mainGitDirOf(lock), 'worktree', 'unlock', lock.tree.path]
    : null;

/** Releases a lock from where it lies, a lock of git alone: a repair writes only inside its root. */
export const releaseCommand = ({
  path,
  gitDir,
}: Pick<LockFile, 'path'> & { readonly gitDir?: Pick<LockGitDir, 'main'> | undefined }): readonly string[] =>
  gitDir === undefined
    ? ['doctor', '--fix', '--town', workerAround(path)]
    : ['doctor', '--fix', '--town', repositoryAround(gitDir.main), '--lock', path];

/** The worker of an agent's lock. */
const workerAround = (path: string): string => path.replace(/\/[^/]+\/[^/]+$/, '') || '/';

/** The working tree around a git directory, or around the one that it is a part of; a bare or separate one itself. */
const repositoryAround = (main: string): string =>
  main
    .replace(/\/modules\/.*$/, '')
    .replace(/\/worktrees\/[^/]+$/, '')
    .replace(/\/\.git$/, '') || '/';
