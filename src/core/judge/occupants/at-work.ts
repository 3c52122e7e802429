/** The processes at work in the town, with what they count as, where they work, and whether the asker started them. */
import type { ProgramClass } from '../../programs/classify.ts';
import { homeOf } from '../../town/belonging.ts';
import { directoryOf, lineage } from '../../town/machine-index.ts';
import { isWithin, ownerOf, relativeTo } from '../../town/roles.ts';
import type { TownIndex, WorkerView } from '../../town/views.ts';
import type { LockFile, ProcessInfo } from '../../types/evidence.ts';

/** A process other than the asker, with what decides whether it counts. */
export interface AtWork {
  readonly process: ProcessInfo;
  /** Itself and its ancestors. */
  readonly pids: readonly number[];
  /**
   * Where the agents work that ask and that started this process. Null for an unknown place: it is no worker's place, since what
   * such an agent started would then be the asker's own wherever it works.
   */
  readonly startedFrom: readonly (string | null)[];
  /**
   * Where it works, relative to the town: its working directory, or else where it was started, and those that its arguments or a
   * registry name; none outside.
   */
  readonly paths: readonly string[];
}

/**
 * True where somebody at `path` is at this worker's place, and not at that of a worker further down. An agent's place is
 * the whole of it: its lock may lie in `polecats/<n>/<rig>` while it works in `polecats/<n>`.
 */
export const isAtPlaceOf = (path: string, worker: WorkerView, index: TownIndex): boolean => {
  if (!isWithin(path, worker.owner?.canonical ? worker.owner.dir : worker.worker)) return false;
  if (worker.owner !== null) {
    const owner = ownerOf(path);
    return owner !== null && (owner.role === worker.owner.role || worker.roles.includes(owner.role));
  }
  const home = homeOf(path, index);
  return home === null || isWithin(worker.worker, home);
};

/** True where a process may work at a worker whose own place is not known: its user asks, owns the lock, or may write there. */
export const mayWorkAt = (
  { uid, mayWriteTo }: ProcessInfo,
  { worker }: WorkerView,
  lock: LockFile | null,
  index: TownIndex,
): boolean =>
  uid === null ||
  uid === index.machine.seen.host.uid ||
  uid === lock?.uid ||
  mayWriteTo?.includes(worker) === true;

const pathInTown = (path: string | null, index: TownIndex): readonly (string | null)[] => {
  if (path === null) return [null];
  const inside = relativeTo(index.snapshot.town.root, path);
  return inside === null ? [] : [inside];
};

/** Which classes can have started a helper of each class: an agent starts agents, an unknown program may also start unknown ones. */
const STARTERS: Readonly<Record<'agent' | 'unknown', readonly ProgramClass[]>> = {
  agent: ['agent'],
  unknown: ['agent', 'unknown'],
};

const placesOfAskers = (
  pids: readonly number[],
  starters: readonly ProgramClass[],
  index: TownIndex,
  askers: ReadonlySet<number>,
): readonly (string | null)[] =>
  pids.flatMap((pid, depth) => {
    const process = index.machine.processes.get(pid);
    if (depth === 0 || process === undefined || !askers.has(pid)) return [];
    const { class: kind } = index.machine.classify(process);
    const cwd = process.cwd?.seen === true ? process.cwd.value : null;
    // Of an agent it matters that it started this one, even where its place is hidden; of other programs the place must be seen.
    return starters.includes(kind) && (kind === 'agent' || cwd !== null)
      ? [
          ...pathInTown(cwd, index),
          ...(process.sentTo === undefined ? [] : pathInTown(process.sentTo, index)),
        ]
      : [];
  });

/** The sessions that agents' tools say run in a process. */
export const registrationsOf = ({ registered, alsoRegistered = [] }: ProcessInfo) =>
  registered === undefined ? alsoRegistered : [registered, ...alsoRegistered];

/** True where only the place where it was started is known. */
export const isHidden = ({ cwd, startedIn }: ProcessInfo): boolean =>
  cwd?.seen === false && startedIn !== undefined;

const placesOf = (process: ProcessInfo, index: TownIndex): readonly string[] => {
  const own = directoryOf(process);
  const named = [
    ...(own === null ? [] : [own]),
    ...(process.sentTo === undefined ? [] : [process.sentTo]),
    ...registrationsOf(process).map((session) => session.cwd),
  ];
  const inside = named.map((path) => relativeTo(index.snapshot.town.root, path));
  return [...new Set(inside.filter((path) => path !== null))];
};

/** All processes of one class with their lineage, without the asker and its ancestors. */
export const listAtWork = (kind: 'agent' | 'unknown', index: TownIndex): readonly AtWork[] => {
  const askers = new Set(index.machine.seen.asker.pids);
  return index.machine.seen.processes.list
    .filter((process) => !askers.has(process.pid) && index.machine.classify(process).class === kind)
    .map((process) => {
      const pids = [...lineage(process.pid, index)];
      const startedFrom = placesOfAskers(pids, STARTERS[kind], index, askers);
      return { process, pids, startedFrom, paths: placesOf(process, index) };
    });
};

/** Whether somebody at a path is at a worker's place. */
type PlaceRule = typeof isAtPlaceOf;

/** The asker's agent does not count, nor what it started at its own place; what it started at another worker counts there. */
const isAskersOwn = (
  { startedFrom }: AtWork,
  worker: WorkerView,
  index: TownIndex,
  isThere: PlaceRule,
): boolean => startedFrom.some((path) => path !== null && isThere(path, worker, index));

/** True where it works at this worker's place and belongs neither to the asker nor to the lock's own live holder. */
export const worksAt = (
  one: AtWork,
  worker: WorkerView,
  ownPid: number | null,
  index: TownIndex,
  isThere: PlaceRule = isAtPlaceOf,
): boolean =>
  one.paths.some((path) => isThere(path, worker, index)) &&
  !isAskersOwn(one, worker, index, isThere) &&
  (ownPid === null || !one.pids.includes(ownPid));

/** The same for all that lies in the worker's directory: also the repositories and working trees in it. */
export const worksWithin = (
  one: AtWork,
  worker: WorkerView,
  ownPid: number | null,
  index: TownIndex,
): boolean => worksAt(one, worker, ownPid, index, (path) => isWithin(path, worker.worker));
