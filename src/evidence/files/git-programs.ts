/**
 * Every git that runs, and where: by its working directory, and by what its arguments and variables name. A git that runs a hook
 * has no file of the repository open, and a hook outlives a git that was killed, so this is what shows them. Reads only, and
 * never throws.
 */
import { isAbsolute, resolve } from 'node:path';
import type { GitUse, LockGitDir, Uses } from '../../core/types/evidence.ts';
import { showsBytes } from '../../io/disk/disk-path.ts';
import { answers } from '../../io/file-systems/servers.ts';
import { otherNames } from '../processes/linux/other-names.ts';
import type { ProcessRow, ProcessTable } from '../processes/row.ts';
import { hasEnded, treeBelow } from '../processes/table.ts';
import type { TownPlaceFinder } from '../town/place.ts';
import { isGitLike, isHook, namedByArguments, takesNoLock } from './git-arguments.ts';
import { type GitPlaces, gitPlaces } from './git-places.ts';

/** Variables that name a git directory or a part of one, and a working tree. */
const GIT_DIRS = ['GIT_DIR', 'GIT_COMMON_DIR', 'GIT_INDEX_FILE'] as const;
const TREES = ['GIT_WORK_TREE'] as const;

export interface GitUseQuestion {
  /** The git directories of the locks in question. */
  readonly gitDirs: readonly LockGitDir[];
  /** Finds our path for the places of processes that see other paths. */
  readonly placeInTown: TownPlaceFinder;
}

/** A question without locks: places are only named. */
const NO_QUESTION: GitUseQuestion = { gitDirs: [], placeInTown: () => null };

/**
 * Lists them: gits, hooks, their descendants, and processes that were started with git's variables. A git whose place is closed
 * to us counts as hidden, whatever its user.
 */
export const readGitUses = async (
  table: ProcessTable,
  { gitDirs, placeInTown }: GitUseQuestion = NO_QUESTION,
): Promise<Uses<GitUse>> => {
  const { rows, listing, details } = table;
  if (!listing.seen) return { uses: [], hidden: `processes could not be listed: ${listing.why}` };
  const running = [...rows.values()].filter(
    ({ pid, dead, isKernelThread }) => !dead && !isKernelThread && pid !== process.pid,
  );
  const gits = new Set(running.filter((row) => isAtWork(row, table)).map(({ pid }) => pid));
  const below = treeBelow(rows, [...gits]);
  const found = running.filter(
    ({ pid }) => gits.has(pid) || (below.has(pid) && !isIdle(pid, table)) || isStartedByGit(pid, table),
  );
  const cwds = await details.workingDirectories(found.map(({ pid }) => pid));
  const { ofTree, ofGitDir } = gitPlaces(gitDirs);
  const { nameOf, serverAt } = otherNames(directoriesOf(gitDirs), details);
  const uses: GitUse[] = [];
  let hidden: string | null = listing.value === 'all' ? null : "other users' processes are hidden from us";
  for (const row of found) {
    const { pid, comm } = row;
    const seen = cwds.get(pid);
    const cwd = seen?.seen === true ? seen.value : null;
    const named = namedByArguments(details.argv(pid));
    const variables = details.variables(pid, GIT_DIRS);
    const isOurs = details.sharesOurPaths(pid);
    const here = (full: string, isCwd: boolean): string => {
      const named = nameOf(pid, full);
      if (isOurs && named === null) return full;
      const door = isCwd ? details.doorToCwd(pid) : details.doorToRoot(pid);
      return (
        (door === null ? null : placeInTown(full, isCwd ? door : `${door}${full}`)) ??
        (named === null || named === 'untold' ? full : named)
      );
    };
    const trees = [
      ...named.filter(({ isGitDir }) => !isGitDir).map(({ path }) => path),
      ...(details.variables(pid, TREES) ?? []),
    ];
    const dirs = [...named.filter(({ isGitDir }) => isGitDir).map(({ path }) => path), ...(variables ?? [])];
    const places: string[] = [];
    const add = (path: string, find: GitPlaces['ofTree' | 'ofGitDir'], isCwd = false): void => {
      const full = isAbsolute(path) ? path : resolve(cwd ?? '/', path);
      const server = serverAt(pid, full);
      if (server === null || answers(isOurs ? server : `${details.doorToRoot(pid)}${server}`))
        places.push(...find(here(full, isCwd)));
      // A file `.git` there may lead to any repository.
      else hidden ??= `where process ${pid} (${comm}) works cannot be told: ${server} does not answer`;
    };
    if (cwd !== null) add(cwd, ofTree, true);
    for (const path of trees) add(path, ofTree);
    for (const path of dirs) add(path, ofGitDir);
    uses.push({ pid, command: comm, places: [...new Set(places)] });
    if (places.some(showsBytes))
      hidden ??= `where process ${pid} (${comm}) works cannot be told: a path there is not UTF-8`;
    // A process without a working directory is ending and no longer writes.
    const isEnding = seen?.seen === false && ['ENOENT', 'ESRCH'].includes(seen.why);
    const isClosed = !isEnding && (cwd === null || (gits.has(pid) && variables === null));
    if (isClosed && !hasEnded(row, table))
      hidden ??= `where process ${pid} (${comm}) works cannot be read: permission denied`;
  }
  return { uses, hidden };
};

/** The git directories and their working trees, each once. */
const directoriesOf = (gitDirs: readonly LockGitDir[]): readonly string[] => [
  ...new Set(gitDirs.flatMap(({ main, path, tree }) => (tree === null ? [main, path] : [main, path, tree]))),
];

/** A git that may take a lock, or a hook. */
const isAtWork = ({ pid, comm }: ProcessRow, table: ProcessTable): boolean => {
  const argv = table.details.argv(pid);
  return isHook(comm, argv) || (isGitLike(comm, argv) && !isIdle(pid, table));
};

const isIdle = (pid: number, { rows, details }: ProcessTable): boolean => {
  const argv = details.argv(pid);
  if (!isGitLike(rows.get(pid)?.comm ?? '', argv)) return false;
  return (
    takesNoLock(argv, undefined) || takesNoLock(argv, details.variables(pid, ['GIT_OPTIONAL_LOCKS'])?.[0])
  );
};

/** git passes these variables to its hooks, filters and editors and their children, which may still run after git was killed. */
const isStartedByGit = (pid: number, { rows, details }: ProcessTable): boolean =>
  !isGitLike(rows.get(pid)?.comm ?? '', details.argv(pid)) &&
  (details.variables(pid, [...GIT_DIRS, ...TREES]) ?? []).length > 0;
