/**
 * Linked working trees of the root's repositories that lie outside the root: agents work there, and their locks lie inside the
 * root. They are named by the path that leads to them, `<root>/../feature`. Reads only.
 */
import { dirname, join, relative } from 'node:path';
import { relativeTo } from '../../core/town/roles.ts';
import { type DiskPath, displayRelative } from '../../io/disk/disk-path.ts';
import { realOrSame } from '../../io/disk/real-path.ts';
import { treePathIn } from '../git/linked-tree.ts';

/** The name of the working tree of a linked git directory, `../feature`; null for one that lies in the root, and for an unknown place. */
export type OutsideNames = (gitDir: string) => string | null;

/** Each git directory is read once: a repository may have hundreds of working trees. */
export const outsideNames = (root: string): OutsideNames => {
  const known = new Map<string, string | null>();
  return (gitDir) => {
    const before = known.get(gitDir);
    if (before !== undefined) return before;
    const recorded = treePathIn(gitDir);
    const isOutside = recorded !== null && relativeTo(root, recorded) === null;
    const name = isOutside ? outsideName(root, realOrSame(recorded)) : null;
    known.set(gitDir, name);
    return name;
  };
};

/** Relative to the root, `../feature`, sorted; those whose place git does not tell and those around the root are left out. */
export const treesOutside = (linkedGitDirs: Iterable<string>, nameOf: OutsideNames): readonly string[] => {
  const found = new Set<string>();
  for (const gitDir of linkedGitDirs) {
    const name = nameOf(gitDir);
    if (name !== null) found.add(name);
  }
  return [...found].sort();
};

/** The name of a directory outside, `../feature`; null for one that contains the root. */
export const outsideName = (root: string, path: string): string | null => {
  const name = relative(root, path);
  return name.split('/').every((part) => part === '..') ? null : name;
};

/** Relative to the root, whether it lies in it or in such a tree. */
export const placeName = (root: string, place: DiskPath): string =>
  (typeof place === 'string' && relativeTo(root, place) === null ? outsideName(root, place) : null) ??
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
