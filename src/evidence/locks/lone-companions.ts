/** Reads the second records that outlived their locks. */
import { MAX_LOCK_BYTES, parseCompanion } from '../../core/record/lock-record.ts';
import { claimsWorker } from '../../core/town/lock-rules.ts';
import type { LockFile, LoneCompanion } from '../../core/types/evidence.ts';
import { readingCalls, readSmallFile } from '../../io/disk/small-file.ts';
import { existsSync } from '../../io/file-systems/servers.ts';
import { agentTable } from './lock-table.ts';

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
