/** Which directory a caller means, and the town that it is looked at in. Reads only. */
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Failure } from '../core/failure.ts';
import { resolveWorker } from '../evidence/town/worker-path.ts';
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
export const directoryNamed = (given: string, root: string, cwd: string): NamedDirectory => {
  if (given === '') throw new Failure('E_USAGE', 'the name of a directory is empty', null);
  const fromHere = resolve(cwd, given);
  // What the shell completes comes first, then what a report of this town calls it.
  const found = resolveWorker(isDirectory(fromHere) ? fromHere : given, root, cwd);
  if (found.kind === 'inside' && found.exists && isDirectory(join(root, found.worker)))
    return { root, worker: found.worker };
  if (found.kind !== 'inside' && isDirectory(found.path)) {
    const place = placeWorker(found.path, undefined);
    return { root: place.town.root, worker: place.worker };
  }
  throw new Failure('E_USAGE', `there is no directory ${given}`, null);
};

const isDirectory = (path: string): boolean => {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
};
