/** Writes files beside a lock: each appears whole and at once, and never replaces somebody else's file. */
import { Buffer } from 'node:buffer';
import { constants } from 'node:fs';
import { openOrMake } from '../../io/disk/make-files.ts';
import { type OpenDirectory, openOwned, UnsafeDirectoryError } from '../../io/disk/open-directory.ts';
import { isSameFile } from '../../io/disk/stamp.ts';
import type { SystemCalls } from '../../io/disk/system-calls.ts';
import { errnoOf } from '../../io/errno.ts';
import { closeQuietly, quietly } from '../../io/try-or.ts';
import { DiskError } from '../errors.ts';
import type { Guard } from '../guard/guard.ts';
import { moveAside, tryLink } from './aside.ts';
import { type LockFiles, makeNonce, stagedPath } from './names.ts';
import { type RecordFile, readRecord } from './read-record.ts';

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** A record that is written and synced beside the lock, but is not the lock yet. */
export interface Staged {
  readonly nonce: string;
  readonly path: string;
  readonly text: string;
}

/** Writes a record beside the lock, so that a full disk fails here. Throws what the system throws. */
export const stage = (calls: SystemCalls, files: LockFiles, text: string): Staged => {
  const nonce = makeNonce();
  const path = stagedPath(files, nonce);
  try {
    writeNew(calls, path, text);
  } catch (error) {
    removeQuietly(calls, path);
    throw error;
  }
  return { nonce, path, text };
};

/**
 * Makes a lock from a staged record with link(2), which never replaces a file; the staged name stays. Returns the lock that is
 * there then, or `taken` when somebody was faster or overwrote it at once. Throws what the system throws; then nothing of ours
 * is at the lock's name, unless the disk refused to remove it, or there is no guard, without which nothing is removed.
 */
export const publish = (
  directory: OpenDirectory,
  files: LockFiles,
  guard: Guard | null,
  staged: Staged,
): RecordFile | 'taken' => {
  const { calls } = directory;
  if (!claim(calls, files, guard, staged)) return 'taken';
  try {
    syncDirectory(calls, files.directory);
    const seen = readRecord(calls, files.lock);
    if (seen.kind === 'unread') throw new DiskError(`${files.lock} cannot be read back: ${seen.why}`);
    // If the directory was replaced, our lock is useless: at its name others see the new directory.
    if (!directory.stands()) throw new UnsafeDirectoryError(`${files.directory} was replaced meanwhile`);
    return seen.kind === 'file' && isText(seen, staged.text) ? seen : 'taken';
  } catch (error) {
    if (guard !== null) takeBack(guard, staged.text);
    throw error;
  }
};

/** Makes git ignore a directory that we made, because otherwise `git worktree remove` refuses. Never throws. */
export const ignoreDirectory = (calls: SystemCalls, files: LockFiles): void => {
  try {
    const directory = openOwned(calls, files.directory);
    try {
      const path = `${files.directory}/.gitignore`;
      const { descriptor, isNew } = openOrMake(directory, path, constants.O_WRONLY);
      try {
        if (isNew) writeAll(directory.calls, descriptor, Buffer.from('*\n'));
      } finally {
        directory.calls.close(descriptor);
      }
    } finally {
      directory.close();
    }
  } catch {
    // The lock works without it.
  }
};

/** Replaces one of our files, so that its name is never absent. Throws what the system throws. */
export const replaceFile = (calls: SystemCalls, files: LockFiles, target: string, text: string): void => {
  const staged = stage(calls, files, text);
  try {
    calls.rename(staged.path, target);
  } catch (error) {
    removeQuietly(calls, staged.path);
    throw error;
  }
  syncDirectory(calls, files.directory);
};

/** Removes a file of ours, where it does not matter if it is missing or stays. */
export const removeQuietly = (calls: SystemCalls, path: string): void =>
  // At worst a leftover, which the next run removes.
  quietly(() => calls.unlink(path));

/** Makes new names survive a power cut. File systems that cannot sync a directory (EINVAL) are left alone. */
export const syncDirectory = (calls: SystemCalls, directory: string): void => {
  const descriptor = calls.open(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    calls.fsync(descriptor);
  } catch (error) {
    const code = errnoOf(error);
    if (code !== 'EINVAL' && code !== 'ENOTSUP') throw error;
  } finally {
    calls.close(descriptor);
  }
};

/** Writes all bytes: write(2) may take fewer than it was offered. */
/** Throws where the disk does not take all bytes. */
export const writeAll = (calls: SystemCalls, descriptor: number, bytes: Uint8Array): void => {
  for (let done = 0; done < bytes.length; ) {
    const count = calls.write(descriptor, bytes.subarray(done));
    if (count <= 0) throw new DiskError('the disk did not accept what was written');
    done += count;
  }
};

/** Writes a new file, never into an existing one. Throws what the system throws; then a part of it may be there. */
const writeNew = (calls: SystemCalls, path: string, text: string): void => {
  const descriptor = calls.open(path, NEW_FILE, 0o644);
  let isOpen = true;
  try {
    writeAll(calls, descriptor, Buffer.from(text));
    calls.fsync(descriptor);
    isOpen = false;
    calls.close(descriptor);
  } catch (error) {
    if (isOpen) closeQuietly(calls, descriptor);
    throw error;
  }
};

/** Gives the staged record the lock's name; false where something stands there. */
const claim = (calls: SystemCalls, files: LockFiles, guard: Guard | null, staged: Staged): boolean => {
  try {
    if (tryLink(calls, staged.path, files.lock)) return true;
  } catch (error) {
    if (isLinked(calls, staged.path, files.lock)) return true;
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
  if (isLinked(calls, staged.path, files.lock)) return true;
  if (guard === null)
    throw new DiskError('this file system has no hard links, and without a guard nothing else is safe');
  return createLock(guard, staged.text);
};

/** Over NFS, link(2) may report a failure although it worked, so this looks at which file the name leads to. */
const isLinked = (calls: SystemCalls, one: string, other: string): boolean => {
  try {
    const ours = calls.lstat(one);
    const there = calls.lstat(other);
    return ours !== undefined && there !== undefined && isSameFile(ours, there);
  } catch {
    return false; // then link's own answer counts
  }
};

/**
 * Makes the lock without hard links, under the guard: O_EXCL does not replace a file either. Readers may see it half written,
 * and treat it as invalid and too young to touch.
 */
const createLock = (guard: Guard, text: string): boolean => {
  try {
    writeNew(guard.directory.calls, guard.files.lock, text);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    takeBack(guard, text);
    throw error;
  }
};

const isText = ({ bytes }: RecordFile, text: string): boolean => Buffer.from(bytes).equals(Buffer.from(text));

/** After a failure: removes our own text, whole or cut short, so that it does not claim a lock that the caller does not have. */
const takeBack = (guard: Guard, text: string): void => {
  try {
    const { calls } = guard.directory;
    const seen = readRecord(calls, guard.files.lock);
    if (seen.kind !== 'file' || !Buffer.from(text).subarray(0, seen.bytes.length).equals(seen.bytes)) return;
    const moved = moveAside(guard, seen.stamp);
    if (moved.kind === 'moved') calls.unlink(moved.aside);
  } catch {
    // At worst the lock becomes stale when the process that it names ends.
  }
};
