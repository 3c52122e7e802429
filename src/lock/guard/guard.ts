/**
 * The guard: flock(2) on `agent.lock.flock`, held while a lock is changed. It excludes the newer Go writers too, and
 * the kernel drops it when its owner dies, however that happens. Nothing in this file waits for a guard.
 */
import { type OpenDirectory, openOwned, UnsafeDirectoryError } from '../../io/disk/open-directory.ts';
import { isSameFile } from '../../io/disk/stamp.ts';
import { type SystemCalls, systemCalls } from '../../io/disk/system-calls.ts';
import { networkFileSystem } from '../../io/file-systems/file-systems.ts';
import { describeFailure } from '../../io/programs/describe-failure.ts';
import { closeQuietly } from '../../io/try-or.ts';
import type { LockFiles } from '../files/names.ts';
import type { FlockAnswer, FlockTool } from './flock-tool.ts';
import { lockGuardFile, lockGuardFiles, openGuardFile } from './guard-file.ts';

/** A guard that is held. */
export interface Guard {
  readonly files: LockFiles;
  /** The lock's directory, opened once: every change under the guard goes through its `calls`. */
  readonly directory: OpenDirectory;
  /**
   * Name of the network file system it is on (`nfs`), or null for a local one: flock cannot be trusted on a network, so no
   * lock may be broken there without force.
   */
  readonly network: string | null;
  /** False when somebody removed or replaced the guard file or its directory: another process may hold another guard. */
  readonly stands: () => boolean;
  /** Releases the guard. Never throws; safe to call twice. */
  readonly letGo: () => void;
}

export type GuardOutcome =
  | { readonly kind: 'held'; readonly guard: Guard }
  | { readonly kind: 'busy'; readonly waitedMs: number }
  /**
   * `no-tool`: this machine cannot flock. `unsafe`: a symlink or another special file is in the way. `io`: the disk refused
   * (then `error` is the system's).
   */
  | {
      readonly kind: 'none';
      readonly cause: 'no-tool' | 'unsafe' | 'io';
      readonly why: string;
      readonly hint: string;
      readonly error: unknown;
    };

export interface GuardOptions {
  readonly calls?: SystemCalls;
  /** How long to wait for a guard that somebody else holds, in milliseconds (default 5000). */
  readonly guardTimeoutMs?: number;
  /** The caller cannot give up easily: try more often, and by default wait for 30 s. */
  readonly urgent?: boolean;
  /** The programs that can flock, in order; default: those that this machine has. */
  readonly flockTools?: readonly FlockTool[];
  readonly platform?: NodeJS.Platform;
}

/**
 * The guards that this process holds, each with the waiters in this process: they are woken instead of trying flock again and
 * again.
 */
export const heldHere = new Map<string, Set<() => void>>();

const BUSY: GuardOutcome = { kind: 'busy', waitedMs: 0 };

/** Tries to take the guard of a lock. Expected failures are returned; nothing is thrown. */
export const tryGuard = (files: LockFiles, options: GuardOptions): GuardOutcome => {
  const { calls, platform } = settingsOf(options);
  const opened = openGuard(files, options);
  if (opened.kind !== 'opened') return opened;
  return settle(opened, calls, () =>
    lockGuardFile(calls, opened.directory, files, {
      descriptor: opened.descriptor,
      platform,
      tools: options.flockTools,
    }),
  );
};

/**
 * Tries to take the guards of several locks, with one program for all of them where possible; results in their order. A guard
 * that the program did not lock is `busy`, whatever the reason: `tryGuard` tells more. Nothing is thrown.
 */
export const tryGuards = (locks: readonly LockFiles[], options: GuardOptions): readonly GuardOutcome[] => {
  const { calls, platform } = settingsOf(options);
  // On macOS opening the guard also locks it, without a program.
  if (platform === 'darwin') return locks.map((files) => tryGuard(files, options));
  const opened = locks.map((files) => openGuard(files, options));
  const descriptors = opened.flatMap((one) => (one.kind === 'opened' ? [one.descriptor] : []));
  const locked = lockGuardFiles(calls, descriptors, options.flockTools);
  return opened.map((one) =>
    one.kind === 'opened'
      ? settle(one, calls, () => ({ kind: locked.has(one.descriptor) ? 'locked' : 'busy' }))
      : one,
  );
};

interface OpenedGuard {
  readonly kind: 'opened';
  readonly files: LockFiles;
  readonly directory: OpenDirectory;
  readonly descriptor: number;
  readonly platform: NodeJS.Platform;
}

const settingsOf = ({
  calls = systemCalls,
  platform = process.platform,
}: GuardOptions): { readonly calls: SystemCalls; readonly platform: NodeJS.Platform } => ({
  calls,
  platform,
});

/** Opens the directory and the guard's file in it; with any other outcome nothing is left open. */
const openGuard = (files: LockFiles, options: GuardOptions): OpenedGuard | GuardOutcome => {
  if (heldHere.has(files.guard)) return BUSY;
  const { calls, platform } = settingsOf(options);
  let directory: OpenDirectory | null = null;
  let descriptor: number | null = null;
  try {
    directory = openOwned(calls, files.directory);
    const found = openGuardFile(directory, files, platform);
    if (found === 'busy') return BUSY;
    descriptor = found;
    if (!calls.fstat(descriptor).isFile()) return unsafe(`${files.guard} is not a regular file`);
    const opened: OpenedGuard = { kind: 'opened', files, directory, descriptor, platform };
    directory = null;
    descriptor = null;
    return opened;
  } catch (error) {
    return guardError(files, error);
  } finally {
    if (descriptor !== null) closeQuietly(calls, descriptor);
    directory?.close();
  }
};

/** Locks the opened file and makes sure that it is the guard; with any other outcome it is closed. */
const settle = (
  { files, directory, descriptor, platform }: OpenedGuard,
  calls: SystemCalls,
  lock: () => FlockAnswer,
): GuardOutcome => {
  let isHeld = false;
  try {
    const answer = lock();
    if (answer.kind === 'none') return none('no-tool', answer.why, answer.hint, null);
    if (answer.kind === 'busy' || !leadsTo(directory, descriptor, files)) return BUSY;
    const network = networkFileSystem(directory.calls, files.directory, platform);
    isHeld = true;
    return { kind: 'held', guard: hold(directory, files, descriptor, network) };
  } catch (error) {
    return guardError(files, error);
  } finally {
    if (!isHeld) {
      closeQuietly(calls, descriptor);
      directory.close();
    }
  }
};

/** True where the name still leads to our file: somebody may have removed it while we locked it, and then it guards nothing. */
const leadsTo = (directory: OpenDirectory, descriptor: number, files: LockFiles): boolean => {
  const { calls } = directory;
  const named = calls.lstat(files.guard);
  return named !== undefined && isSameFile(calls.fstat(descriptor), named) && directory.stands();
};

const hold = (
  directory: OpenDirectory,
  files: LockFiles,
  descriptor: number,
  network: string | null,
): Guard => {
  let held = true;
  heldHere.set(files.guard, new Set());
  return {
    files,
    directory,
    network,
    stands: () => held && leadsTo(directory, descriptor, files),
    letGo: () => {
      if (!held) return;
      held = false;
      closeQuietly(directory.calls, descriptor);
      directory.close();
      const waiters = heldHere.get(files.guard) ?? [];
      heldHere.delete(files.guard);
      for (const wake of waiters) wake();
    },
  };
};

const guardError = (files: LockFiles, error: unknown): GuardOutcome =>
  error instanceof UnsafeDirectoryError
    ? none('unsafe', error.message, error.hint, error)
    : none('io', `${files.guard}: ${describeFailure(error)}`, 'Look at the directory and its disk.', error);

const unsafe = (why: string): GuardOutcome =>
  none(
    'unsafe',
    why,
    'Nothing is changed through links or special files: put a plain directory and file there.',
    null,
  );

const none = (
  cause: 'no-tool' | 'unsafe' | 'io',
  why: string,
  hint: string,
  error: unknown,
): GuardOutcome => ({ kind: 'none', cause, why, hint, error });
