/**
 * Which paths of other processes lead into some directories, also under another name: through a bind mount, or in a container. Told by
 * the lists of mounts alone, for a look at a path hangs where its server does not answer.
 */
import { dirname } from 'node:path';
import { diskPlacesOf, mountedNamesOf } from '../../../io/file-systems/mounts.ts';
import type { ProcessDetails } from '../row.ts';

/** Our path for what that process knows by this absolute path, if it lies in one of the directories; null if not, or `untold`. */
export type OtherNames = (pid: number, path: string) => string | 'untold' | null;

/** @param trees the directories: absolute, symlinks resolved */
export const otherNames = (
  trees: readonly string[],
  { mountNamespace, mountInfo }: Pick<ProcessDetails, 'mountNamespace' | 'mountInfo'>,
): OtherNames => {
  const own = trees.map((tree) => [tree, tree] as const);
  const read = (pid: number): ((path: string) => string | 'untold' | null) => {
    const ours = mountInfo(process.pid);
    // A path of our own namespace is shown as we know it, whatever root that process has.
    const theirs = mountNamespace(pid) === mountNamespace(process.pid) ? ours : mountInfo(pid);
    if (ours === '' || theirs === '') return translator(own);
    const places = diskPlacesOf(ours, trees);
    const names = places === null ? null : mountedNamesOf(theirs, places);
    return names === null ? () => 'untold' : translator([...names, ...own]);
  };
  const ofNamespaces = new Map([[null as string | null, translator(own)]]);
  return (pid, path) => {
    const namespace = mountNamespace(pid);
    let translate = ofNamespaces.get(namespace);
    if (translate === undefined) {
      translate = read(pid);
      ofNamespaces.set(namespace, translate);
    }
    return translate(path);
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
