/** Reads a small file safely: through one descriptor, never through a symlink, never waiting for a FIFO. */
import { Buffer, isUtf8 } from 'node:buffer';
import { type BigIntStats, closeSync, constants, fstatSync, readSync } from 'node:fs';
import type { FileProblem } from '../../core/types/evidence.ts';
import { describeErrno, isAbsence } from '../errno.ts';
import { lstatSync, openSync } from '../file-systems/servers.ts';
import { closeQuietly } from '../try-or.ts';
import type { DiskPath } from './disk-path.ts';

/** The system calls that a reading takes. All synchronous; all throw like `node:fs`, unless said otherwise. */
export interface ReadingCalls<Path extends DiskPath = DiskPath> {
  readonly open: (path: Path, flags: number, mode?: number) => number;
  readonly close: (descriptor: number) => void;
  /** Reads on from the current position; returns the number of bytes read. */
  readonly read: (descriptor: number, into: Uint8Array) => number;
  readonly fstat: (descriptor: number) => BigIntStats;
  /** Undefined where there is nothing. */
  readonly lstat: (path: Path) => BigIntStats | undefined;
}

/** The system calls of this machine. */
export const readingCalls: ReadingCalls = {
  open: (path, flags, mode) => openSync(path, flags, mode),
  close: (descriptor) => closeSync(descriptor),
  read: (descriptor, into) => readSync(descriptor, into, 0, into.length, null),
  fstat: (descriptor) => fstatSync(descriptor, { bigint: true }),
  lstat: (path) => lstatSync(path, { bigint: true, throwIfNoEntry: false }),
};

/** A regular file of at most the allowed size. `stat` and `bytes` together make its stamp. */
export interface RegularFile {
  readonly kind: 'file';
  readonly stat: BigIntStats;
  readonly bytes: Uint8Array;
  /** The file is longer: `bytes` are only its beginning. Left out where all of it was read. */
  readonly isCut?: true;
  readonly mtimeMs: number;
  readonly uid: number;
}

/** The outcome of reading a small file. Owner and modification time are null where even lstat failed. */
export type FileReading =
  | RegularFile
  | {
      readonly kind: 'other';
      readonly problem: FileProblem;
      /** In bytes; for a file that grew meanwhile, the number of bytes read. */
      readonly size: number;
      readonly mtimeMs: number;
      readonly uid: number;
    }
  | {
      readonly kind: 'unread';
      readonly why: string;
      readonly isRegularFile: boolean;
      readonly mtimeMs: number | null;
      readonly uid: number | null;
    }
  | { readonly kind: 'absent' };

/** O_NOFOLLOW: a symlink is never followed. O_NONBLOCK: a FIFO without a writer does not hang us. */
export const PLAIN_FILE = constants.O_NOFOLLOW | constants.O_NONBLOCK;
const READ_FLAGS = constants.O_RDONLY | PLAIN_FILE | (constants.O_NOCTTY ?? 0);

const NEWLINE = 10;
const RETURN = 13;

/** Buffer of the largest size needed so far. Readings are synchronous, so one is enough. */
let scratch = Buffer.allocUnsafeSlow(0);

/**
 * Reads a regular file through one descriptor, so that stamp and bytes belong together. Never follows a symlink, never
 * hangs, never reads more than `maxBytes` and one byte, and returns expected failures instead of throwing.
 */
export const readSmallFile = <Path extends DiskPath>(
  calls: ReadingCalls<Path>,
  path: Path,
  maxBytes: number,
): FileReading => readFile(calls, path, maxBytes, false);

/** What became of reading a file of one value; null for one that has none or NUL, is too large, or cannot be read. */
export type FileValue = { readonly value: DiskPath } | 'absent' | null;

/**
 * Reads a file that contains one value, as git's pointers do: a path of any bytes, line breaks among them. Those at the end do not
 * belong to it. Only the value counts: the kernel is asked for neither owner nor time, which spares a third of the reading. Never
 * follows a symlink, never hangs, never throws.
 */
export const readValue = (path: DiskPath, maxBytes: number): FileValue => {
  let descriptor: number;
  try {
    descriptor = openSync(path, READ_FLAGS);
  } catch (error) {
    return isAbsence(error) ? 'absent' : null;
  }
  try {
    let length = fillToBreak(descriptor, maxBytes);
    if (length > maxBytes) return null;
    while (length > 0 && (scratch[length - 1] === NEWLINE || scratch[length - 1] === RETURN)) length -= 1;
    if (length === 0) return null;
    const text = scratch.toString('utf8', 0, length);
    if (text.includes('\0')) return null;
    // What decoding puts in place of bytes that are not UTF-8; a name may also contain it for real.
    if (!text.includes('\ufffd')) return { value: text };
    const bytes = Buffer.from(scratch.subarray(0, length));
    return { value: isUtf8(bytes) ? text : bytes };
  } catch {
    return null; // a directory, or a FIFO whose writer has not written
  } finally {
    closeQuietly(readingCalls, descriptor);
  }
};

/** The same for a file of any size: of a longer one, the first `maxBytes` with `isCut`. */
export const readFileStart = <Path extends DiskPath>(
  calls: ReadingCalls<Path>,
  path: Path,
  maxBytes: number,
): FileReading => readFile(calls, path, maxBytes, true);

const readFile = <Path extends DiskPath>(
  calls: ReadingCalls<Path>,
  path: Path,
  maxBytes: number,
  mayCut: boolean,
): FileReading => {
  let descriptor: number;
  try {
    descriptor = calls.open(path, READ_FLAGS);
  } catch (error) {
    return isAbsence(error) ? { kind: 'absent' } : describeUnopened(calls, path, error);
  }
  let stat: BigIntStats | null = null;
  try {
    stat = calls.fstat(descriptor);
    return readOpened(calls, descriptor, stat, maxBytes, mayCut);
  } catch (error) {
    return unread(error, stat);
  } finally {
    closeQuietly(calls, descriptor);
  }
};

const readOpened = (
  calls: ReadingCalls<never>,
  descriptor: number,
  stat: BigIntStats,
  maxBytes: number,
  mayCut: boolean,
): FileReading => {
  const type = otherType(stat);
  if (type !== null) return other(type, stat);
  if (!mayCut && stat.size > BigInt(maxBytes)) return other('too-large', stat);
  const length = fill(calls, descriptor, Number(stat.size), maxBytes);
  if (!mayCut && length > maxBytes) return other('too-large', stat, length);
  // A copy in Node's common pool, because thousands of locks would otherwise be thousands of external allocations.
  const bytes = Buffer.from(scratch.subarray(0, Math.min(length, maxBytes)));
  const file = { kind: 'file', stat, bytes, mtimeMs: mtimeOf(stat), uid: Number(stat.uid) } as const;
  return length > maxBytes ? { ...file, isCut: true } : file;
};

/** Reads into the scratch buffer until the end, and returns the number of bytes. */
const fill = (calls: ReadingCalls<never>, descriptor: number, expected: number, maxBytes: number): number => {
  // One more byte than is allowed, so that a file that grew after fstat is noticed.
  if (scratch.length < maxBytes + 1) scratch = Buffer.allocUnsafeSlow(maxBytes + 1);
  let length = 0;
  while (length <= maxBytes) {
    const count = calls.read(descriptor, scratch.subarray(length, maxBytes + 1));
    length += count;
    // All bytes that fstat announced are read: one more call would only confirm the end.
    if (count === 0 || length === expected) break;
  }
  return length;
};

/**
 * Reads into the scratch buffer until a read ends at a line break, or the file ends. git ends its files by one, so the call that
 * would only confirm the end is spared; a regular file gives all that it has in one read.
 */
const fillToBreak = (descriptor: number, maxBytes: number): number => {
  if (scratch.length < maxBytes + 1) scratch = Buffer.allocUnsafeSlow(maxBytes + 1);
  let length = 0;
  while (length <= maxBytes) {
    const count = readSync(descriptor, scratch, length, maxBytes + 1 - length, null);
    length += count;
    if (count === 0 || scratch[length - 1] === NEWLINE) break;
  }
  return length;
};

/** Why it could not be opened: a symlink (ELOOP) and a socket (ENXIO) are known by their errors; the rest has a reason. */
const describeUnopened = <Path extends DiskPath>(
  calls: ReadingCalls<Path>,
  path: Path,
  reason: unknown,
): FileReading => {
  let stat: BigIntStats | undefined;
  try {
    stat = calls.lstat(path);
  } catch {
    return unread(reason, null); // the first failure says more than lstat's
  }
  if (stat === undefined) return { kind: 'absent' };
  const type = otherType(stat);
  return type === null ? unread(reason, stat) : other(type, stat);
};

const other = (problem: FileProblem, stat: BigIntStats, size = Number(stat.size)): FileReading => ({
  kind: 'other',
  problem,
  size,
  mtimeMs: mtimeOf(stat),
  uid: Number(stat.uid),
});

const unread = (reason: unknown, stat: BigIntStats | null): FileReading => ({
  kind: 'unread',
  why: describeErrno(reason),
  isRegularFile: stat?.isFile() ?? false,
  mtimeMs: stat === null ? null : mtimeOf(stat),
  uid: stat === null ? null : Number(stat.uid),
});

type FileTypes = Pick<BigIntStats, 'isFile' | 'isDirectory' | 'isSymbolicLink' | 'isFIFO' | 'isSocket'>;

/** The type of a file that is not regular; null for a regular one. */
export const otherType = (stat: FileTypes): FileProblem | null => {
  if (stat.isFile()) return null;
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isFIFO()) return 'fifo';
  return stat.isSocket() ? 'socket' : 'device';
};

const mtimeOf = (stat: BigIntStats): number => Number(stat.mtimeNs / 1_000_000n);
