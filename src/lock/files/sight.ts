/** Looking at one file of a lock: stamp and bytes through one descriptor, no symlink followed, nothing hung on. */
import { Buffer } from 'node:buffer';
import type { BigIntStats } from 'node:fs';
import { MAX_LOCK_BYTES, parseLockRecord } from '../../core/record/lock-record.ts';
import type { LockContent, LockProblem, Stamp } from '../../core/types/evidence.ts';
import { otherType, READ_FLAGS, stampOf } from '../../io/disk/files.ts';
import type { SystemCalls } from '../../io/disk/system-calls.ts';
import { describeErrno, errnoOf, isAbsence } from '../../io/errno.ts';

/** What stands at a name. */
export type Sight =
  | { readonly kind: 'absent' }
  | {
      readonly kind: 'file';
      readonly stamp: Stamp;
      readonly bytes: Uint8Array;
      readonly content: LockContent;
      readonly mtimeMs: number;
    }
  /** Anything but a small regular file. */
  | { readonly kind: 'other'; readonly problem: LockProblem }
  | { readonly kind: 'unread'; readonly why: string };

/** Looks at a file. Expected failures are answers; nothing is thrown. */
export const look = (calls: SystemCalls, path: string): Sight => {
  try {
    const before = calls.lstat(path);
    if (before === undefined) return { kind: 'absent' };
    const problem = problemOf(before);
    return problem === null ? readRegular(calls, path) : { kind: 'other', problem };
  } catch (error) {
    return isAbsence(error) ? { kind: 'absent' } : { kind: 'unread', why: describeErrno(error) };
  }
};

const readRegular = (calls: SystemCalls, path: string): Sight => {
  let descriptor: number;
  try {
    descriptor = calls.open(path, READ_FLAGS);
  } catch (error) {
    // Replaced between lstat and open.
    if (errnoOf(error) === 'ELOOP') return { kind: 'other', problem: 'symlink' };
    throw error;
  }
  try {
    const stat = calls.fstat(descriptor);
    const problem = problemOf(stat);
    if (problem !== null) return { kind: 'other', problem };
    const bytes = readAll(calls, descriptor);
    if (bytes.length > MAX_LOCK_BYTES) return { kind: 'other', problem: 'too-large' };
    return {
      kind: 'file',
      stamp: stampOf(stat, bytes),
      bytes,
      content: parseLockRecord(bytes),
      mtimeMs: Number(stat.mtimeNs / 1_000_000n),
    };
  } finally {
    calls.close(descriptor);
  }
};

/** Everything up to one byte more than a record may have. */
const readAll = (calls: SystemCalls, descriptor: number): Uint8Array => {
  const parts: Uint8Array[] = [];
  let total = 0;
  while (total <= MAX_LOCK_BYTES) {
    const part = new Uint8Array(total === 0 ? 4096 : MAX_LOCK_BYTES + 1 - total);
    const count = calls.read(descriptor, part);
    if (count === 0) break;
    parts.push(part.subarray(0, count));
    total += count;
  }
  return new Uint8Array(Buffer.concat(parts));
};

const problemOf = (stat: BigIntStats): LockProblem | null =>
  otherType(stat) ?? (stat.size > BigInt(MAX_LOCK_BYTES) ? 'too-large' : null);

/** The same file with the same bytes: device, inode, mtime, size and hash, because inode numbers are reused at once. */
export const isSameStamp = (one: Stamp, other: Stamp): boolean =>
  one.dev === other.dev &&
  one.ino === other.ino &&
  one.mtimeNs === other.mtimeNs &&
  one.size === other.size &&
  one.sha256 === other.sha256;

/** Both names lead to one file. */
export const isSameFile = (one: BigIntStats, other: BigIntStats): boolean =>
  one.dev === other.dev && one.ino === other.ino;
