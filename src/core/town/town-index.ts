/** One snapshot, arranged for judging: the town's workers and its locks by content, and the machine that was asked. Pure. */
import { groupBy } from '../group-by.ts';
import { remembering } from '../remembering.ts';
import type { LockFile, Snapshot } from '../types/evidence.ts';
import { homeOf } from './belonging.ts';
import { claimsWorker } from './lock-rules.ts';
import { indexMachine } from './machine-index.ts';
import { ownerOf, relativeTo, rolesOf } from './roles.ts';
import { HERE, type TownIndex, type WorkerView } from './views.ts';

const NOBODY: readonly string[] = [];

const workerViewer = ({ town: { rigs } }: Snapshot): TownIndex['viewOf'] =>
  remembering((worker: string): WorkerView => {
    const owner = ownerOf(worker);
    return { worker, owner, roles: owner === null ? NOBODY : rolesOf(owner, rigs) };
  });

/** The roles of the agents that this town is known to have. */
const rolesInTown = (
  { town: { workers }, asked, locks }: Snapshot,
  viewOf: TownIndex['viewOf'],
): ReadonlySet<string> => {
  const roles = new Set<string>();
  const add = (worker: string): void => {
    for (const role of viewOf(worker).roles) roles.add(role);
  };
  workers.forEach(add);
  asked.forEach(add);
  for (const lock of locks) if (claimsWorker(lock)) add(lock.worker);
  return roles;
};

/** These directories and all above them: `a/b/c`, `a/b`, `a`. */
const withAncestors = (paths: Iterable<string>): ReadonlySet<string> => {
  const found = new Set<string>();
  for (const path of paths)
    for (let place = path; place !== '' && !found.has(place); ) {
      found.add(place);
      place = place.slice(0, Math.max(0, place.lastIndexOf('/')));
    }
  return found;
};

const NO_LOCKS: readonly LockFile[] = [];

/** Locks by the PIDs that they name; arranged at the first question, which most runs never ask. */
const lockFinder = (locks: readonly LockFile[]): TownIndex['locksNaming'] => {
  let byPid: ReadonlyMap<number, readonly LockFile[]> | null = null;
  const pidOf = ({ content, companion }: LockFile): number | null =>
    content.kind === 'record' ? (content.record.holder ?? companion ?? content.record).pid : null;
  return (pid) => {
    byPid ??= groupBy(locks, pidOf);
    return byPid.get(pid) ?? NO_LOCKS;
  };
};

/** Arranges a snapshot for judging. Linear in its size. */
export const indexSnapshot = (snapshot: Snapshot): TownIndex => {
  const viewOf = workerViewer(snapshot);
  const claims = snapshot.locks.filter(claimsWorker);
  const lockWorkers = new Set(claims.map((lock) => lock.worker));
  const { trees = [] } = snapshot.town;
  const homes = trees.length === 0 ? lockWorkers : new Set([...lockWorkers, ...trees]);
  const aboveLocks = withAncestors(lockWorkers);
  const { machine, town, asked } = snapshot;
  const places = { snapshot, homes: new Set([...homes, ...asked]), aboveLocks };
  const placeOf = (path: string): string | null => {
    const inside = relativeTo(town.root, path);
    return inside === null ? null : homeOf(inside, places);
  };
  const isSamePlace = (one: string, other: string): boolean => {
    const place = placeOf(one);
    return one === other || (place !== null && place === placeOf(other));
  };
  return {
    snapshot,
    machine: indexMachine(machine, town, rolesInTown(snapshot, viewOf), HERE, isSamePlace),
    viewOf,
    homes,
    aboveLocks,
    locksByDigest: groupBy(claims, (lock) =>
      lock.content.kind === 'record' ? (lock.stamp?.sha256 ?? null) : null,
    ),
    locksNaming: lockFinder(claims),
  };
};
