/**
 * Linked working trees of the root's repositories that lie outside the root: agents work there, and their locks lie inside the
 * root. They are named by the path that leads to them, `<root>/../feature`. Reads only.
 */
import { relative } from 'node:path';
import { relativeTo } from '../../core/town/roles.ts';
import { type DiskPath, displayRelative } from '../../io/disk/disk-path.ts';
import { realOrSame } from '../../io/disk/real-path.ts';
import { treePathIn } from '../git/linked-tree.ts';

/** Relative to the root, `../feature`, sorted; those whose place git does not tell and those around the root are left out. */
export const treesOutside = (root: string, linkedGitDirs: Iterable<string>): readonly string[] => {
  const found = new Set<string>();
  for (const gitDir of linkedGitDirs) {
    const recorded = treePathIn(gitDir);
    if (recorded === null || relativeTo(root, recorded) !== null) continue;
    const name = outsideName(root, realOrSame(recorded));
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
  const known = trees.map((name) => ({ name, path: realOrSame(`${root}/${name}`) }));
  return (path) => {
    for (const tree of known) {
      const inside = relativeTo(tree.path, path);
      if (inside !== null) return `${root}/${tree.name}${inside === '.' ? '' : `/${inside}`}`;
    }
    return null;
  };
};
