/** Reads what killed runs left beside locks. Writes nothing. */
import { lstatSync } from 'node:fs';
import type { Leftover } from '../../core/types/evidence.ts';
import { displayPath } from '../../io/disk/disk-path.ts';
import type { FoundLeftover } from '../scan/scan.ts';
import { placeName } from '../town/outside-trees.ts';

/** The regular files that killed runs left behind, sorted by path; those that have vanished since are left out. */
export const readLeftovers = (found: readonly FoundLeftover[], root: string): readonly Leftover[] =>
  found
    .flatMap((each) => {
      const mtimeMs = regularFileTime(each);
      if (mtimeMs === null) return [];
      return [
        { worker: placeName(root, each.place), path: displayPath(each.path), kind: each.kind, mtimeMs },
      ];
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));

/** Modification time in milliseconds; null for anything that is not a regular file, or cannot be looked at. */
const regularFileTime = ({ path }: FoundLeftover): number | null => {
  try {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    return stat?.isFile() ? Math.floor(stat.mtimeMs) : null;
  } catch {
    return null; // whatever is wrong with its directory, the scan has reported
  }
};
