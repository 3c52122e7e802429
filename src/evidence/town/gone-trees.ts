/** Linked working trees whose directory is gone, while git still has their files. Reads only. */
import type { GoneTree } from '../../core/types/evidence.ts';
import { type DiskPath, displayPath, joinPath } from '../../io/disk/disk-path.ts';
import { entryExists, isAbsent } from '../../io/disk/entry-exists.ts';
import { mainOfLinked } from '../git/linked-tree.ts';
import { placeName, type TreePathReader } from './outside-trees.ts';

/** Those of these git directories, by name. A tree whose directory cannot be looked at counts as there. */
export const goneTrees = (
  linkedGitDirs: readonly DiskPath[],
  root: string,
  readTreePath: TreePathReader,
): readonly GoneTree[] =>
  linkedGitDirs
    .flatMap((gitDir): readonly GoneTree[] => {
      const path = readTreePath(gitDir);
      if (path === null || !isAbsent(path)) return [];
      return [
        {
          name: placeName(root, path),
          path: displayPath(path),
          gitDir: mainOfLinked(displayPath(gitDir)),
          isLocked: entryExists(joinPath(gitDir, 'locked')),
        },
      ];
    })
    .sort((one, other) => (one.name < other.name ? -1 : 1));
