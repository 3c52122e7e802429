/** Finds the repository that a directory belongs to, by looking at `.git` entries as git itself does. Runs nothing. */
import { readFileSync, type Stats } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { remembering } from '../../core/remembering.ts';
import { describeErrno, isAbsence } from '../../io/errno.ts';
import { statSync } from '../../io/file-systems/servers.ts';
import { isGitDirectory, MAX_POINTER_BYTES } from './git-directory.ts';

export interface Repository {
  /** The working tree's top directory: the one with the `.git` entry. */
  readonly top: string;
  /** Where the index is; for a worktree its own part of the shared repository. Null where that is not known. */
  readonly gitDir: string | null;
  /** Why the repository cannot be asked; null where it can. */
  readonly problem: string | null;
  /** The user who owns all of it; null where several do. git has its own rule for that ("dubious ownership"). */
  readonly owner: number | null;
}

/**
 * Finds the nearest repository at or above a directory, up to the root of the file system; null where there is none.
 * Remembers each directory: workers share most of their ancestors. Directories for which `isRuledOut` is true are known to have
 * no `.git` and are not looked at.
 */
export const repositoryFinder = (
  isRuledOut: (directory: string) => boolean = () => false,
): ((directory: string) => Repository | null) => {
  const find = remembering((directory: string): Repository | null => {
    const parent = dirname(directory);
    const here = isRuledOut(directory) ? null : repositoryAt(directory);
    return here ?? (parent === directory ? null : find(parent));
  });
  return find;
};

/** The repository whose `.git` lies in this directory. git skips a `.git` directory that is not a repository, and so do we. */
const repositoryAt = (top: string): Repository | null => {
  const entry = `${top}/.git`;
  const troubled = (problem: string): Repository => ({ top, gitDir: null, problem, owner: null });
  try {
    const stats = statIfThere(entry);
    if (stats === null) return null;
    const gitDir = stats.isFile() ? pointedTo(entry, top) : entry;
    if (gitDir === null) return troubled(`${entry} does not point to a repository`);
    const target = statIfThere(gitDir);
    const isComplete = isGitDirectory(gitDir);
    if (!isComplete && stats.isDirectory() && isHollow(gitDir)) return null;
    if (!isComplete || target === null) return troubled(`${entry} leads to no complete repository`);
    const { uid } = statSync(top);
    const owner = stats.uid === uid && target.uid === uid ? uid : null;
    return { top, gitDir, problem: null, owner };
  } catch (error) {
    return troubled(`${entry}: ${describeErrno(error)}`);
  }
};

const isHollow = (gitDir: string): boolean =>
  ['index', 'objects', 'refs'].every((name) => statIfThere(`${gitDir}/${name}`) === null);

const pointedTo = (entry: string, top: string): string | null => {
  if (statSync(entry).size > MAX_POINTER_BYTES) return null;
  const target = /^gitdir: ([^\0]+?)[\r\n]*$/.exec(readFileSync(entry, 'utf8'))?.[1];
  return target === undefined ? null : resolve(top, target);
};

/** Null where there is nothing (or a dangling link); throws where we may not look. */
const statIfThere = (path: string): Stats | null => {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? null;
  } catch (error) {
    if (isAbsence(error)) return null;
    throw error;
  }
};
