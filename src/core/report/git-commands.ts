/** Commands about locks in git directories, wherever the caller's root is. */
import { groupBy } from '../group-by.ts';
import type { LockFile, LockGitDir } from '../types/evidence.ts';
import { optionWith } from './name-worker.ts';

/** The main git directory of a lock in the administrative files of a linked working tree. */
export const mainGitDirOf = ({ path }: Pick<LockFile, 'path'>): string =>
  path.replace(/\/worktrees\/[^/]+\/[^/]+$/, '');

/** `git worktree unlock` for the lock of a worktree; null for every other lock, and where git does not say where its worktree is. */
export const unlockCommand = (lock: Pick<LockFile, 'kind' | 'path' | 'tree'>): readonly string[] | null =>
  lock.kind === 'git-worktree' && lock.tree?.path != null
    ? ['git', '-C', mainGitDirOf(lock), 'worktree', 'unlock', lock.tree.path]
    : null;

/** Tells git where linked working trees of a repository are now. */
export const repairCommand = (gitDir: string, ...trees: readonly string[]): readonly string[] => [
  ...['git', '-C', gitDir, 'worktree', 'repair'],
  ...trees,
];

/** Releases a lock from where it lies, a lock of git alone: a repair writes only inside its root. */
export const releaseCommand = ({
  path,
  gitDir,
}: Pick<LockFile, 'path'> & { readonly gitDir?: Pick<LockGitDir, 'main'> | undefined }): readonly string[] =>
  gitDir === undefined
    ? ['doctor', '--fix', '--town', workerAround(path)]
    : ['doctor', '--fix', '--town', repositoryAround(gitDir.main), '--lock', path];

/**
 * The same releases in fewer commands: one for all working trees that lie side by side. It names them, because a repair of the
 * directory around them would take in their neighbours.
 */
export const gatherReleases = (commands: readonly (readonly string[])[]): readonly (readonly string[])[] => {
  const groups = groupBy(commands, (command) => parentOf(command) ?? JSON.stringify(command));
  return [...groups].flatMap(([parent, group]) => {
    const [first = []] = group;
    const names = new Set(group.map((command) => (command[3] ?? '').slice(parent.length + 1)));
    return names.size === 1 || parentOf(first) === null
      ? [first]
      : [['doctor', '--fix', '--town', parent, ...[...names].flatMap((name) => optionWith('worker', name))]];
  });
};

/** The directory around a working tree whose own lock such a command releases; null for every other command. */
const parentOf = (command: readonly string[]): string | null => {
  const [program, fix, option, tree = '', ...others] = command;
  const isRelease = program === 'doctor' && fix === '--fix' && option === '--town' && others.length === 0;
  return isRelease ? tree.slice(0, tree.lastIndexOf('/')) || null : null;
};

/** The worker of an agent's lock. */
const workerAround = (path: string): string => path.replace(/\/[^/]+\/[^/]+$/, '') || '/';

/** The working tree around a git directory, or around the one that it is a part of; a bare or separate one itself. */
const repositoryAround = (main: string): string =>
  main
    .replace(/\/modules\/.*$/, '')
    .replace(/\/worktrees\/[^/]+$/, '')
    .replace(/\/\.git$/, '') || '/';
