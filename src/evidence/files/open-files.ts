/** Finds the processes that have lock files open, or files below the git directories around them (`/proc/<pid>/fd`). Never throws. */
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { whyUnlisted } from '../../core/town/unreached.ts';
import type { FileUse, GitUse, Uses } from '../../core/types/evidence.ts';
import { baseName } from '../../io/disk/disk-path.ts';
import { describeErrno, errnoOf, isAbsence } from '../../io/errno.ts';
import { tryOr } from '../../io/try-or.ts';
import { otherNames } from '../processes/linux/other-names.ts';
import { withoutStackTraces } from '../processes/linux/proc-files.ts';
import type { ProcessTable } from '../processes/row.ts';
import { runningIn } from '../processes/table.ts';
import { isGitLike, takesNoLock } from './git-arguments.ts';

export interface OpenFiles extends Uses<FileUse> {
  /** Programs that have a file below a git directory open: they may write there without a git process. */
  readonly below: readonly GitUse[];
}

/**
 * Looks at the open files of every process. Files that we may not list count as hidden only for processes of these users, because
 * a lock was made by a process of its file's owner.
 *
 * @param paths of locks, absolute
 * @param gitDirs main git directories, absolute
 */
export const readOpenFiles = (
  paths: readonly string[],
  { rows, listing, details }: ProcessTable,
  uids: ReadonlySet<number>,
  gitDirs: readonly string[] = [],
): OpenFiles => {
  if (process.platform !== 'linux')
    return { uses: [], below: [], hidden: 'open files are not looked at on this system' };
  let hidden = whyUnlisted(listing);
  if (!listing.seen) return { uses: [], below: [], hidden };
  const wanted = { files: wantedFiles(paths), gitDirs: wantedDirectories(gitDirs) };
  const { serverAt } = otherNames([...paths.map(dirname), ...gitDirs], details);
  const uses: FileUse[] = [];
  const below: GitUse[] = [];
  withoutStackTraces(() => {
    for (const { pid, comm } of runningIn(rows)) {
      const found = openIn(details.directory(pid), wanted, (path) => serverAt(pid, path) !== null);
      if (typeof found !== 'string') {
        for (const path of found.locks.keys()) uses.push({ path, pid, command: comm });
        if (found.places.length > 0 && !isNobody(pid, comm, details.argv(pid)))
          below.push({ pid, command: comm, places: found.places });
      } else if (isCounted(details.uid(pid), uids) && !keepsToItself(comm, details.argv(pid)))
        hidden ??= `the open files of process ${pid} (${comm}) cannot be read: ${found}`;
    }
  });
  return { uses, below, hidden };
};

/** A process whose user cannot be read counts: it may belong to any of them. */
const isCounted = (uid: number | null, uids: ReadonlySet<number>): boolean => uid === null || uids.has(uid);

/** True for our own process, which has these files open, and for gits that only read. */
const isNobody = (pid: number, comm: string, argv: readonly string[]): boolean =>
  pid === process.pid || (isGitLike(comm, argv) && takesNoLock(argv, undefined));

/**
 * Programs that keep keys and therefore hide their files from their own user (PR_SET_DUMPABLE). Every desktop runs some, and none
 * opens a file of a repository. These are the kernel's names, which have 15 characters.
 */
const KEEPERS_OF_KEYS: ReadonlySet<string> = new Set([
  '(sd-pam)',
  'ssh-agent',
  'gpg-agent',
  'scdaemon',
  'gnome-keyring-d',
  'kwalletd5',
  'kwalletd6',
  'fusermount3',
  'fusermount',
]);

/** True for these, and for renderers in Chromium's sandbox (browsers, editors), which can open no files. */
const keepsToItself = (comm: string, argv: readonly string[]): boolean =>
  KEEPERS_OF_KEYS.has(comm) ||
  argv.some((argument) => /^--type=(?:renderer|zygote|gpu-process)$/.test(argument));

/** The wanted files by base name, so that few links need a closer look; each with the file's identity. */
export type Wanted = ReadonlyMap<string, readonly { readonly path: string; readonly identity: string }[]>;

export const wantedFiles = (paths: readonly string[]): Wanted => {
  const wanted = new Map<string, { path: string; identity: string }[]>();
  for (const path of paths) {
    const identity = identityOf(path);
    const name = baseName(path);
    if (identity !== null) wanted.set(name, [...(wanted.get(name) ?? []), { path, identity }]);
  }
  return wanted;
};

export interface WantedDirectories {
  readonly paths: ReadonlySet<string>;
  /** The common beginning of all of them, which rules out nearly every other file. */
  readonly start: string;
  /** By device and inode, to recognize a directory by another path in another mount namespace. */
  readonly identities: ReadonlyMap<string, string>;
}

const wantedDirectories = (paths: readonly string[]): WantedDirectories => ({
  paths: new Set(paths),
  start: commonStart(paths),
  identities: new Map(paths.map((path) => [identityOf(path) ?? path, path])),
});

export const NO_DIRECTORIES: WantedDirectories = { paths: new Set(), start: '', identities: new Map() };

const commonStart = ([first = '', ...others]: readonly string[]): string => {
  let start = first;
  for (const each of others) while (!each.startsWith(start)) start = start.slice(0, -1);
  return start;
};

const identityOf = (path: string): string | null =>
  tryOr(() => {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  }, null);

export interface Opened {
  /** Of locks, each with the descriptors through which it is open. */
  readonly locks: ReadonlyMap<string, readonly string[]>;
  /** Files below the git directories. */
  readonly places: readonly string[];
}

const NOTHING: Opened = { locks: new Map(), places: [] };

/**
 * The wanted files that a process has open, or why its open files cannot be seen.
 *
 * @param process its directory below /proc
 * @param mayWait true for paths of that process where we do not look, and none of these files lies
 */
export const openIn = (
  process: string,
  { files, gitDirs }: { readonly files: Wanted; readonly gitDirs: WantedDirectories },
  mayWait: (path: string) => boolean,
): Opened | string => {
  const directory = `${process}/fd`;
  let descriptors: readonly string[];
  try {
    descriptors = readdirSync(directory);
  } catch (error) {
    return isAbsence(error) || errnoOf(error) === 'ESRCH' ? NOTHING : describeErrno(error);
  }
  const locks = new Map<string, string[]>();
  const places = new Set<string>();
  for (const descriptor of descriptors) {
    const entry = `${directory}/${descriptor}`;
    let target: string;
    try {
      target = readlinkSync(entry);
    } catch {
      continue; // closed meanwhile
    }
    if (!target.startsWith('/')) continue;
    const below = placeBelow(target, process, gitDirs, mayWait);
    if (below !== null) places.add(below);
    const candidates = files.get(baseName(target));
    if (candidates === undefined || mayWait(target)) continue;
    const identity = identityOf(entry);
    for (const each of candidates)
      if (each.identity === identity) locks.set(each.path, [...(locks.get(each.path) ?? []), descriptor]);
  }
  return { locks, places: [...places] };
};

/** The path, as we know it, of a file below one of the git directories; null for every other file. */
const placeBelow = (
  target: string,
  process: string,
  { paths, start, identities }: WantedDirectories,
  mayWait: (path: string) => boolean,
): string | null => {
  if (paths.size === 0) return null;
  if (target.startsWith(start))
    for (
      let end = target.indexOf('/', Math.max(1, start.length - 1));
      end > 0;
      end = target.indexOf('/', end + 1)
    )
      if (paths.has(target.slice(0, end))) return target;
  // In a container the repository may have another path.
  const end = target.indexOf('.git/');
  if (end < 0 || mayWait(target)) return null;
  const top = target.slice(0, end + '.git'.length);
  const known = identities.get(identityOf(`${process}/root${top}`) ?? '');
  return known === undefined || known === top ? null : known + target.slice(top.length);
};
