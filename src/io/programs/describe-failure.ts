/** Says why a system call failed, for the person who has to repair the cause. */
import { lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from '../../core/failure.ts';
import { MAY_BE_IMMUTABLE } from '../../core/report/after-failure.ts';
import { describeErrno, errnoOf } from '../errno.ts';
import { tryOr } from '../try-or.ts';

/**
 * What was thrown as a sentence fragment: an error of ours in its own words, one of the system as `permission denied
 * (EACCES): /town/.runtime belongs to root`. Never throws.
 */
export const describeFailure = (error: unknown): string => {
  const code = errnoOf(error);
  if (code === null) return messageOf(error);
  const what = describeErrno(error);
  const denied = code === 'EACCES' || code === 'EPERM' ? deniedBy(error, code) : null;
  return denied === null ? what : `${what}: ${denied}`;
};

/** Calls that need the right to write in the directory, whoever owns the entry. */
const ON_DIRECTORY = new Set(['unlink', 'rename', 'link', 'mkdir']);

const deniedBy = (error: unknown, code: 'EACCES' | 'EPERM'): string | null => {
  const { path, syscall } = error as { readonly path?: unknown; readonly syscall?: unknown };
  if (typeof path !== 'string') return null;
  const start = ON_DIRECTORY.has(String(syscall)) ? dirname(path) : path;
  // Where the entry cannot be looked at or does not exist, a directory above it denied the access.
  for (let place = start; ; place = dirname(place)) {
    const uid = ownerOf(place);
    if (uid !== null)
      return code === 'EPERM' && isFlagged(uid)
        ? `${path} ${MAY_BE_IMMUTABLE}`
        : `${place} belongs to ${nameOf(uid)}`;
    if (dirname(place) === place) return null;
  }
};

/** EPERM does not stop root or the owner of a directory: on Linux a flag of the file or of the directory does (chattr(1)). */
const isFlagged = (owner: number): boolean =>
  process.platform === 'linux' && (process.geteuid?.() === 0 || process.geteuid?.() === owner);

const ownerOf = (path: string): number | null =>
  // The loop goes on with the directory above.
  tryOr(() => lstatSync(path, { throwIfNoEntry: false })?.uid ?? null, null);

const nameOf = (uid: number): string => {
  if (uid === process.geteuid?.()) return 'you';
  return uid === 0 ? 'root' : `user ${uid}`;
};
