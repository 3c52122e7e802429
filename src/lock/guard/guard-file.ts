/** The file whose flock(2) is the guard: opened, locked, and proved to be locked. */
import { constants } from 'node:fs';
import { openOrMake } from '../../io/disk/make-files.ts';
import type { OpenDirectory } from '../../io/disk/open-directory.ts';
import { PLAIN_FILE } from '../../io/disk/small-file.ts';
import type { SystemCalls } from '../../io/disk/system-calls.ts';
import { errnoOf } from '../../io/errno.ts';
import { quietly } from '../../io/try-or.ts';
import type { LockFiles } from '../files/names.ts';
import {
  type FlockAnswer,
  type FlockTool,
  findFlockTools,
  flockDescriptor,
  flockDescriptors,
  isFlockShown,
} from './flock-tool.ts';

const OTHER_DISK_HINT =
  'Files on this disk cannot be locked: keep the town on another, or install flock (util-linux).';
/** open(2) on macOS and the BSDs takes the flock itself; libuv passes it on, Node does not export it. */
const O_EXLOCK = 0x20;

/** Opens the guard's file, making it where needed; `busy` where opening also locks it (macOS) and somebody else has it. */
export const openGuardFile = (
  directory: OpenDirectory,
  files: LockFiles,
  platform: NodeJS.Platform,
): number | 'busy' => {
  const { calls } = directory;
  const flags = platform === 'darwin' ? O_EXLOCK : 0;
  try {
    const { descriptor, isNew } = openOrMake(directory, files.guard, flags | constants.O_RDWR);
    if (isNew) makeReadable(calls, descriptor);
    return descriptor;
  } catch (error) {
    const code = errnoOf(error);
    if (platform === 'darwin' && (code === 'EAGAIN' || code === 'EWOULDBLOCK')) return 'busy';
    if (code !== 'EACCES' || calls.lstat(files.guard) === undefined) throw error;
    // Another user's guard: flock does not need write permission.
    return calls.open(files.guard, flags | PLAIN_FILE | constants.O_RDONLY);
  }
};

/** Everybody who may work in the directory must be able to lock the file, whatever its maker's umask. */
const makeReadable = (calls: SystemCalls, descriptor: number): void =>
  // Then another user may be refused, and is told who owns it.
  quietly(() => calls.fchmod(descriptor, 0o644));

export interface Locking {
  readonly descriptor: number;
  readonly platform: NodeJS.Platform;
  /** Default: those that this machine has. */
  readonly tools: readonly FlockTool[] | undefined;
}

/**
 * Locks the opened file without waiting, and makes sure that it is locked. `calls` reach the whole machine, the directory's own
 * calls reach the file. Throws what the system throws.
 */
export const lockGuardFile = (
  calls: SystemCalls,
  directory: OpenDirectory,
  files: LockFiles,
  { descriptor, platform, tools }: Locking,
): FlockAnswer =>
  platform === 'darwin'
    ? proveOpenLock(directory.calls, files)
    : flock(calls, directory, files, descriptor, tools);

/** Tries to lock the opened files with one program, without waiting, and returns those that are locked. Never throws. */
export const lockGuardFiles = (
  calls: SystemCalls,
  descriptors: readonly number[],
  tools: readonly FlockTool[] | undefined,
): ReadonlySet<number> =>
  descriptors.length === 0 ? new Set() : flockDescriptors(calls, descriptors, tools ?? findTools(calls));

let toolsHere: readonly FlockTool[] | null = null;

const findTools = (calls: SystemCalls): readonly FlockTool[] => {
  toolsHere ??= findFlockTools(calls, process.env.PATH ?? '');
  return toolsHere;
};

const flock = (
  calls: SystemCalls,
  directory: OpenDirectory,
  files: LockFiles,
  descriptor: number,
  tools: readonly FlockTool[] | undefined,
): FlockAnswer => {
  const usable = tools ?? findTools(calls);
  const answer = flockDescriptor(calls, descriptor, usable);
  if (answer.kind !== 'locked' || isFlockShown(calls, descriptor)) return answer;
  // The kernel does not show the lock (no /proc, or the program failed): a second attempt must be refused then.
  return proveBySecond(
    directory.calls,
    files,
    (second) => flockDescriptor(calls, second, usable).kind === 'busy',
  );
};

/** O_EXLOCK is not documented by Node: once we hold the file, opening it again must be refused. */
const proveOpenLock = (calls: SystemCalls, files: LockFiles): FlockAnswer => {
  try {
    const second = calls.open(files.guard, PLAIN_FILE | O_EXLOCK | constants.O_RDWR);
    calls.close(second);
    return { kind: 'none', why: 'opening with O_EXLOCK does not lock here', hint: OTHER_DISK_HINT };
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'EAGAIN' || code === 'EWOULDBLOCK') return { kind: 'locked' };
    throw error;
  }
};

const proveBySecond = (
  calls: SystemCalls,
  files: LockFiles,
  isRefused: (descriptor: number) => boolean,
): FlockAnswer => {
  const second = calls.open(files.guard, PLAIN_FILE | constants.O_RDONLY);
  try {
    return isRefused(second)
      ? { kind: 'locked' }
      : {
          kind: 'none',
          why: 'the program that should lock says that it did, and did not',
          hint: OTHER_DISK_HINT,
        };
  } finally {
    calls.close(second);
  }
};
