/** Linked working trees whose directory is gone or cannot be looked at, while git still has their files. Reads only. */
import type { Gap, GoneTree } from '../../core/types/evidence.ts';
import { type DiskPath, displayPath, joinPath } from '../../io/disk/disk-path.ts';
import { entryExists, isAbsent } from '../../io/disk/entry-exists.ts';
import { SilentServer } from '../../io/errno.ts';
import { silentServerAround } from '../../io/file-systems/servers.ts';
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
