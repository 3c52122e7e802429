/** What git takes for a git directory, by its own rule (`is_git_directory` in its setup.c). Reads only. */
import { dirname } from 'node:path';
import { type DiskPath, joinPath, resolvePath } from '../../io/disk/disk-path.ts';
import { readValue } from '../../io/disk/small-file.ts';
import { lstatSync, statSync } from '../../io/file-systems/servers.ts';
import { tryOr } from '../../io/try-or.ts';

/** One line with one path is shorter than this, so a longer file is no `.git`, `gitdir` or `commondir`. */
export const MAX_POINTER_BYTES = 8192;

/** What the directory needs that all working trees of a repository share. */
const SHARED = ['objects', 'refs'] as const;

/** What a bare repository needs, and any other main git directory. */
export const REPOSITORY_PARTS = ['HEAD', ...SHARED] as const;

/**
 * True for a main git directory, and for that of a linked working tree. What its `HEAD` says is not looked at: a damaged one does
 * not make its locks disappear. Throws like `node:fs` where we may not look.
 */
export const isGitDirectory = (path: DiskPath): boolean =>
  hasHead(path) && hasSharedParts(commonDirectoryOf(path));

export const hasHead = (path: DiskPath): boolean =>
  lstatSync(joinPath(path, 'HEAD'), { throwIfNoEntry: false }) !== undefined;

/** The directory that all working trees of its repository share; the path itself where it names no other. */
export const commonDirectoryOf = (path: DiskPath): DiskPath => {
  const named = readValue(joinPath(path, 'commondir'), MAX_POINTER_BYTES);
  return named === null || named === 'absent' ? path : resolvePath(path, named.value);
};

export const hasSharedParts = (common: DiskPath): boolean =>
  SHARED.every((name) => statSync(joinPath(common, name), { throwIfNoEntry: false }) !== undefined);

/** The git directory, bare or of a working tree, in which this directory lies below `top`; null where it lies in none. */
export const gitDirectoryAround = (directory: string, top: string): string | null => {
  for (let at = directory; at !== top && at !== '/'; at = dirname(at))
    if (tryOr(() => isGitDirectory(at), false)) return at;
  return null;
};

/** The same rule for the names in a directory, which do not tell whether `commondir` leads anywhere. */
export const areOfGitDirectory = (names: ReadonlySet<string>): boolean =>
  names.has('HEAD') && (names.has('commondir') || SHARED.every((name) => names.has(name)));
