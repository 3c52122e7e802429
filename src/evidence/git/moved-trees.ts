/**
 * Linked working trees that were moved or copied without telling git: somebody may work in them elsewhere than their
 * administrative files say. Reads only, and never throws.
 */
import { basename, dirname } from 'node:path';
import type { GoneTree, LinkedTree, LockFile } from '../../core/types/evidence.ts';
import { type DiskPath, displayPath, fromDisplay, showsBytes } from '../../io/disk/disk-path.ts';
import { entryExists } from '../../io/disk/entry-exists.ts';
import { realOrSame } from '../../io/disk/real-path.ts';
import { isAround } from '../../io/file-systems/mounts.ts';
import { answers, ourServersApart } from '../../io/file-systems/servers.ts';
import type { ProcessTable } from '../processes/row.ts';
import { workingDirectories } from '../processes/table.ts';
import { mainOfLinked, pointerIn, treePathIn } from './linked-tree.ts';
import { repositoryFinder } from './repository.ts';

/** Adds where somebody works whose `.git` leads to one of these locks, elsewhere than git says: its working tree was moved or copied. */
export const withMovedTrees = async (
  locks: readonly LockFile[],
  table: ProcessTable,
): Promise<readonly LockFile[]> => {
  if (!locks.some(({ tree }) => isPlaceKnown(tree))) return locks;
  const leads = await leadsOfWorkingTrees(table);
  if (leads.length === 0) return locks;
  return locks.map((lock) => {
    const { tree, path } = lock;
    if (!isPlaceKnown(tree)) return lock;
    const gitDir = realOrSame(dirname(path));
    const movedTo = leads.find((lead) => leadsTo(lead, gitDir, tree))?.top;
    return movedTo === undefined ? lock : { ...lock, tree: { ...tree, movedTo } };
  });
};

/** The same for working trees that git lists and that are gone, by exact evidence: their `.git` leads to git's files of this place. */
export const withNewPlaces = async (
  gone: readonly GoneTree[],
  readTable: () => Promise<ProcessTable>,
): Promise<readonly GoneTree[]> => {
  if (gone.length === 0) return gone;
  const leads = (await leadsOfWorkingTrees(await readTable())).filter(({ isBroken }) => !isBroken);
  const moved = new Map(leads.map(({ top, to }) => [`${mainOfLinked(to)}:${recordedIn(to)}`, top]));
  return gone.map((tree) => {
    const movedTo = moved.get(`${realOrSame(tree.gitDir)}:${tree.path}`);
    return movedTo === undefined ? tree : { ...tree, movedTo };
  });
};

const recordedIn = (gitDir: string): string | null => {
  const path = treePathIn(gitDir);
  return path === null ? null : displayPath(path);
};

/** A working tree in which somebody works, and where its `.git` leads. */
interface Lead {
  readonly top: string;
  readonly to: string;
  /** Nothing is there: the repository may have been moved as well, and only the name of the working tree is left. */
  readonly isBroken: boolean;
}

type PlacedTree = LinkedTree & { readonly path: string; readonly exists: { readonly seen: true } };

const isPlaceKnown = (tree: LinkedTree | undefined): tree is PlacedTree =>
  tree !== undefined && tree.path !== null && tree.exists.seen;

const leadsTo = ({ top, to, isBroken }: Lead, gitDir: string, { path, exists }: PlacedTree): boolean => {
  if (isBroken) return !exists.value && basename(to) === basename(gitDir);
  return to === gitDir && top !== realOrSame(path);
};

const leadsOfWorkingTrees = async (table: ProcessTable): Promise<readonly Lead[]> => {
  const find = repositoryFinder();
  const all = await workingDirectories(table);
  const silent = ourServersApart([]).filter((at) => all.some((cwd) => isAround(at, cwd)) && !answers(at));
  const cwds = all.filter((cwd) => !silent.some((at) => isAround(at, cwd)));
  const tops = new Set<DiskPath>(cwds.flatMap((cwd) => [...workingTreesAround(cwd, find)]));
  for (const cwd of cwds) if (showsBytes(cwd)) for (const around of directoriesAround(cwd)) tops.add(around);
  return [...tops].flatMap((top) => {
    const to = pointerIn(top);
    return to === null ? [] : [{ top: displayPath(top), to: realOrSame(to), isBroken: !entryExists(to) }];
  });
};

/** The working tree that a directory lies in, and every one around that: whoever works in a submodule works in all of them. */
function* workingTreesAround(
  cwd: string,
  find: ReturnType<typeof repositoryFinder>,
): Generator<string, void> {
  for (let top = find(cwd)?.top; top !== undefined && top !== dirname(top); top = find(dirname(top))?.top)
    yield top;
}

/** The directory, and every one above it whose path is not UTF-8 either: their repositories are not found by text. */
function* directoriesAround(cwd: string): Generator<DiskPath, void> {
  for (let at = cwd; showsBytes(at); at = dirname(at)) yield fromDisplay(at);
}
