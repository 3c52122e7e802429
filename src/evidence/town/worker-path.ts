/** Finds the worker that a caller means: a path relative to the town or to the working directory, or an absolute path. */
import { basename, dirname, isAbsolute, join, normalize, resolve } from 'node:path';
import { relativeTo } from '../../core/town/roles.ts';
import { isAbsent } from '../../io/disk/entry-exists.ts';
import { existsSync, realpathSync } from '../../io/file-systems/servers.ts';
import { shareRepository } from '../git/same-repository.ts';
import { asListed, type SpellingDisk } from './listed-spelling.ts';
import { refuseSilent } from './root.ts';

export type WorkerPath =
  | { readonly kind: 'inside'; readonly worker: string; readonly exists: boolean }
  /** An absolute path outside the town, or a working tree beside it: it has a town of its own. */
  | { readonly kind: 'elsewhere'; readonly path: string }
  /** A relative path that leads out of the town. */
  | { readonly kind: 'outside'; readonly path: string };

/** The real path of something that may not exist yet: that of its nearest existing ancestor, and the rest as named. */
const realPathOf = (path: string): string => {
  const rest: string[] = [];
  for (let place = path; ; place = dirname(place)) {
    try {
      return join(realpathSync.native(place), ...rest);
    } catch {
      if (dirname(place) === place) return path;
      rest.unshift(basename(place));
    }
  }
};

const absoluteOf = (given: string, root: string, cwd: string): string => {
  if (isAbsolute(given)) return normalize(given);
  const standsInside = relativeTo(root, cwd) !== null;
  const fromHere = given === '.' || given.startsWith('./') || given === '..' || given.startsWith('../');
  if (fromHere && standsInside) return resolve(cwd, given);
  const inTown = resolve(root, given);
  const here = resolve(cwd, given);
  return standsInside && !existsSync(inTown) && !isAbsent(here) ? here : inTown;
};

/**
 * Resolves what a caller typed for a worker. `root` is the town's real path. A relative name may lead out of it to
 * another working tree of the same repository: siblings are the usual layout. Where case does not matter, the answer is
 * spelled as the disk lists it. Reads only.
 *
 * @throws Failure E_USAGE where the server of what is mounted there does not answer
 */
export const resolveWorker = (given: string, root: string, cwd: string, disk?: SpellingDisk): WorkerPath => {
  const absolute = absoluteOf(given, root, cwd);
  refuseSilent(absolute);
  const path = realPathOf(absolute);
  const worker = relativeTo(root, path);
  if (worker !== null)
    return { kind: 'inside', worker: asListed(worker, root, disk), exists: existsSync(path) };
  const named = isAbsolute(given) || (existsSync(path) && shareRepository(root, path));
  return { kind: named ? 'elsewhere' : 'outside', path };
};
