/**
 * Compare-and-remove. No system call removes a file only if it is still the expected one, so a lock is moved aside first,
 * looked at there, and restored if it is not the one that was judged.
 */
import { basename, dirname } from 'node:path';
import { leftoverKind } from '../../core/record/lock-names.ts';
import type { Stamp } from '../../core/types/evidence.ts';
import { isSameFile, isSameStamp } from '../../io/disk/stamp.ts';
import type { SystemCalls } from '../../io/disk/system-calls.ts';
import { errnoOf } from '../../io/errno.ts';
import { describeFailure } from '../../io/programs/describe-failure.ts';
import { quietly } from '../../io/try-or.ts';
import type { Guard } from '../guard/guard.ts';
import { asidePath, type LockFiles, makeNonce } from './names.ts';
import { readStamp } from './read-record.ts';

export type Moved =
  /** It is the expected one and lies at `aside`: give it its final name or remove it. */
  | { readonly kind: 'moved'; readonly aside: string }
  /** There was none. */
  | { readonly kind: 'absent' }
  /** It was another one and is back at its place. */
  | { readonly kind: 'changed' }
  /** Somebody removed the guard's file: nothing was touched. */
  | { readonly kind: 'unguarded' }
  /** It was another one and could not be restored: it lies at `aside`, and the next run tries again. */
  | { readonly kind: 'stranded'; readonly aside: string; readonly why: string };

/**
 * Moves the lock aside if it is the one with this stamp. Needs the guard. Throws what rename throws; then the lock is
 * where it was.
 */
export const moveAside = (guard: Guard, expected: Stamp, nonce = makeNonce()): Moved => {
  const { files } = guard;
  const { calls } = guard.directory;
  const aside = asidePath(files, nonce);
  if (!guard.stands()) return { kind: 'unguarded' };
  try {
    calls.rename(files.lock, aside);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { kind: 'absent' };
    throw error;
  }
  const seen = readStamp(calls, aside);
  if (seen.kind === 'file' && isSameStamp(seen.stamp, expected)) return { kind: 'moved', aside };
  const back = putBack(calls, files, aside);
  return back.kind === 'back' ? { kind: 'changed' } : { kind: 'stranded', aside, why: back.why };
};

/**
 * Path to which a killed run moved the lock with this stamp aside, without renaming it further; null where there is none.
 * Throws what listing its directory throws, but not where that is gone.
 * @param lock absolute path of the lock
 */
export const findAside = (calls: SystemCalls, lock: string, stamp: Stamp): string | null => {
  const directory = dirname(lock);
  if (calls.lstat(directory) === undefined) return null;
  const paths = calls
    .list(directory)
    .filter((name) => leftoverKind(name, basename(lock)) === 'old')
    .map((name) => `${directory}/${name}`);
  const isIt = (path: string): boolean => {
    const seen = readStamp(calls, path);
    return seen.kind === 'file' && isSameStamp(seen.stamp, stamp);
  };
  return paths.find(isIt) ?? null;
};

/**
 * Puts a lock that was moved aside back at its name, never over a newer one: link(2) does not replace. Expected
 * failures are returned; nothing is thrown.
 */
export const putBack = (
  calls: SystemCalls,
  files: LockFiles,
  aside: string,
): { readonly kind: 'back' } | { readonly kind: 'occupied' | 'failed'; readonly why: string } => {
  try {
    if (calls.lstat(aside) === undefined) return { kind: 'failed', why: `${aside} is gone` };
    if (!bringBack(calls, aside, files.lock)) return existing(calls, files, aside);
  } catch (error) {
    return { kind: 'failed', why: describeFailure(error) };
  }
  quietly(() => {
    // A second name of the lock that is back in place: if it stays, the next run removes it.
    if (calls.lstat(aside) !== undefined) calls.unlink(aside);
  });
  return { kind: 'back' };
};

/**
 * Gives a file the lock's name, never over another file: by link(2), after which it has both names, or without hard links by
 * rename(2) after a look that the name is free. False where the name is taken. Needs the guard. Throws what the system
 * throws.
 */
export const bringBack = (calls: SystemCalls, from: string, lock: string): boolean => {
  try {
    // On macOS a hard link to a symlink follows it; directories and some file systems have no hard links.
    if (calls.lstat(from)?.isFile() === true && tryLink(calls, from, lock)) return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
  if (calls.lstat(lock) !== undefined) return false;
  calls.rename(from, lock);
  return true;
};

/**
 * Finishes with a lock that was moved aside (removes it, or renames it to a kept copy). Where the disk refuses that, the
 * lock is restored, so that no later run finds it half done, and the failure is thrown.
 */
export const finishAside = (
  calls: SystemCalls,
  files: LockFiles,
  aside: string,
  finish: () => void,
): void => {
  try {
    finish();
  } catch (error) {
    putBack(calls, files, aside); // if this fails too, the next run does it
    throw error;
  }
};

/** What link(2) answers where there are no hard links (FAT and exFAT: EPERM), or no more of them for this file (EMLINK). */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** False where the file system has no hard links; throws on every other failure, EEXIST among them. */
export const tryLink = (calls: SystemCalls, from: string, to: string): boolean => {
  try {
    calls.link(from, to);
    return true;
  } catch (error) {
    if (NO_LINKS.has(errnoOf(error) ?? '')) return false;
    throw error;
  }
};

/** The lock's name is taken: perhaps by this same file, linked back by a run that died before it could tidy up. */
const existing = (
  calls: SystemCalls,
  files: LockFiles,
  aside: string,
): { readonly kind: 'back' } | { readonly kind: 'occupied'; readonly why: string } => {
  try {
    const one = calls.lstat(aside);
    const other = calls.lstat(files.lock);
    if (one !== undefined && other !== undefined && isSameFile(one, other)) {
      calls.unlink(aside);
      return { kind: 'back' };
    }
  } catch {
    // Then both names stay, and nothing is lost.
  }
  return { kind: 'occupied', why: 'a newer lock stands there' };
};
