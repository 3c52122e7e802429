/** Do two directories belong to one repository, as a main working tree and its linked ones do? Reads only, runs nothing. */
import { basename, dirname } from 'node:path';
import type { GoneTree } from '../../core/types/evidence.ts';
import { displayPath } from '../../io/disk/disk-path.ts';
import { entryExists, isNoDirectory } from '../../io/disk/entry-exists.ts';
import { realOfMissing } from '../../io/disk/real-path.ts';
import { readdirSync, realpathSync } from '../../io/file-systems/servers.ts';
import { tryOr } from '../../io/try-or.ts';
import { commonDirectoryOf } from './git-directory.ts';
import { treePathIn } from './linked-tree.ts';
import { repositoryFinder } from './repository.ts';

/** The directory that all working trees of a repository share; null where there is no repository, or it cannot be told. */
const sharedDirectoryOf = (directory: string, find = repositoryFinder()): string | null => {
  const gitDir = find(directory)?.gitDir ?? null;
  if (gitDir === null) return null;
  const common = commonDirectoryOf(gitDir);
  return realpathSync.native(typeof common === 'string' && entryExists(common) ? common : gitDir);
};

/** True where both directories lie in working trees of one repository. */
export const shareRepository = (one: string, other: string): boolean => {
  const shared = sharedDirectoryOf(one);
  return shared !== null && shared === sharedDirectoryOf(other);
};

/** Every working tree of the repository around a directory as git records them, absolute; none where that cannot be told. */
export const workingTreesAround = (directory: string): readonly string[] => {
  try {
    const shared = sharedDirectoryOf(directory);
    if (shared === null) return [];
    const main = shared.endsWith('/.git') ? [dirname(shared)] : [];
    const linked = readdirSync(`${shared}/worktrees`).map((name) =>
      treePathIn(`${shared}/worktrees/${name}`),
    );
    return [...main, ...linked.filter((path) => path !== null).map(displayPath)];
  } catch {
    return [];
  }
};

/** `<main>` of `<main>/.git/worktrees/<name>`, or a bare repository; null for a git directory that is not of a linked working tree. */
export const mainTreeOf = (gitDir: string): string | null => {
  const worktrees = dirname(gitDir);
  if (basename(worktrees) !== 'worktrees') return null;
  const common = dirname(worktrees);
  return basename(common) === '.git' ? dirname(common) : common;
};

/** What the repositories around these directories still have of a working tree that was at `path`; null where that is nothing. */
export const goneTreeAt = (
  path: string,
  directories: readonly string[],
): Pick<GoneTree, 'gitDir' | 'isLocked'> | null => {
  if (!isNoDirectory(path)) return null;
  const find = repositoryFinder();
  const shared = new Set(
    directories.map((directory) => tryOr(() => sharedDirectoryOf(directory, find), null)),
  );
  for (const gitDir of shared) {
    if (gitDir === null) continue;
    for (const name of tryOr(() => readdirSync(`${gitDir}/worktrees`), [])) {
      const recorded = treePathIn(`${gitDir}/worktrees/${name}`);
      // Most have another name, which is told without looking at the disk.
      if (recorded === null || basename(displayPath(recorded)) !== basename(path)) continue;
      if (realOfMissing(displayPath(recorded)) !== realOfMissing(path)) continue;
      return { gitDir, isLocked: entryExists(`${gitDir}/worktrees/${name}/locked`) };
    }
  }
  return null;
};
