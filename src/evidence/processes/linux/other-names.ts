/**
 * Which paths of other processes may lead into some directories, also under another name: through a bind mount, or in a container.
 * Told by the lists of mounts alone, for a look at a path hangs where its server does not answer.
 */
import { dirname } from 'node:path';
import { diskPlacesOf, mountedNamesOf } from '../../../io/file-systems/mounts.ts';
import type { ProcessDetails } from '../row.ts';

/** True where that process may know one of the directories, or something in it, by this absolute path. */
export type OtherNames = (pid: number, path: string) => boolean;

/** @param trees the directories: absolute, symlinks resolved */
export const otherNames = (
  trees: readonly string[],
  { mountNamespace, mountInfo }: Pick<ProcessDetails, 'mountNamespace' | 'mountInfo'>,
): OtherNames => {
  const read = (pid: number): readonly string[] | null => {
    const [ours, theirs] = [mountInfo(process.pid), mountInfo(pid)];
    if (ours === '' || theirs === '') return trees;
    const places = diskPlacesOf(ours, trees);
    const names = places === null ? null : mountedNamesOf(theirs, places);
    return names === null ? null : [...trees, ...names];
  };
  const ofNamespaces = new Map<string | null, (path: string) => boolean>([[null, leadsInto(trees)]]);
  return (pid, path) => {
    const namespace = mountNamespace(pid);
    let leads = ofNamespaces.get(namespace);
    if (leads === undefined) {
      const names = read(pid);
      leads = names === null ? () => true : leadsInto(names);
      ofNamespaces.set(namespace, leads);
    }
    return leads(path);
  };
};

/** Remembers each path: thousands of processes work in a few directories. */
const leadsInto = (directories: readonly string[]): ((path: string) => boolean) => {
  const known = new Map<string, boolean>(directories.map((directory) => [directory, true]));
  const leads = (path: string): boolean => {
    const before = known.get(path);
    if (before !== undefined) return before;
    const around = dirname(path);
    const found = around !== path && leads(around);
    known.set(path, found);
    return found;
  };
  return leads;
};
