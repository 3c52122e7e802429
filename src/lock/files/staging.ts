/** Writing beside a lock: whole files only, visible all at once, never over somebody else's. */
import { Buffer } from 'node:buffer';
import { constants } from 'node:fs';
import { closeQuietly } from '../../io/disk/close-quietly.ts';
import { openOrMake } from '../../io/disk/make-files.ts';
import { type OpenDirectory, openOwned, UnsafeDirectoryError } from '../../io/disk/open-directory.ts';
import { isSameFile } from '../../io/disk/stamp.ts';
import type { SystemCalls } from '../../io/disk/system-calls.ts';
import { errnoOf } from '../../io/errno.ts';
import { DiskError } from '../errors.ts';
import type { Guard } from '../guard/guard.ts';
import { moveAside, tryLink } from './aside.ts';
import { makeNonce, type Place, stagedPath } from './names.ts';
import { type RecordFile, readRecord } from './read-record.ts';

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** A record that is written and synced beside the lock, and claims nothing yet. */
export interface Staged {
  readonly nonce: string;
  readonly path: string;
  readonly text: string;
}

/** Writes a record beside the lock: what a full disk refuses is refused here. Throws what the system throws. */
export const stage = (calls: SystemCalls, place: Place, text: string): Staged => {
  const nonce = makeNonce();
  const path = stagedPath(place, nonce);
  try {
    writeNew(calls, path, text);
  } catch (error) {
    removeQuietly(calls, path);
    throw error;
  }
  return { nonce, path, text };
};

/**
 * Makes a lock out of a staged record with link(2), which never replaces; the staged name stays. Answers what then
 * stands there, or `taken` when somebody was faster, or wrote over it at once. Throws what the system throws; then
 * nothing of ours stands at the lock's name, unless the disk refused to take it back, or there is no guard, without
 * which nothing is removed.
 */
export const publish = (
  directory: OpenDirectory,
  place: Place,
  guard: Guard | null,
  staged: Staged,
): RecordFile | 'taken' => {
  const { calls } = directory;
  if (!claim(calls, place, guard, staged)) return 'taken';
  try {
    syncDirectory(calls, place.directory);
    const seen = readRecord(calls, place.lock);
    if (seen.kind === 'unread') throw new DiskError(`${place.lock} cannot be read back: ${seen.why}`);
    // Elsewhere by now, it tells nobody anything: whoever looks at the name sees another directory.
    if (!directory.stands()) throw new UnsafeDirectoryError(`${place.directory} was replaced meanwhile`);
    return seen.kind === 'file' && isText(seen, staged.text) ? seen : 'taken';
  } catch (error) {
    if (guard !== null) takeBack(guard, staged.text);
    throw error;
  }
};

/** A directory of our own making is nothing that git should see: `git worktree remove` refuses otherwise. Never throws. */
export const ignoreDirectory = (calls: SystemCalls, place: Place): void => {
  try {
    const directory = openOwned(calls, place.directory);
    try {
      const path = `${place.directory}/.gitignore`;
      const { descriptor, isNew } = openOrMake(directory, path, constants.O_WRONLY | constants.O_NOFOLLOW);
      try {
        if (isNew) writeAll(directory.calls, descriptor, Buffer.from('*\n'));
      } finally {
        directory.calls.close(descriptor);
      }
    } finally {
      directory.close();
    }
  } catch {
    // The lock matters more, and works without.
  }
};

/** Puts text at a name of ours, over what was there, so that the name is never absent. Throws what the system throws. */
export const replaceFile = (calls: SystemCalls, place: Place, target: string, text: string): void => {
  const staged = stage(calls, place, text);
  try {
    calls.rename(staged.path, target);
  } catch (error) {
    removeQuietly(calls, staged.path);
    throw error;
  }
  syncDirectory(calls, place.directory);
};

/** Removes a file of ours whose absence is no failure and whose presence does no harm. */
export const removeQuietly = (calls: SystemCalls, path: string): void => {
  try {
    calls.unlink(path);
  } catch {
    // A leftover at worst: the next run looks for it.
  }
};

/** Makes new names survive a power cut. File systems that cannot sync a directory (EINVAL) need not. */
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
const writeAll = (calls: SystemCalls, descriptor: number, bytes: Uint8Array): void => {
  for (let done = 0; done < bytes.length; ) {
    const count = calls.write(descriptor, bytes.subarray(done));
    if (count <= 0) throw new DiskError('the disk took nothing of what was written');
    done += count;
  }
};

/** Never writes into a file that is there. Throws what the system throws; then it may be there in part. */
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
const claim = (calls: SystemCalls, place: Place, guard: Guard | null, staged: Staged): boolean => {
  try {
    if (tryLink(calls, staged.path, place.lock)) return true;
  } catch (error) {
    if (isLinked(calls, staged.path, place.lock)) return true;
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
  if (isLinked(calls, staged.path, place.lock)) return true;
  if (guard === null)
    throw new DiskError('this file system has no hard links, and without a guard nothing else is safe');
  return createLock(guard, staged.text);
};

/** Over NFS link may fail although it worked: what counts is which file the name leads to. */
const isLinked = (calls: SystemCalls, one: string, other: string): boolean => {
  try {
    const ours = calls.lstat(one);
    const there = calls.lstat(other);
    return ours !== undefined && there !== undefined && isSameFile(ours, there);
  } catch {
    return false; // then the answer of link itself stands
  }
};

/**
 * Without hard links, under the guard: O_EXCL does not replace either. Readers may see it half written, which they call
 * invalid and too young to touch.
 */
const createLock = (guard: Guard, text: string): boolean => {
  try {
    writeNew(guard.directory.calls, guard.place.lock, text);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    takeBack(guard, text);
    throw error;
  }
};

const isText = ({ bytes }: RecordFile, text: string): boolean => Buffer.from(bytes).equals(Buffer.from(text));

/** After a failure: our own text, whole or cut short, must not stand there claiming a lock that nobody was told about. */
const takeBack = (guard: Guard, text: string): void => {
  try {
    const { calls } = guard.directory;
    const seen = readRecord(calls, guard.place.lock);
    if (seen.kind !== 'file' || !Buffer.from(text).subarray(0, seen.bytes.length).equals(seen.bytes)) return;
    const moved = moveAside(guard, seen.stamp);
    if (moved.kind === 'moved') calls.unlink(moved.aside);
  } catch {
    // The lock names a process that lives and will be given up with it: stale is the worst it becomes.
  }
};
