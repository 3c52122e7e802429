/**
 * Makes files and directories. What root makes in a user's directory is given to the directory's owner, because otherwise a
 * single `sudo` would lock that owner out for good.
 */
import { constants } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf } from '../errno.ts';
import { quietly } from '../try-or.ts';
import { type OpenDirectory, openDirectory } from './open-directory.ts';
import { PLAIN_FILE } from './small-file.ts';
import type { SystemCalls } from './system-calls.ts';

/** Makes a directory where nothing stands; true where it was made. Throws what the system throws. */
export const makeDirectory = (calls: SystemCalls, path: string): boolean => {
  if (calls.lstat(path) !== undefined) return false;
  const parent = openDirectory(calls, dirname(path));
  try {
    parent.calls.mkdir(path);
    if (isOfAnother(parent)) handOverDirectory(calls, parent, path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false; // another process made it at the same time
    throw error;
  } finally {
    parent.close();
  }
};

/**
 * Opens a file in a directory, made (0644 less the umask) where there is none; never through a symlink. `flags` without O_CREAT.
 * Throws what the system throws.
 */
export const openOrMake = (
  directory: OpenDirectory,
  path: string,
  flags: number,
): { readonly descriptor: number; readonly isNew: boolean } => {
  const { calls } = directory;
  const plain = flags | PLAIN_FILE;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return { descriptor: calls.open(path, plain), isNew: false };
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
    try {
      // O_EXCL: the file whose owner is changed below is certainly the one made here.
      const descriptor = calls.open(path, plain | constants.O_CREAT | constants.O_EXCL, 0o644);
      if (isOfAnother(directory)) giveTo(calls, descriptor, directory);
      return { descriptor, isNew: true };
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST' || attempt === 2) throw error;
    }
  }
};

const isOfAnother = ({ uid }: OpenDirectory): boolean => process.geteuid?.() === 0 && uid !== 0;

/**
 * Gives a new directory to the owner of `parent`. Before it is opened, that owner may have put another directory of root's under
 * this name; an empty one gives away nothing that this owner could not take anyway.
 */
const handOverDirectory = (calls: SystemCalls, parent: OpenDirectory, path: string): void => {
  const made = openDirectory(calls, path);
  try {
    if (made.uid !== 0 || made.calls.list(path).length > 0) return;
    giveTo(calls, made.descriptor, parent);
  } finally {
    made.close();
  }
};

/**
 * Gives what was opened to the owner of `directory`. On file systems without owners, or where root may not change them, it stays
 * root's: a user who is refused later because of it is told the path and its owner.
 */
const giveTo = (calls: SystemCalls, descriptor: number, { uid, gid }: OpenDirectory): void =>
  quietly(() => calls.fchown(descriptor, uid, gid));
