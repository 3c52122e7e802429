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
  /** By mount namespace; null where everything may lead there. */
  const known = new Map<string | null, ReadonlySet<string> | null>([[null, new Set(trees)]]);
  const read = (pid: number): ReadonlySet<string> | null => {
    const [ours, theirs] = [mountInfo(process.pid), mountInfo(pid)];
    if (ours === '' || theirs === '') return new Set(trees);
    const places = diskPlacesOf(ours, trees);
    const names = places === null ? null : mountedNamesOf(theirs, places);
    return names === null ? null : new Set([...trees, ...names]);
  };
  return (pid, path) => {
    const namespace = mountNamespace(pid);
    let names = known.get(namespace);
    if (names === undefined) {
      names = read(pid);
      known.set(namespace, names);
    }
    return names === null || isInOneOf(names, path);
  };
};

const isInOneOf = (directories: ReadonlySet<string>, path: string): boolean => {
  for (let at = path; ; at = dirname(at)) {
    if (directories.has(at)) return true;
    if (at === dirname(at)) return false;
  }
};
