/**
 * Linked working trees that were moved without telling git: nothing is where their administrative files say, and somebody may
 * still work in them. Reads only, and never throws.
 */
import { basename, dirname } from 'node:path';
import type { LockFile } from '../../core/types/evidence.ts';
import { entryExists } from '../../io/disk/entry-exists.ts';
import { realOrSame } from '../../io/disk/real-path.ts';
import type { ProcessTable } from '../processes/row.ts';
import { workingDirectories } from '../processes/table.ts';
import { pointerIn } from './linked-tree.ts';
import { repositoryFinder } from './repository.ts';

/** Adds where somebody works in a working tree of one of these locks that is gone from its place. */
export const withMovedTrees = async (
  locks: readonly LockFile[],
  table: ProcessTable,
): Promise<readonly LockFile[]> => {
  if (!locks.some(isGone)) return locks;
  const leads = await leadsOfWorkingTrees(table);
  return locks.map((lock) => {
    if (!isGone(lock)) return lock;
    const gitDir = realOrSame(dirname(lock.path));
    const movedTo = leads.find((lead) => leadsTo(lead, gitDir))?.top;
    return movedTo === undefined || lock.tree === undefined
      ? lock
      : { ...lock, tree: { ...lock.tree, movedTo } };
  });
};

/** A working tree in which somebody works, and where its `.git` leads. */
interface Lead {
  readonly top: string;
  readonly to: string;
  /** Nothing is there: the repository may have been moved as well, and only the name of the working tree is left. */
  readonly isBroken: boolean;
}

const isGone = ({ tree }: LockFile): boolean =>
  tree !== undefined && tree.path !== null && tree.exists.seen && !tree.exists.value;

const leadsTo = ({ to, isBroken }: Lead, gitDir: string): boolean =>
  isBroken ? basename(to) === basename(gitDir) : to === gitDir;

const leadsOfWorkingTrees = async (table: ProcessTable): Promise<readonly Lead[]> => {
  const find = repositoryFinder();
  const tops = new Set((await workingDirectories(table)).map((cwd) => find(cwd)?.top));
  return [...tops].flatMap((top) => {
    const to = top === undefined ? null : pointerIn(top);
    if (top === undefined || to === null) return [];
    return [{ top, to: realOrSame(to), isBroken: !entryExists(to) }];
  });
};
