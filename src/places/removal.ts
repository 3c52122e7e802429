/** Preflight for a removal: may these directories be removed? Reads only. */
import { join } from 'node:path';
import { countingTheAsker } from '../core/judge/asker.ts';
import { judgeSnapshot } from '../core/judge/examine.ts';
import { answerRemoval, type RemovalEvidence } from '../core/preflight/clear-to-remove.ts';
import { preflightCode } from '../core/preflight/clear-to-start.ts';
import { namePattern } from '../core/record/name-pattern.ts';
import { isLockMovedAside } from '../core/town/moved-aside.ts';
import { isWithin, relativeTo } from '../core/town/roles.ts';
import type { Gap, MovedTree, Observed, Snapshot } from '../core/types/evidence.ts';
import type { Verdict } from '../core/types/judgement.ts';
import type { RepositoryWork } from '../core/types/removal.ts';
import type { PreflightReport } from '../core/types/report.ts';
import { lookInto, openBeside, openTown } from '../diagnose.ts';
import { documentOf } from '../document.ts';
import { askGit } from '../evidence/git/facts.ts';
import { gitDirectoryAround, isGitDirectory, REPOSITORY_PARTS } from '../evidence/git/git-directory.ts';
import type { Going } from '../evidence/git/remotes.ts';
import { type Repository, repositoryFinder } from '../evidence/git/repository.ts';
import { mainTreeOf } from '../evidence/git/same-repository.ts';
import { readUnsavedWork } from '../evidence/git/unsaved-work.ts';
import { agentTable, type LockTable } from '../evidence/locks/lock-table.ts';
import { DEEPEST_MODULE } from '../evidence/scan/git-dirs.ts';
import { scanTown } from '../evidence/scan/scan.ts';
import { realOrSame } from '../io/disk/real-path.ts';
import { describeErrno, isAbsence, SilentServer } from '../io/errno.ts';
import { readdirSync, realpathSync, silentServerIn, statSync } from '../io/file-systems/servers.ts';
import { type Client, isFew } from '../io/programs/command.ts';
import { findProgram } from '../io/programs/find-program.ts';
import { tryOr } from '../io/try-or.ts';
import { type LookOptions, movedFrom, placeWorker } from '../look.ts';
import { directoryNamed, type NamedDirectory, peopleIn } from './directory-named.ts';

/** A status of a large working tree on a slow disk takes longer than anything else that is asked. */
const GIT_TIMEOUT_MS = 30_000;

/** A directory with more is not a worktree, and asking about all of them takes minutes. */
const MAX_REPOSITORIES = 200;

/**
 * May these directories be removed? `held` as long as anybody works in one, a lock in it or in its git directory is held, or work
 * would be lost with it; `unsure` where that could not be found out.
 *
 * @throws Failure E_USAGE for a directory that is not there
 */
export const preflightRemoval = async (
  town: string | undefined,
  directories: readonly string[],
  options: LookOptions = {},
): Promise<PreflightReport> => {
  const { cwd = process.cwd() } = options;
  const here = await openTown(town, options);
  const named = directories.map((given) => directoryNamed(given, here.town, cwd));
  const looks = new Map<string, Promise<Snapshot>>();
  const lookAt = (root: string): Promise<Snapshot> => {
    const before = looks.get(root);
    if (before !== undefined) return before;
    const place = root === here.town.root ? here : openBeside(here, root, options);
    const snapshot = lookInto(place, [], options);
    looks.set(root, snapshot);
    return snapshot;
  };
  const going = {
    directories: named.map(({ root, worker }) => join(root, worker)),
    answered: new Set<string>(),
  };
  const results = [];
  for (const each of named) {
    const result = answerRemoval(await evidenceOf(each, going, here.town.root, lookAt, options));
    // Nobody is in the way, and there is nothing to remove.
    if (each.gone !== undefined && result.answer === 'free') throw each.gone;
    results.push(result);
  }
  const gaps = (await Promise.all(looks.values())).flatMap((snapshot) => snapshot.gaps);
  return documentOf('preflight', preflightCode(results.map(({ answer }) => answer)), {
    for: 'removal' as const,
    town: { root: here.town.root, source: here.town.source },
    results,
    gaps,
  });
};

const NOTHING_SEEN: Omit<RemovalEvidence, 'name' | 'path' | 'root'> = {
  places: [],
  verdicts: [],
  gaps: [],
  asides: [],
  repositories: [],
  moved: [],
  isUnversioned: false,
};

/** Why the caller cannot list the directory; null if it can. */
const whyClosed = (path: string): string | null => {
  try {
    readdirSync(path);
    return null;
  } catch (error) {
    return describeErrno(error);
  }
};

/**
 * Why we cannot tell what a removal would lose: this is the git directory of a repository, which all its working trees need. Null for
 * any other directory, and for a bare repository, which has its commits for itself.
 */
const whyGitsOwn = (path: string, around: Repository | null): string | null => {
  const real = tryOr(() => realpathSync.native(path), path);
  const gitDir = gitDirectoryAround(real, around?.top ?? '/');
  const main = around === null ? null : realGitDirOf(around);
  const isOfTree = main !== null && isWithin(real, main);
  if (gitDir === null || (gitDir === real && !isOfTree)) return null;
  return `git keeps its own files here, and without them ${isOfTree ? around?.top : gitDir} is lost: ask about that`;
};

const evidenceOf = async (
  named: NamedDirectory,
  going: Going,
  asked: string,
  lookAt: (root: string) => Promise<Snapshot>,
  options: LookOptions,
): Promise<RemovalEvidence> => {
  const { root, worker } = named;
  const path = join(root, worker);
  const about = { ...NOTHING_SEEN, name: root === asked ? worker : path, path, root };
  if (named.gone !== undefined) {
    const places = peopleIn(named, await lookAt(root));
    const moved = places.find((place) => place.worker !== worker);
    const gone = moved === undefined ? 'its directory is gone' : `it was moved to ${moved.path}`;
    return { ...about, places, gone: `git still lists it, but ${gone}` };
  }
  const around = repositoryFinder()(path);
  const why = whyClosed(path);
  if (why !== null) return { ...about, gaps: [{ what: `directory:${path}`, why }] };
  const whyOfGit = whyGitsOwn(path, around);
  if (whyOfGit !== null)
    return { ...about, repositories: [{ top: path, work: { seen: false, why: whyOfGit } }] };
  const snapshot = await lookAt(root);
  const gitDir = around === null || around.top !== path ? null : realGitDirOf(around);
  const home = gitDir === null ? null : mainTreeOf(gitDir);
  // Locks of a linked working tree lie in the main repository's git directory.
  const main = home === null || relativeTo(root, home) !== null ? [] : [await lookAt(home)];
  const snapshots = [snapshot, ...main];
  const moves = snapshots.flatMap(({ town: { movedTrees = [] } }) => movedTrees);
  const inner = await repositoriesIn(path);
  const tops = [
    ...(around === null ? [] : [around]),
    ...inner.found.filter(({ top }) => top !== around?.top),
  ];
  return {
    ...about,
    places: peopleIn(named, snapshot),
    verdicts: onceEach(
      snapshots.flatMap((each) => locksOf(each, path, gitDir)),
      ({ lock }) => lock.path,
    ),
    asides: asidesIn(snapshots, path, gitDir),
    gaps: [
      ...snapshots
        .flatMap(({ gaps }) => gaps)
        .filter(
          // Of a repository that is gone no lock is left; its work is asked about anyway.
          ({ what, git }) =>
            git !== 'gone' &&
            git !== 'forgotten' &&
            isInside(what.slice(what.indexOf(':') + 1), path, gitDir),
        ),
      ...inner.gaps,
    ],
    repositories: await askAll([...tops, ...modulesOf(tops, path)], path, going, options),
    moved: await Promise.all(
      movedFrom(
        [path],
        onceEach(moves, ({ movedTo }) => movedTo),
      ).map(async (tree) => ({
        tree,
        places: await peopleAt(tree, lookAt),
      })),
    ),
    isUnversioned: around === null && readdirSync(path).some((name) => !inner.tops.has(join(path, name))),
  };
};

/** The main repository knows what is in its worktrees, too: the last of each. */
const onceEach = <Seen>(all: readonly Seen[], keyOf: (one: Seen) => string): readonly Seen[] => [
  ...new Map(all.map((one) => [keyOf(one), one])).values(),
];

/** Who works in a worktree where it is now. */
const peopleAt = async (
  { movedTo }: MovedTree,
  lookAt: (root: string) => Promise<Snapshot>,
): Promise<RemovalEvidence['places']> => {
  const { town, worker } = placeWorker(movedTo, undefined);
  const { root } = town;
  return peopleIn({ root, worker }, await lookAt(root));
};

/** The locks that lie in the directory or in its git directory, or that speak for it. */
const locksOf = (snapshot: Snapshot, path: string, gitDir: string | null): readonly Verdict[] =>
  judgeSnapshot(countingTheAsker(snapshot)).filter(
    ({ lock }) => isInside(lock.path, path, gitDir) || isWithin(join(snapshot.town.root, lock.worker), path),
  );

/** Locks that killed runs had moved aside: the first of each. */
const asidesIn = (
  snapshots: readonly Snapshot[],
  path: string,
  gitDir: string | null,
): RemovalEvidence['asides'] => {
  const found = snapshots.flatMap(({ leftovers, locks, town: { root } }) =>
    leftovers
      .filter((each) => isLockMovedAside(each, locks) && isInside(each.path, path, gitDir))
      .map((leftover) => ({ root, leftover })),
  );
  return found.filter(
    ({ leftover }, index) => found.findIndex((other) => other.leftover.path === leftover.path) === index,
  );
};

const isInside = (place: string, path: string, gitDir: string | null): boolean =>
  isWithin(place, path) || (gitDir !== null && isWithin(place, gitDir));

const realGitDirOf = ({ gitDir }: Repository): string | null =>
  tryOr(() => (gitDir === null ? null : realpathSync.native(gitDir)), null);

interface InnerRepositories {
  readonly found: readonly Repository[];
  readonly tops: ReadonlySet<string>;
  readonly gaps: readonly Gap[];
}

/** Where files are looked for everywhere, a directory without others in it is listed too: a working tree may be one. */
const EVERY_DIRECTORY: LockTable = { ...agentTable, files: { names: [namePattern('.git')], kinds: [] } };

/** Clones, working trees and submodules in a directory: git ignores some of them, and all go with it. */
const repositoriesIn = async (path: string): Promise<InnerRepositories> => {
  const { seen, gaps } = await scanTown({ root: path, mode: 'default', table: EVERY_DIRECTORY });
  const tops = [...(seen?.repositories ?? [])];
  const find = repositoryFinder();
  const names = find(join(path, '.git')) === null ? readdirSync(path) : [];
  const bare = REPOSITORY_PARTS.every((part) => names.includes(part)) ? [bareAt(path)] : [];
  const inner = [...(seen?.bare ?? [])].filter(
    (top) => top !== path && isWithin(top, path) && tryOr(() => isGitDirectory(top), true),
  );
  const found = tops.slice(0, MAX_REPOSITORIES).flatMap((top) => find(top) ?? []);
  const left = Math.max(tops.length, inner.length) - MAX_REPOSITORIES;
  return {
    found: [...bare, ...inner.slice(0, MAX_REPOSITORIES).map(bareAt), ...found],
    tops: new Set(bare.length > 0 ? names.map((name) => join(path, name)) : tops),
    gaps:
      left > 0
        ? [...gaps, { what: `directory:${path}`, why: `has ${left} more repositories than are asked about` }]
        : gaps,
  };
};

const bareAt = (top: string): Repository => {
  try {
    const uids = ['', ...REPOSITORY_PARTS].map((name) => statSync(join(top, name)).uid);
    const [owner = null] = uids;
    return { top, gitDir: top, problem: null, owner: uids.every((uid) => uid === owner) ? owner : null };
  } catch (error) {
    return closed(top, error);
  }
};

const closed = (top: string, error: unknown): Repository => ({
  top,
  gitDir: null,
  problem: describeErrno(error),
  owner: null,
});

interface AskedRepository extends Repository {
  readonly isUnplaced?: boolean;
}

/** Repositories of submodules that go with these ones although they are not checked out now. */
const modulesOf = (repositories: readonly Repository[], path: string): readonly AskedRepository[] => {
  const known = new Set(repositories.map(realGitDirOf));
  const found: AskedRepository[] = [];
  const visit = (place: string, depth: number): void => {
    for (const at of directoriesIn(place)) {
      if (typeof at !== 'string') {
        found.push(at);
        continue;
      }
      if (!tryOr(() => isGitDirectory(at), true)) {
        if (depth < DEEPEST_MODULE) visit(at, depth + 1);
        continue;
      }
      if (known.has(at) || found.length >= MAX_REPOSITORIES) continue;
      found.push({ ...bareAt(at), isUnplaced: true });
      if (depth < DEEPEST_MODULE) visit(join(at, 'modules'), depth + 1);
    }
  };
  for (const repository of repositories) {
    const gitDir = realGitDirOf(repository);
    if (gitDir !== null && isWithin(repository.top, path)) visit(join(gitDir, 'modules'), 0);
  }
  return found;
};

const directoriesIn = (place: string): readonly (string | Repository)[] => {
  try {
    const entries = readdirSync(place, { withFileTypes: true });
    return entries.flatMap((entry) => (entry.isDirectory() ? [join(place, entry.name)] : []));
  } catch (error) {
    return isAbsence(error) ? [] : [closed(place, error)];
  }
};

const askAll = async (
  repositories: readonly AskedRepository[],
  directory: string,
  going: Going,
  { env = process.env, timeoutMs = GIT_TIMEOUT_MS }: LookOptions,
): Promise<RemovalEvidence['repositories']> => {
  const program = findProgram('git', env);
  const few = isFew(repositories.length) ? ('listening' as const) : undefined;
  const client: Client = { program, timeoutMs, env, few };
  const answers: { top: string; work: Observed<RepositoryWork> }[] = [];
  for (const repository of repositories) {
    const { top, problem, owner, isUnplaced = false } = repository;
    const gitDir = realGitDirOf(repository);
    const silent = silentServerIn(top);
    const why = silent === null ? problem : new SilentServer(silent).message;
    const work =
      why !== null || gitDir === null
        ? { seen: false as const, why: why ?? 'its git directory is not known' }
        : await askGit(owner, client, (as) =>
            readUnsavedWork(
              {
                top,
                gitDir,
                directory: isUnplaced || isWithin(top, directory) ? top : directory,
                going,
                isUnplaced,
              },
              as,
            ),
          );
    answers.push({ top, work });
    if (work.seen && work.value.kind === 'main') going.answered.add(realOrSame(top)).add(gitDir ?? top);
  }
  return answers;
};
