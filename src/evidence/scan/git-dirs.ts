/**
 * Finds locks at their known places in git directories: main ones, and in them those of linked working trees and submodules.
 * Objects are never listed. Reads only, follows no symlink, and always ends: the number of directories is limited.
 */
import { Buffer } from 'node:buffer';
import { isPidFile, withoutSuffix } from '../../core/record/lock-names.ts';
import { isInTable, type NameTable } from '../../core/record/name-pattern.ts';
import { type Entry, type EntryStat, isUntyped } from '../../io/disk/disk.ts';
import { type DiskPath, displayPath, toLatin1 } from '../../io/disk/disk-path.ts';
import { areOfGitDirectory, REPOSITORY_PARTS } from '../git/git-directory.ts';
import type { LedGitDir } from '../git/git-pointers.ts';
import type { GitNames, InGitDirs } from './homes.ts';
import {
  type Directory,
  directoryAt,
  isOfBytes,
  listRawSubdirectories,
  lookAt,
  pathOf,
  readEntries,
  readFirstEntries,
  readNames,
  type Walked,
  type WalkOptions,
} from './walk.ts';

/** Files named like locks in a git directory. */
export interface GitSighting {
  /** The git directory: a main one, or that of a linked working tree. */
  readonly gitDir: Directory;
  /** The main git directory that the walk found, around or equal to it. */
  readonly main: Directory;
  /** Found by the `.git` of a working tree, not by the walk; null for every other one. */
  readonly led: LedGitDir | null;
  readonly isLinked: boolean;
  /** Of a linked working tree: an index stands there, which the first checkout leaves when it ends. */
  readonly isCheckedOut: boolean;
  /** Paths relative to it, one character per byte where it is `raw`. */
  readonly names: readonly string[];
}

/** Directories that are listed below one main git directory, besides those of refs. */
const MAX_DIRECTORIES = 20_000;

/**
 * Directories of refs, and names in them, that are looked at below one main git directory: git has no limit for loose refs. For
 * their logs, which stay when refs are packed, there is as much again.
 */
const MAX_REF_DIRECTORIES = 20_000;
const MAX_REFS = 250_000;
const deepBudget = (): DeepBudget => ({ directories: MAX_REF_DIRECTORIES, names: MAX_REFS, isSpent: false });

/** A directory of no more bytes has some ten thousand names: it is listed at once. */
const SMALL_DIRECTORY = 1_048_576;

/** Levels below `modules` that are looked at: a submodule has its own, and slashes in its name. git itself has no limit. */
export const DEEPEST_MODULE = 16;

export interface InGitDirsFound {
  readonly sightings: readonly GitSighting[];
  /** Administrative directories of linked working trees in the repositories that the walk found. */
  readonly linked: readonly Directory[];
}

/** Looks through these main git directories, then through those that `follow` finds then; adds to the gaps of `walked`. */
export const sightInGitDirs = (
  gitDirs: readonly Directory[],
  wanted: InGitDirs,
  options: WalkOptions,
  walked: Walked,
  follow: (isKnown: (gitDir: DiskPath) => boolean) => readonly LedGitDir[],
): InGitDirsFound => {
  const found: GitSighting[] = [];
  const linked: Directory[] = [];
  const seen = seenDirectories();
  const readers = { main: nameReader(wanted.main), linked: nameReader(wanted.linked) };
  let led: LedGitDir | null = null;
  // Made once for all repositories: what is made anew for each of them V8 never learns to run fast.
  const budget = { directories: 0, refs: deepBudget(), logs: deepBudget() };
  const mayList = (): boolean => {
    budget.directories -= 1;
    return budget.directories >= 0;
  };
  // Not counted among the directories of the scan: nobody works there.
  const listing: Lister<Entry> = (place) => (mayList() ? readEntries(place, options.disk, walked) : []);
  const naming: Lister<string> = (place) => (mayList() ? readNames(place, options.disk, walked) : []);
  const add = (at: Omit<GitSighting, 'names' | 'isCheckedOut' | 'led'>, said: NamesSay): void => {
    // Nearly all of hundreds of linked working trees.
    if (!said.isOfInterest) return;
    const { gitDir, isLinked } = at;
    const look = (place: Directory): readonly string[] | null =>
      namesIn(place, said, listing, budget, options, walked);
    const isCheckedOut = isLinked && said.isCheckedOut;
    const names = look(gitDir);
    if (names === null) {
      const byBytes = { path: toLatin1(gitDir.path), raw: true };
      found.push({ ...at, gitDir: byBytes, led, isCheckedOut, names: look(byBytes) ?? [] });
    } else if (names.length > 0) found.push({ ...at, led, isCheckedOut, names });
  };
  const visit = (gitDir: Directory, main: Directory, depth: number): void => {
    if (!seen.isNew(gitDir)) return;
    const entries = listing(gitDir);
    const said = readers.main(entries.map(nameOf));
    if (!said.isRepository) {
      addHollow(gitDir, entries, said.named, walked, depth > 0);
      if (depth > 0 && depth < DEEPEST_MODULE)
        for (const child of directoriesIn(gitDir, entries, options, walked)) visit(child, main, depth + 1);
      return;
    }
    add({ gitDir, main, isLinked: false }, said);
    const worktrees = childNamed('worktrees', gitDir, entries, options, walked);
    if (worktrees !== null)
      for (const child of directoriesIn(worktrees, listing(worktrees), options, walked)) {
        if (led === null) linked.push(child);
        visitLinked(child, main, depth);
      }
    const modules = childNamed('modules', gitDir, entries, options, walked);
    if (modules !== null) visitModules(modules, main, depth);
  };
  const visitLinked = (gitDir: Directory, main: Directory, depth: number): void => {
    if (!seen.isNew(gitDir)) return;
    const said = readers.linked(naming(gitDir));
    add({ gitDir, main, isLinked: true }, said);
    if (!said.hasModules) return;
    // git keeps the submodules of a linked working tree in its own part of the repository.
    const its = below(gitDir, 'modules');
    if (lookAt(options.disk, its, walked)?.isDirectory() === true) visitModules(its, main, depth);
  };
  const visitModules = (modules: Directory, main: Directory, depth: number): void => {
    if (depth >= DEEPEST_MODULE) return;
    for (const child of directoriesIn(modules, listing(modules), options, walked))
      visit(child, main, depth + 1);
  };
  const within = (main: Directory, look: () => void): void => {
    budget.directories = MAX_DIRECTORIES;
    budget.refs = deepBudget();
    budget.logs = deepBudget();
    look();
    const what = `directory:${displayPath(pathOf(main))}`;
    if (budget.directories < 0)
      walked.gaps.push({
        what,
        why: `has more than ${MAX_DIRECTORIES} directories: not all were looked at`,
      });
    const most = (each: string): string =>
      `more than ${MAX_REFS} ${each}, or ${MAX_REF_DIRECTORIES} directories of them: not all were looked at`;
    if (budget.refs.isSpent)
      walked.gaps.push({
        what: `${what}/refs`,
        why: `${most('loose refs')} (git pack-refs --all makes them few)`,
      });
    if (budget.logs.isSpent) walked.gaps.push({ what: `${what}/logs`, why: most('reflogs') });
  };
  for (const main of gitDirs) within(main, () => visit(main, main, 0));
  for (const each of follow((gitDir) => seen.has(directoryAt(gitDir)))) {
    led = each;
    const gitDir = directoryAt(each.path);
    const main = directoryAt(each.main);
    within(main, () => {
      if (gitDir.raw === main.raw && gitDir.path === main.path) return visit(gitDir, main, 0);
      visitLinked(gitDir, main, 0);
      // Of the rest of the repository only what all working trees share.
      if (seen.isNew(main)) add({ gitDir: main, main, isLinked: false }, readers.main(naming(main)));
    });
  }
  return { sightings: found, linked };
};

interface SeenDirectories {
  readonly has: (place: Directory) => boolean;
  /** True the first time that a directory is met. */
  readonly isNew: (place: Directory) => boolean;
}

/** Directories that were looked into. A path in bytes may look like another one in text. */
const seenDirectories = (): SeenDirectories => {
  const [texts, bytes] = [new Set<string>(), new Set<string>()];
  return {
    has: ({ raw, path }) => (raw ? bytes : texts).has(path),
    isNew: ({ raw, path }) => {
      const seen = raw ? bytes : texts;
      const { size } = seen;
      return seen.add(path).size > size;
    },
  };
};

/** What git puts into every repository. */
const PARTS: ReadonlySet<string> = new Set([...REPOSITORY_PARTS, 'index', 'config']);

/**
 * Something that git would call damaged: parts of a repository without the rest. git skips an empty `.git`, and so do we. Below
 * `modules` it may be a part of a submodule's name, so only a lock in it tells.
 */
const addHollow = (
  place: Directory,
  entries: readonly Entry[],
  [lock]: readonly string[],
  { gaps }: Walked,
  isModule: boolean,
): void => {
  if (isModule ? lock === undefined : !place.path.endsWith('/.git')) return;
  if (!entries.some(({ name }) => PARTS.has(name))) return;
  const missing = REPOSITORY_PARTS.filter((part) => !entries.some(({ name }) => name === part));
  // A killed `git init` leaves one, and then the next fails.
  const left = lock === undefined ? '' : `; there is a lock in it, ${lock}`;
  gaps.push({
    what: `directory:${displayPath(pathOf(place))}`,
    why: `has no ${missing.join(' and no ')}, so it is no repository to git: no lock of git was looked for${left}`,
    ...(isModule ? {} : { git: 'odd' }),
  });
};

type Lister<Listed> = (place: Directory) => readonly Listed[];

const nameOf = ({ name }: Entry): string => name;

/** What the names in a git directory say, before anything in it is looked at. */
interface NamesSay {
  /** Named like locks. */
  readonly named: readonly string[];
  /** Paths to look at, and directories to list. */
  readonly paths: readonly string[];
  readonly directories: GitNames['directories'];
  /** True if there are any of these. */
  readonly isOfInterest: boolean;
  /** A directory below `modules` that is none is only part of a submodule's name. */
  readonly isRepository: boolean;
  readonly isCheckedOut: boolean;
  readonly hasModules: boolean;
}

/** Lists that are remembered, and names in each: git's own are few and short. */
const MAX_REMEMBERED = 64;

/** Remembers lists of names: those in the git directories of hundreds of working trees are the same. */
const nameReader = (wanted: GitNames): ((there: readonly string[]) => NamesSay) => {
  const known = new Map<string, NamesSay>();
  return (there) => {
    if (there.length > MAX_REMEMBERED) return namesSay(there, wanted);
    const key = there.join('/');
    const before = known.get(key);
    if (before !== undefined) return before;
    const said = namesSay(there, wanted);
    if (known.size < MAX_REMEMBERED) known.set(key, said);
    return said;
  };
};

const namesSay = (there: readonly string[], { names, paths, directories }: GitNames): NamesSay => {
  const all = new Set(there);
  const named = there.filter((name) => isWanted(name, names));
  const itsPaths = [...paths].flatMap(([first, its]) => (all.has(first) ? its : []));
  const itsDirectories = directories.filter(({ first }) => all.has(first));
  return {
    named,
    paths: itsPaths,
    directories: itsDirectories,
    isOfInterest: named.length + itsPaths.length + itsDirectories.length > 0,
    isRepository: areOfGitDirectory(all),
    isCheckedOut: all.has('index') && all.has('HEAD'),
    hasModules: all.has('modules'),
  };
};

/** Null where a name is not, or might not be, UTF-8 (git allows that of refs): then the place has to be looked at by bytes. */
const namesIn = (
  gitDir: Directory,
  { named, paths, directories }: NamesSay,
  listing: Lister<Entry>,
  budget: Readonly<Record<'refs' | 'logs', DeepBudget>>,
  options: WalkOptions,
  walked: Walked,
): readonly string[] | null => {
  const found = [...named];
  for (const path of paths) if (lookAt(options.disk, below(gitDir, path), walked)) found.push(path);
  for (const { path, first, names: wanted, isDeep } of directories) {
    const its = first === 'logs' ? budget.logs : budget.refs;
    const stack = [path];
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      const place = below(gitDir, at);
      // Never through a symlink: what it leads to does not belong to the repository.
      const look = lookAt(options.disk, place, walked);
      if (look === null || !look.isDirectory()) continue;
      const inside = isDeep ? deepEntries(place, look, its, options, walked) : listing(place);
      for (const { name } of inside) {
        if (isOfBytes(name, gitDir)) return null;
        if (isWanted(name, wanted)) found.push(`${at}/${name}`);
      }
      if (!isDeep) continue;
      for (const entry of inside)
        if (entry.isDirectory() || isUntyped(entry)) stack.push(`${at}/${entry.name}`);
    }
  }
  return found;
};

/** What may still be looked at among the refs of a repository, or among their logs. */
interface DeepBudget {
  directories: number;
  names: number;
  /** Something was left out. */
  isSpent: boolean;
}

/** The entries of a directory of refs, as many as there is budget for: one of any size takes bounded time and memory. */
const deepEntries = (
  place: Directory,
  { size }: EntryStat,
  budget: DeepBudget,
  { disk }: WalkOptions,
  walked: Walked,
): readonly Entry[] => {
  if (budget.directories <= 0 || budget.names <= 0) {
    budget.isSpent = true;
    return [];
  }
  const entries =
    size <= SMALL_DIRECTORY
      ? readEntries(place, disk, walked)
      : readFirstEntries(place, budget.names + 1, disk, walked);
  budget.directories -= 1;
  budget.names -= entries.length;
  if (budget.names < 0) budget.isSpent = true;
  return entries;
};

/** Nearly every name in a git directory has no dot, and is told at once. */
const isWanted = (name: string, wanted: NameTable): boolean =>
  name.includes('.') ? isInTable(wanted, withoutSuffix(name)) && !isPidFile(name) : isInTable(wanted, name);

const below = ({ path, raw }: Directory, name: string): Directory => ({
  path: `${path}/${raw ? Buffer.from(name, 'utf8').toString('latin1') : name}`,
  raw,
});

const childNamed = (
  name: string,
  place: Directory,
  entries: readonly Entry[],
  options: WalkOptions,
  walked: Walked,
): Directory | null => {
  const [child = null] = directoriesIn(
    place,
    entries.filter((entry) => entry.name === name),
    options,
    walked,
  );
  return child;
};

/** The sub-directories among these entries; a linked working tree gives its name to one, whatever its bytes. */
const directoriesIn = (
  place: Directory,
  entries: readonly Entry[],
  options: WalkOptions,
  walked: Walked,
): readonly Directory[] => {
  const found: Directory[] = [];
  let hasRawNames = false;
  for (const entry of entries) {
    if (entry.isFile() || entry.isSymbolicLink()) continue;
    if (isOfBytes(entry.name, place)) {
      hasRawNames = true;
      continue;
    }
    const child = { path: `${place.path}/${entry.name}`, raw: place.raw };
    if (entry.isDirectory() || lookAt(options.disk, child, walked)?.isDirectory() === true) found.push(child);
  }
  if (hasRawNames) for (const { child } of listRawSubdirectories(place, options, walked)) found.push(child);
  return found;
};
