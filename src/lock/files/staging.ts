/** Writing beside a lock: whole files only, visible all at once, never over somebody else's. */
import { Buffer } from 'node:buffer';
import { constants } from 'node:fs';
import { errnoOf } from '../../io/errno.ts';
import type { SystemCalls } from '../../io/system-calls.ts';
import type { Guard } from '../guard/guard.ts';
import { moveAside } from './aside.ts';
import { makeNonce, type Place, stagedPath } from './names.ts';
import { isSameFile, look, type Sight } from './sight.ts';

const STAGE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Makes a lock out of text with link(2), which never replaces. Answers what then stands there, or `taken` when
 * somebody was faster. Throws what the system throws; then nothing of ours stands at the lock's name, unless the
 * disk refused to take it back, or there is no guard, without which nothing is removed.
 */
export function publish(
  calls: SystemCalls,
  place: Place,
  guard: Guard | null,
  text: string,
): Extract<Sight, { kind: 'file' }> | 'taken' {
  const staged = stage(calls, place, text);
  if (!linkStaged(calls, staged, place.lock)) return 'taken';
  try {
    removeQuietly(calls, staged); // a second name of our own lock: the next run removes it too
    syncDirectory(calls, place.directory);
    const seen = look(calls, place.lock);
    if (seen.kind === 'file' && Buffer.from(seen.bytes).equals(Buffer.from(text))) return seen;
    throw new Error(`${place.lock} does not read as it was written`);
  } catch (error) {
    if (guard !== null) takeBack(calls, guard, text);
    throw error;
  }
}

/** Puts text at a name of ours, over what was there, so that the name is never absent. Throws what the system throws. */
export function replaceFile(calls: SystemCalls, place: Place, target: string, text: string): void {
  const staged = stage(calls, place, text);
  try {
    calls.rename(staged, target);
  } catch (error) {
    removeQuietly(calls, staged);
    throw error;
  }
  syncDirectory(calls, place.directory);
}

/** Removes a file of ours whose absence is no failure and whose presence does no harm. */
export function removeQuietly(calls: SystemCalls, path: string): void {
  try {
    calls.unlink(path);
  } catch {
    // Debris at worst: the next run looks for it.
  }
}

/** Makes new names survive a power cut. File systems that cannot sync a directory (EINVAL) need not. */
export function syncDirectory(calls: SystemCalls, directory: string): void {
  const descriptor = calls.open(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    calls.fsync(descriptor);
  } catch (error) {
    const code = errnoOf(error);
    if (code !== 'EINVAL' && code !== 'ENOTSUP') throw error;
  } finally {
    calls.close(descriptor);
  }
}

/** Writes all bytes: write(2) may take fewer than it was offered. */
export function writeAll(calls: SystemCalls, descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    const count = calls.write(descriptor, bytes.subarray(done));
    if (count <= 0) throw new Error('the disk took nothing of what was written');
    done += count;
  }
}

function stage(calls: SystemCalls, place: Place, text: string): string {
  const path = stagedPath(place, makeNonce());
  const descriptor = calls.open(path, STAGE_FLAGS, 0o644);
  let isOpen = true;
  try {
    writeAll(calls, descriptor, Buffer.from(text));
    calls.fsync(descriptor);
    isOpen = false;
    calls.close(descriptor);
    return path;
  } catch (error) {
    if (isOpen) closeQuietly(calls, descriptor);
    removeQuietly(calls, path);
    throw error;
  }
}

function closeQuietly(calls: SystemCalls, descriptor: number): void {
  try {
    calls.close(descriptor);
  } catch {
    // The first failure is the one to report.
  }
}

/** Over NFS link may fail although it worked, or the reverse: what counts is which file the name leads to. */
function linkStaged(calls: SystemCalls, staged: string, target: string): boolean {
  try {
    calls.link(staged, target);
    return true;
  } catch (error) {
    try {
      const ours = calls.lstat(staged);
      const there = calls.lstat(target);
      if (ours !== undefined && there !== undefined && isSameFile(ours, there)) return true;
    } catch {
      // Then the failure of link itself stands.
    }
    removeQuietly(calls, staged);
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** After a failure: our own text must not stand there claiming a lock that nobody was told about. */
function takeBack(calls: SystemCalls, guard: Guard, text: string): void {
  try {
    const seen = look(calls, guard.place.lock);
    if (seen.kind !== 'file' || !Buffer.from(seen.bytes).equals(Buffer.from(text))) return;
    const moved = moveAside(calls, guard, seen.stamp);
    if (moved.kind === 'moved') calls.unlink(moved.aside);
  } catch {
    // The lock names a process that lives and will be given up with it: stale is the worst it becomes.
  }
}
