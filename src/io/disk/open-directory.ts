/**
 * Opens a directory once and makes every system call on its entries through that descriptor: if its name or a directory above
 * it is replaced meanwhile, the calls still reach the directory that was opened.
 */
import { constants } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf } from '../errno.ts';
import { closeQuietly } from '../try-or.ts';
import { isSamePath } from './disk-path.ts';
import { throughDescriptor } from './path-in-directory.ts';
import type { SystemCalls } from './system-calls.ts';

export interface OpenDirectory {
  /** Absolute path, no symlink in it. */
  readonly path: string;
  readonly descriptor: number;
  /** They take the directory's own path and paths of entries directly in it; any other path is refused. */
  readonly calls: SystemCalls;
  readonly uid: number;
  readonly gid: number;
  /** True while the name still leads to this directory. Throws what lstat throws. */
  readonly stands: () => boolean;
  /** Never throws; safe to call twice. */
  readonly close: () => void;
}

/** The directory is not safe to change; the message says why, `hint` what helps. */
export class UnsafeDirectoryError extends Error {
  readonly hint: string;

  constructor(
    message: string,
    hint = 'Nothing is changed through links or special files: put a plain directory there.',
  ) {
    super(message);
    this.name = new.target.name;
    this.hint = hint;
  }
}

const DIRECTORY_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Opens a directory whose absolute path has no symlink in it. Throws UnsafeDirectoryError where it has one or is not a
 * directory, otherwise what open throws.
 *
 * On Linux the kernel tells the real path of what was opened, and every call goes through `/proc/self/fd`. Elsewhere the name is
 * compared with the descriptor before each call. What remains possible there is a swap between that comparison and the call, by
 * a user who may write in the directory above.
 */
export const openDirectory = (calls: SystemCalls, path: string): OpenDirectory => {
  const descriptor = openPlain(calls, path);
  try {
    const { dev, ino, uid, gid } = calls.fstat(descriptor);
    const lies = calls.pathOf(descriptor);
    if (lies !== null && !isSamePath(lies, path))
      throw new UnsafeDirectoryError(`${path} leads elsewhere: to ${lies}`);
    const stands = (): boolean => {
      const named = calls.lstat(path);
      return named !== undefined && named.dev === dev && named.ino === ino;
    };
    if (lies === null) refuseUnprovable(path, Number(uid));
    const check = (): void => {
      if (!stands()) throw new UnsafeDirectoryError(`${path} was replaced meanwhile`);
    };
    let isOpen = true;
    return {
      path,
      descriptor,
      calls: throughDescriptor(
        calls,
        path,
        lies === null ? { check } : { base: `/proc/self/fd/${descriptor}` },
      ),
      uid: Number(uid),
      gid: Number(gid),
      stands,
      close: () => {
        if (isOpen) closeQuietly(calls, descriptor);
        isOpen = false;
      },
    };
  } catch (error) {
    closeQuietly(calls, descriptor);
    throw error;
  }
};

/**
 * As `openDirectory`, for a directory in which root makes files: it must belong to the owner of the directory above, since
 * another user may have put it there to make root write in it.
 */
export const openOwned = (calls: SystemCalls, path: string): OpenDirectory => {
  const directory = openDirectory(calls, path);
  try {
    if (process.geteuid?.() === 0) refuseOtherOwner(directory);
    return directory;
  } catch (error) {
    directory.close();
    throw error;
  }
};

const openPlain = (calls: SystemCalls, path: string): number => {
  try {
    return calls.open(path, DIRECTORY_FLAGS);
  } catch (error) {
    const code = errnoOf(error);
    const isSomethingElse = (code === 'ENOTDIR' || code === 'ELOOP') && calls.lstat(path) !== undefined;
    if (isSomethingElse) throw new UnsafeDirectoryError(`${path} is not a directory`);
    throw error;
  }
};

/** On Linux without /proc, root would have to trust a name that its owner may replace: throws where they differ. */
const refuseUnprovable = (path: string, uid: number): void => {
  if (process.platform !== 'linux' || process.geteuid?.() !== 0 || uid === 0) return;
  throw new UnsafeDirectoryError(
    `${path} belongs to user ${uid}, and without /proc it cannot be made sure where it leads`,
    'Mount /proc, or run this as its owner.',
  );
};

const refuseOtherOwner = ({ path, uid, calls }: OpenDirectory): void => {
  const around = calls.lstat(path === '/' ? path : `${path}/..`);
  const owner = Number(around?.uid);
  if (owner === uid) return;
  throw new UnsafeDirectoryError(
    `${path} belongs to user ${uid}, but ${dirname(path)} to user ${owner}`,
    `Root changes nothing there: if both are yours, run chown -R ${owner} ${path}, or run this as user ${uid}.`,
  );
};
