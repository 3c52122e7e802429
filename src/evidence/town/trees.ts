/** The working trees in which somebody was seen, for a root that is not a Gas Town. Reads only. */
import { Buffer } from 'node:buffer';
import { dirname, join } from 'node:path';
import { LOCK_HOMES, LOCK_NAME } from '../../core/record/lock-names.ts';
import { inNameOrder } from '../../core/town/name-order.ts';
import { ownerOf, relativeTo } from '../../core/town/roles.ts';
import { entryExists, isNoDirectory } from '../../io/disk/entry-exists.ts';
import { readingCalls, readSmallFile } from '../../io/disk/small-file.ts';
import { MAX_POINTER_BYTES } from '../git/git-directory.ts';
import { goneTreeAt } from '../git/same-repository.ts';
import { isMarked } from './marker.ts';

/** What the `.git` file of a submodule says; a linked working tree's says `/worktrees/` instead. */
const SUBMODULE = /^gitdir: .*\/modules\//;

/**
 * The working trees in which these places lie, up to the root itself: relative to it, sorted. A submodule is a part of the tree
 * around it, and so is a directory that we may not look into: agents there keep the outer tree's lock. A linked tree that was deleted
 * is one as long as git lists it: whoever still runs there does not work in the tree around it.
 *
 * @param root real path
 * @param places absolute directories; those outside the root are passed over
 * @param isPlace what ends a place that is there
 */
export const treesAround = (root: string, places: Iterable<string>, isPlace = isTree): readonly string[] => {
  const visited = new Set<string>();
  const trees: string[] = [];
  for (const place of places) {
    let isGone = true;
    for (let path = place; ; path = dirname(path)) {
      const worker = relativeTo(root, path);
      // Nothing above a tree outside the root belongs to the root.
      if (worker === null || worker.endsWith('..') || visited.has(path)) break;
      visited.add(path);
      const isThere = isPlace(path);
      isGone &&= !isThere && isNoDirectory(path);
      if (isThere || (isGone && goneTreeAt(path, [root, dirname(path)]) !== null)) trees.push(worker);
    }
  }
  return inNameOrder(trees);
};

/** True also for a directory that an agent's lock makes a place of its own. */
export const isPlaceOfItsOwn = (directory: string, orUnclear = false): boolean =>
  Object.keys(LOCK_HOMES).some((home) => entryExists(`${directory}/${home}/${LOCK_NAME}`)) ||
  isTree(directory, orUnclear);

/**
 * The places in the root that these workers are parts of: the innermost around each. The worker itself where there is none, and where it
 * is yet to be made.
 */
export const placesAround = (workers: readonly string[], root: string): readonly string[] => {
  const isTown = isMarked(root);
  return workers.map((worker) => {
    if (isNoDirectory(join(root, worker))) return worker;
    for (let place = worker; ; place = dirname(place)) {
      const owner = isTown ? ownerOf(place) : undefined;
      if (owner === null || place === '..') return worker;
      if (owner?.canonical || isPlaceOfItsOwn(join(root, place), true)) return place;
      if (place === '.') return worker;
    }
  });
};

/** The top of the innermost working tree around a real directory; the directory itself where there is none. */
export const treeTopAround = (directory: string): string => {
  let top = directory;
  while (!isTree(top, true)) {
    if (top === '/') return directory;
    top = dirname(top);
  }
  return top;
};

/** @param orUnclear the answer for an entry `.git` that cannot be read, or is something else than git makes */
const isTree = (directory: string, orUnclear = false): boolean => {
  const entry = readSmallFile(readingCalls, `${directory}/.git`, MAX_POINTER_BYTES);
  if (entry.kind === 'file') return !SUBMODULE.test(Buffer.from(entry.bytes).toString('latin1'));
  return (entry.kind === 'other' && entry.problem === 'directory') || (orUnclear && entry.kind !== 'absent');
};
