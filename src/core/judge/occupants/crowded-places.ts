/**
 * Where agents could collide: at the workers, and in every other directory in which agents are seen at work, whether or not
 * there is a lock. Pure.
 */
import { homeOf } from '../../town/belonging.ts';
import { paneOf } from '../../town/machine-index.ts';
import { type PaneView, processKey, type TownIndex } from '../../town/views.ts';
import { listAtWork } from './at-work.ts';

export interface CrowdedPlaces {
  /** Places to look at, relative to the town. */
  readonly places: ReadonlySet<string>;
  /** Every place with an agent that has no role, even if it is alone there. */
  readonly inhabited: readonly string[];
  /** The same evidence, in which the directory of every agent outside all known places is a home of its own. */
  readonly index: TownIndex;
}

/** An agent with a role in this town has a place of its own: it may visit others, but belongs to none of them. */
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
    const view = paneOf(pids, index);
    if (!hasPlaceOfItsOwn(view))
      for (const path of paths) add(path, view?.key ?? processKey(index.machine.key, process.pid));
  }
  return found;
};

/** Outside Gas Towns a directory with a worker's name counts as a worker only where nothing around it says otherwise. */
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
