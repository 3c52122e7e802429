import { isLockHome, LOCK_HOMES } from './lock-names.ts';
import {
  type Findings,
  listSubdirectories,
  lookAt,
  type Place,
  sightLocks,
  type WalkOptions,
} from './walk.ts';

/** A directory of the known layout: what may lie in it, by exact name or, with `*`, by any other name. */
interface Layout {
  readonly [name: string]: Layout;
}

const HERE: Layout = {};

/** Where Gas Town puts workers (field notes, "Town layout"). Every directory of it may hold a lock. */
const TOWN_LAYOUT: Layout = {
  mayor: { rig: HERE },
  deacon: { dogs: { '*': { '*': HERE } } },
  '*': {
    mayor: { rig: HERE },
    refinery: { rig: HERE },
    witness: { rig: HERE },
    crew: { '*': HERE },
    polecats: { '*': { '*': HERE } },
  },
};

/** All directories below `root` that fit the known layout, the root first. Costs one listing per `*`. */
export function knownPlaces(root: string, options: WalkOptions, findings: Findings): readonly Place[] {
  const places: Place[] = [];
  const visit = (place: Place, layout: Layout): void => {
    places.push(place);
    const wildcard = layout['*'];
    for (const [name, inner] of Object.entries(layout)) {
      if (name !== '*') visitIfPresent(childOf(place, name), inner);
    }
    if (wildcard === undefined) return;
    for (const { name, child } of listSubdirectories(place, options, findings)) {
      if (!Object.hasOwn(layout, name) && !isLockHome(name) && !options.prune.has(name))
        visit(child, wildcard);
    }
  };
  const visitIfPresent = (place: Place, layout: Layout): void => {
    if (lookAt(options.disk, place, findings)?.isDirectory()) visit(place, layout);
  };
  visit({ path: root, raw: false }, TOWN_LAYOUT);
  return places;
}

/** Looks for locks in exactly these directories, not below them. A place that does not exist is no gap. */
export function searchPlaces(places: readonly Place[], options: WalkOptions, findings: Findings): void {
  for (const place of places) {
    for (const home of Object.keys(LOCK_HOMES)) {
      const path = childOf(place, home);
      if (lookAt(options.disk, path, findings)?.isDirectory()) sightLocks(path, options, findings);
    }
  }
}

/** Each path, if it lies in the root, with all its ancestors up to the root; symlinked directories end the way. */
export function withAncestors(
  root: string,
  paths: readonly string[],
  options: WalkOptions,
  findings: Findings,
): readonly Place[] {
  const known = new Map<string, boolean>([[root, true]]);
  const prefix = root === '/' ? root : `${root}/`;
  for (const path of paths) {
    if (!path.startsWith(prefix)) continue;
    let place: Place = { path: root, raw: false };
    for (const name of path.slice(prefix.length).split('/')) {
      place = childOf(place, name);
      const isDirectory =
        known.get(place.path) ?? lookAt(options.disk, place, findings)?.isDirectory() ?? false;
      known.set(place.path, isDirectory);
      if (!isDirectory) break;
    }
  }
  return [...known].filter(([, isDirectory]) => isDirectory).map(([path]) => ({ path, raw: false }));
}

const childOf = ({ path, raw }: Place, name: string): Place => ({
  path: path === '/' ? `/${name}` : `${path}/${name}`,
  raw,
});
