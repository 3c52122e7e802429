/** Which directory is the town, and why. Reads only. */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Failure } from '../../core/failure.ts';
import type { TownSource } from '../../core/types/evidence.ts';

export interface TownRoot {
  /** Absolute, symlinks resolved. */
  readonly root: string;
  readonly source: TownSource;
  /** One sentence for the report. */
  readonly why: string;
  /** The path as given, where it differs from `root`. */
  readonly aliases: readonly string[];
}

export interface TownRequest {
  /** `--town` or the positional. */
  readonly town?: string | undefined;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The file that marks a Gas Town, relative to its root. */
const TOWN_MARKER = join('mayor', 'town.json');

const outermostMarked = (from: string): string | null => {
  let found: string | null = null;
  for (let place = from; ; place = dirname(place)) {
    if (existsSync(join(place, TOWN_MARKER))) found = place;
    if (dirname(place) === place) return found;
  }
};

const isDirectory = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

const choose = ({ town, cwd, env }: TownRequest): { path: string; source: TownSource; why: string } => {
  if (town !== undefined)
    return { path: resolve(cwd, town), source: 'flag', why: 'named on the command line' };
  const marked = outermostMarked(cwd);
  if (marked !== null)
    return { path: marked, source: 'marker', why: 'outermost directory above with mayor/town.json' };
  for (const name of ['GT_TOWN_ROOT', 'GT_ROOT']) {
    const value = env[name];
    if (value !== undefined && value !== '')
      return { path: resolve(cwd, value), source: 'env', why: `named by $${name}` };
  }
  return { path: cwd, source: 'cwd', why: 'the working directory, for want of a mayor/town.json above it' };
};

/**
 * Finds the town's root: the one named, else the outermost marked ancestor, else the environment's, else the working directory.
 *
 * @throws Failure E_USAGE where it does not exist, is no directory, or cannot be looked at
 */
export const findTownRoot = (request: TownRequest): TownRoot => {
  const { path, source, why } = choose(request);
  const hint = 'doctor --town /path/to/town';
  try {
    if (!isDirectory(path)) {
      throw new Failure(
        'E_USAGE',
        existsSync(path) ? `${path} is no directory` : `there is no town at ${path}`,
        hint,
      );
    }
    const root = realpathSync.native(path);
    return { root, source, why, aliases: root === path ? [] : [path] };
  } catch (error) {
    if (error instanceof Failure) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new Failure('E_USAGE', `${path} cannot be looked at (${code})`, hint, { cause: error });
  }
};
