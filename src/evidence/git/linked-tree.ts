/** What the administrative files of a linked working tree say of it (gitrepository-layout). Reads only, runs nothing. */
import { leftoverKind } from '../../core/record/lock-names.ts';
import type { LinkedTree, Observed } from '../../core/types/evidence.ts';
import {
  afterStart,
  baseName,
  beforeEnd,
  type DiskPath,
  displayPath,
  joinPath,
  resolvePath,
} from '../../io/disk/disk-path.ts';
import { entryExists, isAbsent } from '../../io/disk/entry-exists.ts';
import { realOrSame } from '../../io/disk/real-path.ts';
import { type FileValue, readValue } from '../../io/disk/small-file.ts';
import { describeErrno, errnoOf, isAbsence } from '../../io/errno.ts';
import { lstatSync, readdirSync, statSync } from '../../io/file-systems/servers.ts';
import { tryOr } from '../../io/try-or.ts';
import { MAX_POINTER_BYTES } from './git-directory.ts';

/** `//`, `/./`, `/../`, or a slash or dots at the end. */
const INDIRECT = /\/\.{0,2}(?:\/|$)/;

/** Why a working tree is astray whose repository was moved. */
const CUT_OFF = 'its .git leads to a repository that is not there; this one may have been moved';

/** How a `.git` file begins. */
const GITDIR = 'gitdir: ';

/** What the files of a linked working tree say, and where it really lies. */
export interface TreeLook {
  readonly tree: LinkedTree;
  /** Symlinks resolved; the path as it is where nothing stands there, null where none is recorded. */
  readonly realPath: string | null;
}

/** Reads `<git directory>/worktrees/<name>`. */
export const readLinkedTree = (gitDir: DiskPath): LinkedTree =>
  lookAtLinkedTree(gitDir, { isCheckedOut: false }).tree;

/**
 * The same, for many of them. While `git worktree add` works it has a lock of its own there, written before the
 * rest; the first checkout leaves `index` in place when it ends, and `index.lock` until then.
 * @param known what a scan has seen: `isCheckedOut`, an index and what comes before it; `leadsFrom`, a tree whose `.git` leads there
 * @param realDirectory the real path of a directory; hundreds of trees lie in one
 */
export const lookAtLinkedTree = (
  gitDir: DiskPath,
  { isCheckedOut, leadsFrom }: { readonly isCheckedOut: boolean; readonly leadsFrom?: string | undefined },
  realDirectory: (path: string) => string = realOrSame,
): TreeLook => {
  const gitdir = valueIn(gitDir, 'gitdir');
  const isUnfinished =
    (gitdir === 'absent' || (!isCheckedOut && isBeforeItsIndex(gitDir))) && !isLockedSince(gitDir);
  const path = pathIn(gitDir, gitdir);
  if (path === null) {
    const exists: LinkedTree['exists'] =
      gitdir === 'absent'
        ? { seen: true, value: false }
        : { seen: false, why: 'git does not say where it lies' };
    return { tree: { path, exists, isUnfinished }, realPath: null };
  }
  const { exists, uid, isPlain } = lookAtTop(path);
  const astray = uid === null ? null : whyAstray(path, uid, gitDir, isUnfinished, leadsFrom === path);
  const isCutOff = astray === CUT_OFF;
  const tree = {
    path: displayPath(path),
    exists,
    isUnfinished,
    ...(astray === null ? {} : { astray }),
    ...(isCutOff ? { isCutOff } : {}),
  };
  const end = path.lastIndexOf('/');
  if (typeof path !== 'string' || !isPlain || end <= 0) return { tree, realPath: realOrSame(path) };
  return { tree, realPath: realDirectory(path.slice(0, end)) + path.slice(end) };
};

/** The text of git's own lock in English. */
const GITS_OWN = 'initializing';

/** Files that `git worktree add` writes only after its lock. */
const AFTER_ITS_LOCK = ['gitdir', 'commondir', 'HEAD'] as const;

/**
 * Somebody locked it after `git worktree add` had written those files, or one of them at least: that lock is not git's own, whatever
 * else is missing. A time that a disk does not keep tells nothing.
 */
const isLockedSince = (gitDir: DiskPath): boolean => {
  const reason = valueIn(gitDir, 'locked');
  if (reason === 'absent' || reason?.value === GITS_OWN) return false;
  const lock = timesOf(joinPath(gitDir, 'locked'));
  return AFTER_ITS_LOCK.some((name) =>
    timesOf(joinPath(gitDir, name)).some((time, at) => time > 0n && (lock[at] ?? 0n) > time),
  );
};

/** When a file was made and written, in nanoseconds; nothing where that cannot be seen. */
const timesOf = (path: DiskPath): readonly bigint[] =>
  tryOr(() => {
    const { birthtimeNs, mtimeNs } = lstatSync(path, { bigint: true });
    return [birthtimeNs, mtimeNs];
  }, []);

/** HEAD names no commit yet, or the first checkout has not ended. */
const isBeforeItsIndex = (gitDir: DiskPath): boolean => {
  const head = valueIn(gitDir, 'HEAD');
  if (head === 'absent' || (typeof head?.value === 'string' && /^0+$/.test(head.value))) return true;
  if (entryExists(joinPath(gitDir, 'index'))) return false;
  // Between HEAD and index.lock only the text of the lock tells: git's own, as it is in English.
  const reason = valueIn(gitDir, 'locked');
  return hasIndexLock(gitDir) || (reason !== 'absent' && reason?.value === GITS_OWN);
};

/** Why the directory at that path may not be the working tree of these files; null where it leads back to them. */
const whyAstray = (
  top: DiskPath,
  uid: number,
  gitDir: DiskPath,
  isUnfinished: boolean,
  leadsBack: boolean,
): string | null => {
  try {
    if (uid !== statSync(gitDir).uid) return `it belongs to another user (uid ${uid})`;
  } catch (error) {
    return `its owner could not be looked at: ${describeErrno(error)}`;
  }
  if (leadsBack) return null;
  const pointer = valueIn(top, '.git');
  // git writes it last of the files that name the tree.
  if (pointer === 'absent') return isUnfinished ? null : 'there is no .git in it';
  if (isPointerTo(pointer, top, gitDir)) return null;
  return isCutOffFrom(top, gitDir) ? CUT_OFF : 'its .git does not lead back to this lock';
};

/** Its `.git` leads to nothing, by the name that these files have: as after a move of the repository. */
const isCutOffFrom = (top: DiskPath, gitDir: DiskPath): boolean => {
  const led = pointerIn(top);
  return led !== null && isAbsent(led) && baseName(displayPath(led)) === baseName(displayPath(gitDir));
};

const isPointerTo = (pointer: Exclude<FileValue, 'absent'>, top: DiskPath, gitDir: DiskPath): boolean => {
  const named = pointer === null ? null : afterStart(pointer.value, GITDIR);
  if (named === null) return false;
  const target = resolvePath(top, named);
  return displayPath(target) === displayPath(gitDir) || realOrSame(target) === realOrSame(gitDir);
};

/** The absolute path of the working tree that these administrative files belong to; null where they do not say. */
export const treePathIn = (gitDir: DiskPath): DiskPath | null => pathIn(gitDir, valueIn(gitDir, 'gitdir'));

/**
 * The git directory of the linked working tree at `top`, if its `.git` points there and the directory points back; null for
 * anything else. Follows no symlink at either end.
 */
export const linkedGitDirOf = (top: DiskPath): DiskPath | null => {
  const gitDir = pointerIn(top);
  if (gitDir === null || !isLinkedGitDir(displayPath(gitDir))) return null;
  const tree = treePathIn(gitDir);
  const leadsBack =
    tree !== null && (displayPath(tree) === displayPath(top) || realOrSame(tree) === realOrSame(top));
  return leadsBack ? gitDir : null;
};

const IN_WORKTREES = /\/worktrees\/[^/]+$/;

/** True for the path of the git directory of a linked working tree, by its name. */
export const isLinkedGitDir = (path: string): boolean => IN_WORKTREES.test(path);

/** The main git directory of that of a linked working tree, by its name; any other path as it is. */
export const mainOfLinked = (gitDir: string): string => gitDir.replace(IN_WORKTREES, '');

/** The absolute path to which the file `.git` in this directory points, whatever is there; null where it is no such file. */
export const pointerIn = (top: DiskPath): DiskPath | null => {
  const pointer = valueIn(top, '.git');
  const named = pointer === null || pointer === 'absent' ? null : afterStart(pointer.value, GITDIR);
  return named === null ? null : whole(named, top);
};

/**
 * True where something in the own git directory of the working tree at `top` is named like a lock, or we may not look: only then is
 * it worth loading what finds and judges git's locks. False where there is none.
 */
export const mayHaveGitLocks = (top: string): boolean => {
  const gitDir = pointerIn(top);
  try {
    return hasGitLocks(gitDir ?? `${top}/.git`);
  } catch (error) {
    // What a `.git` leads to may be where we do not see it.
    return gitDir !== null || errnoOf(error) !== 'ENOENT';
  }
};

/** True where something right in this git directory is named like a lock. Throws like `node:fs`. */
export const hasGitLocks = (gitDir: DiskPath): boolean =>
  readdirSync(gitDir).some((name) => name === 'locked' || name.endsWith('.lock'));

const pathIn = (gitDir: DiskPath, gitdir: FileValue): DiskPath | null => {
  const path = gitdir === null || gitdir === 'absent' ? null : beforeEnd(gitdir.value, '/.git');
  return path === null ? null : whole(path.length === 0 ? '/' : path, gitDir);
};

/** git mostly writes paths whole: to resolve each of hundreds takes longer than to see that. */
const whole = (path: DiskPath, from: DiskPath): DiskPath =>
  typeof path === 'string' && path.startsWith('/') && !INDIRECT.test(path) ? path : resolvePath(from, path);

const valueIn = (directory: DiskPath, name: string): FileValue =>
  readValue(
    typeof directory === 'string' ? `${directory}/${name}` : joinPath(directory, name),
    MAX_POINTER_BYTES,
  );

/** True where it is there, or was there until a repair moved it aside: that did not finish the checkout. */
const hasIndexLock = (gitDir: DiskPath): boolean => {
  if (entryExists(joinPath(gitDir, 'index.lock'))) return true;
  return tryOr(
    () => readdirSync(gitDir).some((name) => leftoverKind(name, 'index.lock') === 'released'),
    false,
  );
};

interface Top {
  readonly exists: Observed<boolean>;
  /** Its owner; null where no directory is known to stand there. */
  readonly uid: number | null;
  /** It is a directory and no symlink to one. */
  readonly isPlain: boolean;
}

const NO_TOP: Top = { exists: { seen: true, value: false }, uid: null, isPlain: false };

const lookAtTop = (path: DiskPath): Top => {
  try {
    const entry = lstatSync(path, { throwIfNoEntry: false });
    // Through a symlink: whoever works there is seen where it leads.
    const stats = entry?.isSymbolicLink() === true ? statSync(path, { throwIfNoEntry: false }) : entry;
    if (stats?.isDirectory() !== true) return NO_TOP;
    return { exists: { seen: true, value: true }, uid: stats.uid, isPlain: stats === entry };
  } catch (error) {
    if (isAbsence(error)) return NO_TOP;
    return { exists: { seen: false, why: describeErrno(error) }, uid: null, isPlain: false };
  }
};
