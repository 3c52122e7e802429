/** Reads what killed runs left beside locks. Writes nothing. */
import { MAX_LOCK_BYTES, parseCompanion } from '../../core/record/lock-record.ts';
import { claimsWorker } from '../../core/town/lock-rules.ts';
import { inNameOrder } from '../../core/town/name-order.ts';
import type { Leftover, LockFile, LoneCompanion } from '../../core/types/evidence.ts';
import { displayPath } from '../../io/disk/disk-path.ts';
import { readingCalls, readSmallFile } from '../../io/disk/small-file.ts';
import { existsSync, lstatSync } from '../../io/file-systems/servers.ts';
import type { FoundLeftover } from '../scan/scan.ts';
import { placeName } from '../town/outside-trees.ts';
import { agentTable } from './lock-table.ts';

/** The regular files that killed runs left behind, sorted by path; those that have vanished since are left out. */
export const readLeftovers = (found: readonly FoundLeftover[], root: string): readonly Leftover[] =>
  inNameOrder(
    found.flatMap((each) => {
      const mtimeMs = regularFileTime(each);
      if (mtimeMs === null) return [];
      return [
        { worker: placeName(root, each.place), path: displayPath(each.path), kind: each.kind, mtimeMs },
      ];
    }),
    ({ path }) => path,
  );

/** Modification time in milliseconds; null for anything that is not a regular file, or cannot be looked at. */
const regularFileTime = ({ path }: FoundLeftover): number | null => {
  try {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    return stat?.isFile() ? Math.floor(stat.mtimeMs) : null;
  } catch {
    return null; // whatever is wrong with its directory, the scan has reported
  }
};

/** Second records of workers (relative to the real path `root`) that have no lock, or had one that was removed. Reads only. */
export const readLoneCompanions = (
  root: string,
  workers: readonly string[],
  locks: readonly LockFile[],
): readonly LoneCompanion[] => {
  const locked = new Set(
    locks.filter((lock) => claimsWorker(lock) && lock.layout === 'runtime').map(({ worker }) => worker),
  );
  return workers
    .filter((worker) => !locked.has(worker))
    .flatMap((worker) => agentTable.companions.map((name) => ({ worker, path: `${root}/${worker}/${name}` })))
    .flatMap(({ worker, path }) => {
      // Nearly always there is none, and asking first is faster than catching an error.
      if (!existsSync(path)) return [];
      const reading = readSmallFile(readingCalls, path, MAX_LOCK_BYTES);
      const holder = reading.kind === 'file' ? parseCompanion(reading.bytes) : null;
      return holder === null ? [] : [{ worker, holder }];
    });
};
