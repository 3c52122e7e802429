/** Which directory a caller means, and the town that it is looked at in. Reads only. */
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { Failure } from '../core/failure.ts';
import { hintForGone, hintForNear, nearestWorker } from '../evidence/town/new-worker.ts';
import type { TownRoot } from '../evidence/town/root.ts';
import { resolveWorker } from '../evidence/town/worker-path.ts';
import { leadsToDirectory } from '../io/disk/entry-exists.ts';
import { placeWorker } from '../look.ts';

export interface NamedDirectory {
  readonly root: string;
  /** Relative to the root. */
  readonly worker: string;
}

/**
 * A directory by a path from where the caller stands, or relative to the town. One out of the town has a town of its own, which
 * may be it itself.
 *
 * @throws Failure E_USAGE where there is no such directory
 */
export const directoryNamed = (
  given: string,
  { root, source }: Pick<TownRoot, 'root' | 'source'>,
  cwd: string,
): NamedDirectory => {
  if (given === '') throw new Failure('E_USAGE', 'the name of a directory is empty', null);
  const fromHere = resolve(cwd, given);
  // What the shell completes comes first, then what a report of this town calls it.
  const found = resolveWorker(leadsToDirectory(fromHere) ? fromHere : given, root, cwd);
  const path = found.kind === 'inside' ? join(root, found.worker) : found.path;
  if (found.kind === 'inside' && leadsToDirectory(path) && (source !== 'cwd' || path === root))
    return { root, worker: found.worker };
  if (leadsToDirectory(path)) {
    // Nobody said that the directory where he stands is a town: it may be /tmp.
    const place = placeWorker(path, undefined);
    return { root: place.town.root, worker: place.worker };
  }
  // The name by which reports call the root.
  if (given === basename(root)) return { root, worker: '.' };
  const near = nearestWorker(given, root);
  const gone = hintForGone(path, root);
  throw new Failure(
    'E_USAGE',
    `there is no directory ${given}`,
    gone ?? (near === null ? null : hintForNear(near, root)),
  );
};

/** True for a directory with a `.git` of its own. */
export const isWorkingTree = ({ root, worker }: NamedDirectory): boolean =>
  existsSync(join(root, worker, '.git'));
