/** Where agents live in the known layout of a town, and the locks at these places. */
import type { DiskPath } from '../../io/disk/disk-path.ts';
import {
  type Directory,
  listSubdirectories,
  lookAt,
  openHome,
  sightLocks,
  type Walked,
  type WalkOptions,
} from './walk.ts';

/**
 * A directory of the known layout: what may lie in it, by exact name, by `=` for the name of its rig, or by `*` for any
 * other name.
 */
interface Layout {
  readonly [name: string]: Layout;
}

const HERE: Layout = {};

const layoutWith = (polecat: Layout): Layout => ({
  mayor: { rig: HERE },
  deacon: { dogs: { '*': { '*': HERE } } },
  '*': {
    mayor: { rig: HERE },
    refinery: { rig: HERE },
    witness: { rig: HERE },
    crew: { '*': HERE },
    polecats: { '*': polecat },
  },
});

/** Where Gas Town puts workers (field notes, "Town layout"), and every other directory in which a lock may lie. */
export const LOCK_LAYOUT: Layout = layoutWith({ '*': HERE });

/** The workers' own directories alone: the inside of a polecat is its rig's worktree and need not be listed. */
export const WORKER_LAYOUT: Layout = layoutWith({ '=': HERE });

/**
 * All directories below `root` that fit a layout, the root first. Costs one listing per `*`, and one look per name unless
 * it is among the absolute paths of `seen` directories.
 */
export const knownPlaces = (
  root: string,
  layout: Layout,
  options: WalkOptions,
  walked: Walked,
  seen: ReadonlySet<DiskPath> = new Set(),
): readonly Directory[] => {
  const places: Directory[] = [];
  const visit = (place: Directory, inside: Layout, rig: string): void => {
    places.push(place);
    const { '*': wildcard, ...named } = inside;
    for (const [name, inner] of Object.entries(named)) {
      const itsName = name === '=' ? rig : name;
      const child = childOf(place, itsName);
      const isThere =
        (!child.raw && seen.has(child.path)) || lookAt(options.disk, child, walked)?.isDirectory();
      if (isThere) visit(child, inner, rig);
    }
    if (wildcard === undefined) return;
    for (const { name, child } of listSubdirectories(place, options, walked)) {
      if (
        !Object.hasOwn(named, name) &&
        options.homes.get(name)?.isClaimed !== true &&
        !options.prune.has(name)
      )
        visit(child, wildcard, rig || name);
    }
  };
  visit({ path: root, raw: false }, layout, '');
  return places;
};

/** Looks for locks in exactly these directories, not below them. A place that does not exist does not make a gap. */
export const searchPlaces = (places: readonly Directory[], options: WalkOptions, walked: Walked): void => {
  for (const place of places) {
    for (const [name, home] of options.homes) {
      const path = childOf(place, name);
      const isOpen = home.isClaimed
        ? openHome(path, options.disk, walked)
        : lookAt(options.disk, path, walked)?.isDirectory() === true;
      if (isOpen && home.isLock) walked.files.push({ home: place, names: [name] });
      else if (isOpen) sightLocks(path, home, options, walked);
    }
  }
};

/** Each path, if it lies in the root, with all its ancestors up to the root; symlinked directories end the way. */
export const withAncestors = (
  root: string,
  paths: readonly string[],
  options: WalkOptions,
  walked: Walked,
): readonly Directory[] => {
  const known = new Map<string, boolean>([[root, true]]);
  const prefix = root === '/' ? root : `${root}/`;
  for (const path of paths) {
    if (!path.startsWith(prefix)) continue;
    let place: Directory = { path: root, raw: false };
    for (const name of path.slice(prefix.length).split('/')) {
      place = childOf(place, name);
      const isDirectory =
        known.get(place.path) ?? lookAt(options.disk, place, walked)?.isDirectory() ?? false;
      known.set(place.path, isDirectory);
      if (!isDirectory) break;
    }
  }
  return [...known].filter(([, isDirectory]) => isDirectory).map(([path]) => ({ path, raw: false }));
};

const childOf = ({ path, raw }: Directory, name: string): Directory => ({
  path: path === '/' ? `/${name}` : `${path}/${name}`,
  raw,
});
