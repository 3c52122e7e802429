/** Finds the directory that is the town, and says why. Reads only. */
import { dirname, join, resolve } from 'node:path';
import { Failure } from '../../core/failure.ts';
import type { TownFacts, TownSource } from '../../core/types/evidence.ts';
import { realOrSame } from '../../io/disk/real-path.ts';
import { existsSync, realpathSync, silentServerBehind, statSync } from '../../io/file-systems/servers.ts';
import { distrust, sudoUid } from '../../io/trust.ts';
import { TOWN_MARKER } from './marker.ts';
import { treeTopAround } from './trees.ts';

export interface TownRoot extends Pick<TownFacts, 'root' | 'source' | 'why' | 'aliases'> {
  /** Why a marker above does not count by the trust rule, as a sentence fragment; null where all count. */
  readonly passedOver: string | null;
  /** Names of directories in the root; left out where all of it is looked at. */
  readonly within?: readonly string[];
}

export interface TownRequest {
  /** `--town` or the positional. */
  readonly town?: string | undefined;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

interface Marked {
  /** The outermost directory whose marker counts. */
  readonly place: string | null;
  /** Why a marker further out does not count; where none counts, why the outermost one does not. */
  readonly passedOver: string | null;
  /** The directory of a marker that does not count, unless anybody may write there: a caller below it probably means that town. */
  readonly foreign: string | null;
}

/**
 * Looks at all directories above. Markers count by the trust rule (docs/security.md). Above a marker that counts, the search
 * ends at the first directory that belongs to somebody else.
 */
const outermostMarked = (from: string): Marked => {
  let found: Marked = { place: null, passedOver: null, foreign: null };
  for (let place = from; ; place = dirname(place)) {
    const marker = join(place, TOWN_MARKER);
    if (existsSync(marker)) found = withMarker(found, place, marker);
    if (dirname(place) === place || (found.place !== null && distrustTown([place]) !== null)) return found;
  }
};

const withMarker = (found: Marked, place: string, marker: string): Marked => {
  const passedOver = distrustTown([place, dirname(marker), marker]);
  if (passedOver === null) return { place, passedOver: null, foreign: null };
  // In a directory like /tmp anybody may leave a marker: mentioned only where there is no better reason.
  if (!isShared(place)) return { ...found, passedOver, foreign: place };
  return found.foreign === null ? { ...found, passedOver } : found;
};

const distrustTown = (entries: readonly string[]): string | null => {
  const why = distrust(entries);
  const behind = why === null ? null : sudoUid();
  return behind === null ? why : distrust(entries, behind);
};

/** True for a directory like /tmp: anybody may write, and only the owner of a file may remove it. */
const isShared = (directory: string): boolean => (statSync(directory).mode & 0o1002) === 0o1002;

const isDirectory = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

interface Choice {
  readonly path: string;
  readonly source: TownSource;
  readonly why: string;
  readonly passedOver: string | null;
}

/** Throws Failure E_USAGE for an absolute path where to look would be to wait for ever. */
export const refuseSilent = (path: string): void => {
  const at = silentServerBehind(path);
  if (at !== null)
    throw new Failure('E_USAGE', `${path} cannot be looked at: the server of ${at} does not answer`);
};

/**
 * The working tree of which a directory is a part, or it itself: agents of one tree collide. That of dotfiles is around all that a user
 * has, and in a directory like /tmp anybody may make one.
 */
const treeAround = (directory: string, home: string | undefined): string => {
  const place = realOrSame(directory);
  const top = treeTopAround(place);
  const isHome = home !== undefined && top === realOrSame(home);
  return top === place || isHome || isShared(top) ? directory : top;
};

const choose = ({ town, cwd, env }: TownRequest): Choice => {
  if (town !== undefined)
    return { path: resolve(cwd, town), source: 'flag', why: 'named on the command line', passedOver: null };
  refuseSilent(cwd);
  const { place, passedOver, foreign } = outermostMarked(cwd);
  if (place !== null)
    return {
      path: place,
      source: 'marker',
      why: `outermost directory above with ${TOWN_MARKER}`,
      passedOver,
    };
  for (const name of ['GT_TOWN_ROOT', 'GT_ROOT']) {
    const value = env[name];
    if (value !== undefined && value !== '')
      return { path: resolve(cwd, value), source: 'env', why: `named by $${name}`, passedOver };
  }
  if (foreign !== null)
    throw new Failure(
      'E_USAGE',
      `the town around ${cwd} does not count unless it is named: ${passedOver}`,
      `doctor --town ${foreign}`,
    );
  return { path: treeAround(cwd, env.HOME), source: 'cwd', why: 'where you are', passedOver };
};

/**
 * Finds the town's root: the one named, else the outermost marked ancestor, else the environment's, else the working
 * tree around the caller. Strangers' markers do not count.
 *
 * @throws Failure E_USAGE where the only town around is a stranger's, where a server around it does not answer, or where it does not exist, is not a directory, or cannot be looked at
 */
export const findTownRoot = (request: TownRequest): TownRoot => {
  const { path, source, why, passedOver } = choose(request);
  refuseSilent(path);
  const hint = 'doctor --town /path/to/town';
  try {
    if (!isDirectory(path)) {
      const odd = path.indexOf('\ufffd');
      if (odd >= 0)
        throw new Failure(
          'E_USAGE',
          `the path of a town has to be UTF-8, and ${path} is not`,
          `doctor --town ${path.slice(0, path.lastIndexOf('/', odd)) || '/'}`,
        );
      throw new Failure(
        'E_USAGE',
        existsSync(path) ? `${path} is not a directory` : `there is no town at ${path}`,
        hint,
      );
    }
    const root = realpathSync.native(path);
    return { root, source, why, aliases: root === path ? [] : [path], passedOver };
  } catch (error) {
    if (error instanceof Failure) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new Failure('E_USAGE', `${path} cannot be looked at (${code})`, hint, { cause: error });
  }
};

/**
 * The home of the user who asks, as `$HOME` says.
 *
 * @throws Failure E_USAGE where `$HOME` is not set to a directory
 */
export const homeRoot = (env: TownRequest['env']): TownRoot => {
  const { HOME: home = '' } = env;
  if (!home.startsWith('/'))
    throw new Failure('E_USAGE', 'there is no home to look at: $HOME is not an absolute path');
  const { root, aliases } = findTownRoot({ town: home, cwd: '/', env });
  const why = 'what tools keep in the home of the user who asks';
  return { root, source: 'home', why, aliases, passedOver: null };
};
