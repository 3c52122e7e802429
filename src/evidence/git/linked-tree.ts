/** What the administrative files of a linked working tree say of it (gitrepository-layout). Reads only, runs nothing. */
import { lstatSync, readdirSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { leftoverKind } from '../../core/record/lock-names.ts';
import type { LinkedTree, Observed } from '../../core/types/evidence.ts';
import { entryExists } from '../../io/disk/entry-exists.ts';
import { realOrSame } from '../../io/disk/real-path.ts';
import { type Line, readLine } from '../../io/disk/small-file.ts';
import { describeErrno, isAbsence } from '../../io/errno.ts';
import { tryOr } from '../../io/try-or.ts';

/** Paths are shorter than this, so a longer file is not one of these. */
export const MOST_POINTER_BYTES = 8192;

/** `//`, `/./`, `/../`, or a slash or dots at the end. */
const INDIRECT = /\/\.{0,2}(?:\/|$)/;

/** What a `.git` file begins with. */
const GITDIR = 'gitdir: ';

/** What the files of a linked working tree say, and where it really lies. */
export interface TreeLook {
  readonly tree: LinkedTree;
  /** Symlinks resolved; the path as it is where nothing stands there, null where none is recorded. */
  readonly realPath: string | null;
}

/** Reads `<git directory>/worktrees/<name>`. */
export const readLinkedTree = (gitDir: string): LinkedTree =>
  lookAtLinkedTree(gitDir, { isCheckedOut: false }).tree;

/**
 * The same, for many of them. While `git worktree add` works it has a lock of its own there, written before the
 * rest; the first checkout leaves `index` in place when it ends, and `index.lock` until then.
 * @param known what a scan has seen: `isCheckedOut`, an index and what comes before it; `leadsFrom`, a tree whose `.git` leads there
 * @param realDirectory the real path of a directory; hundreds of trees lie in one
 */
export const lookAtLinkedTree = (
  gitDir: string,
  { isCheckedOut, leadsFrom }: { readonly isCheckedOut: boolean; readonly leadsFrom?: string | undefined },
  realDirectory: (path: string) => string = realOrSame,
): TreeLook => {
  const gitdir = lineOf(`${gitDir}/gitdir`);
  const isUnfinished = gitdir === 'absent' || (!isCheckedOut && isBeforeItsIndex(gitDir));
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
  const tree = { path, exists, isUnfinished, ...(astray === null ? {} : { astray }) };
  const end = path.lastIndexOf('/');
  const isNamed = isPlain && end > 0;
  return { tree, realPath: isNamed ? realDirectory(path.slice(0, end)) + path.slice(end) : realOrSame(path) };
};

/** HEAD names no commit yet, or the first checkout has not ended. */
const isBeforeItsIndex = (gitDir: string): boolean => {
  const head = lineOf(`${gitDir}/HEAD`);
  if (head === 'absent' || (head !== null && /^0+$/.test(head.line))) return true;
  return !entryExists(`${gitDir}/index`) && hasIndexLock(gitDir);
};

/** Why the directory at that path may not be the working tree of these files; null where it leads back to them. */
const whyAstray = (
  top: string,
  uid: number,
  gitDir: string,
  isUnfinished: boolean,
  leadsBack: boolean,
): string | null => {
  try {
    if (uid !== statSync(gitDir).uid) return `it belongs to another user (uid ${uid})`;
  } catch (error) {
    return `its owner could not be looked at: ${describeErrno(error)}`;
  }
  if (leadsBack) return null;
  const pointer = lineOf(`${top}/.git`);
  // git writes it last of the files that name the tree.
  if (pointer === 'absent') return isUnfinished ? null : 'there is no .git in it';
  return isPointerTo(pointer, top, gitDir) ? null : 'its .git does not lead back to this lock';
};

const isPointerTo = (pointer: Exclude<Line, 'absent'>, top: string, gitDir: string): boolean => {
  if (pointer?.line.startsWith(GITDIR) !== true) return false;
  const target = resolve(top, pointer.line.slice(GITDIR.length));
  return target === gitDir || realOrSame(target) === realOrSame(gitDir);
};

/** The absolute path of the working tree that these administrative files belong to; null where they do not say. */
export const treePathIn = (gitDir: string): string | null => pathIn(gitDir, lineOf(`${gitDir}/gitdir`));

/**
 * The git directory of the linked working tree at `top`, if its `.git` points there and the directory points back; null for
 * anything else. Follows no symlink at either end.
 */
export const linkedGitDirOf = (top: string): string | null => {
  const gitDir = pointerIn(top);
  if (gitDir === null || !/\/worktrees\/[^/]+$/.test(gitDir)) return null;
  const tree = treePathIn(gitDir);
  return tree !== null && (tree === top || realOrSame(tree) === realOrSame(top)) ? gitDir : null;
};

/** The absolute path to which the file `.git` in this directory points, whatever is there; null where it is no such file. */
export const pointerIn = (top: string): string | null => {
  const pointer = lineOf(`${top}/.git`);
  if (pointer === null || pointer === 'absent' || !pointer.line.startsWith(GITDIR)) return null;
  return whole(pointer.line.slice(GITDIR.length), top);
};

const pathIn = (gitDir: string, gitdir: Line): string | null => {
  const line = gitdir === null || gitdir === 'absent' ? '' : gitdir.line;
  if (!line.endsWith('/.git')) return null;
  return whole(line.slice(0, -'/.git'.length) || '/', gitDir);
};

/** git mostly writes paths whole: to resolve each of hundreds takes longer than to see that. */
const whole = (path: string, from: string): string =>
  path.startsWith('/') && !INDIRECT.test(path) ? path : resolve(from, path);

const lineOf = (path: string): Line => readLine(path, MOST_POINTER_BYTES);

/** True where it is there, or was there until a repair moved it aside: that did not finish the checkout. */
const hasIndexLock = (gitDir: string): boolean => {
  if (entryExists(`${gitDir}/index.lock`)) return true;
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

const lookAtTop = (path: string): Top => {
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
