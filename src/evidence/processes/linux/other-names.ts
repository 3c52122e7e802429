/**
 * Which paths of other processes lead into some directories, also under another name: through a bind mount, or in a container. Told by
 * the lists of mounts alone, for a look at a path hangs where its server does not answer.
 */
import { readlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { remembering } from '../../../core/remembering.ts';
import { diskPlacesOf, isAround, mountedNamesOf } from '../../../io/file-systems/mounts.ts';
import { serversApart } from '../../../io/file-systems/servers.ts';
import { tryOr } from '../../../io/try-or.ts';
import type { ProcessDetails } from '../row.ts';

export interface OtherNames {
  /** Our path for what that process knows by this absolute path, if it lies in one of the directories; null if not, or `untold`. */
  readonly nameOf: (pid: number, path: string) => string | 'untold' | null;
  /**
   * Where the file system of a server is mounted, as that process knows it, around a path that lies in none of the directories: a look
   * at it may wait for ever. Null for every other path.
   */
  readonly serverAt: (pid: number, path: string) => string | null;
  /** False where no path of that process leads into one of the directories, as in a container without them. */
  readonly mayLead: (pid: number) => boolean;
}

/** What the lists of mounts of one namespace tell. */
interface Told {
  readonly nameOf: (path: string) => string | 'untold' | null;
  readonly servers: readonly string[];
  readonly mayLead: boolean;
}

/**
 * @param trees the directories: absolute, symlinks resolved
 * @param near those whose own servers are trusted to answer: by default all of them
 */
export const otherNames = (
  trees: readonly string[],
  {
    mountNamespace,
    mountInfo,
    doorToRoot,
  }: Pick<ProcessDetails, 'mountNamespace' | 'mountInfo' | 'doorToRoot'>,
  near = trees,
): OtherNames => {
  const own = trees.map((tree) => [tree, tree] as const);
  const read = (pid: number): Told => {
    const ours = mountInfo(process.pid);
    // A path of our own namespace is shown as we know it, whatever root that process has.
    const theirs = mountNamespace(pid) === mountNamespace(process.pid) ? ours : mountInfo(pid);
    if (ours === '' || theirs === '') return { nameOf: translator(own), servers: [], mayLead: true };
    const places = diskPlacesOf(ours, trees);
    const names = places === null ? null : mountedNamesOf(theirs, places);
    return names === null
      ? { nameOf: () => 'untold', servers: [], mayLead: true }
      : {
          nameOf: translator([...names, ...own]),
          servers: serversApart(theirs, ours, near),
          mayLead: names.size > 0,
        };
  };
  const ours = mountNamespace(process.pid);
  const ofRoots = new Map<string, Told>();
  /** What its mounts tell, and its root directory: they tell it as `/`, while its paths are seen from that of its namespace. */
  const viewOf = remembering((pid: number): { readonly told: Told; readonly root: string } => {
    const namespace = mountNamespace(pid);
    const root = namespace === ours ? '/' : tryOr(() => readlinkSync(doorToRoot(pid) ?? ''), '/');
    const key = `${namespace} ${root}`;
    const told =
      ofRoots.get(key) ??
      (namespace === null ? { nameOf: translator(own), servers: [], mayLead: true } : read(pid));
    ofRoots.set(key, told);
    return { told, root };
  });
  const isWithin = (root: string, path: string): boolean => root !== '/' && isAround(root, path);
  const inside = (root: string, path: string): string =>
    isWithin(root, path) ? path.slice(root.length) || '/' : path;
  return {
    nameOf: (pid, path) => {
      const { told, root } = viewOf(pid);
      const name = told.nameOf(inside(root, path));
      return name === null && root !== '/' && !isWithin(root, path) ? 'untold' : name;
    },
    serverAt: (pid, path) => {
      const { told, root } = viewOf(pid);
      const place = inside(root, path);
      const at = told.servers.find((server) => isAround(server, place));
      return at === undefined || told.nameOf(place) !== null ? null : at;
    },
    mayLead: (pid) => viewOf(pid).told.mayLead,
  };
};

/** Remembers each path: thousands of processes work in a few directories. */
const translator = (
  names: Iterable<readonly [theirs: string, ours: string]>,
): ((path: string) => string | 'untold' | null) => {
  const known = new Map<string, string | null>(names);
  const translate = (path: string): string | null => {
    const before = known.get(path);
    if (before !== undefined) return before;
    const around = dirname(path);
    const place = around === path ? null : translate(around);
    const found = place === null ? null : place + path.slice(around === '/' ? 0 : around.length);
    known.set(path, found);
    return found;
  };
  return translate;
};
