/** What the administrative files of a linked working tree say of it (gitrepository-layout). Reads only, runs nothing. */
import { Buffer } from 'node:buffer';
import { lstatSync, readdirSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { leftoverKind } from '../../core/record/lock-names.ts';
import type { LinkedTree, Observed } from '../../core/types/evidence.ts';
import { realOrSame } from '../../io/disk/real-path.ts';
import { readingCalls, readSmallFile } from '../../io/disk/small-file.ts';
import { describeErrno, isAbsence } from '../../io/errno.ts';

/** Paths are shorter than this, so a longer file is not one of these. */
const MOST_BYTES = 8192;

/** What a `.git` file begins with. */
const GITDIR = 'gitdir: ';

/**
 * Reads `<git directory>/worktrees/<name>`. While `git worktree add` works it has a lock of its own there, written before the
 * rest; the first checkout leaves `index` in place when it ends, and `index.lock` until then.
 */
export const readLinkedTree = (gitDir: string): LinkedTree => {
  const gitdir = lineOf(`${gitDir}/gitdir`);
  const head = lineOf(`${gitDir}/HEAD`);
  const isBeforeHead = gitdir === 'absent' || head === 'absent' || (head !== null && /^0+$/.test(head.line));
  const isBeforeCheckout = !isThere(`${gitDir}/index`) && hasIndexLock(gitDir);
  const isUnfinished = isBeforeHead || isBeforeCheckout;
  const place = placeOf(gitDir, gitdir);
  const astray =
    place.path !== null && place.exists.seen && place.exists.value
      ? whyAstray(place.path, gitDir, isUnfinished)
      : null;
  return { ...place, isUnfinished, ...(astray === null ? {} : { astray }) };
};

/** Why the directory at that path may not be the working tree of these files; null where it leads back to them. */
const whyAstray = (top: string, gitDir: string, isUnfinished: boolean): string | null => {
  try {
    const { uid } = statSync(top);
    if (uid !== statSync(gitDir).uid) return `it belongs to another user (uid ${uid})`;
  } catch (error) {
    return `its owner could not be looked at: ${describeErrno(error)}`;
  }
  const pointer = lineOf(`${top}/.git`);
  // git writes it last of the files that name the tree.
  if (pointer === 'absent') return isUnfinished ? null : 'there is no .git in it';
  return isPointerTo(pointer, top, gitDir) ? null : 'its .git does not lead back to this lock';
};

const isPointerTo = (pointer: Exclude<Line, 'absent'>, top: string, gitDir: string): boolean =>
  pointer?.line.startsWith(GITDIR) === true &&
  realOrSame(resolve(top, pointer.line.slice(GITDIR.length))) === realOrSame(gitDir);

/** The absolute path of the working tree that these administrative files belong to; null where they do not say. */
export const treePathIn = (gitDir: string): string | null => pathIn(gitDir, lineOf(`${gitDir}/gitdir`));

/**
 * The git directory of the linked working tree at `top`, if its `.git` points there and the directory points back; null for
 * anything else. Follows no symlink at either end.
 */
export const linkedGitDirOf = (top: string): string | null => {
  const pointer = lineOf(`${top}/.git`);
  if (pointer === null || pointer === 'absent' || !pointer.line.startsWith(GITDIR)) return null;
  const gitDir = resolve(top, pointer.line.slice(GITDIR.length));
  if (!/\/worktrees\/[^/]+$/.test(gitDir)) return null;
  const tree = treePathIn(gitDir);
  return tree !== null && realOrSame(tree) === realOrSame(top) ? gitDir : null;
};

const pathIn = (gitDir: string, gitdir: Line): string | null => {
  const line = gitdir === null || gitdir === 'absent' ? '' : gitdir.line;
  return line.endsWith('/.git') ? resolve(gitDir, line.slice(0, -'/.git'.length)) : null;
};

const placeOf = (gitDir: string, gitdir: Line): Pick<LinkedTree, 'path' | 'exists'> => {
  if (gitdir === 'absent') return { path: null, exists: { seen: true, value: false } };
  const path = pathIn(gitDir, gitdir);
  return path === null
    ? { path, exists: { seen: false, why: 'git does not say where it lies' } }
    : { path, exists: existsAt(path) };
};

/** A file of one line; null for one that cannot be read or does not have git's form. */
type Line = { readonly line: string } | 'absent' | null;

const lineOf = (path: string): Line => {
  const reading = readSmallFile(readingCalls, path, MOST_BYTES);
  if (reading.kind === 'absent') return 'absent';
  if (reading.kind !== 'file') return null;
  const line = Buffer.from(reading.bytes).toString('utf8').replace(/\n+$/, '');
  return line === '' || /[\0\n]/.test(line) ? null : { line };
};

const isThere = (path: string): boolean => {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
};

/** True where it is there, or was there until a repair moved it aside: that did not finish the checkout. */
const hasIndexLock = (gitDir: string): boolean => {
  if (isThere(`${gitDir}/index.lock`)) return true;
  try {
    return readdirSync(gitDir).some((name) => leftoverKind(name, 'index.lock') === 'released');
  } catch {
    return false;
  }
};

const existsAt = (path: string): Observed<boolean> => {
  try {
    // Through a symlink: whoever works there is seen where it leads.
    return { seen: true, value: statSync(path, { throwIfNoEntry: false })?.isDirectory() === true };
  } catch (error) {
    return isAbsence(error) ? { seen: true, value: false } : { seen: false, why: describeErrno(error) };
  }
};
