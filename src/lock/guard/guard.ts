/**
 * The guard: flock(2) on `agent.lock.flock`, held while a lock is changed. It excludes the newer Go writers too, and
 * the kernel drops it when its owner dies, however it dies.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { closeQuietly } from '../../io/disk/close-quietly.ts';
import { type OpenDirectory, openOwned, UnsafeDirectoryError } from '../../io/disk/open-directory.ts';
import { isSameFile } from '../../io/disk/stamp.ts';
import { type SystemCalls, systemCalls } from '../../io/disk/system-calls.ts';
import { networkFileSystem } from '../../io/file-systems/file-systems.ts';
import { describeFailure } from '../../io/programs/describe-failure.ts';
import type { Place } from '../files/names.ts';
import type { FlockTool } from './flock-tool.ts';
import { lockGuardFile, openGuardFile } from './guard-file.ts';

/** A guard that is held. */
export interface Guard {
  readonly place: Place;
  /** The lock's directory, opened once: whatever is changed under the guard is changed through its `calls`. */
  readonly directory: OpenDirectory;
  /**
   * Name of the network file system it lies on (`nfs`), or null: flock is not to be trusted there, so nothing may be
   * broken without being forced.
   */
  readonly network: string | null;
  /** False when somebody removed or replaced the guard file or its directory: another process may hold another guard. */
  readonly stands: () => boolean;
  /** Lets go. Never throws; safe to call twice. */
  readonly letGo: () => void;
}

export type GuardOutcome =
  | { readonly kind: 'held'; readonly guard: Guard }
  | { readonly kind: 'busy'; readonly waitedMs: number }
  /**
   * `no-tool`: this machine cannot flock. `unsafe`: a symlink or something else than a file stands in the way. `io`:
   * the disk refused (then `error` is the system's).
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
  /** Somebody waits for what is done under this guard: knock often, and by default wait for 30 s. */
  readonly urgent?: boolean;
  /** The programs that can flock, in order; default: those that this machine has. */
  readonly flockTools?: readonly FlockTool[];
  readonly platform?: NodeJS.Platform;
}

const GUARD_TIMEOUT_MS = 5000;
const URGENT_TIMEOUT_MS = 30_000;
const FIRST_PAUSE_MS = 4;
const LONGEST_PAUSE_MS = 100;
const LONGEST_URGENT_PAUSE_MS = 16;

/** Takes the guard of a lock, waiting a bounded time. Expected failures are answers; nothing is thrown. */
export const takeGuard = async (place: Place, options: GuardOptions = {}): Promise<GuardOutcome> => {
  const timeoutMs = options.guardTimeoutMs ?? (options.urgent ? URGENT_TIMEOUT_MS : GUARD_TIMEOUT_MS);
  const longestPauseMs = options.urgent ? LONGEST_URGENT_PAUSE_MS : LONGEST_PAUSE_MS;
  const startedAt = performance.now();
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    const isOurs = waiting.has(place.guard);
    const outcome: GuardOutcome = isOurs ? { kind: 'busy', waitedMs: 0 } : tryGuard(place, options);
    if (outcome.kind !== 'busy') return outcome;
    const waitedMs = Math.round(performance.now() - startedAt);
    if (waitedMs >= timeoutMs) return { kind: 'busy', waitedMs };
    const leftMs = timeoutMs - waitedMs;
    if (isOurs) await letGoHere(place.guard, leftMs);
    // Spread out, so that many waiters do not knock all at once.
    else await sleep(Math.min(pauseMs * (0.5 + Math.random()), leftMs));
  }
};

/** Who in this process waits for a guard that this process holds: asking flock again and again would only slow it down. */
const waiting = new Map<string, Set<() => void>>();

/** Resolves when this process lets go of the guard, or after `timeoutMs`. */
const letGoHere = (guard: string, timeoutMs: number): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, timeoutMs);
    waiting.get(guard)?.add(() => {
      clearTimeout(timer);
      resolve();
    });
  });

const tryGuard = (place: Place, options: GuardOptions): GuardOutcome => {
  const calls = options.calls ?? systemCalls;
  const platform = options.platform ?? process.platform;
  let directory: OpenDirectory | null = null;
  let descriptor: number | null = null;
  try {
    directory = openOwned(calls, place.directory);
    const opened = openGuardFile(directory, place, platform);
    if (opened === 'busy') return { kind: 'busy', waitedMs: 0 };
    descriptor = opened;
    if (!calls.fstat(descriptor).isFile()) return unsafe(`${place.guard} is no regular file`);
    const answer = lockGuardFile(calls, directory, place, {
      descriptor,
      platform,
      tools: options.flockTools,
    });
    if (answer.kind === 'none') return none('no-tool', answer.why, answer.hint, null);
    if (answer.kind === 'busy' || !leadsTo(directory, descriptor, place))
      return { kind: 'busy', waitedMs: 0 };
    const network = networkFileSystem(directory.calls, place.directory, platform);
    const guard = hold(directory, place, descriptor, network);
    directory = null;
    descriptor = null;
    return { kind: 'held', guard };
  } catch (error) {
    if (error instanceof UnsafeDirectoryError) return none('unsafe', error.message, error.hint, error);
    return none(
      'io',
      `${place.guard}: ${describeFailure(error)}`,
      'Look at the directory and its disk.',
      error,
    );
  } finally {
    if (descriptor !== null) closeQuietly(calls, descriptor);
    directory?.close();
  }
};

/** Somebody may have removed the file while we opened and locked it: then we hold a guard that guards nothing. */
const leadsTo = (directory: OpenDirectory, descriptor: number, place: Place): boolean => {
  const { calls } = directory;
  const named = calls.lstat(place.guard);
  return named !== undefined && isSameFile(calls.fstat(descriptor), named) && directory.stands();
};

const hold = (directory: OpenDirectory, place: Place, descriptor: number, network: string | null): Guard => {
  let held = true;
  waiting.set(place.guard, new Set());
  return {
    place,
    directory,
    network,
    stands: () => held && leadsTo(directory, descriptor, place),
    letGo: () => {
      if (!held) return;
      held = false;
      closeQuietly(directory.calls, descriptor);
      directory.close();
      const waiters = waiting.get(place.guard) ?? [];
      waiting.delete(place.guard);
      for (const wake of waiters) wake();
    },
  };
};

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
