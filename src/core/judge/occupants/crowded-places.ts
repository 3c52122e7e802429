/**
 * Where agents could be in each other's way: at the workers, and in every other directory in which agents are seen at work,
 * whether or not anybody holds a lock there. Pure.
 */
import { homeOf } from '../../town/belonging.ts';
import { type PaneView, processKey, type TownIndex } from '../../town/views.ts';
import { listAtWork } from './at-work.ts';

export interface CrowdedPlaces {
  /** Places to look at, relative to the town. */
  readonly places: ReadonlySet<string>;
  /** Every place at which an agent without a role is, be it alone. */
  readonly inhabited: readonly string[];
  /** The same evidence, with the directory of every agent that is in nobody's place as its own home. */
  readonly index: TownIndex;
}

/** An agent with a role in this town visits other places; it belongs to none of them. */
const hasPlaceOfItsOwn = (view: PaneView | undefined): boolean =>
  view !== undefined && view.placedRoles.length + view.nameRoles.length > 0;

/** Directories of agents without a role, with the keys of those agents. */
const agentsByDirectory = (index: TownIndex): ReadonlyMap<string, ReadonlySet<string>> => {
  const found = new Map<string, Set<string>>();
  const add = (path: string, key: string): void => {
    found.set(path, (found.get(path) ?? new Set()).add(key));
  };
  for (const view of index.machine.panes) {
    if (view.agent === null || view.path === null || view.asking || view.pane.dead) continue;
    if (!hasPlaceOfItsOwn(view)) add(view.path, view.key);
  }
  for (const { process, pids, paths } of listAtWork('agent', index)) {
    if (paths.length === 0) continue;
    const view = pids.map((pid) => index.machine.paneByPid.get(pid)).find((pane) => pane !== undefined);
    if (!hasPlaceOfItsOwn(view))
      for (const path of paths) add(path, view?.key ?? processKey(index.machine.key, process.pid));
  }
  return found;
};

/** Outside Gas Towns a directory with a worker's name is one only where nothing around it says whose it is. */
const knownWorkers = (index: TownIndex): readonly string[] => {
  const { asked, town } = index.snapshot;
  if (asked.length > 0) return asked;
  return town.marked
    ? town.workers
    : town.workers.filter((worker) => (homeOf(worker, index) ?? worker) === worker);
};

/** The places at which several agents may be at work. */
export const crowdedPlaces = (index: TownIndex, locked: Iterable<string>): CrowdedPlaces => {
  const places = new Set([...knownWorkers(index), ...locked]);
  const agents = agentsByDirectory(index);
  if (agents.size === 0) return { places, inhabited: [], index };
  const roles = new Set([...places].map((place) => index.viewOf(place).owner?.role));
  const homeless = new Set<string>();
  const crowds = new Map<string, Set<string>>();
  for (const [path, keys] of agents) {
    const home = homeOf(path, index);
    if (home === null) homeless.add(path);
    const place = home ?? path;
    const role = index.viewOf(place).owner?.role;
    if (role !== undefined && roles.has(role)) continue;
    crowds.set(place, new Set([...(crowds.get(place) ?? []), ...keys]));
  }
  if (index.snapshot.asked.length === 0)
    for (const [place, keys] of crowds) if (keys.size > 1) places.add(place);
  const homes = homeless.size === 0 ? index.homes : new Set([...index.homes, ...homeless]);
  const inhabited = index.snapshot.asked.length === 0 ? [...crowds.keys()] : [];
  return { places, inhabited, index: homes === index.homes ? index : { ...index, homes } };
};
