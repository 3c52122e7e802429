/**
 * Where the `.git` of working trees leads that is a file: to the git directory of a linked working tree or a submodule, or to a
 * separate one. Reads only, follows no symlink, waits for nothing and never throws; whatever leads nowhere becomes a gap.
 */
import { Buffer } from 'node:buffer';
import { opendirSync, readlinkSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { describeFileProblem } from '../../core/record/file-problem.ts';
import type { Gap } from '../../core/types/evidence.ts';
import {
  baseName,
  beforeEnd,
  type DiskPath,
  displayPath,
  fromLatin1,
  joinPath,
  resolvePath,
} from '../../io/disk/disk-path.ts';
import { isAbsent } from '../../io/disk/entry-exists.ts';
import { realOrSame } from '../../io/disk/real-path.ts';
import { otherType, readingCalls, readSmallFile } from '../../io/disk/small-file.ts';
import { describeErrno, errnoOf, isAbsence } from '../../io/errno.ts';
import { lstatSync, realpathSync, statSync } from '../../io/file-systems/servers.ts';
import {
  commonDirectoryOf,
  hasHead,
  hasSharedParts,
  isGitDirectory,
  MAX_POINTER_BYTES,
} from './git-directory.ts';
import { hasGitLocks, pointerIn, treePathIn } from './linked-tree.ts';

/** A git directory that a scan of the root did not come upon by itself. */
export interface LedGitDir {
  /** Absolute, symlinks resolved. */
  readonly path: DiskPath;
  /** The one that all working trees of the repository share; equal to `path` where that is not linked. */
  readonly main: DiskPath;
  /** The working tree that leads there. */
  readonly tree: DiskPath;
}

export interface Pointers {
  readonly led: readonly LedGitDir[];
  /** Git directories that were known, with a working tree that leads there. */
  readonly claims: ReadonlyMap<string, string>;
  /** Where the `.git` of each of these directories leads, whatever is there. */
  readonly targets: ReadonlyMap<DiskPath, DiskPath>;
  readonly gaps: readonly Gap[];
}

/** What became of following one; null where nothing is to be told. */
type Lead = LedGitDir | { readonly git: NonNullable<Gap['git']>; readonly why: string; readonly to?: string };

/**
 * Follows the entry `.git` of each of these directories where it is no directory.
 *
 * @param isKnown the scan has looked into that git directory (absolute)
 */
export const followPointers = (
  tops: Iterable<DiskPath>,
  isKnown: (gitDir: DiskPath) => boolean,
): Pointers => {
  const led = new Map<string, LedGitDir>();
  const claims = new Map<string, string>();
  const targets = new Map<DiskPath, DiskPath>();
  const gaps: Gap[] = [];
  for (const top of tops) {
    // Nearly all are like that.
    const pointer = typeof top === 'string' ? pointerIn(top) : null;
    if (pointer !== null) targets.set(top, pointer);
    if (typeof top === 'string' && typeof pointer === 'string' && isKnown(pointer)) {
      claims.set(pointer, top);
      continue;
    }
    const lead = leadOf(top, isKnown);
    if (lead === null) continue;
    if ('path' in lead) {
      const path = displayPath(lead.path);
      if (!led.has(path)) led.set(path, lead);
    } else {
      const { git, why, to } = lead;
      const what = `directory:${displayPath(joinPath(top, '.git'))}`;
      gaps.push({ what, why, git, ...(to === undefined ? {} : { leadsTo: to }) });
    }
  }
  return { led: [...led.values()], claims, targets, gaps };
};

/** Git directories that the scan could not list (`gaps`), as gaps of the working trees that lead there. */
export const closedTrees = (gaps: readonly Gap[], { led, claims }: Pointers): readonly Gap[] =>
  gaps.flatMap(({ what, why }): readonly Gap[] => {
    const gitDir = what.slice(what.indexOf(':') + 1);
    const tree = claims.get(gitDir) ?? led.find(({ path }) => displayPath(path) === gitDir)?.tree;
    if (tree === undefined) return [];
    const says = `leads to ${gitDir}, which cannot be looked at: ${why}`;
    return [
      { what: `directory:${displayPath(joinPath(tree, '.git'))}`, why: says, git: 'closed', leadsTo: gitDir },
    ];
  });

const leadOf = (top: DiskPath, isKnown: (gitDir: DiskPath) => boolean): Lead | null => {
  const entry = joinPath(top, '.git');
  try {
    const stat = lstatSync(entry, { throwIfNoEntry: false });
    if (stat === undefined || stat.isDirectory()) return null; // replaced since
    if (stat.isSymbolicLink()) return ofSymlink(entry, isKnown);
    // Never opened: to open a device may already change something.
    const problem = otherType(stat);
    if (problem !== null) return odd(describeFileProblem({ problem, size: stat.size }));
    const reading = readSmallFile(readingCalls, entry, MAX_POINTER_BYTES);
    if (reading.kind === 'absent') return null;
    if (reading.kind === 'unread') return { git: 'closed', why: `cannot be read: ${reading.why}` };
    if (reading.kind === 'other')
      return odd(reading.problem === 'too-large' ? `it has ${reading.size} bytes` : 'it was replaced');
    const named = /^gitdir: ([^\0]+?)[\r\n]*$/.exec(Buffer.from(reading.bytes).toString('latin1'))?.[1];
    if (named === undefined) return odd('it does not say where its repository is');
    return ofTarget(named, top, stat, isKnown);
  } catch (error) {
    return isAbsence(error)
      ? null // a file, where a directory was asked about
      : { git: 'closed', why: `cannot be looked at: ${describeErrno(error)}` };
  }
};

const odd = (why: string): Lead => ({ git: 'odd', why: `is no part of a repository: ${why}` });

const ofSymlink = (entry: DiskPath, isKnown: (gitDir: DiskPath) => boolean): Lead | null => {
  try {
    const target = realPath(entry);
    const to = displayPath(target);
    return isKnown(target)
      ? null
      : { git: 'symlink', why: `is a symbolic link to ${to}, which is not followed`, to };
  } catch (error) {
    const to = displayPath(fromLatin1(readlinkSync(entry, 'latin1')));
    if (errnoOf(error) === 'ELOOP') return odd('it is a symbolic link that leads to itself');
    return isAbsence(error)
      ? { git: 'gone', why: `is a symbolic link to ${to}, and nothing is there` }
      : { git: 'closed', why: `is a symbolic link to ${to}: ${describeErrno(error)}` };
  }
};

/** `C:/Users/ann/repo/.git/worktrees/x`: written by a git of Windows, which sees other paths. */
const OF_WINDOWS = /^[A-Za-z]:[\\/]/;

const ofTarget = (
  named: string,
  top: DiskPath,
  file: Stats,
  isKnown: (gitDir: DiskPath) => boolean,
): Lead | null => {
  const target = resolvePath(top, fromLatin1(named));
  const to = displayPath(OF_WINDOWS.test(named) ? fromLatin1(named) : target);
  const broken = (git: NonNullable<Gap['git']>, says: string): Lead => ({
    git,
    why: `leads to ${to}, ${says}`,
    to,
  });
  if (OF_WINDOWS.test(named)) return broken('unseen', 'a path of Windows');
  try {
    const stat = statSync(target, { throwIfNoEntry: false });
    if (stat === undefined) return ofAbsent(target, top, broken);
    if (!stat.isDirectory()) return broken('odd', 'which is no repository');
    const path = realPath(target);
    if (isKnown(path)) return null;
    // A lock in it is one, and the agent that took it may live.
    const incomplete = (git: 'odd' | 'gone', says: string): Lead =>
      hasGitLocks(path) ? broken('closed', `${says}; there is a lock in it`) : broken(git, says);
    if (!hasHead(path)) return incomplete('odd', 'which is no repository');
    if (stat.uid !== file.uid) return broken('closed', `which belongs to another user (uid ${stat.uid})`);
    const main = commonDirectoryOf(path);
    if (!hasSharedParts(main))
      return main === path
        ? incomplete('odd', 'which is no repository: it has no objects or no refs')
        : incomplete('gone', 'but the rest of its repository is gone');
    return { path, main: realPath(main), tree: top };
  } catch (error) {
    if (isAbsence(error)) return ofAbsent(target, top, broken);
    const code = errnoOf(error);
    if (code === 'ELOOP' || code === 'ENAMETOOLONG') return broken('odd', describeErrno(error));
    return broken('closed', `which cannot be looked at: ${describeErrno(error)}`);
  }
};

/** The path with its symlinks resolved; throws like `node:fs`. */
const realPath = (path: DiskPath): DiskPath => fromLatin1(realpathSync.native(path, 'latin1'));

/**
 * Nothing is at that path. Is it gone, or does it lie where we do not see it? The latter, if everything that is left of the path
 * may be a mount point without its file system, or is on another one than the working tree, as in a container.
 */
const ofAbsent = (
  target: DiskPath,
  top: DiskPath,
  broken: (git: NonNullable<Gap['git']>, says: string) => Lead,
): Lead => {
  if (typeof target !== 'string') return broken('gone', 'and nothing is there');
  let left = target;
  let stat: Stats | undefined;
  while (left !== '/' && stat === undefined) {
    left = dirname(left);
    stat = statSync(left, { throwIfNoEntry: false });
  }
  const isElsewhere = left === '/' || stat?.dev !== statSync(top).dev || isEmpty(left);
  if (isElsewhere)
    return broken(
      'unseen',
      'which does not exist here: it may lie in a container, or on a disk that is not mounted',
    );
  const [, main = target] = /^(.+)\/(?:worktrees|modules)\/[^/]/.exec(target) ?? [];
  return isGitDirectory(main)
    ? broken('forgotten', 'which is gone: its repository no longer knows this working tree')
    : broken('gone', 'which is gone, and its repository with it');
};

const isEmpty = (path: string): boolean => {
  if (!statSync(path).isDirectory()) return false;
  const directory = opendirSync(path);
  try {
    return directory.readSync() === null;
  } finally {
    directory.closeSync();
  }
};

/** Adds to a gap where the files of its working tree are, if that leads to a repository which is gone. */
export const withRepair = (gap: Gap, linkedGitDirs: readonly DiskPath[]): Gap => {
  const { what, git, leadsTo } = gap;
  if (git !== 'gone' || leadsTo === undefined) return gap;
  const top = what.slice(what.indexOf(':') + 1, -'/.git'.length);
  const [first, ...others] = linkedGitDirs.filter(
    (gitDir) => baseName(displayPath(gitDir)) === baseName(leadsTo) && isOfTree(gitDir, top),
  );
  const repairIn = first === undefined ? null : beforeEnd(first, `/worktrees/${baseName(leadsTo)}`);
  return others.length > 0 || typeof repairIn !== 'string' ? gap : { ...gap, repairIn };
};

/** These files say that the working tree is there, or at a place where nothing is: it was moved with its repository. */
const isOfTree = (gitDir: DiskPath, top: string): boolean => {
  const recorded = treePathIn(gitDir);
  return recorded !== null && (isAbsent(recorded) || realOrSame(recorded) === realOrSame(top));
};
