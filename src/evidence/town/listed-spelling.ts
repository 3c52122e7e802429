/** One spelling for one directory where upper and lower case are the same: that in which it is listed, as the scan sees it. */
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** What is asked of the disk; tests put a case-insensitive one in its place. */
export interface SpellingDisk {
  /** Empty where they cannot be told. */
  readonly names: (directory: string) => readonly string[];
  /** False also where that cannot be told. */
  readonly exists: (path: string) => boolean;
}

const realSpelling: SpellingDisk = {
  names: (directory) => {
    try {
      return readdirSync(directory);
    } catch {
      return [];
    }
  },
  exists: (path) => {
    try {
      return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
    } catch {
      return false;
    }
  },
};

/**
 * The relative path `worker` below `root` in the spelling of the directories that list it. A name that is there although
 * it is not listed is the listed one that differs in case alone; inode numbers say nothing here, FUSE makes up one for each
 * spelling. One look more where case matters, as on most disks; what cannot be looked at stays as it was given. Reads only.
 */
export const asListed = (worker: string, root: string, disk: SpellingDisk = realSpelling): string => {
  if (worker === '.' || !isThereInOtherCase(join(root, worker), disk)) return worker;
  let place = root;
  for (const name of worker.split('/')) {
    const names = disk.names(place);
    const alike = names.filter((other) => folded(other) === folded(name));
    const [only = name] = alike;
    const isSpelledOtherwise = !names.includes(name) && alike.length === 1 && disk.exists(join(place, name));
    place = join(place, isSpelledOtherwise ? only : name);
  }
  return place.slice(join(root, '/').length);
};

const folded = (name: string): string => name.normalize('NFD').toLowerCase();

/** The path is also there with its last name that has a case in the other one. */
const isThereInOtherCase = (path: string, disk: SpellingDisk): boolean => {
  const names = path.split('/');
  const at = names.findLastIndex((name) => swapCase(name) !== name);
  return at >= 0 && disk.exists([...names.slice(0, at), swapCase(names[at] ?? '')].join('/'));
};

const swapCase = (text: string): string =>
  [...text]
    .map((letter) => (letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase()))
    .join('');
