/** Finds the guard under which a lock is changed: an agent's lock has its own, all other locks share the town's. */
import { dirname } from 'node:path';
import { isAgentLock } from '../../core/record/lock-names.ts';
import { type OpenDirectory, openOwned, UnsafeDirectoryError } from '../../io/disk/open-directory.ts';
import { networkFileSystem } from '../../io/file-systems/file-systems.ts';
import { describeFailure } from '../../io/programs/describe-failure.ts';
import { type LockFiles, lockFilesIn, lockFilesOf } from '../../lock/files/names.ts';
import type { Guard, GuardOutcome } from '../../lock/guard/guard.ts';
import { takeGuard } from '../../lock/guard/take-guard.ts';
import { homeOfRepairs, makeHome } from '../journal.ts';
import type { RepairContext } from '../repair-context.ts';

/** The files of the lock at this absolute path, with the guard under which it is changed. */
export const guardedFiles = (path: string, { townRoot }: RepairContext): LockFiles => {
  // An agent's guard lies beside its lock, and excludes other tools' writers too.
  if (isAgentLock(path)) return lockFilesIn(dirname(path));
  const directory = homeOfRepairs(townRoot);
  return { directory, lock: path, guard: `${directory}/guard.flock`, companion: null };
};

/**
 * The guard for the lock at this path, made from the one that is held for `guardedFiles`, with the lock's own directory. With
 * any other outcome the held guard is still held.
 */
export const guardFor = (
  path: string,
  held: Guard,
  { calls, guard: options }: RepairContext,
): GuardOutcome => {
  if (isAgentLock(path)) return { kind: 'held', guard: held };
  try {
    const directory = openOwned(calls, dirname(path));
    return { kind: 'held', guard: over(held, directory, path, options.platform) };
  } catch (error) {
    return refusal(error, dirname(path));
  }
};

/** Takes the guard of one lock, waiting a limited time. Expected failures are returned. */
export const takeGuardOf = async (path: string, context: RepairContext): Promise<GuardOutcome> => {
  const failure = prepareGuards([path], context);
  if (failure !== null) return failure;
  const taken = await takeGuard(guardedFiles(path, context), context.guard);
  if (taken.kind !== 'held') return taken;
  const outcome = guardFor(path, taken.guard, context);
  if (outcome.kind !== 'held') taken.guard.letGo();
  return outcome;
};

/** Makes the directory of the town's guard, where one of these locks needs it; null where nothing failed. */
export const prepareGuards = (
  paths: readonly string[],
  { calls, townRoot }: RepairContext,
): Exclude<GuardOutcome, { readonly kind: 'held' }> | null => {
  if (paths.every(isAgentLock)) return null;
  try {
    makeHome(calls, townRoot);
    return null;
  } catch (error) {
    return refusal(error, homeOfRepairs(townRoot));
  }
};

const over = (
  shared: Guard,
  directory: OpenDirectory,
  path: string,
  platform: NodeJS.Platform = process.platform,
): Guard => ({
  files: lockFilesOf(path, shared.files.guard),
  directory,
  network: networkFileSystem(directory.calls, directory.path, platform),
  stands: () => shared.stands() && directory.stands(),
  letGo: () => {
    directory.close();
    shared.letGo();
  },
});

const refusal = (error: unknown, path: string): Exclude<GuardOutcome, { readonly kind: 'held' }> =>
  error instanceof UnsafeDirectoryError
    ? { kind: 'none', cause: 'unsafe', why: error.message, hint: error.hint, error }
    : {
        kind: 'none',
        cause: 'io',
        why: `${path}: ${describeFailure(error)}`,
        hint: 'Look at the directory and its disk.',
        error,
      };
