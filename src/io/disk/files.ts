/** Reads a small file safely: through one descriptor, never through a symlink, never waiting for a FIFO. */
import { Buffer } from 'node:buffer';
import { type BigIntStats, closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import { MAX_LOCK_BYTES } from '../../core/record/lock-record.ts';
import type { Stamp } from '../../core/types/evidence.ts';
import { describeErrno, isAbsence } from '../errno.ts';
import { sha256Hex } from './digest.ts';
import type { DiskPath } from './disk-path.ts';

/** Anything but a regular file that can stand at a lock's name. */
export type OtherFileType = 'directory' | 'symlink' | 'fifo' | 'socket' | 'device';

/** What became of reading a small file. Owner and modification time are null where even lstat failed. */
export type FileReading =
  | {
      readonly kind: 'file';
      /** With the bytes it makes the stamp (`stampOf`), for those who need one. */
      readonly stat: BigIntStats;
      readonly bytes: Uint8Array;
      readonly mtimeMs: number;
      readonly uid: number;
    }
  | { readonly kind: 'other'; readonly type: OtherFileType; readonly mtimeMs: number; readonly uid: number }
  | { readonly kind: 'too-large'; readonly size: number; readonly mtimeMs: number; readonly uid: number }
  | {
      readonly kind: 'unread';
      readonly why: string;
      readonly isRegularFile: boolean;
      readonly mtimeMs: number | null;
      readonly uid: number | null;
    }
  | { readonly kind: 'absent' };

/** O_NOFOLLOW: a symlink is never followed. O_NONBLOCK: a FIFO without a writer does not hang us. */
export const READ_FLAGS =
  constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | (constants.O_NOCTTY ?? 0);

/** One more byte than is allowed, so that a file that grew after fstat is noticed. Reads are synchronous: one is enough. */
const scratch = Buffer.allocUnsafeSlow(MAX_LOCK_BYTES + 1);

/**
 * Reads a small regular file through one descriptor, so that stamp and bytes belong together. Never follows a symlink,
 * never hangs, never reads more than 64 KiB and one byte, and answers expected failures instead of throwing.
 */
export const readSmallFile = (path: DiskPath): FileReading => {
  let descriptor: number;
  try {
    descriptor = openSync(path, READ_FLAGS);
  } catch (error) {
    return isAbsence(error) ? { kind: 'absent' } : describeUnopened(path, error);
  }
  let stat: BigIntStats | null = null;
  try {
    stat = fstatSync(descriptor, { bigint: true });
    return readOpened(descriptor, stat);
  } catch (error) {
    return unread(error, stat);
  } finally {
    closeSync(descriptor);
  }
};

const readOpened = (descriptor: number, stat: BigIntStats): FileReading => {
  const type = otherType(stat);
  if (type !== null) return { kind: 'other', type, ...ownership(stat) };
  if (stat.size > BigInt(MAX_LOCK_BYTES))
    return { kind: 'too-large', size: Number(stat.size), ...ownership(stat) };
  const length = fill(descriptor, Number(stat.size));
  if (length > MAX_LOCK_BYTES) return { kind: 'too-large', size: length, ...ownership(stat) };
  // A copy out of the common pool: thousands of locks would otherwise be thousands of external allocations.
  const bytes = Buffer.from(scratch.subarray(0, length));
  const { mtimeMs, uid } = ownership(stat);
  return { kind: 'file', stat, bytes, mtimeMs, uid };
};

/** Reads into the scratch buffer until the end, and returns how much there was. */
const fill = (descriptor: number, expected: number): number => {
  let length = 0;
  while (length < scratch.length) {
    const count = readSync(descriptor, scratch, length, scratch.length - length, null);
    length += count;
    // All that fstat promised has come: asking a regular file once more would only confirm the end.
    if (count === 0 || length === expected) break;
  }
  return length;
};

/** The stamp of a file from its fstat and the bytes read through the same descriptor. */
export const stampOf = (stat: BigIntStats, bytes: Uint8Array): Stamp => ({
  dev: String(stat.dev),
  ino: String(stat.ino),
  mtimeNs: String(stat.mtimeNs),
  size: bytes.length,
  sha256: sha256Hex(bytes),
});

/** It could not be opened: a symlink (ELOOP) and a socket (ENXIO) are answers, the rest is a failure with its reason. */
const describeUnopened = (path: DiskPath, reason: unknown): FileReading => {
  let stat: BigIntStats | undefined;
  try {
    stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return unread(reason, null); // the first failure says more than lstat's
  }
  if (stat === undefined) return { kind: 'absent' };
  const type = otherType(stat);
  return type === null ? unread(reason, stat) : { kind: 'other', type, ...ownership(stat) };
};

const unread = (reason: unknown, stat: BigIntStats | null): FileReading => ({
  kind: 'unread',
  why: describeErrno(reason),
  isRegularFile: stat?.isFile() ?? false,
  mtimeMs: stat === null ? null : ownership(stat).mtimeMs,
  uid: stat === null ? null : ownership(stat).uid,
});

/** What stands there instead of a regular file; null for one. */
export const otherType = (stat: BigIntStats): OtherFileType | null => {
  if (stat.isFile()) return null;
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isFIFO()) return 'fifo';
  return stat.isSocket() ? 'socket' : 'device';
};

const ownership = (stat: BigIntStats): { readonly mtimeMs: number; readonly uid: number } => ({
  mtimeMs: Number(stat.mtimeNs / 1_000_000n),
  uid: Number(stat.uid),
});
