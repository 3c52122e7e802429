/** Preflight: may an agent start here? Asked before every start, so it loads as little as it can. */
import { join } from 'node:path';
import { Failure } from './core/failure.ts';
import {
  answerWithoutLocks,
  hasLocks,
  mayBeMistyped,
  preflightCode,
} from './core/preflight/clear-to-start.ts';
import type { Gap, Snapshot } from './core/types/evidence.ts';
import type { PreflightReport, PreflightResult } from './core/types/report.ts';
import { documentOf } from './document.ts';
import { hasPanes } from './evidence/gather.ts';
import { outsideTown, refuseMistake, refuseTaken } from './evidence/town/new-worker.ts';
import { absoluteOf, resolveWorker } from './evidence/town/worker-path.ts';
import { showsBytes } from './io/disk/disk-path.ts';
import { leadsToDirectory } from './io/disk/entry-exists.ts';
import { existsSync } from './io/file-systems/servers.ts';
import {
  followMoves,
  type LookOptions,
  lookToStart,
  movedFrom,
  placeWorker,
  refuseEmptyContainer,
  townOf,
} from './look.ts';

export interface PreflightOptions extends LookOptions {
  /** A directory that does not exist yet may have any name. */
  readonly new?: boolean | undefined;
  /** The agent that asks runs already: may it go on? Its own locks do not count. */
  readonly prompt?: boolean | undefined;
}

/**
 * May an agent start at these workers? Looks at their locks, the processes and tmux only; the town is not walked. A
 * worker that does not exist yet is free where one may be made. Reads only.
 *
 * @param workers relative to the town, or absolute
 * @throws Failure E_USAGE for a name that is more likely a mistake, and for a worker outside the town that is neither
 * given as an absolute path nor a working tree of the same repository
 */
export const preflight = async (
  town: string | undefined,
  workers: string | readonly string[],
  options: PreflightOptions = {},
): Promise<PreflightReport> => {
  const { cwd = process.cwd() } = options;
  const place = townOf(town, options);
  const asked = (typeof workers === 'string' ? [workers] : workers).map((given) => {
    const resolved = resolveWorker(given, place.root, cwd);
    const found =
      resolved.kind === 'outside' && options.new === true && !existsSync(resolved.path)
        ? { ...resolved, kind: 'elsewhere' as const }
        : resolved;
    if (found.kind === 'outside') throw outsideTown(given, place.root, `doctor preflight ${found.path}`);
    const key = found.kind === 'inside' ? found.worker : found.path;
    return { ...found, key, named: absoluteOf(given, place.root, cwd) };
  });
  const namesOf = (key: string) => asked.filter((found) => found.key === key).map(({ named }) => named);
  const inside = asked.flatMap((found) => (found.kind === 'inside' ? [found] : []));
  const gaps: Gap[] = [];
  const answers = new Map<string, PreflightResult>();
  if (inside.length > 0) {
    const workers = [...new Set(inside.map(({ worker }) => worker))];
    const named = inside.map((found) => found.named);
    const snapshot = await lookToStart(place, workers, { ...options, named });
    gaps.push(...snapshot.gaps);
    for (const result of await answersIn(snapshot, options))
      answers.set(result.worker, await asMeant(result, namesOf(result.worker), snapshot, options));
  }
  for (const { kind, key } of asked) {
    if (kind !== 'elsewhere' || answers.has(key)) continue;
    const named = namesOf(key);
    const other = placeWorker(key, undefined);
    const snapshot = await lookToStart(other.town, [other.worker], { ...options, named });
    gaps.push(...snapshot.gaps);
    const [result] = await answersIn(snapshot, options);
    if (result !== undefined)
      answers.set(key, {
        ...(await asMeant(result, named, snapshot, options, other.town.source !== 'cwd')),
        worker: key,
      });
  }
  const results = asked.flatMap(({ key }) => answers.get(key) ?? []);
  return documentOf('preflight', preflightCode(results.map(({ answer }) => answer)), {
    town: { root: place.root, source: place.source },
    results,
    gaps,
  });
};

/** The code that judges locks is loaded only where there are locks: this saves a preflight without one 0.8 ms. */
const answersIn = async (
  snapshot: Snapshot,
  { prompt }: PreflightOptions,
): Promise<readonly PreflightResult[]> =>
  hasLocks(snapshot)
    ? (await import('./core/preflight/with-locks.ts')).answerPreflight(snapshot, prompt)
    : answerWithoutLocks(snapshot);

/**
 * The answer for a worker, by what is said of where its worktree was moved; else as it is, if the worker is meant.
 *
 * @param names absolute paths by which it was named
 */
const asMeant = async (
  result: PreflightResult,
  names: readonly string[],
  snapshot: Snapshot,
  options: PreflightOptions,
  isTown = true,
): Promise<PreflightResult> => {
  const { root, movedTrees } = snapshot.town;
  const trees = movedFrom([...names, join(root, result.worker)], movedTrees);
  const told = await followMoves(result, trees, (there) => answersIn(there, options), options);
  return told === result ? ifMeant(result, snapshot, options, isTown) : told;
};

/** The answer for such a worker, if it exists or may be made: a mistyped name must not be taken for a place to start in. */
const ifMeant = (
  result: PreflightResult,
  snapshot: Snapshot,
  options: PreflightOptions,
  isTown: boolean,
): PreflightResult => {
  const { worker, message } = result;
  const { town, machine } = snapshot;
  const { root } = town;
  const path = join(root, worker);
  if (leadsToDirectory(path)) {
    refuseEmptyContainer(result, snapshot);
    return result;
  }
  if (!mayBeMistyped(result, snapshot)) return result;
  // Nobody looked at the directory that such a path means: arguments are text, which cannot hold its bytes.
  if (path.includes('\ufffd') || showsBytes(path))
    throw new Failure('E_USAGE', `the path of a worker has to be UTF-8, and ${path} is not`, null);
  refuseTaken(path, root);
  // A look at one worker has read the layout only where there are panes, which have to be told apart.
  const layout = hasPanes(machine.tmux) ? town : undefined;
  const orElse = 'If it is yet to be made, say so with --new.';
  if (options.new !== true) refuseMistake(worker, root, orElse, isTown, layout);
  // `explain` refuses a directory that does not exist; the whole root's gaps say what was not seen.
  const next = result.answer === 'free' ? result.next : [['doctor', '--town', root]];
  return { ...result, message: `the directory does not exist yet; ${message}`, next };
};
