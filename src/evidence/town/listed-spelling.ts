/** On disks that ignore case, gives each directory one spelling: the one in which it is listed, as the scan sees it. */
import { join } from 'node:path';
import { entryExists } from '../../io/disk/entry-exists.ts';
import { readdirSync } from '../../io/file-systems/servers.ts';
import { tryOr } from '../../io/try-or.ts';

/** The questions to the disk; tests substitute a case-insensitive one. */
export interface SpellingDisk {
  /** Empty where they cannot be told. */
  readonly names: (directory: string) => readonly string[];
  /** False also where that cannot be told. */
  readonly exists: (path: string) => boolean;
}

const realSpelling: SpellingDisk = {
  names: (directory) => tryOr(() => readdirSync(directory), []),
  exists: entryExists,
};

/**
 * The relative path `worker` below `root` in the spelling of the directories that list it. If a name exists but is not
 * listed, it is the listed one that differs only in case. Inode numbers do not help: FUSE makes up one for each spelling. On
 * disks where case matters this costs one look; what cannot be looked at stays as it was given. Reads only.
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

/** True where the path also exists with its last name that has letters in another case. */
const isThereInOtherCase = (path: string, disk: SpellingDisk): boolean => {
  const names = path.split('/');
  const at = names.findLastIndex((name) => inOtherCase(name) !== name);
  return at >= 0 && disk.exists([...names.slice(0, at), inOtherCase(names[at] ?? '')].join('/'));
};

const inOtherCase = (text: string): string => {
  const upper = text.toUpperCase();
  return upper === text ? text.toLowerCase() : upper;
};
