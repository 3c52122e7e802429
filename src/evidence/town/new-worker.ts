/** May a worker be made at a directory that does not exist yet, or is the name more likely a mistake? Reads only. */
import { basename, dirname, join } from 'node:path';
import { isSlip, nearWorker } from '../../core/did-you-mean.ts';
import { Failure } from '../../core/failure.ts';
import { LOCK_HOMES } from '../../core/record/lock-names.ts';
import { holdsWorkers, ownerOf, relativeTo } from '../../core/town/roles.ts';
import { entryExists, isPlainDirectory, leadsToDirectory } from '../../io/disk/entry-exists.ts';
import { realOrSame } from '../../io/disk/real-path.ts';
import { existsSync, lstatSync, readdirSync } from '../../io/file-systems/servers.ts';
import { tryOr } from '../../io/try-or.ts';
import { mainOfLinked, pointerIn } from '../git/linked-tree.ts';
import { goneTreeAt, workingTreesAround } from '../git/same-repository.ts';
import { readTownLayout, type TownLayout } from './layout.ts';
import { isMarked } from './marker.ts';
import { outsideName } from './outside-trees.ts';

export type NewWorker =
  | { readonly kind: 'plausible' }
  /** `near`: the worker that was probably meant. */
  | { readonly kind: 'mistake'; readonly near: string | null };

const LOCK_DIRECTORIES = Object.keys(LOCK_HOMES);
/** Entries that show that a directory is a worker's. */
const SIGNS_OF_A_WORKER = ['.git', ...LOCK_DIRECTORIES];

/** What is asked of a town's layout here. */
export type KnownTown = Pick<TownLayout, 'rigs' | 'workers'>;

/**
 * Judges the name of a missing directory, relative to the town. A canonical place in a known rig and a directory beside
 * workers are plausible; a name that differs from a known worker only in case, or is the end of one, is a mistake.
 *
 * @param layout the town's, where the caller has read it already
 * @param isTown false where nobody said that the root is a town: then clones beside it, which lie anywhere, are no workers
 */
export const judgeNewWorker = (
  worker: string,
  root: string,
  layout?: KnownTown,
  isTown = true,
): NewWorker => {
  let whole = layout;
  const town = (): KnownTown => {
    whole ??= readTownLayout(root);
    return whole;
  };
  const all = (): readonly string[] => [...town().workers, ...town().rigs.map(({ name }) => name)];
  const trees = treesBeside(root);
  // Most new workers are in a rig that exists: then nothing else needs to be looked at.
  const names = layout === undefined ? wholePath(worker) : null;
  const candidates = names === null ? all() : workersAlike(names, root);
  const alike = [...candidates, ...trees].find(
    (other) => isAlike(other, worker) || other.endsWith(`/${worker}`),
  );
  if (alike !== undefined) return { kind: 'mistake', near: alike };
  const beside = placesBeside(worker, root);
  const meant = beside.find((other) =>
    isAlike(other, worker)
      ? isPlainDirectory(join(root, other))
      : isSlip(basename(worker), basename(other)) && isWorker(other, root),
  );
  if (meant !== undefined) return { kind: 'mistake', near: meant };
  const isSign = (other: string) => isWorker(other, root) && (isTown || !isClone(join(root, other)));
  if (isCanonicalPlace(worker, root, town) || beside.some(isSign)) return { kind: 'plausible' };
  return { kind: 'mistake', near: nearWorker(worker, [...all(), ...trees, ...treesInside(root)]) };
};

const isAlike = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

/** The town's workers whose paths have these names, in whatever case. Costs a listing per name, the whole layout one per directory. */
const workersAlike = (names: readonly string[], root: string): readonly string[] => {
  let alike: readonly string[] = [''];
  for (const name of names)
    alike = alike.flatMap((place) =>
      tryOr(() => readdirSync(join(root, place)), [])
        .filter((other) => isAlike(other, name))
        .map((other) => join(place, other))
        .filter((path) => isPlainDirectory(join(root, path))),
    );
  return alike.filter((path) => ownerOf(path)?.canonical);
};

/** The names in the worker's path where no other path can end in it; null where one may. */
const wholePath = (worker: string): readonly string[] | null => {
  const names = worker.split('/');
  // The longest paths of workers are `gastown/polecats/max/gastown` and `deacon/dogs/rex/gastown`.
  return names.length < 3 || names[0] === 'polecats' || names[0] === 'dogs' ? null : names;
};

/** The workers that can be known without a scan: of the layout, beside `worker`, and the working trees of the root's repository. */
export const workersNear = (worker: string, root: string): readonly string[] => {
  const trees = [...treesInside(root), ...treesBeside(root)];
  return [...new Set([...readTownLayout(root).workers, ...workersBeside(worker, root), ...trees])];
};

/** The worker that was probably meant by the name of a missing directory, relative to the town; null where none is near. */
export const nearestWorker = (worker: string, root: string): string | null => {
  const known = workersNear(worker, root);
  return (
    known.find((other) => other.endsWith(`/${worker}`)) ??
    nearWorker(worker, known) ??
    placesBeside(worker, root).find(
      (other) => isAlike(other, worker) && isPlainDirectory(join(root, other)),
    ) ??
    null
  );
};

/** What helps somebody who named a missing directory, by the nearest name that is known: that may be missing as well. */
export const hintForNear = (near: string, root: string, name = near): string =>
  hintForGone(join(root, near), root) ?? `Did you mean ${name}?`;

/** The same for a working tree whose directory is gone, of a repository around or beside it; null for any other directory. */
export const hintForGone = (path: string, root: string): string | null =>
  goneTreeNear(path, root)?.hint ?? null;

/** The repository that still lists such a working tree, by its own directory, and what helps. */
export const goneTreeNear = (
  path: string,
  root: string,
): { readonly repository: string; readonly hint: string } | null => {
  const above = dirname(path);
  const beside = tryOr(() => readdirSync(above), []).map((name) => join(above, name));
  const gone = goneTreeAt(path, [root, above, ...oneOfEachRepository(beside)]);
  if (gone === null) return null;
  const git = `git -C ${gone.gitDir} worktree`;
  const repository = gone.gitDir.replace(/\/\.git$/, '') || '/';
  const deleted = gone.isLocked
    ? ` its lock is left, which keeps git from forgetting it: doctor explain ${path} --town ${repository}`
    : ` ${git} remove ${path}`;
  const hint = `git still lists the worktree ${path}, but its directory is gone. If you moved it: ${git} repair PATH. If you deleted it:${deleted}`;
  return { repository, hint };
};

/**
 * Of hundreds of working trees of one repository, the first, and no clone without linked working trees: asked before each start of a
 * new worker.
 */
const oneOfEachRepository = (directories: readonly string[]): readonly string[] => {
  const seen = new Set<string>();
  return directories.filter((directory) => {
    const git = join(directory, '.git');
    const entry = tryOr(() => lstatSync(git, { throwIfNoEntry: false }), undefined);
    if (entry === undefined) return false;
    if (entry.isDirectory())
      return entryExists(`${git}/commondir`) || tryOr(() => readdirSync(`${git}/worktrees`), []).length > 0;
    const pointer = pointerIn(directory);
    if (typeof pointer !== 'string') return true;
    const { size } = seen;
    return seen.add(mainOfLinked(pointer)).size > size;
  });
};

/** For a directory outside the town, with what helps. */
export const outsideTown = (given: string, root: string, hint: string): Failure =>
  new Failure('E_USAGE', `${given} is outside the town ${root}`, hint);

export const noSuchWorker = (name: string, root: string, hint: string): Failure =>
  new Failure('E_USAGE', `no worker "${name}" in ${root}`, hint);

/**
 * Refuses the name of a missing directory that is more likely a mistake, in the same words whoever asks: preflight or exec.
 *
 * @param orElse what helps where the name is no mistake
 * @param isTown false where nobody said that the root is a town: then the caller may stand anywhere
 * @param layout the town's, where the caller has read it already
 * @throws Failure E_USAGE
 */
export const refuseMistake = (
  worker: string,
  root: string,
  orElse: string,
  isTown: boolean,
  layout?: KnownTown,
): void => {
  const judged = judgeNewWorker(worker, root, layout, isTown);
  if (judged.kind === 'plausible') return;
  const { near } = judged;
  const hint = near === null ? '' : `${hintForNear(near, root, isTown ? near : join(root, near))} `;
  throw noSuchWorker(worker, root, `${hint}${orElse}`);
};

/**
 * Refuses the place of a missing worker where none can be made: git still lists an old worktree there, or it is no directory.
 *
 * @throws Failure E_USAGE
 */
export const refuseTaken = (path: string, root: string): void => {
  const gone = hintForGone(path, root);
  if (gone !== null)
    throw new Failure(
      'E_USAGE',
      `no worker directory ${path}, and git adds no worktree there while it lists the old one`,
      gone,
    );
  if (existsSync(path)) throw new Failure('E_USAGE', `${path} is not a directory`, null);
};

/** The working trees of the root's repository in the root, without the root itself: `.claude/worktrees/login`. */
export const treesInside = (root: string): readonly string[] =>
  workingTreesAround(root).flatMap((path) => {
    const worker = relativeTo(root, realOrSame(path));
    return worker === null || worker === '.' ? [] : [worker];
  });

/** The other working trees of the root's repository, outside the root: `../feature-1`. */
export const treesBeside = (root: string): readonly string[] =>
  workingTreesAround(root).flatMap((path) =>
    relativeTo(root, path) === null ? (outsideName(root, realOrSame(path)) ?? []) : [],
  );

/** In a marked town agents work below its root, its rigs and `<rig>/crew`, not in them: throws `E_USAGE` for one of these. */
export const refuseContainer = (worker: string, root: string): void => {
  const holds = holdsWorkers(worker);
  if ((worker.includes('/') && !holds) || !isMarked(root)) return;
  const isRig = (): boolean => readTownLayout(root).rigs.some(({ name }) => name === worker);
  const what = worker === '.' ? 'the town' : holds ? 'a directory of workers' : isRig() ? 'a rig' : null;
  if (what === null) return;
  throw new Failure(
    'E_USAGE',
    `${worker === '.' ? root : worker} is ${what}, not a worker`,
    'See: doctor locks',
  );
};

/** In a town without rigs, any rig's name is possible. */
const isCanonicalPlace = (worker: string, root: string, town: () => KnownTown): boolean => {
  if (!isMarked(root) || ownerOf(worker)?.canonical !== true) return false;
  const [rig = ''] = worker.split('/');
  if (leadsToDirectory(join(root, rig))) return true;
  const { rigs } = town();
  return rigs.length === 0 || rigs.some(({ name }) => name === rig);
};

/** A repository of its own, in which no agent took a lock; a linked working tree has a file `.git`. */
const isClone = (path: string): boolean =>
  leadsToDirectory(join(path, '.git')) && !LOCK_DIRECTORIES.some((sign) => entryExists(join(path, sign)));

/** What lies beside it, relative to the town; nothing where the parent is missing or unreadable. */
const placesBeside = (worker: string, root: string): readonly string[] => {
  const parent = dirname(worker);
  return tryOr(() => readdirSync(join(root, parent)), []).map((name) => join(parent, name));
};

const isWorker = (place: string, root: string): boolean =>
  SIGNS_OF_A_WORKER.some((sign) => entryExists(join(root, place, sign)));

/** Workers' directories beside it, relative to the town. */
const workersBeside = (worker: string, root: string): readonly string[] =>
  placesBeside(worker, root).filter((place) => isWorker(place, root));
