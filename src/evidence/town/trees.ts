/** In which working trees of a root that is no Gas Town somebody was seen. Reads only. */
import { dirname } from 'node:path';
import { relativeTo } from '../../core/town/roles.ts';
import { entryExists } from '../../io/disk/entry-exists.ts';

/**
 * The directories with an entry `.git` in which these places lie, up to the root itself: relative to it, sorted. A directory
 * that nobody may look into counts as none: whoever works there is then taken to work in the tree around it.
 *
 * @param root real path
 * @param places absolute directories; those outside the root are passed over
 */
export const treesAround = (root: string, places: Iterable<string>): readonly string[] => {
  const visited = new Set<string>();
  const trees: string[] = [];
  for (const place of places)
    for (let path = place; ; path = dirname(path)) {
      const worker = relativeTo(root, path);
      if (worker === null || visited.has(path)) break;
      visited.add(path);
      if (entryExists(`${path}/.git`)) trees.push(worker);
    }
  return trees.sort();
};
