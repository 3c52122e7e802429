/** Walks a directory tree in search of locks. Follows no symlink, and reports directories that it could not enter as gaps. */
import { Buffer } from 'node:buffer';
import { withoutSuffix } from '../../core/record/lock-names.ts';
import { fitsSome } from '../../core/record/name-pattern.ts';
import type { Gap } from '../../core/types/evidence.ts';
import { type Disk, type Entry, type EntryStat, isUntyped } from '../../io/disk/disk.ts';
import { type DiskPath, displayPath, fromLatin1, toLatin1 } from '../../io/disk/disk-path.ts';
import { describeErrno, errnoOf, isAbsence } from '../../io/errno.ts';
import { REPOSITORY_PARTS } from '../git/git-directory.ts';
import { type Home, type Homes, isNamedLikeLock, type NamedFiles } from './homes.ts';
import { isLeaf } from './leaf-rule.ts';

export interface Directory {
  /** Absolute; one character per byte where `raw`. */
  readonly path: string;
  /** The path is not UTF-8: system calls are given its bytes. */
  readonly raw: boolean;
}

/** The path as the system calls take it. Names that only contain U+FFFD were walked as bytes but are valid text. */
export const pathOf = ({ path, raw }: Directory): DiskPath => (raw ? fromLatin1(path) : path);

export const directoryAt = (path: DiskPath): Directory =>
  typeof path === 'string' ? { path, raw: false } : { path: path.toString('latin1'), raw: true };

/** Where a walk starts, and whether link counts can be trusted there. */
export interface Subtree extends Directory {
  /** Device whose link counts tell leaves, or null: list everything. */
  readonly leafDevice: number | null;
}

/** A home that holds files named like locks. */
export interface Sighting {
  readonly home: Directory;
  readonly names: readonly string[];
}

/** What walks find; several walks may add to one. Walks of known places leave all but the first two fields empty. */
export interface Walked {
  readonly sightings: Sighting[];
  readonly gaps: Gap[];
  /** Directories with files that are named like locks which may lie anywhere. */
  readonly files: Sighting[];
  /** Main git directories: those called `.git`, and bare repositories. They are entered only where nothing is pruned. */
  readonly gitDirs: Directory[];
  /** Directories with an entry `.git`, and those with a home of an older layout: needed later in the run. */
  readonly repositories: Directory[];
  readonly oldHomes: Directory[];
  /** Directories with an entry `.git` that is no directory, and those that were not listed but may have one. */
  readonly gitFiles: Directory[];
  directories: number;
}

export interface WalkOptions {
  readonly disk: Disk;
  /** What is looked for. */
  readonly homes: Homes;
  /** Null where no kind's locks may lie in any directory. */
  readonly files: NamedFiles | null;
  /** Locks are looked for in the git directories of working trees. */
  readonly inGitDirs: boolean;
  /** Exact names of directories that are not entered. */
  readonly prune: ReadonlySet<string>;
  /** Effective user: directories that it cannot read are gaps. */
  readonly uid: number;
  readonly onDirectory: ((directories: number, sightings: number) => void) | null;
}

/** Directories between two calls of `onDirectory`. */
const PROGRESS_STEP = 512;

/** Walks these subtrees, and every one in them that has to be walked in another way; fills `walked`. */
export const walkAll = (start: readonly Subtree[], options: WalkOptions, walked: Walked): void => {
  const steps = walkInSteps(start, options, walked);
  while (steps.next().done !== true);
};

/** Directories between two yields of `walkInSteps`: some milliseconds on a fast disk. */
const STEP = 256;

/** The same, but yields every few directories so that it can be interrupted. */
export function* walkInSteps(
  start: readonly Subtree[],
  options: WalkOptions,
  walked: Walked,
): Generator<void, void> {
  const subtrees = [...start];
  let entered = 0;
  for (let next = subtrees.pop(); next !== undefined; next = subtrees.pop()) {
    const enter = visitor(next, options, walked, subtrees);
    const stack = [next.path];
    for (let path = stack.pop(); path !== undefined; path = stack.pop()) {
      enter(path, stack);
      entered += 1;
      if (entered % STEP === 0) yield;
    }
  }
}

/**
 * Walks level by level until a level has at least `wanted` directories, and returns what is left to be walked; nothing
 * where the tree ended before.
 */
export const walkToFrontier = (
  start: Subtree,
  wanted: number,
  options: WalkOptions,
  walked: Walked,
): readonly Subtree[] => {
  const elsewhere: Subtree[] = [];
  const enter = visitor(start, options, walked, elsewhere);
  let level = [start.path];
  while (level.length > 0 && level.length < wanted) {
    const next: string[] = [];
    for (const path of level) enter(path, next);
    level = next;
  }
  return [...elsewhere, ...level.map((path) => ({ ...start, path }))];
};

/** What decoding puts in place of bytes that are not UTF-8. A name may also contain it for real. */
const REPLACEMENT = '\ufffd';
const DOT = 46;

/** True for a name in this directory that is not, or might not be, UTF-8: only a listing by bytes has it. */
export const isOfBytes = (name: string, { raw }: Directory): boolean => !raw && name.includes(REPLACEMENT);

/**
 * The end of the name of a directory of linked working trees (`.claude/worktrees`). Any other directory that has nothing but files
 * is not listed, and to look for `.git` in all such directories takes too long.
 */
const TREES = 'worktrees';

/**
 * The step of a walk: looks at one directory and pushes its sub-directories. Written for speed: plain strings,
 * synchronous calls, no callback per entry. What needs different treatment (another device, names that are not UTF-8)
 * is left in `elsewhere`.
 */
const visitor = (
  { raw, leafDevice }: Subtree,
  options: WalkOptions,
  walked: Walked,
  elsewhere: Subtree[],
): ((directory: string, stack: string[]) => void) => {
  const { disk, homes, files, prune, uid, inGitDirs } = options;
  const mayBeHome = homeNames(homes);

  const list = (directory: string, inHome: Home | null, stack: string[]): void => {
    const place = { path: directory, raw };
    const entries = listPlace(place, options, walked, inHome?.isClaimed === true);
    const prefix = directory === '/' ? directory : `${directory}/`;
    const names: string[] = [];
    const before = stack.length;
    const trees: string[] | null = inGitDirs && directory.endsWith(TREES) ? [] : null;
    const inside = trees ?? stack;
    let hasRawNames = false;
    let hasHead = false;
    for (const entry of entries) {
      const name = entry.name;
      const first = name.charCodeAt(0);
      if (inHome !== null && isNamedLikeLock(inHome, name)) names.push(name);
      if (entry.isFile()) {
        if (first === DOT) {
          if (name === '.git') {
            walked.repositories.push(place);
            walked.gitFiles.push(place);
          }
          if (homes.get(name)?.isClaimed === true) addClosedHome({ path: prefix + name, raw }, false, walked);
        } else if (name === 'HEAD') hasHead = true;
        continue;
      }
      if (name === '.git') walked.repositories.push(place);
      if (isOfBytes(name, place)) {
        hasRawNames = true;
        continue;
      }
      if (!entry.isDirectory() && !(isUntyped(entry) && isDirectory(prefix + name))) {
        // Some file systems list no types; then the entry is looked at a second time, which is rare.
        if (name === '.git') walked.gitFiles.push(place);
        if (homes.get(name)?.isClaimed === true) openHome({ path: prefix + name, raw }, disk, walked);
        continue;
      }
      const home = mayBeHome(name, first) ? homes.get(name) : undefined;
      if (home !== undefined) {
        if (home.isOld) walked.oldHomes.push(place);
        if (home.isLock) walked.files.push({ home: place, names: [name] });
        else list(prefix + name, home, stack);
      } else if (inHome !== null && inHome.below !== null) list(prefix + name, inHome.below, stack);
      else if (first !== DOT || !prune.has(name)) inside.push(prefix + name);
      if (first === DOT && isNamedLikeGitDir(name)) walked.gitDirs.push({ path: prefix + name, raw });
    }
    if (names.length > 0) walked.sightings.push({ home: place, names });
    if (files !== null) sightFiles(place, entries, files, walked);
    if (hasHead && REPOSITORY_PARTS.every((part) => entries.some(({ name }) => name === part))) {
      walked.gitDirs.push(place);
      // No agent works in a repository's own files, and there are many objects.
      if (prune.size > 0) {
        stack.length = before;
        if (trees !== null) trees.length = 0;
      }
    }
    if (trees !== null) enterTrees(trees, stack);
    if (hasRawNames) {
      for (const { child } of listRawSubdirectories(place, options, walked))
        elsewhere.push({ ...child, leafDevice });
    }
  };
  const isDirectory = (path: string): boolean => lookAt(disk, { path, raw }, walked)?.isDirectory() ?? false;
  /** Linked working trees of one repository are alike: where the first has sub-directories, the others are listed without a look. */
  const enterTrees = (trees: readonly string[], stack: string[]): void => {
    const [first] = trees;
    const look =
      first === undefined || leafDevice === null || files !== null
        ? null
        : lookAt(disk, { path: first, raw }, walked);
    const areLeaves = look !== null && isLeaf(look, uid);
    for (const path of trees) {
      if (!areLeaves) list(path, null, stack);
      else {
        walked.gitFiles.push({ path, raw });
        stack.push(path);
      }
    }
  };

  return (directory, stack) => {
    if (leafDevice !== null && files === null) {
      const look = lookAt(disk, { path: directory, raw }, walked);
      if (look === null || !look.isDirectory()) return;
      if (look.dev !== leafDevice) {
        elsewhere.push({ path: directory, raw, leafDevice: null });
        return;
      }
      if (isLeaf(look, uid)) {
        countDirectory(options, walked);
        return;
      }
    }
    list(directory, null, stack);
  };
};

/** Tells for nearly every name that it is no home's, by its first and last character; `first` is the code of the first. */
type NameSieve = (name: string, first: number) => boolean;

/** Sieves by the homes they are made from: a walk asks for the same one in each of hundreds of subtrees. */
const sieves = new WeakMap<Homes, NameSieve>();

const homeNames = (homes: Homes): NameSieve => {
  const known = sieves.get(homes);
  if (known !== undefined) return known;
  // By the first character, a bit for each last one. Characters may share a bit: the look-up itself decides.
  const ends = new Int32Array(128);
  for (const name of homes.keys()) {
    const first = name.charCodeAt(0) & 127;
    ends[first] = (ends[first] ?? 0) | (1 << name.charCodeAt(name.length - 1));
  }
  const sieve: NameSieve = (name, first) => {
    const its = ends[first & 127] ?? 0;
    return its !== 0 && ((its >>> name.charCodeAt(name.length - 1)) & 1) === 1;
  };
  sieves.set(homes, sieve);
  return sieve;
};

/** `.git`, and the name that Gas Town gives to the bare repository of a rig. */
const isNamedLikeGitDir = (name: string): boolean => name === '.git' || name.endsWith('.git');

const sightFiles = (home: Directory, entries: readonly Entry[], files: NamedFiles, walked: Walked): void => {
  const names = entries.map(({ name }) => name).filter((name) => fitsSome(files.names, withoutSuffix(name)));
  if (names.length > 0) walked.files.push({ home, names });
};

/** Nothing found yet. */
export const nothingWalked = (): Walked => ({
  sightings: [],
  gaps: [],
  files: [],
  gitDirs: [],
  repositories: [],
  oldHomes: [],
  gitFiles: [],
  directories: 0,
});

/** Adds what another walk found. */
export const addWalked = (walked: Walked, more: Walked): void => {
  append(walked.sightings, more.sightings);
  append(walked.gaps, more.gaps);
  append(walked.files, more.files);
  append(walked.gitDirs, more.gitDirs);
  append(walked.repositories, more.repositories);
  append(walked.oldHomes, more.oldHomes);
  append(walked.gitFiles, more.gitFiles);
  walked.directories += more.directories;
};

/** One by one, because there may be too many for the arguments of one call. */
const append = <T>(list: T[], more: readonly T[]): void => {
  for (const each of more) list.push(each);
};

/**
 * True where a home is a directory. Anything else is a gap: we do not follow a symlink, but other tools do, so a
 * live lock may lie behind it.
 */
export const openHome = (home: Directory, disk: Disk, walked: Walked): boolean => {
  const look = lookAt(disk, home, walked, true);
  if (look === null || look.isDirectory()) return look !== null;
  addClosedHome(home, look.isSymbolicLink(), walked);
  return false;
};

const addClosedHome = ({ path, raw }: Directory, isSymlink: boolean, { gaps }: Walked): void => {
  gaps.push({
    what: `directory:${displayPath(pathOf({ path, raw }))}`,
    why: isSymlink
      ? 'it is a symbolic link and is not followed'
      : 'something else than a directory stands there',
    home: isSymlink ? 'symlink' : 'other',
  });
};

/** Notes the locks of one home; does not go into its sub-directories. */
export const sightLocks = (home: Directory, rule: Home, options: WalkOptions, walked: Walked): void => {
  const names = listPlace(home, options, walked, rule.isClaimed)
    .map(({ name }) => name)
    .filter((name) => isNamedLikeLock(rule, name));
  if (names.length > 0) walked.sightings.push({ home, names });
};

/** The sub-directories of a place, symlinks to directories not among them. */
export const listSubdirectories = (
  place: Directory,
  options: WalkOptions,
  walked: Walked,
): readonly { readonly name: string; readonly child: Directory }[] => {
  const prefix = place.path === '/' ? '/' : `${place.path}/`;
  const found: { name: string; child: Directory }[] = [];
  let hasRawNames = false;
  for (const entry of listPlace(place, options, walked)) {
    const child = { path: prefix + entry.name, raw: place.raw };
    if (isOfBytes(entry.name, place)) hasRawNames = true;
    else if (entry.isDirectory() || (isUntyped(entry) && lookAt(options.disk, child, walked)?.isDirectory()))
      found.push({ name: entry.name, child });
  }
  return hasRawNames ? [...found, ...listRawSubdirectories(place, options, walked)] : found;
};

/** The sub-directories of a UTF-8 place whose names are not, or might not be, UTF-8. */
export const listRawSubdirectories = (
  place: Directory,
  { disk }: WalkOptions,
  walked: Walked,
): readonly { readonly name: string; readonly child: Directory }[] => {
  const raw = { path: toLatin1(place.path), raw: true };
  const prefix = raw.path === '/' ? '/' : `${raw.path}/`;
  return readEntries(raw, disk, walked)
    .filter(({ name }) => Buffer.from(name, 'latin1').toString('utf8').includes(REPLACEMENT))
    .map(({ name }) => ({ name, child: { path: prefix + name, raw: true } }))
    .filter(({ child }) => lookAt(disk, child, walked)?.isDirectory());
};

/** The entries of a directory, which counts as entered; none and a gap where it cannot be read. */
const listPlace = (
  place: Directory,
  options: WalkOptions,
  walked: Walked,
  isHome = false,
): readonly Entry[] => {
  countDirectory(options, walked);
  return readEntries(place, options.disk, walked, isHome);
};

const countDirectory = ({ onDirectory }: WalkOptions, walked: Walked): void => {
  walked.directories++;
  if (onDirectory !== null && walked.directories % PROGRESS_STEP === 0)
    onDirectory(walked.directories, walked.sightings.length);
};

export const readEntries = (place: Directory, disk: Disk, walked: Walked, isHome = false): readonly Entry[] =>
  listed(place, walked, isHome, () =>
    place.raw ? disk.listRaw(Buffer.from(place.path, 'latin1')) : disk.list(place.path),
  );

/** The first so many entries of a directory; otherwise as `readEntries`. */
export const readFirstEntries = (
  place: Directory,
  most: number,
  disk: Disk,
  walked: Walked,
): readonly Entry[] =>
  listed(place, walked, false, () =>
    disk.listFirst(place.raw ? Buffer.from(place.path, 'latin1') : place.path, most),
  );

/** The names in a directory, where nobody needs to know what they are; otherwise as `readEntries`. */
export const readNames = (place: Directory, disk: Disk, walked: Walked): readonly string[] =>
  place.raw
    ? readEntries(place, disk, walked).map(({ name }) => name)
    : listed(place, walked, false, () => disk.names(place.path));

const listed = <Listed>(
  place: Directory,
  walked: Walked,
  isHome: boolean,
  list: () => readonly Listed[],
): readonly Listed[] => {
  try {
    return list();
  } catch (error) {
    addGap(place, error, walked, isHome);
    return [];
  }
};

/** Null where nothing is there any more, or where looking failed, which makes a gap. */
export const lookAt = (disk: Disk, place: Directory, walked: Walked, isHome = false): EntryStat | null => {
  try {
    return disk.lstat(place.raw ? Buffer.from(place.path, 'latin1') : place.path) ?? null;
  } catch (error) {
    addGap(place, error, walked, isHome);
    return null;
  }
};

const addGap = ({ path, raw }: Directory, error: unknown, walked: Walked, isHome: boolean): void => {
  if (isAbsence(error)) return; // it vanished during the scan, and any lock with it
  // fsck's own directory at the top of every ext volume, readable by root only: no agent works there.
  if (path.endsWith('/lost+found') && errnoOf(error) === 'EACCES') return;
  walked.gaps.push({
    what: `directory:${displayPath(pathOf({ path, raw }))}`,
    why: describeErrno(error),
    ...(isHome ? { home: 'directory' as const } : {}),
  });
};
