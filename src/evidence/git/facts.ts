/** What git says of the places of locks. Reads only; runs git only where looking does not decide. */
import { basename, dirname } from 'node:path';
import { groupBy } from '../../core/group-by.ts';
import { claimsWorker } from '../../core/town/lock-rules.ts';
import { relativeTo } from '../../core/town/roles.ts';
import type { GitFacts, KindRules, Observed } from '../../core/types/evidence.ts';
import { type Client, isFew } from '../../io/programs/command.ts';
import { findProgram } from '../../io/programs/find-program.ts';
import { inParallel } from '../../io/programs/in-parallel.ts';
import { callerUid } from '../../io/trust.ts';
import { askIgnored, askTracked } from './git-command.ts';
import { excludeOf, plainIgnoring } from './ignore.ts';
import { glanceAtIndex } from './index-glance.ts';
import { type Repository, repositoryFinder } from './repository.ts';

export interface LockPlace {
  /** Absolute, `<worker>/.runtime/agent.lock`. */
  readonly path: string;
  readonly pathBytes: string | null;
  /** Absent where the lock claims a worker; such a lock lies in a home that git may be told to ignore. */
  readonly rules?: KindRules;
}

export interface GitQuestion {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds for each call of git. */
  readonly timeoutMs: number;
  /** Ask as well whether something ignores the locks; without, `ignored` is unseen inside repositories. */
  readonly ignored: boolean;
  /** A town that was scanned as a whole: its root, and all directories of it that have a `.git`. */
  readonly scanned?: { readonly root: string; readonly repositories: ReadonlySet<string> } | undefined;
}

/** Repositories that are asked at once. */
const REPOSITORIES_AT_ONCE = 4;

/** The facts of a file that git cannot track: it lies outside any repository, or in git's own directory. */
export const OUTSIDE: GitFacts = {
  tracked: { seen: true, value: false },
  ignored: { seen: true, value: true },
  repository: null,
};

/**
 * Reads the facts for many locks, in their order. A repository that git cannot answer for (git is not installed, the
 * `.git` is broken or closed, "dubious ownership") leaves `tracked` unseen. 10,000 locks outside repositories cost at
 * most one look per directory.
 */
export const readGitFacts = async (
  locks: readonly LockPlace[],
  question: GitQuestion,
): Promise<readonly GitFacts[]> => {
  const { scanned } = question;
  const find = repositoryFinder(
    (directory) =>
      scanned !== undefined &&
      relativeTo(scanned.root, directory) !== null &&
      !scanned.repositories.has(directory),
  );
  const facts = locks.map(() => OUTSIDE);
  const inside = groupBy(locks.entries(), ([, lock]) => {
    const directory = dirname(lock.path);
    return find(claimsWorker(lock) ? dirname(directory) : directory);
  });
  if (inside.size === 0) return facts;
  const client: Client = {
    ...question,
    program: findProgram('git', question.env),
    few: isFew(inside.size) ? 'listening' : undefined,
  };
  await inParallel([...inside], REPOSITORIES_AT_ONCE, async ([repository, entries]) => {
    const places = entries.map(([, lock]) => lock);
    const answers = await askRepository(repository, places, client, question.ignored);
    for (const [position, [index]] of entries.entries()) facts[index] = answers[position] ?? OUTSIDE;
  });
  return facts;
};

/** Adds git's facts to those locks that have none yet. Written into them: a copy of each would cost more than to ask. */
export const addGitFacts = async (
  locks: readonly (LockPlace & { git: GitFacts | null })[],
  question: GitQuestion,
): Promise<void> => {
  const open = locks.filter(({ git }) => git === null);
  const facts = await readGitFacts(open, question);
  open.forEach((lock, index) => {
    lock.git = facts[index] ?? null;
  });
};

const unseen = (why: string): Observed<never> => ({ seen: false, why });

const askRepository = async (
  repository: Repository,
  places: readonly LockPlace[],
  client: Client,
  withIgnored: boolean,
): Promise<readonly GitFacts[]> => {
  const paths = places.filter(({ pathBytes }) => pathBytes === null).map(({ path }) => path);
  const tracked = await readTracked(repository, paths, client);
  const inHomes = places.filter((place) => place.pathBytes === null && claimsWorker(place));
  const notAsked = unseen('was not asked for');
  const ignored =
    withIgnored && inHomes.length > 0
      ? await readIgnored(
          repository,
          inHomes.map(({ path }) => path),
          client,
        )
      : notAsked;
  return places.map((place) => {
    const ignoredHere = claimsWorker(place) ? factOf(place.path, place.pathBytes, ignored) : notAsked;
    const isUnignored = ignoredHere.seen && !ignoredHere.value && repository.gitDir !== null;
    return {
      tracked: factOf(place.path, place.pathBytes, tracked),
      ignored: ignoredHere,
      repository: repository.top,
      ...(isUnignored ? { exclude: excludeOf(repository.gitDir) } : {}),
    };
  });
};

const factOf = (
  path: string,
  pathBytes: string | null,
  answer: Observed<ReadonlySet<string>>,
): Observed<boolean> => {
  if (pathBytes !== null) return unseen('its name is not UTF-8, and git was not asked about it');
  return answer.seen ? { seen: true, value: answer.value.has(path) } : answer;
};

type TrackedPaths = Observed<ReadonlySet<string>>;

/** Root asks with the permissions of the repository's owner, so that nothing in a repository can make git act as root. */
export const askGit = <Value>(
  owner: number | null,
  client: Client,
  ask: (client: Client) => Promise<Observed<Value>>,
): Promise<Observed<Value>> => {
  if (callerUid() !== 0) return ask(client);
  if (owner === null) return Promise.resolve(unseen('its repository belongs to several users: not asked'));
  return ask({ ...client, as: owner });
};

const readTracked = async (
  { top, gitDir, problem, owner }: Repository,
  paths: readonly string[],
  client: Client,
): Promise<TrackedPaths> => {
  if (problem !== null || gitDir === null) return unseen(problem ?? 'its repository is not known');
  if (client.program === null) return unseen('git is not installed');
  const names = [...new Set(paths.map((path) => basename(path)))];
  const isNone =
    owner === callerUid() && names.every((name) => glanceAtIndex(gitDir, name) === 'not-tracked');
  return isNone
    ? { seen: true, value: new Set() }
    : askGit(owner, client, (as) => askTracked(top, paths, as));
};

const readIgnored = async (
  { top, gitDir, problem, owner }: Repository,
  paths: readonly string[],
  client: Client,
): Promise<TrackedPaths> => {
  if (problem !== null || gitDir === null) return unseen(problem ?? 'its repository is not known');
  const plain = paths.filter(plainIgnoring(top, gitDir));
  if (plain.length === paths.length) return { seen: true, value: new Set(plain) };
  if (client.program === null) return unseen('git is not installed');
  return askGit(owner, client, (as) => askIgnored(top, paths, as));
};
