/**
 * Linked working trees of the root's repositories that lie outside the root: agents work there, and their locks lie inside the
 * root. They are named by the path that leads to them, `<root>/../feature`. Reads only.
 */
import { dirname, join, relative } from 'node:path';
import { remembering } from '../../core/remembering.ts';
import { inNameOrder } from '../../core/town/name-order.ts';
import { relativeTo } from '../../core/town/roles.ts';
import type { Gap, GoneTree, MovedTree } from '../../core/types/evidence.ts';
import { type DiskPath, displayPath, displayRelative, joinPath } from '../../io/disk/disk-path.ts';
import { entryExists, isNoDirectory } from '../../io/disk/entry-exists.ts';
import { realOfMissing, realOrSame } from '../../io/disk/real-path.ts';
import { SilentServer } from '../../io/errno.ts';
import { silentServerAround } from '../../io/file-systems/servers.ts';
import { mainOfLinked, treePathIn } from '../git/linked-tree.ts';
import { workingTreesAround } from '../git/same-repository.ts';

/** A working tree outside of the root. */
export interface OutsideTree {
  /** Relative to the root, `../feature`. */
  readonly name: string;
  /** Its directory, absolute. */
  readonly top: DiskPath;
}

/** The working tree of a linked git directory; null for one that lies in the root, and for an unknown place. */
export type OutsideFinder = (gitDir: DiskPath) => OutsideTree | null;

/** Where the working tree of a linked git directory lies, as git recorded it; null where it does not say. */
export type TreePathReader = (gitDir: DiskPath) => DiskPath | null;

/** Reads each of them once: a repository may have hundreds of working trees. */
export const treePathReader = (): TreePathReader => remembering(treePathIn, displayPath);

export const outsideFinder = (root: string, readTreePath: TreePathReader): OutsideFinder =>
  remembering((gitDir) => {
    const recorded = readTreePath(gitDir);
    // A symlink in the root may lead out of it, as where worktrees were moved to a bigger disk.
    const real = recorded === null ? null : realOrSame(recorded);
    const name = real === null || relativeTo(root, real) !== null ? null : outsideName(root, real);
    const top = typeof recorded === 'string' && name !== null ? join(root, name) : recorded;
    return name === null || top === null ? null : { name, top };
  }, displayPath);

/** These working trees, by their names; those whose place git does not tell and those around the root are left out. */
export const treesOutside = (
  linkedGitDirs: Iterable<DiskPath>,
  find: OutsideFinder,
): readonly OutsideTree[] => {
  const found = new Map<string, OutsideTree>();
  for (const gitDir of linkedGitDirs) {
    const tree = find(gitDir);
    if (tree !== null) found.set(tree.name, tree);
  }
  return inNameOrder(found.keys()).flatMap((name) => found.get(name) ?? []);
};

/** The same for working trees that were moved out of the root, or around outside of it, without telling git. */
export const movedOutside = (moved: readonly MovedTree[], root: string): readonly OutsideTree[] =>
  moved.flatMap(({ movedTo }) => outsideAt(root, movedTo));

/** The working trees of the root's repository outside of the root, where git records them. */
export const siblingsOutside = (root: string): readonly OutsideTree[] =>
  workingTreesAround(root).flatMap((top) => outsideAt(root, realOrSame(top)));

const outsideAt = (root: string, top: string): readonly OutsideTree[] => {
  const name = relativeTo(root, top) === null ? outsideName(root, top) : null;
  return name === null ? [] : [{ name, top }];
};

/** The name of a directory outside, `../feature`; null for one that contains the root. */
export const outsideName = (root: string, path: string): string | null => {
  const name = relative(root, path);
  return name.split('/').every((part) => part === '..') ? null : name;
};

/** Relative to the root, whether it lies in it or in such a tree. */
export const placeName = (root: string, place: DiskPath): string =>
  (relativeTo(root, displayPath(place)) === null ? outsideName(root, displayPath(place)) : null) ??
  displayRelative(root, place);

/** The town's name for a path in one of these trees, `<root>/../feature/src`; null for any other path. */
export const outsideNamer = (root: string, trees: readonly string[]): ((path: string) => string | null) => {
  const known = new Map(trees.map((name) => [join(root, name), name]));
  return (path) => {
    let outermost: string | null = null;
    for (let at = path; at !== dirname(at); at = dirname(at)) if (known.has(at)) outermost = at;
    return outermost === null ? null : `${root}/${known.get(outermost)}${path.slice(outermost.length)}`;
  };
};

/** Those of these git directories, by name. A tree whose directory cannot be looked at counts as there. */
export const goneTrees = (
  linkedGitDirs: readonly DiskPath[],
  root: string,
  readTreePath: TreePathReader,
): readonly GoneTree[] =>
  inNameOrder(
    linkedGitDirs.flatMap((gitDir): readonly GoneTree[] => {
      const path = readTreePath(gitDir);
      if (path === null || !isNoDirectory(path)) return [];
      return [
        {
          name: placeName(root, realOfMissing(displayPath(path))),
          path: displayPath(path),
          gitDir: mainOfLinked(displayPath(gitDir)),
          isLocked: entryExists(joinPath(gitDir, 'locked')),
        },
      ];
    }),
    ({ name }) => name,
  );

/** A gap for each of them that lies behind a server which does not answer. */
export const silentTrees = (
  linkedGitDirs: readonly DiskPath[],
  readTreePath: TreePathReader,
): readonly Gap[] =>
  linkedGitDirs.flatMap((gitDir) => {
    const path = readTreePath(gitDir);
    const at = path === null ? null : silentServerAround(path);
    if (path === null || at === null) return [];
    return [{ what: `directory:${displayPath(path)}`, why: new SilentServer(at).message }];
  });
