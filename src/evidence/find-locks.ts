/** Finds the locks of a run, and the places of locks that could not be looked into. Reads only. */
import { dirname, join } from 'node:path';
import { relativeTo } from '../core/town/roles.ts';
import type { Gap } from '../core/types/evidence.ts';
import { type DiskPath, displayPath } from '../io/disk/disk-path.ts';
import { entryExists, isPlainDirectory } from '../io/disk/entry-exists.ts';
import type { GatherRequest } from './gather-request.ts';
import { linkedGitDirOf, mainOfLinked, pointerIn } from './git/linked-tree.ts';
import { findAgain } from './locks/find-again.ts';
import { readProcessTable, workingDirectories } from './processes/processes.ts';
import {
  closedHomes,
  type ScanResult,
  scanGitDirs,
  scanOwnGitDirs,
  scanPlaces,
  scanTown,
} from './scan/scan.ts';
import { isRepository } from './town/marker.ts';
import { type OutsideFinder, type OutsideTree, treesOutside } from './town/outside-trees.ts';

/** The workers in question, and the places that they are parts of. */
export const placesInQuestion = ({ workers, around = [] }: GatherRequest): readonly string[] => [
  ...new Set([...workers, ...around]),
];

/** Finds the locks that are asked for: known ones by their paths, or all of the town by a scan. */
export const findLocks = async (request: GatherRequest): Promise<ScanResult> => {
  const { town, scan, table, locks = [], walkGaps = [], inGitDirs, onProgress } = request;
  if (scan === 'worker') {
    const places = placesInQuestion(request).map((place) => join(town.root, place));
    const atPlaces = scanPlaces(places);
    const inGit =
      inGitDirs === undefined || table === undefined
        ? null
        : inGitDirs === 'all'
          ? scanGitDirs(town.root, mainGitDirs(town.root, places), table)
          : scanOwnGitDirs(town.root, places, table);
    const found = inGit === null ? atPlaces : joined(atPlaces, inGit);
    const known = new Set(found.locks.map(({ path }) => path));
    const again = locks
      .filter(({ path }) => !known.has(path))
      .map((lock) => findAgain(lock, town.root, table))
      .filter((lock) => lock !== null);
    const told = new Set(found.gaps.map(({ what }) => what));
    const gaps = [...found.gaps, ...walkGaps.filter(({ what }) => !told.has(what))];
    return { ...found, locks: [...found.locks, ...again], gaps };
  }
  // Every pane's path is the working directory of some process, so the process table gives all of them.
  const places =
    scan === 'quick'
      ? [
          ...placesInQuestion(request).map((place) => join(town.root, place)),
          ...(await workingDirectories(await readProcessTable())),
        ]
      : [];
  return scanTown({
    root: town.root,
    mode: scan,
    places,
    ...(town.within === undefined ? {} : { within: town.within }),
    ...(table === undefined ? {} : { table }),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
};

const joined = (found: ScanResult, more: ScanResult): ScanResult => ({
  ...found,
  locks: [...found.locks, ...more.locks],
  leftovers: [...found.leftovers, ...more.leftovers],
  gaps: [...found.gaps, ...more.gaps],
  linkedGitDirs: [...found.linkedGitDirs, ...more.linkedGitDirs],
});

/** The main git directories of the root and of these places, as far as they lie in the root. */
const mainGitDirs = (root: string, places: readonly string[]): readonly string[] => {
  const mains = [root, ...places].flatMap((place) => {
    const own = join(place, '.git');
    if (isPlainDirectory(own)) return [own];
    const pointer = pointerIn(place);
    return typeof pointer === 'string' ? mainOfLinked(pointer) : [];
  });
  const bare = isRepository(root) && !entryExists(join(root, '.git')) ? [root] : [];
  return [...new Set([...bare, ...mains])].filter((path) => relativeTo(root, path) !== null);
};

/** A working tree outside of the root, and its git directory. */
interface LinkedOutside extends OutsideTree {
  readonly gitDir: DiskPath;
}

/** The working trees outside of the root that git's files point to, and that point back: agents work and take locks there. */
export const linkedOutside = (
  { town, scan, workers }: GatherRequest,
  { linkedGitDirs }: ScanResult,
  find: OutsideFinder,
): readonly LinkedOutside[] => {
  if (town.within !== undefined) return [];
  const trees =
    scan === 'worker'
      ? workers
          .filter((worker) => worker.startsWith('../'))
          .map((name) => ({ name, top: join(town.root, name) }))
      : treesOutside(linkedGitDirs, find);
  const known = new Set(linkedGitDirs.map(displayPath));
  return trees.flatMap(({ name, top }) => {
    const pointer = pointerIn(top);
    // Their names were made from pointers that were read already.
    const isRead = pointer !== null && known.has(displayPath(pointer)) && find(pointer)?.name === name;
    const gitDir = isRead ? pointer : linkedGitDirOf(top);
    return gitDir === null ? [] : [{ name, top, gitDir }];
  });
};

/** A walk does not leave the root: what lies right in those trees is looked at by name. */
export const withOutside = (
  found: ScanResult,
  { scan }: GatherRequest,
  outside: readonly OutsideTree[],
): ScanResult => (scan === 'worker' ? found : joined(found, scanPlaces(outside.map(({ top }) => top))));

/** Places of locks in homes and, for a walk, every directory between its root and them: the walk has listed these already. */
const listedOnTheWay = (root: string | null, locks: ScanResult['locks']): ReadonlySet<string> => {
  const listed = new Set<string>();
  for (const { place, kind } of locks) {
    // Other kinds are found without listing their place, and no place of the layout has a name in bytes.
    if (typeof place !== 'string' || !('homes' in kind.where)) continue;
    let path = place;
    while (!listed.has(path)) {
      listed.add(path);
      if (root === null || path.length <= root.length) break;
      path = dirname(path);
    }
  }
  return listed;
};

/** Gaps at places that the walk did not list: workers without a lock, `named` or not, and places where somebody was `seen`. */
export const unlistedGaps = (
  { town, scan, workers: named }: GatherRequest,
  { gaps, locks }: ScanResult,
  workers: readonly string[],
  seen: ReadonlySet<string>,
): readonly Gap[] => {
  if (scan === 'worker' || town.within !== undefined) return [];
  const known = new Set(gaps.map(({ what }) => what));
  const listed = listedOnTheWay(scan === 'quick' ? null : town.root, locks);
  const inTown = [...seen].filter((path) => relativeTo(town.root, path) !== null);
  // A quick look goes through the layout by name.
  const below = town.root === '/' ? '/' : `${town.root}/`;
  const byName = scan === 'quick' ? [] : workers.map((worker) => below + worker);
  const asked = named.map((worker) => join(town.root, worker));
  const places = [...new Set([...byName, ...asked, ...inTown])].filter((place) => !listed.has(place));
  // A directory that is closed as a whole has one gap; places in it get none of their own.
  const open = places.filter((place) => !known.has(`directory:${displayPath(place)}`));
  return closedHomes(open).filter(({ what }) => !known.has(what));
};
