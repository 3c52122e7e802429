/**
 * Which place of the town a directory is, where it has another name: through a bind mount, or in a container's view of
 * the file system. There only device and inode tell. Reads only.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { remembering } from '../../core/remembering.ts';
import { relativeTo } from '../../core/town/roles.ts';
import { areApart, isAround } from '../../io/file-systems/mounts.ts';
import { ourServersApart, realpathSync, statSync } from '../../io/file-systems/servers.ts';
import { isMarked } from './marker.ts';

/**
 * The town's own name for a directory, or null where it lies in no place of the town.
 * @param shown absolute path by which its user knows it
 * @param door a path that leads to it here: `/proc/<pid>/cwd`, or the same as `shown`
 */
export type TownPlaceFinder = (shown: string, door: string) => string | null;

/** So many directories take longer to look at than the mounts of this machine. */
const MANY = 100;

/** Levels to climb. Agents do not work this deep. */
const MAX_CLIMB = 64;

/**
 * Prepares to look for places below the real path `root`. `directories`, relative to it, are those that may be mounted
 * elsewhere on their own: the workers.
 */
export const townPlaceFinder = (root: string, directories: readonly string[]): TownPlaceFinder => {
  let known: ReadonlyMap<string, string> | null = null;
  const mayWait = behindServers(root, directories);
  return (shown, door) => {
    // Others have `/` as the name of a detached mount (`umount -l`), or of the root of a container.
    if (!shown.startsWith('/') || (shown === '/' && door === '/') || relativeTo(root, shown) !== null)
      return null;
    // For another process's root directory the caller has checked that, by the mounts of that process.
    if (door === shown && mayWait(shown)) return null;
    if (known === null && directories.length > MANY && isApart(root, shown, door)) return null;
    known ??= identify(root, directories);
    const names = shown.split('/').filter((name) => name !== '');
    let before = '';
    for (let up = 0; up <= Math.min(names.length, MAX_CLIMB); up += 1) {
      const identity = directoryIdentity(`${door}${'/..'.repeat(up)}`);
      // The top of its file system, or a directory that we may not look through.
      if (identity === null || identity === before) return null;
      const place = known.get(identity);
      if (place !== undefined) return [place, ...names.slice(names.length - up)].join('/');
      before = identity;
    }
    return null;
  };
};

/**
 * Tells by the mounts of this machine whether a look at a path of ours may wait for ever, for a server whose file system has nothing to
 * do with the town. They are read at the first question.
 */
export const behindServers = (
  root: string,
  directories: readonly string[] = [],
): ((path: string) => boolean) => {
  let servers: readonly string[] | null = null;
  return (path) => {
    const outside = directories.filter((name) => name.startsWith('../')).map((name) => join(root, name));
    servers ??= ourServersApart([root, ...outside]);
    return servers.some((at) => isAround(at, path));
  };
};

/** True if this machine's mounts prove that the path lies outside of the town, under whatever name. */
const isApart = (root: string, shown: string, door: string): boolean => {
  try {
    const real = realpathSync.native(shown);
    return (
      relativeTo(root, real) === null &&
      (door === shown || isSameDirectory(door, real)) &&
      areApart(readFileSync('/proc/self/mountinfo', 'utf8'), real, root)
    );
  } catch {
    return false; // gone, unreadable, or another system
  }
};

/** True where both names lead to one directory, whatever mounts or links lie between. */
export const isSameDirectory = (one: string, other: string): boolean => {
  const identity = directoryIdentity(one);
  return identity !== null && identity === directoryIdentity(other);
};

/** True where a door leads to another directory than the name that its process is shown with: its mount was detached, or covered. */
export const leadsElsewhere = (door: string, shown: string): boolean => {
  const identity = directoryIdentity(door);
  return identity !== null && identity !== directoryIdentity(shown);
};

const identify = (root: string, directories: readonly string[]): ReadonlyMap<string, string> => {
  const known = new Map<string, string>();
  // The root last: it wins over a directory of its own that is mounted over it.
  for (const path of [...directories.map((directory) => `${root}/${directory}`), root]) {
    const identity = directoryIdentity(path);
    if (identity !== null) known.set(identity, path);
  }
  return known;
};

const directoryIdentity = (path: string): string | null => {
  try {
    const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stats?.isDirectory() ? `${stats.dev}:${stats.ino}` : null;
  } catch {
    return null; // unreadable: only its name is known
  }
};

/**
 * Finds the root of another town in which a path lies: the outermost directory with `mayor/town.json`, null for paths
 * inside `root`, for those in no town, and for those that could only be looked at by waiting for a server. Remembers what it saw: panes share most of their ancestors.
 */
export const otherTownFinder = (root: string): ((path: string) => string | null) => {
  const find = remembering((directory: string): string | null => {
    const parent = dirname(directory);
    const above = parent === directory ? null : find(parent);
    return above ?? (isMarked(directory) ? directory : null);
  });
  const mayWait = behindServers(root);
  return (path) =>
    path.startsWith('/') && relativeTo(root, path) === null && !mayWait(path) ? find(path) : null;
};
