/** What every repair needs, and rules for the paths that it may touch. */
import { isAbsolute, relative, resolve, sep } from 'node:path';
import type { LockFile } from '../core/types/evidence.ts';
import type { ByWhom } from '../core/types/history.ts';
import type { State, Verdict } from '../core/types/judgement.ts';
import type { LockTable } from '../evidence/locks/lock-table.ts';
import { type SystemCalls, systemCalls } from '../io/disk/system-calls.ts';
import { builtInTable } from '../kinds-of.ts';
import type { GuardOptions } from '../lock/guard/guard.ts';
import { type Asked, byWhom } from './by-whom.ts';

/** One lock to be released, as it was diagnosed. */
export interface ReleaseStep {
  readonly lock: LockFile;
  readonly state: State;
  /** A person asked for this worker by name: the lock's state does not matter, everything else does. */
  readonly force: boolean;
  /** Number within the run, from 1. */
  readonly number: number;
}

/** Gives the verdicts on locks at the moment of acting, by lock id; locks that are gone have none. */
export type JudgeAgain = (steps: readonly ReleaseStep[]) => Promise<ReadonlyMap<string, Verdict>>;

export interface RepairOptions extends GuardOptions {
  /** Absolute path of the town's root, symlinks resolved: the journal lies there. */
  readonly townRoot: string;
  /** The kinds that were looked for; default: the built-in ones. */
  readonly table?: Pick<LockTable, 'kinds'>;
  /** Who acts, and how it was agreed to; default: a program that calls the library. */
  readonly asked?: Asked;
  /** Milliseconds since the epoch; default: the clock of this machine. */
  readonly now?: () => number;
  /** Once aborted, no further step begins; a begun step is finished. */
  readonly signal?: AbortSignal;
}

export interface RepairContext {
  readonly townRoot: string;
  readonly kinds: LockTable['kinds'];
  readonly calls: SystemCalls;
  readonly by: ByWhom;
  readonly now: () => number;
  readonly signal: AbortSignal | null;
  readonly guard: GuardOptions;
}

export const contextOf = (options: RepairOptions): RepairContext => ({
  townRoot: options.townRoot,
  kinds: (options.table ?? builtInTable()).kinds,
  calls: options.calls ?? systemCalls,
  by: byWhom(options.asked),
  now: options.now ?? Date.now,
  signal: options.signal ?? null,
  guard: options,
});

/** The path as the journal keeps it: relative to the town where it lies inside, so that a town can be moved. */
export const shortPath = (townRoot: string, path: string): string => {
  const inside = relative(townRoot, path);
  return inside.startsWith(`..${sep}`) || inside === '..' || isAbsolute(inside) ? path : inside;
};

/** The reverse of `shortPath`. */
export const longPath = (townRoot: string, path: string): string => resolve(townRoot, path);

/**
 * The first symlink between the town's root and `path` (that itself excluded), or null. A lock is never changed through
 * one. Throws what lstat throws, and for a path outside the town.
 */
export const symlinkOnTheWay = (calls: SystemCalls, townRoot: string, path: string): string | null => {
  const short = shortPath(townRoot, path);
  if (isAbsolute(short)) throw new Error(`${path} lies outside the town`);
  let at = townRoot;
  for (const name of short.split(sep).slice(0, -1)) {
    at = `${at}${sep}${name}`;
    if (calls.lstat(at)?.isSymbolicLink()) return at;
  }
  return null;
};
