/** Whether there is an entry, or a directory, of a name. Never throws. */
import { isAbsence } from '../errno.ts';
import { lstatSync, statSync } from '../file-systems/servers.ts';
import { tryOr } from '../try-or.ts';
import type { DiskPath } from './disk-path.ts';

/** True where there is an entry of that name, of whatever kind; false where there is none, or we may not look. */
export const entryExists = (path: DiskPath): boolean =>
  tryOr(() => lstatSync(path, { throwIfNoEntry: false }) !== undefined, false);

/** True where there is certainly no entry of that name; false where we may not look. */
export const isAbsent = (path: DiskPath): boolean => {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) === undefined;
  } catch (error) {
    return isAbsence(error);
  }
};

/**
 * True where that path certainly leads to no directory: nothing is there, or something else, or a symlink that leads nowhere. False
 * where we may not look.
 */
export const isNoDirectory = (path: DiskPath): boolean => {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true;
  } catch (error) {
    return isAbsence(error);
  }
};

/** True for a directory that has that name itself: a symlink is not followed. False where there is none, or we may not look. */
export const isPlainDirectory = (path: string): boolean =>
  tryOr(() => lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true, false);

/** True where that path leads to a directory, through symlinks too; false where it does not, or we may not look. */
export const leadsToDirectory = (path: string): boolean =>
  tryOr(() => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true, false);
