/** Which directory a caller means, and the town that it is looked at in. Reads only. */
import { basename, join, resolve } from 'node:path';
import { Failure } from '../core/failure.ts';
import type { Snapshot } from '../core/types/evidence.ts';
import type { PlaceOfWork } from '../core/types/report.ts';
import { whoIsThere } from '../core/who-is-there.ts';
import { goneTreeNear, hintForNear, nearestWorker } from '../evidence/town/new-worker.ts';
import { placeName } from '../evidence/town/outside-trees.ts';
import { refuseSilent, type TownRoot } from '../evidence/town/root.ts';
import { resolveWorker } from '../evidence/town/worker-path.ts';
import { leadsToDirectory } from '../io/disk/entry-exists.ts';
import { realOrSame } from '../io/disk/real-path.ts';
import { existsSync } from '../io/file-systems/servers.ts';
import { placeWorker } from '../look.ts';

export interface NamedDirectory {
  readonly root: string;
  /** Relative to the root. */
  readonly worker: string;
  /** It is a working tree that git still lists, and its directory is gone: what to say unless somebody still runs there. */
  readonly gone?: Failure;
}

/**
 * A directory by a path from where the caller stands, or relative to the town. One out of the town has a town of its own, which
 * may be it itself.
 *
 * @throws Failure E_USAGE where there is no such directory, and git lists none
 */
export const directoryNamed = (
  given: string,
  { root, source }: Pick<TownRoot, 'root' | 'source'>,
  cwd: string,
): NamedDirectory => {
  if (given === '') throw new Failure('E_USAGE', 'the name of a directory is empty', null);
  const fromHere = resolve(cwd, given);
  refuseSilent(fromHere);
  // First the path from the working directory, as a shell completes it, then the name that reports of this town use.
  const found = resolveWorker(leadsToDirectory(fromHere) ? fromHere : given, root, cwd);
  const path = found.kind === 'inside' ? join(root, found.worker) : found.path;
  if (found.kind === 'inside' && leadsToDirectory(path) && (source !== 'cwd' || path === root))
    return { root, worker: found.worker };
  if (leadsToDirectory(path)) {
    // The root is only the working directory, not a town that somebody named: it may be /tmp.
    const place = placeWorker(path, undefined);
    return { root: place.town.root, worker: place.worker };
  }
  // The name by which reports call the root.
  if (given === basename(root)) return { root, worker: '.' };
  const missing = (hint: string | null): Failure =>
    new Failure('E_USAGE', `there is no directory ${given}`, hint);
  const tree = goneTreeNear(path, root);
  if (tree !== null) {
    const of = found.kind === 'inside' && source !== 'cwd' ? root : realOrSame(tree.repository);
    return { root: of, worker: placeName(of, path), gone: missing(tree.hint) };
  }
  const near = nearestWorker(given, root);
  throw missing(near === null ? null : hintForNear(near, root));
};

/** True for a directory with a `.git` of its own, or one that git lists as a working tree. */
const isWorkingTree = ({ root, worker, gone }: NamedDirectory): boolean =>
  gone !== undefined || existsSync(join(root, worker, '.git'));

/** Everybody in a named directory, by its own name; a working tree that was moved while somebody works in it is where it is now. */
export const peopleIn = (
  named: NamedDirectory,
  snapshot: Snapshot,
  treesInside: readonly string[] = [],
): readonly PlaceOfWork[] => {
  const { root, worker } = named;
  const moved = snapshot.town.movedTrees?.find(({ name }) => name === worker)?.movedTo;
  const now = named.gone === undefined || moved === undefined ? worker : placeName(root, moved);
  const places = whoIsThere(snapshot, now, isWorkingTree(named), treesInside).map((place) => ({
    ...place,
    path: join(root, place.worker),
  }));
  if (named.gone !== undefined && places.every(({ people, unseen }) => people.length + unseen.length === 0))
    throw named.gone;
  return places;
};
