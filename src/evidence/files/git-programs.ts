/**
 * Every git that runs, and where: by its working directory, and by what its arguments and variables name. A git that runs a hook
 * has no file of the repository open, and a hook outlives a git that was killed, so this is what shows them. Reads only, and
 * never throws.
 */
import { isAbsolute, resolve } from 'node:path';
import { whyUnlisted } from '../../core/town/unreached.ts';
import type { GitUse, LockGitDir, Uses } from '../../core/types/evidence.ts';
import { showsBytes } from '../../io/disk/disk-path.ts';
import { answers } from '../../io/file-systems/servers.ts';
import { otherNames } from '../processes/linux/other-names.ts';
import { leadsToRemoved } from '../processes/linux/proc-files.ts';
import type { ProcessDetails, ProcessRow, ProcessTable } from '../processes/row.ts';
import { hasEnded, runningIn, treeBelow } from '../processes/table.ts';
import { leadsElsewhere, type TownPlaceFinder } from '../town/place.ts';
import { isHook, type NamedByArguments, namedByArguments, takesNoLock } from './git-arguments.ts';
import { type GitPlaces, gitPlaces } from './git-places.ts';
import { gitRecognizer } from './git-recognizer.ts';

/** Variables that name a part of a git directory, and a working tree. */
const PARTS = ['GIT_COMMON_DIR', 'GIT_INDEX_FILE', 'GIT_OBJECT_DIRECTORY'] as const;
const TREES = ['GIT_WORK_TREE'] as const;

export interface GitUseQuestion {
  /** The git directories of the locks in question. */
  readonly gitDirs: readonly LockGitDir[];
  /** Finds our path for the places of processes that see other paths. */
  readonly placeInTown: TownPlaceFinder;
}

const NAMES_NOTHING: NamedByArguments = { starts: [], gitDirs: [], trees: [] };

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
  let hidden = whyUnlisted(listing);
  if (!listing.seen) return { uses: [], hidden };
  const running = runningIn(rows).filter(({ pid }) => pid !== process.pid);
  // A linked working tree may lie on a server that is silent, while its git directory is here.
  const { nameOf, serverAt } = otherNames(directoriesOf(gitDirs), details, []);
  const isGit = gitRecognizer(table, (pid, program) => serverAt(pid, program) !== null);
  const gits = new Set(running.filter((row) => isAtWork(row, table, isGit)).map(({ pid }) => pid));
  const below = treeBelow(rows, [...gits]);
  const found = running.filter(
    (row) => gits.has(row.pid) || (!isGit(row) && (below.has(row.pid) || isStartedByGit(row.pid, details))),
  );
  const cwds = await details.workingDirectories(found.map(({ pid }) => pid));
  const { ofTree, ofGitDir } = gitPlaces(gitDirs);
  const uses: GitUse[] = [];
  for (const row of found) {
    const { pid, comm } = row;
    const seen = cwds.get(pid);
    const cwd = seen?.seen === true ? seen.value : null;
    const byArguments = isGit(row) ? namedByArguments(details.argv(pid)) : NAMES_NOTHING;
    const variables = namedByVariables(pid, details);
    const named = variables === null ? byArguments : together(byArguments, variables);
    const isOurs = details.sharesOurPaths(pid);
    /** Null where nothing tells. */
    const here = (full: string, isCwd: boolean): string | null => {
      const named = nameOf(pid, full);
      const door = isCwd ? details.doorToCwd(pid) : details.doorToRoot(pid);
      const isElsewhere =
        isOurs && isCwd && door !== null && leadsElsewhere(door, full) && !leadsToRemoved(door);
      if (isOurs && named === null && !isElsewhere) return full;
      const place = door === null ? null : placeInTown(full, isCwd ? door : `${door}${full}`);
      if (place !== null || isElsewhere) return place;
      return named === null || named === 'untold' ? full : named;
    };
    // It is there already, unless it was only just started.
    const start = resolve(cwd ?? '/', ...named.starts);
    const from = named.starts.some(isAbsolute) ? start : (cwd ?? '/');
    const places: string[] = [];
    const add = (path: string, find: GitPlaces['ofTree' | 'ofGitDir'], isCwd = false): void => {
      const full = resolve(from, path);
      const server = serverAt(pid, full);
      const isSilent = server !== null && !answers(isOurs ? server : `${details.doorToRoot(pid)}${server}`);
      const place = isSilent ? null : here(full, isCwd);
      if (place !== null) places.push(...find(place));
      // A file `.git` there may lead to any repository.
      else
        hidden ??= `where process ${pid} (${comm}) works cannot be told: ${isSilent ? `${server} does not answer` : 'its directory has no name any more'}`;
    };
    if (cwd !== null) add(cwd, ofTree, true);
    if (named.starts.length > 0) add(start, ofTree);
    for (const path of named.trees) add(path, ofTree);
    for (const path of [...named.gitDirs, ...(variables?.parts ?? [])]) add(path, ofGitDir);
    uses.push({ pid, command: comm, places: [...new Set(places)] });
    const isHidden = places.some(showsBytes)
      ? 'a path there is not UTF-8'
      : gits.has(pid) && isGit(row)
        ? whyElsewhere(named, details.doorToCwd(pid))
        : null;
    if (isHidden !== null) hidden ??= `where process ${pid} (${comm}) works cannot be told: ${isHidden}`;
    // A process without a working directory is ending and no longer writes.
    const isEnding = seen?.seen === false && ['ENOENT', 'ESRCH'].includes(seen.why);
    const isClosed = !isEnding && (cwd === null || (gits.has(pid) && variables === null));
    if (isClosed && !hasEnded(row, table))
      hidden ??= `where process ${pid} (${comm}) works cannot be read: permission denied`;
  }
  return { uses, hidden };
};

interface NamedByVariables extends NamedByArguments {
  readonly parts: readonly string[];
}

/** Null where they cannot be read whole. */
const namedByVariables = (pid: number, { variables }: ProcessDetails): NamedByVariables | null => {
  const gitDirs = variables(pid, ['GIT_DIR']);
  const parts = variables(pid, PARTS);
  const trees = variables(pid, TREES);
  return gitDirs === null || parts === null || trees === null ? null : { starts: [], gitDirs, trees, parts };
};

/** An argument counts before a variable. */
const together = (
  { starts, ...byArguments }: NamedByArguments,
  byVariables: NamedByArguments,
): NamedByArguments => ({
  starts,
  gitDirs: [...byVariables.gitDirs, ...byArguments.gitDirs],
  trees: [...byVariables.trees, ...byArguments.trees],
});

/**
 * Why its place may not show a git's repository, which it found when it was started; null where it does. It goes into the working
 * tree that it was given, and that tree may be removed under it (`git worktree remove --force`), while it goes on to change branches.
 */
const whyElsewhere = (
  { starts, gitDirs, trees }: NamedByArguments,
  doorToCwd: string | null,
): string | null => {
  if (isAbsolute(gitDirs.at(-1) ?? '')) return null;
  if (doorToCwd !== null && leadsToRemoved(doorToCwd)) return 'its working directory was removed';
  const tree = trees.at(-1);
  if (tree === undefined || resolve('/x', tree) === '/x' || starts.some(isAbsolute)) return null;
  return 'it names a working tree, and no git directory by its whole path';
};

/** The git directories and their working trees, each once. */
const directoriesOf = (gitDirs: readonly LockGitDir[]): readonly string[] => [
  ...new Set(gitDirs.flatMap(({ main, path, tree }) => (tree === null ? [main, path] : [main, path, tree]))),
];

/** A git that may take a lock, or a hook. */
const isAtWork = (row: ProcessRow, { details }: ProcessTable, isGit: (row: ProcessRow) => boolean): boolean =>
  isHook(row.comm, details.argv(row.pid)) || (isGit(row) && !isIdle(row.pid, details));

/** True for a git that takes no lock. */
const isIdle = (pid: number, { argv, variables }: ProcessDetails): boolean =>
  takesNoLock(argv(pid), undefined) || takesNoLock(argv(pid), variables(pid, ['GIT_OPTIONAL_LOCKS'])?.[0]);

/** git passes these variables to its hooks, filters and editors and their children, which may still run after git was killed. */
const isStartedByGit = (pid: number, { variables }: ProcessDetails): boolean =>
  (variables(pid, ['GIT_DIR', ...PARTS, ...TREES]) ?? []).length > 0;
