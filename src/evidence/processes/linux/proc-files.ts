/** Small reads below /proc: one open, as few reads as possible, no stack traces, a vanished process is a value. */
import { Buffer } from 'node:buffer';
import { closeSync, openSync, readlinkSync, readSync } from 'node:fs';
import type { Observed } from '../../../core/types/evidence.ts';
import { bytesAsText } from '../../../io/disk/bytes-as-text.ts';
import { entryExists } from '../../../io/disk/entry-exists.ts';
import { errnoOf } from '../../../io/errno.ts';
import { tryOr } from '../../../io/try-or.ts';

export type ProcRead = { readonly bytes: Buffer } | { readonly error: string };

/** One buffer for all reads: `stat` lines are a few hundred bytes, command lines and environments mostly a few KiB. */
const shared = Buffer.allocUnsafe(64 * 1024);

/** Arguments and environment together have at most 6 MiB on Linux (execve(2)); most files of /proc are much shorter. */
const MAX_PROC_BYTES = 8 * 1024 * 1024;

/**
 * Reads a file of /proc. The bytes may be overwritten by the next call: use them at once. An error is the system's
 * code (`ENOENT` and `ESRCH`: the process is gone; `EACCES`: hidden from us; `EFBIG`: it is longer than `maxBytes`).
 */
export const readProc = (path: string, maxBytes = MAX_PROC_BYTES): ProcRead => {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    return { error: errorOf(error) };
  }
  try {
    const bytes = readAll(descriptor, maxBytes);
    return bytes === null ? { error: 'EFBIG' } : { bytes };
  } catch (error) {
    return { error: errorOf(error) };
  } finally {
    closeSync(descriptor);
  }
};

const errorOf = (error: unknown): string => errnoOf(error) ?? String(error);

/** The kernel returns long lists in pieces of nearly a page: only a shorter answer is known to be complete. */
const SURELY_WHOLE_BYTES = 2048;

/** Text of a file of /proc; empty where it cannot be read. */
export const readProcText = (path: string): string => {
  const read = readProc(path);
  return 'error' in read ? '' : read.bytes.toString('utf8');
};

/** Null where the file is longer. */
const readAll = (descriptor: number, maxBytes: number): Buffer | null => {
  const first = readSync(descriptor, shared, 0, shared.length, null);
  if (first < SURELY_WHOLE_BYTES) return shared.subarray(0, first);
  const chunks = [Buffer.from(shared.subarray(0, first))];
  for (let total = first; total <= maxBytes; ) {
    const count = readSync(descriptor, shared, 0, shared.length, null);
    if (count === 0) return Buffer.concat(chunks);
    chunks.push(Buffer.from(shared.subarray(0, count)));
    total += count;
  }
  return null;
};

/** The kernel's suffix for a working directory that was removed. */
const DELETED = ' (deleted)';

/** The target of a link in /proc, without the suffix of a removed directory: its users still work there. */
export const readProcLink = (path: string): Observed<string> => {
  let target: string;
  try {
    target = bytesAsText(readlinkSync(path, 'buffer'));
  } catch (error) {
    return { seen: false, why: errorOf(error) };
  }
  return { seen: true, value: withoutDeletedMark(target) };
};

/** True where the directory to which a link in /proc leads was removed, even if another one has its name now. */
export const leadsToRemoved = (path: string): boolean =>
  tryOr(() => {
    const target = bytesAsText(readlinkSync(path, 'buffer'));
    return withoutDeletedMark(target) !== target;
  }, false);

/** A namespace as its link in /proc names it, `mnt:[4026531832]`; null where permission is denied, or the kernel has none. */
export const readNamespace = (path: string): string | null => tryOr(() => readlinkSync(path), null);

/** Takes ` (deleted)` off a path, unless something of exactly that name exists. */
export const withoutDeletedMark = (path: string): string =>
  path.endsWith(DELETED) && !entryExists(path) ? path.slice(0, -DELETED.length) : path;

/** Runs code that throws often without making stack traces (four times as fast for dead PIDs). */
export const withoutStackTraces = <T>(run: () => T): T => {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return run();
  } finally {
    Error.stackTraceLimit = limit;
  }
};
