/** The working trees in which somebody was seen, for a root that is not a Gas Town. Reads only. */
import { Buffer } from 'node:buffer';
import { dirname } from 'node:path';
import { inNameOrder } from '../../core/town/name-order.ts';
import { relativeTo } from '../../core/town/roles.ts';
import { isNoDirectory } from '../../io/disk/entry-exists.ts';
import { readingCalls, readSmallFile } from '../../io/disk/small-file.ts';
import { MAX_POINTER_BYTES } from '../git/git-directory.ts';
import { goneTreeAt } from '../git/same-repository.ts';

/** What the `.git` file of a submodule says; a linked working tree's says `/worktrees/` instead. */
const SUBMODULE = /^gitdir: .*\/modules\//;

/**
 * The working trees in which these places lie, up to the root itself: relative to it, sorted. A submodule is a part of the tree
 * around it, and so is a directory that we may not look into: agents there keep the outer tree's lock. A linked tree that was deleted
 * is one as long as git lists it: whoever still runs there does not work in the tree around it.
 *
 * @param root real path
 * @param places absolute directories; those outside the root are passed over
 */
export const treesAround = (root: string, places: Iterable<string>): readonly string[] => {
  const visited = new Set<string>();
  const trees: string[] = [];
  for (const place of places) {
    let isGone = true;
    for (let path = place; ; path = dirname(path)) {
      const worker = relativeTo(root, path);
      // Nothing above a tree outside the root belongs to the root.
      if (worker === null || worker.endsWith('..') || visited.has(path)) break;
      visited.add(path);
      const isThere = isTree(path);
      isGone &&= !isThere && isNoDirectory(path);
      if (isThere || (isGone && goneTreeAt(path, [root, dirname(path)]) !== null)) trees.push(worker);
    }
  }
  return inNameOrder(trees);
};

const isTree = (directory: string): boolean => {
  const entry = readSmallFile(readingCalls, `${directory}/.git`, MAX_POINTER_BYTES);
  if (entry.kind === 'file') return !SUBMODULE.test(Buffer.from(entry.bytes).toString('latin1'));
  return entry.kind === 'other' && entry.problem === 'directory';
};
