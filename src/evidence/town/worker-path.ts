/** Finds the worker that a caller means: a path relative to the town or to the working directory, or an absolute path. */
import { basename, dirname, isAbsolute, join, normalize, resolve } from 'node:path';
import { relativeTo } from '../../core/town/roles.ts';
import { isSamePath } from '../../io/disk/disk-path.ts';
import { entryExists, isAbsent } from '../../io/disk/entry-exists.ts';
import { realOfMissing } from '../../io/disk/real-path.ts';
import { existsSync, readdirSync, realpathSync } from '../../io/file-systems/servers.ts';
import { tryOr } from '../../io/try-or.ts';
import { shareRepository, workingTreesAround } from '../git/same-repository.ts';
import { refuseSilent } from './root.ts';

export type WorkerPath =
  | { readonly kind: 'inside'; readonly worker: string; readonly exists: boolean }
  /** An absolute path outside the town, or a working tree beside it, or the place of a new one: it has a town of its own. */
  | { readonly kind: 'elsewhere'; readonly path: string }
  /** A relative path that leads out of the town. */
  | { readonly kind: 'outside'; readonly path: string };

/** The real path of something that may not exist yet: that of its nearest existing ancestor, and the rest as named. */
const realPathOf = (path: string): string => {
  const rest: string[] = [];
  for (let place = path; ; place = dirname(place)) {
    try {
      return join(realpathSync.native(place), ...rest);
    } catch {
      if (dirname(place) === place) return path;
      rest.unshift(basename(place));
    }
  }
};

/** What a caller typed for a worker as an absolute path, with the symlinks in it. */
export const absoluteOf = (given: string, root: string, cwd: string): string => {
  if (isAbsolute(given)) return normalize(given);
  const standsInside = relativeTo(root, cwd) !== null;
  const fromHere = given === '.' || given.startsWith('./') || given === '..' || given.startsWith('../');
  if (fromHere && standsInside) return resolve(cwd, given);
  const inTown = resolve(root, given);
  const here = resolve(cwd, given);
  return standsInside && !existsSync(inTown) && !isAbsent(here) ? here : inTown;
};

/**
 * Resolves what a caller typed for a worker. `root` is the town's real path. A relative name may lead out of it to
 * another working tree of the same repository: siblings are the usual layout. Where case does not matter, the answer is
 * spelled as the disk lists it. Reads only.
 *
 * @throws Failure E_USAGE where the server of what is mounted there does not answer
 */
export const resolveWorker = (given: string, root: string, cwd: string, disk?: SpellingDisk): WorkerPath => {
  const absolute = absoluteOf(given, root, cwd);
  refuseSilent(absolute);
  const path = realPathOf(absolute);
  const worker = relativeTo(root, path);
  if (worker !== null)
    return { kind: 'inside', worker: asListed(worker, root, disk), exists: existsSync(path) };
  const named = isAbsolute(given) || isTreeOf(root, path);
  return { kind: named ? 'elsewhere' : 'outside', path };
};

/** A working tree of the root's repository, a path at which git lists one, even if it is gone, or a path beside one. */
const isTreeOf = (root: string, path: string): boolean => {
  const exists = existsSync(path);
  if (exists && shareRepository(root, path)) return true;
  const places = workingTreesAround(root).map(realOfMissing);
  return places.some(
    (place) => place === path || (!exists && place !== root && dirname(place) === dirname(path)),
  );
};

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
    const alike = names.filter((other) => isSamePath(other, name));
    const [only = name] = alike;
    const isSpelledOtherwise = !names.includes(name) && alike.length === 1 && disk.exists(join(place, name));
    place = join(place, isSpelledOtherwise ? only : name);
  }
  return place.slice(join(root, '/').length);
};

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
