/** One spelling for one directory where upper and lower case are the same: that in which it is listed, as the scan sees it. */
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** What is asked of the disk; tests put a case-insensitive one in its place. Both answer null where they cannot. */
export interface SpellingDisk {
  readonly names: (directory: string) => readonly string[] | null;
  /** Device and inode. */
  readonly identity: (path: string) => string | null;
}

const realSpelling: SpellingDisk = {
  names: (directory) => {
    try {
      return readdirSync(directory);
    } catch {
      return null;
    }
  },
  identity: (path) => {
    try {
      const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      return stat === undefined ? null : `${stat.dev}:${stat.ino}`;
    } catch {
      return null;
    }
  },
};

/**
 * The relative path `worker` below `root` in the spelling of the directories that list it. One look more where case
 * matters, as on most disks; what cannot be looked at stays as it was given. Reads only.
 */
export const asListed = (worker: string, root: string, disk: SpellingDisk = realSpelling): string => {
  if (worker === '.' || !ignoresCase(join(root, worker), disk)) return worker;
  let place = root;
  for (const name of worker.split('/')) {
    const names = disk.names(place) ?? [];
    const same = disk.identity(join(place, name));
    const listed = names.includes(name)
      ? name
      : names.find((other) => same !== null && disk.identity(join(place, other)) === same);
    place = join(place, listed ?? name);
  }
  return place.slice(join(root, '/').length);
};

/** The last name that has a case leads to the same place in the other one. */
const ignoresCase = (path: string, disk: SpellingDisk): boolean => {
  const names = path.split('/');
  const at = names.findLastIndex((name) => swapCase(name) !== name);
  if (at < 0) return false;
  const given = names.slice(0, at + 1).join('/');
  const swapped = disk.identity([...names.slice(0, at), swapCase(names[at] ?? '')].join('/'));
  return swapped !== null && swapped === disk.identity(given);
};

const swapCase = (text: string): string =>
  [...text]
    .map((letter) => (letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase()))
    .join('');
