/**
 * Every system call that is made to take, give back or break a lock, behind one thin port: tests let each of them fail, stop
 * half-way, or kill the process. No policy here.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statfsSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { describeErrno, errnoOf } from '../errno.ts';
import { tryOr } from '../try-or.ts';
import { type ReadingCalls, readingCalls } from './small-file.ts';

/** How a program ended that had inherited our descriptors. */
export type ToolAnswer =
  | { readonly kind: 'exited'; readonly code: number }
  /** The system's `errno` (`EMFILE`); null where there is none. */
  | { readonly kind: 'failed'; readonly why: string; readonly errno: string | null };

/** All synchronous, all throw like `node:fs`, unless said otherwise. */
export interface SystemCalls extends ReadingCalls<string> {
  /** May write less than was asked for; returns the number of bytes written. */
  readonly write: (descriptor: number, bytes: Uint8Array) => number;
  readonly fsync: (descriptor: number) => void;
  readonly fchown: (descriptor: number, uid: number, gid: number) => void;
  readonly fchmod: (descriptor: number, mode: number) => void;
  readonly link: (from: string, to: string) => void;
  readonly rename: (from: string, to: string) => void;
  readonly unlink: (path: string) => void;
  readonly mkdir: (path: string) => void;
  readonly list: (directory: string) => readonly string[];
  /** `f_type` of statfs(2). */
  readonly fileSystemType: (path: string) => number;
  /** What is mounted: Linux `/proc/self/mountinfo`, macOS what mount(8) prints; null where that cannot be read. Never throws. */
  readonly mountTable: () => string | null;
  readonly isExecutable: (path: string) => boolean;
  /** What the kernel says of a descriptor (Linux: `/proc/self/fdinfo`); null where it says nothing. */
  readonly descriptorInfo: (descriptor: number) => string | null;
  /** The kernel's path of the open file (Linux: `/proc/self/fd`); null where it tells none. Never throws. */
  readonly pathOf: (descriptor: number) => string | null;
  /** How many files this process may have open at once (Linux: `/proc/self/limits`); null where that is not known. Never throws. */
  readonly openFilesLimit: () => number | null;
  /** Runs a program that inherits the descriptors as its numbers 3, 4 and so on, and waits. Never throws. */
  readonly runWith: (
    descriptors: readonly number[],
    program: string,
    args: readonly string[],
    timeoutMs: number,
  ) => ToolAnswer;
}

/** Milliseconds. mount(8) prints a kernel table and asks no server. */
const MOUNT_TIMEOUT_MS = 2000;

/** The calls of this machine. */
export const systemCalls: SystemCalls = {
  ...readingCalls,
  write: (descriptor, bytes) => writeSync(descriptor, bytes),
  fsync: (descriptor) => fsyncSync(descriptor),
  fchown: (descriptor, uid, gid) => fchownSync(descriptor, uid, gid),
  fchmod: (descriptor, mode) => fchmodSync(descriptor, mode),
  link: (from, to) => linkSync(from, to),
  rename: (from, to) => renameSync(from, to),
  unlink: (path) => unlinkSync(path),
  mkdir: (path) => {
    mkdirSync(path, 0o755);
  },
  list: (directory) => readdirSync(directory),
  fileSystemType: (path) => statfsSync(path).type,
  mountTable: () => {
    try {
      return process.platform === 'darwin'
        ? execFileSync('/sbin/mount', { encoding: 'utf8', timeout: MOUNT_TIMEOUT_MS, env: {}, stdio: 'pipe' })
        : readFileSync('/proc/self/mountinfo', 'utf8');
    } catch {
      return null;
    }
  },
  isExecutable: (path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false; // whatever the reason, it cannot be run
    }
  },
  descriptorInfo: (descriptor) =>
    // Without /proc the caller finds out in another way.
    tryOr(() => readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'), null),
  pathOf: (descriptor) =>
    // Without /proc the caller makes sure in another way.
    tryOr(() => readlinkSync(`/proc/self/fd/${descriptor}`), null),
  openFilesLimit: () => {
    try {
      const limits = readFileSync('/proc/self/limits', 'utf8');
      const limit = /^Max open files +(\d+)/m.exec(limits)?.[1];
      return limit === undefined ? null : Number(limit);
    } catch {
      return null; // no /proc: the caller assumes a low limit
    }
  },
  runWith: (descriptors, program, args, timeoutMs) => {
    // An empty environment: nothing preloaded, no start-up options of an interpreter.
    const ended = spawnSync(program, args, {
      stdio: ['ignore', 'ignore', 'ignore', ...descriptors],
      env: {},
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    if (ended.error !== undefined) {
      const errno = errnoOf(ended.error);
      const isLate = errno === 'ETIMEDOUT';
      const why = isLate
        ? `did not answer within ${timeoutMs} ms`
        : `could not be run: ${describeErrno(ended.error)}`;
      return { kind: 'failed', why, errno };
    }
    return ended.status === null
      ? { kind: 'failed', why: `was ended by ${ended.signal}`, errno: null }
      : { kind: 'exited', code: ended.status };
  },
};
