/**
 * Linked working trees that were moved or copied without telling git: somebody may work in them elsewhere than their
 * administrative files say. Reads only, and never throws.
 */
import { basename, dirname } from 'node:path';
import type { LinkedTree, LockFile, MovedTree } from '../../core/types/evidence.ts';
import { type DiskPath, displayPath, fromDisplay, joinPath, showsBytes } from '../../io/disk/disk-path.ts';
import { entryExists } from '../../io/disk/entry-exists.ts';
import { realOfMissing, realOrSame } from '../../io/disk/real-path.ts';
import { lstatSync } from '../../io/file-systems/servers.ts';
import { tryOr } from '../../io/try-or.ts';
import { placeName } from '../town/outside-trees.ts';
import { isSameDirectory } from '../town/place.ts';
import { isLinkedGitDir, mainOfLinked, pointerIn, treePathIn } from './linked-tree.ts';

/** A working tree in which somebody works, and where its `.git` leads. */
export interface Lead {
  readonly top: string;
  readonly to: string;
  /** Nothing is there: the repository may have been moved as well, and only the name of the working tree is left. */
  readonly isBroken: boolean;
}

/** The leads of everybody who works in one of these directories. Whoever works in a submodule works in the trees around it as well. */
export const leadsOf = (directories: readonly string[]): readonly Lead[] => {
  const tops = new Set<string>();
  for (const directory of directories) for (let at = directory; !tops.has(at); at = dirname(at)) tops.add(at);
  return [...tops].flatMap((top) =>
    (showsBytes(top) ? [top, fromDisplay(top)] : [top]).flatMap((at) => leadOf(at) ?? []),
  );
};

const leadOf = (top: DiskPath): Lead | null => {
  // Nearly everywhere there is none.
  const isFile = tryOr(
    () => lstatSync(joinPath(top, '.git'), { throwIfNoEntry: false })?.isFile() === true,
    false,
  );
  const to = isFile ? pointerIn(top) : null;
  return to === null ? null : { top: displayPath(top), to: realOrSame(to), isBroken: !entryExists(to) };
};

/** Adds where somebody works whose `.git` leads to one of these locks, elsewhere than git says: its working tree was moved or copied. */
export const withMovedTrees = (locks: readonly LockFile[], leads: readonly Lead[]): readonly LockFile[] => {
  if (leads.length === 0) return locks;
  return locks.map((lock) => {
    const { tree, path } = lock;
    if (!isPlaceKnown(tree)) return lock;
    const gitDir = realOrSame(dirname(path));
    const movedTo = leads.find((lead) => leadsTo(lead, gitDir, tree))?.top;
    return movedTo === undefined ? lock : { ...lock, tree: { ...tree, movedTo } };
  });
};

/** Under whatever name: a bind mount is no other place. */
const isAt = (top: string, path: string): boolean => realOrSame(path) === top || isSameDirectory(path, top);

type PlacedTree = LinkedTree & { readonly path: string; readonly exists: { readonly seen: true } };

const isPlaceKnown = (tree: LinkedTree | undefined): tree is PlacedTree =>
  tree !== undefined && tree.path !== null && tree.exists.seen;

const leadsTo = ({ top, to, isBroken }: Lead, gitDir: string, { path, exists }: PlacedTree): boolean => {
  if (isBroken) return !exists.value && basename(to) === basename(gitDir);
  return to === gitDir && !isAt(top, path);
};

/**
 * The same without a lock, by exact evidence: the `.git` of where somebody works leads to git's files of another place. Of all on
 * this machine those whose place lies in the root, or has one of these names, and those of the repositories that were looked into.
 *
 * @param named absolute paths
 */
export const movedTreesIn = (
  leads: readonly Lead[],
  {
    root,
    named,
    linkedGitDirs,
  }: { root: string; named: readonly string[]; linkedGitDirs: readonly DiskPath[] },
): readonly MovedTree[] => {
  const all = leads.flatMap(({ top, to, isBroken }) => (isBroken ? [] : (movedTree(top, to, root) ?? [])));
  if (all.length === 0) return all;
  const repositories = new Set(linkedGitDirs.map((gitDir) => realOrSame(mainOfLinked(displayPath(gitDir)))));
  const names = new Set(named.map(realOfMissing));
  return all.filter(
    ({ name, path, gitDir }) =>
      repositories.has(gitDir) || !name.startsWith('../') || names.has(realOfMissing(path)),
  );
};

const movedTree = (top: string, to: string, root: string): MovedTree | null => {
  const recorded = isLinkedGitDir(to) ? treePathIn(to) : null;
  if (recorded === null || isAt(top, displayPath(recorded))) return null;
  const back = pointerIn(recorded);
  return {
    name: placeName(root, realOfMissing(displayPath(recorded))),
    path: displayPath(recorded),
    gitDir: mainOfLinked(to),
    movedTo: top,
    ...(back !== null && realOrSame(back) === to ? { isCopy: true as const } : {}),
  };
};
