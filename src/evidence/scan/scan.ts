/** Finds the locks of a town: everywhere, at known places, or at one worker. Reads only. */
import { leftoverOf } from '../../core/record/lock-names.ts';
import { fitsSome } from '../../core/record/name-pattern.ts';
import { remembering } from '../../core/remembering.ts';
import { inNameOrder } from '../../core/town/name-order.ts';
import { relativeTo } from '../../core/town/roles.ts';
import type { Gap, Leftover, LockFile } from '../../core/types/evidence.ts';
import type { Kind } from '../../core/types/kind.ts';
import { elapsedMs } from '../../io/clock.ts';
import { type Disk, realDisk } from '../../io/disk/disk.ts';
import { type DiskPath, displayPath, displayRelative, joinPath } from '../../io/disk/disk-path.ts';
import { isPlainDirectory } from '../../io/disk/entry-exists.ts';
import { realOrSame } from '../../io/disk/real-path.ts';
import { realpathSync } from '../../io/file-systems/servers.ts';
import { closedTrees, followPointers, type Pointers, withRepair } from '../git/git-pointers.ts';
import { treePathIn } from '../git/linked-tree.ts';
import { agentTable, kindsAt, type LockTable } from '../locks/lock-table.ts';
import { type GitSighting, type InGitDirsFound, sightInGitDirs } from './git-dirs.ts';
import type { GitNames, InGitDirs } from './homes.ts';
import { knownPlaces, LOCK_LAYOUT, searchPlaces, withAncestors } from './known-places.ts';
import { trustedDevice } from './leaf-rule.ts';
import {
  type Directory,
  directoryAt,
  listSubdirectories,
  lookAt,
  nothingWalked,
  openHome,
  pathOf,
  type Sighting,
  sightLocks,
  type Walked,
  type WalkOptions,
  walkAll,
} from './walk.ts';
import { walkWithHelper } from './walk-with-helper.ts';

export interface ScanOptions {
  /** Town root; may be a symlink. Paths that are found lie below its real path. */
  readonly root: string;
  /** `deep`: everything. `default`: all but `PRUNED`. `quick`: where workers are known to be, and `places`. */
  readonly mode: 'default' | 'deep' | 'quick';
  /** For `quick`: absolute directories in which agents were seen, or that are asked about; each of their ancestors in the root is looked at. */
  readonly places?: readonly string[];
  /** 2 adds a helper thread. `auto` (the default) decides by size and load; `quick` never needs one. */
  readonly threads?: 'auto' | 1 | 2;
  /** Called every few thousand directories with the number of those entered so far, and of the places with locks. */
  readonly onProgress?: (directories: number, locks: number) => void;
  /** A substitute file system, for tests. */
  readonly disk?: Disk;
  /** What is looked for; default: agents' own locks alone. */
  readonly table?: LockTable;
  /** Names of directories in the root: nothing else in it is looked at, whatever the mode. */
  readonly within?: readonly string[];
}

/** Where git keeps the files of a linked working tree. */
interface LinkedGitDir {
  readonly path: DiskPath;
  /** The scan saw an index there, which the first checkout leaves when it ends. */
  readonly isCheckedOut: boolean;
  /** A working tree whose `.git` leads there, as the scan has read it. */
  readonly leadsFrom?: string | undefined;
}

/** Something named like a lock at a place of locks, of any file type. */
export interface FoundLock {
  readonly kind: Kind;
  /** Absolute path of the lock. */
  readonly path: DiskPath;
  /** The directory it speaks for. */
  readonly place: DiskPath;
  readonly layout: LockFile['layout'];
  /** Path of the second record where one lies beside it. */
  readonly companion: DiskPath | null;
  /** The same directory has a lock at the new place as well (legacy locks only). */
  readonly hasTwin: boolean;
  /** The administrative directory of the linked working tree for which it stands; null for every other lock. */
  readonly linkedGitDir: LinkedGitDir | null;
  /** The git directory in which it lies, and the main one around that; null for a lock that lies in none. */
  readonly gitDir: {
    readonly path: DiskPath;
    readonly main: DiskPath;
    /** Known already where it is set: a separate git directory does not name it. */
    readonly tree?: string | null;
    readonly isOutside?: true;
    readonly leadsFrom?: readonly string[];
  } | null;
}

/** A file that a killed run left beside a lock, or where a lock was. */
export interface FoundLeftover {
  readonly path: DiskPath;
  readonly place: DiskPath;
  readonly kind: Leftover['kind'];
}

export interface ScanResult {
  readonly locks: readonly FoundLock[];
  readonly leftovers: readonly FoundLeftover[];
  /** Directories that were looked into. */
  readonly directories: number;
  readonly gaps: readonly Gap[];
  /** Administrative directories of linked working trees that may lie outside of the root, absolute. */
  readonly linkedGitDirs: readonly DiskPath[];
  /** What a scan has seen besides; null where it did not see the whole town, as in a look at known places or one with gaps. */
  readonly seen: SeenOnTheWay | null;
}

/** Absolute paths; those that are not UTF-8 are left out. */
interface SeenOnTheWay {
  /** Directories with an entry `.git`. Places of locks, and directories above them, have none if they are not listed here. */
  readonly repositories: ReadonlySet<string>;
  /** Bare repositories. */
  readonly bare: ReadonlySet<string>;
  /** Directories with a home of an older layout; complete in the same way. */
  readonly oldHomes: ReadonlySet<string>;
}

/**
 * Exact names that a default scan does not enter: repositories and databases, where no agent has its working
 * directory. `node_modules` is not among them, for an agent may be started inside a package.
 */
export const PRUNED: ReadonlySet<string> = new Set(['.git', '.repo.git', '.dolt-data', '.dolt-backup']);

/** Milliseconds after which a scan yields to signals, timers and the screen. */
const BREATH_MS = 50;

/**
 * Finds every lock below a town root. Never follows a symlinked directory; what cannot be read becomes a gap; what
 * vanishes during the scan does not. Throws where the root itself cannot be resolved. A long scan can be interrupted, and
 * shows its progress.
 */
export const scanTown = async (options: ScanOptions): Promise<ScanResult> => {
  const steps = scanSteps(options);
  let breathed = elapsedMs();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (elapsedMs() - breathed < BREATH_MS) continue;
    await new Promise((resolve) => setImmediate(resolve));
    breathed = elapsedMs();
  }
};

const NO_CLAIMS: ReadonlyMap<string, string> = new Map();

function* scanSteps(options: ScanOptions): Generator<void, ScanResult> {
  const root = realpathSync.native(options.root);
  const walked = nothingWalked();
  const how = walkOptions(options);
  if (options.within !== undefined) walkWithin(root, options.within, how, walked);
  else if (options.mode === 'quick') {
    const places = [
      ...knownPlaces(root, LOCK_LAYOUT, how, walked),
      ...withAncestors(root, options.places ?? [], how, walked),
    ];
    searchPlaces(
      [...new Map(places.map((place) => [`${place.raw} ${place.path}`, place])).values()],
      how,
      walked,
    );
  } else {
    const start = { path: root, raw: false, leafDevice: trustedDevice(how.disk, root) };
    const threads = options.threads ?? 'auto';
    // The helper knows the real disk only.
    if (threads === 1 || options.disk !== undefined) walkAll([start], how, walked);
    else yield* walkWithHelper(start, threads === 2, how, walked);
  }
  lookAtRootItself(root, how, walked);
  const { repositories, oldHomes } = walked;
  const bare = walked.gitDirs.filter(({ path }) => !path.endsWith('/.git'));
  const { sightings, linked, claims } = inGitDirsOf(root, options, how, walked);
  // Directories that could not be listed may contain anything.
  const isWhole = options.mode !== 'quick' && walked.gaps.length === 0;
  const seen = isWhole
    ? { repositories: pathsOf(repositories), bare: pathsOf(bare), oldHomes: pathsOf(oldHomes) }
    : null;
  return {
    ...resultOf(root, walked, sightings, seen, options.table, claims),
    linkedGitDirs: linked.map(pathOf),
  };
}

/** The root and directories right in it whose `.git` is no directory: a walk does not list them where they have only files. */
const treesAtTop = (root: string, how: WalkOptions, walked: Walked): readonly Directory[] => {
  const known = new Set([...walked.gitFiles, ...walked.repositories].map(({ path }) => path));
  const top = { path: root, raw: false };
  return [top, ...listSubdirectories(top, how, walked).map(({ child }) => child)].filter(
    ({ path, raw }) =>
      !known.has(path) && lookAt(how.disk, { path: `${path}/.git`, raw }, walked)?.isDirectory() === false,
  );
};

/** Looks through these main git directories and those that working trees lead to; what cannot be looked at becomes a gap of its tree. */
const sightWithTrees = (
  gitDirs: readonly Directory[],
  trees: Iterable<DiskPath>,
  wanted: InGitDirs,
  how: WalkOptions,
  walked: Walked,
): InGitDirsFound & Pick<Pointers, 'claims' | 'targets'> & { readonly closed: readonly Gap[] } => {
  let pointers: Pointers = { led: [], claims: NO_CLAIMS, targets: new Map(), gaps: [] };
  const found = sightInGitDirs(gitDirs, wanted, how, walked, (isKnown) => {
    pointers = followPointers(trees, isKnown);
    return pointers.led;
  });
  const closed = closedTrees(walked.gaps, pointers);
  for (const gap of [...pointers.gaps, ...closed]) walked.gaps.push(gap);
  const { claims, targets } = pointers;
  return { ...found, claims, targets, closed };
};

const inGitDirsOf = (
  root: string,
  { table = agentTable, within }: ScanOptions,
  how: WalkOptions,
  walked: Walked,
): InGitDirsFound & { readonly claims: ReadonlyMap<string, string> } => {
  const { gitDirs, gitFiles } = walked;
  if (table.inGitDirs === null) return { sightings: [], linked: [], claims: NO_CLAIMS };
  const tops = within === undefined ? treesAtTop(root, how, walked) : [];
  const trees = new Set([...tops, ...gitFiles].map(pathOf));
  const found = sightWithTrees(gitDirs, trees, table.inGitDirs, how, walked);
  const { claims, closed } = found;
  const isInRoot = ({ path }: Directory): boolean => {
    const tree = claims.get(path);
    if (tree === undefined || closed.some(({ leadsTo }) => leadsTo === path)) return false;
    return treePathIn(path) === tree;
  };
  const linked = found.linked.map(pathOf);
  for (const [at, gap] of walked.gaps.entries()) walked.gaps[at] = withRepair(gap, linked);
  return { ...found, linked: found.linked.filter((each) => !isInRoot(each)), claims };
};

/** Walks these directories of the root alone. One that does not exist does not make a gap; a symlink is not followed. */
const walkWithin = (root: string, names: readonly string[], how: WalkOptions, walked: Walked): void => {
  const below = root === '/' ? root : `${root}/`;
  const leafDevice = trustedDevice(how.disk, root);
  const subtrees = names.flatMap((name) => {
    const place = { path: below + name, raw: false };
    const entry = lookAt(how.disk, place, walked);
    if (entry?.isSymbolicLink() === true)
      walked.gaps.push({
        what: `directory:${place.path}`,
        why: 'is a symbolic link, which is not followed',
      });
    return entry?.isDirectory() === true ? [{ ...place, leafDevice }] : [];
  });
  const homes = new Map([...how.homes].filter(([name]) => names.includes(name)));
  searchPlaces([{ path: root, raw: false }], { ...how, homes }, walked);
  walkAll(subtrees, how, walked);
};

/** A root that is itself a directory in which some tool keeps its locks (`~/.openclaw`): a walk looks only below it. */
const lookAtRootItself = (root: string, how: WalkOptions, walked: Walked): void => {
  const [above = '', name = ''] = root.split('/').slice(-2);
  const place = { path: root, raw: false };
  const home = how.homes.get(name);
  const outer = how.homes.get(above)?.below ?? null;
  if (outer !== null) sightLocks(place, outer, how, walked);
  // Agents' own locks lie in the directory of a worker, and that is not in this root.
  if (home === undefined || home.isClaimed || home.isLock) return;
  sightLocks(place, home, how, walked);
  if (home.below === null) return;
  for (const { child } of listSubdirectories(place, how, walked)) sightLocks(child, home.below, how, walked);
};

/** Looks for the lock of these directories alone (absolute paths), not below them. One that does not exist does not make a gap. */
export const scanPlaces = (places: readonly DiskPath[], disk: Disk = realDisk): ScanResult => {
  const walked = nothingWalked();
  const how = { ...walkOptions({ root: '/', mode: 'quick', disk }), homes: agentTable.claimHomes };
  searchPlaces(places.map(directoryAt), how, walked);
  return resultOf('/', walked, [], null);
};

/**
 * Looks for locks in these main git directories (absolute paths below the root), and in those of their linked working trees, but
 * not among refs, of which there may be very many.
 */
export const scanGitDirs = (root: string, gitDirs: readonly string[], table: LockTable): ScanResult =>
  scanThose(root, gitDirs, [], table);

/**
 * Looks for the locks of these working trees alone (absolute paths), wherever their git directories lie, but not among refs. With
 * the git directory of a main one come its worktrees.
 */
export const scanOwnGitDirs = (root: string, tops: readonly string[], table: LockTable): ScanResult => {
  const gitDirs = tops.map((top) => `${top === '/' ? '' : top}/.git`).filter(isPlainDirectory);
  return scanThose(root, gitDirs, tops, table);
};

const scanThose = (
  root: string,
  gitDirs: readonly string[],
  trees: readonly string[],
  table: LockTable,
): ScanResult => {
  if (table.inGitDirs === null) return { ...resultOf(root, nothingWalked(), [], null), linkedGitDirs: [] };
  const walked = nothingWalked();
  const { main, linked: ofLinked } = table.inGitDirs;
  const withoutRefs = ({ directories, ...names }: GitNames): GitNames => ({
    ...names,
    directories: directories.filter(({ isDeep }) => !isDeep),
  });
  const { sightings, linked, targets } = sightWithTrees(
    gitDirs.map((path) => ({ path, raw: false })),
    trees,
    { main: withoutRefs(main), linked: withoutRefs(ofLinked) },
    walkOptions({ root, mode: 'quick', table }),
    walked,
  );
  const found = resultOf(root, walked, sightings, null, table);
  const leads = [...targets].map(([top, to]) => ({ top: displayPath(top), to: realOrSame(to) }));
  const locks = found.locks.map((lock) => {
    const { gitDir } = lock;
    const leadsFrom = leads.filter(({ to }) => to === gitDir?.path).map(({ top }) => top);
    return gitDir === null || leadsFrom.length === 0 ? lock : { ...lock, gitDir: { ...gitDir, leadsFrom } };
  });
  return { ...found, locks, linkedGitDirs: linked.map(pathOf) };
};

/**
 * Gaps at the homes of these directories (absolute paths). A walk misses them where a home is a symlink: it does not list a
 * directory without sub-directories.
 */
export const closedHomes = (places: readonly string[]): readonly Gap[] => {
  const walked = nothingWalked();
  for (const path of places)
    for (const home of agentTable.claimHomes.keys())
      openHome({ path: `${path}/${home}`, raw: false }, realDisk, walked);
  return walked.gaps;
};

const walkOptions = ({ mode, disk, onProgress, table = agentTable }: ScanOptions): WalkOptions => ({
  disk: disk ?? realDisk,
  homes: table.homes,
  files: table.files,
  inGitDirs: table.inGitDirs !== null,
  prune: mode === 'deep' ? new Set() : PRUNED,
  uid: process.geteuid?.() ?? -1,
  onDirectory: onProgress ?? null,
});

const resultOf = (
  root: string,
  walked: Walked,
  inGitDirs: readonly GitSighting[],
  seen: SeenOnTheWay | null,
  table: LockTable = agentTable,
  claims: ReadonlyMap<string, string> = NO_CLAIMS,
): ScanResult => {
  const { sightings, directories, gaps } = walked;
  const inHomes: Sighted[] = [];
  for (const sighting of sightings) addNamedInHome(inHomes, root, placeOf(sighting), table);
  const isAtOldPlace = ({ layout }: Sighted): boolean => layout === 'legacy';
  const placeAndKind = ({ place, kind }: Sighted): string => `${kind.id} ${String(place)}`;
  const atNewPlace = inHomes.some((each) => each.leftover === null && isAtOldPlace(each))
    ? new Set(inHomes.filter((each) => each.leftover === null && !isAtOldPlace(each)).map(placeAndKind))
    : null;
  const meaning = nameReader(table);
  const sighted = [
    ...inHomes,
    ...walked.files.map(placeOf).flatMap((at) => namedAnywhere(root, at, table)),
    ...inGitDirs.flatMap((at) => namedInGitDir(root, at, table, meaning, claims)),
  ];
  const locks: FoundLock[] = [];
  const leftovers: FoundLeftover[] = [];
  for (const each of sighted) {
    const { kind, path, place, layout, companion, leftover, linkedGitDir, gitDir } = each;
    if (leftover !== null) leftovers.push({ path, place, kind: leftover });
    else {
      const hasTwin = isAtOldPlace(each) && atNewPlace?.has(placeAndKind(each)) === true;
      locks.push({ kind, path, place, layout, companion, hasTwin, linkedGitDir, gitDir });
    }
  }
  return {
    locks,
    leftovers,
    directories,
    gaps: inNameOrder(gaps, ({ what }) => what),
    linkedGitDirs: [],
    seen,
  };
};

/** A lock, or a file that a killed run left beside one. */
interface Sighted extends Omit<FoundLock, 'hasTwin'> {
  readonly leftover: Leftover['kind'] | null;
}

/** Adds the locks of a home and the files beside them, for all kinds that keep locks there. Lists of one lock each would be garbage. */
const addNamedInHome = (sighted: Sighted[], root: string, at: HomeAt, { kindsIn }: LockTable): void => {
  for (const found of kindsAt(`${at.key}/${at.homeName}`, kindsIn)) {
    const { kind, layout, names, above, isBelow } = found;
    const levels = above === null ? 0 : above.split('/').length;
    const place = notAround(root, around(at, levels + (isBelow ? 1 : 0)));
    const companionName = 'homes' in kind.where ? kind.where.companion : undefined;
    const companion =
      companionName !== undefined && at.names.includes(companionName)
        ? joinPath(at.home, companionName)
        : null;
    for (const name of at.names) {
      const isLock = fitsSome(names, name);
      const left = isLock ? null : leftoverOf(name);
      if (!isLock && (left === null || !fitsSome(names, left.lock))) continue;
      const path = joinPath(at.home, name);
      sighted.push({
        kind,
        path,
        place: beginningOf(path, place),
        layout,
        companion: isLock ? companion : null,
        linkedGitDir: null,
        gitDir: null,
        leftover: left?.kind ?? null,
      });
    }
  }
};

/**
 * The same place, around that path, as a part of it: otherwise it would keep the text from which it was cut, and there may be ten
 * thousand.
 */
const beginningOf = (path: DiskPath, place: DiskPath): DiskPath =>
  typeof path === 'string' && typeof place === 'string' ? path.slice(0, place.length) : place;

/** The directory that contains a home, or one so many levels further up. */
const around = ({ key, place, raw }: HomeAt, levels: number): DiskPath =>
  levels === 0 ? place : pathOf({ path: key.split('/').slice(0, -levels).join('/') || '/', raw });

/** The root instead of what lies around it, which has a shorter path: it may itself be the home. */
const notAround = (root: string, place: DiskPath): DiskPath =>
  typeof place === 'string' && place.length < root.length ? root : place;

/** Locks at configured places, and directories that are locks. Each speaks for the directory it lies in. */
const namedAnywhere = (root: string, at: HomeAt, { files, directories }: LockTable): readonly Sighted[] =>
  at.names.flatMap((name) => {
    const leftover = leftoverOf(name);
    const inRoot = displayRelative(root, joinPath(at.home, leftover?.lock ?? name));
    return [...(files?.kinds ?? []), ...directories]
      .filter(({ fits }) => fits(inRoot))
      .map(
        ({ kind }): Sighted => ({
          kind,
          path: joinPath(at.home, name),
          place: at.home,
          layout: 'runtime',
          companion: null,
          linkedGitDir: null,
          gitDir: null,
          leftover: leftover?.kind ?? null,
        }),
      );
  });

/** Locks in a git directory. They speak for the working tree; where that is a linked one, only git's own files tell which. */
const namedInGitDir = (
  root: string,
  { gitDir, main, led, isLinked, isCheckedOut, names }: GitSighting,
  { inGitDirs }: LockTable,
  meaning: NameReader,
  claims: ReadonlyMap<string, string>,
): readonly Sighted[] => {
  const directory = pathOf(gitDir);
  const mainDirectory = pathOf(main);
  // A repair writes nowhere but in its root. What the two parts of a repository share may lie elsewhere than the one that was led to.
  const isOutside = led !== null && relativeTo(root, displayPath(directory)) === null;
  // Written out: there may be hundreds.
  const at =
    led === null
      ? { path: directory, main: mainDirectory }
      : {
          path: directory,
          main: mainDirectory,
          ...(isSame(directory, led.path) && !isLinked ? { tree: displayPath(led.tree) } : {}),
          ...(isOutside ? { isOutside: true as const } : {}),
        };
  const linkedGitDir = isLinked
    ? { path: directory, isCheckedOut, leadsFrom: claims.get(gitDir.path) }
    : null;
  const isBeside = led !== null && isSame(directory, led.main) && !isSame(led.main, led.path);
  return names.flatMap((name) => {
    const { kinds, leftover } = meaning(isLinked, name);
    if (isBeside && isOfMainTree(name, inGitDirs)) return [];
    // Whoever tidies up writes, and does so in another root.
    if (leftover !== null && isOutside) return [];
    return kinds.map(
      (kind): Sighted => ({
        kind,
        path: gitDir.raw ? pathOf({ path: `${gitDir.path}/${name}`, raw: true }) : joinPath(directory, name),
        place: led?.tree ?? treeOf(main),
        layout: 'runtime',
        companion: null,
        linkedGitDir,
        gitDir: at,
        leftover,
      }),
    );
  });
};

const isSame = (one: DiskPath, other: DiskPath): boolean =>
  one === other || displayPath(one) === displayPath(other);

/** Each working tree has a lock of that name for itself. Refs lie where the whole repository has its own. */
const isOfMainTree = (name: string, inGitDirs: LockTable['inGitDirs']): boolean =>
  !/^ref(?:s|table)\//.test(name) && inGitDirs?.linkedKinds.some(({ fits }) => fits(name)) === true;

/** Of which kinds what has this name in a git directory is, and what a run left where it is no lock. */
type NameReader = (
  isLinked: boolean,
  name: string,
) => { readonly kinds: readonly Kind[]; readonly leftover: Leftover['kind'] | null };

/** Remembers every name: those of hundreds of working trees are the same. */
const nameReader = ({ inGitDirs }: LockTable): NameReader => {
  const readerOf = (isLinked: boolean) =>
    remembering((name: string): ReturnType<NameReader> => {
      const end = name.lastIndexOf('/') + 1;
      const leftover = leftoverOf(name.slice(end));
      const lock = leftover === null ? name : name.slice(0, end) + leftover.lock;
      const all = (isLinked ? inGitDirs?.linkedKinds : inGitDirs?.mainKinds) ?? [];
      const kinds = all.filter(({ fits }) => fits(lock)).map(({ kind }) => kind);
      return { kinds, leftover: leftover?.kind ?? null };
    });
  const [ofMain, ofLinked] = [readerOf(false), readerOf(true)];
  return (isLinked, name) => (isLinked ? ofLinked : ofMain)(name);
};

/** The working tree around a `.git`; a bare repository is its own place. */
const treeOf = ({ path, raw }: Directory): DiskPath =>
  pathOf({ path: path.endsWith('/.git') ? path.slice(0, -'/.git'.length) || '/' : path, raw });

interface HomeAt extends ReturnType<typeof placeOf> {}

const placeOf = ({ home: { path, raw }, names }: Sighting) => {
  const end = path.lastIndexOf('/');
  const key = end === 0 ? '/' : path.slice(0, end);
  return {
    key,
    raw,
    homeName: path.slice(end + 1),
    home: pathOf({ path, raw }),
    place: pathOf({ path: key, raw }),
    names,
  };
};

const pathsOf = (places: readonly Directory[]): ReadonlySet<string> =>
  new Set(places.map(pathOf).filter((path) => typeof path === 'string'));
