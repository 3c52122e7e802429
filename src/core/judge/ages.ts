/** How old a lock is, and what that delays: a lock this young may still be about to change. */
import type { TownIndex } from '../town/views.ts';
import type { LockFile, LockRecord } from '../types/evidence.ts';

/** Spawn helpers take the lock and exit; until then their pane may not exist yet. */
const PRIMING_MS = 60_000;

/** A worker's lock this young may still be about to change: repair leaves it for now. */
export const FRESH_MS = 30_000;

const freshMsOf = ({ rules }: LockFile): number => rules?.freshMs ?? FRESH_MS;

const isYoung = (ageMs: number | null, limitMs: number): boolean =>
  ageMs !== null && Math.abs(ageMs) < limitMs;

/** Milliseconds from that moment to the snapshot; null where the moment is not known. */
export const ageOf = (sinceMs: number | null, index: TownIndex): number | null =>
  sinceMs === null ? null : index.snapshot.takenAtMs - sinceMs;

/** Whole seconds since the lock's file was last written; null where that is not known, and for anything but a regular file. */
export const writtenSecondsAgo = (
  { mtimeMs, isRegularFile }: Pick<LockFile, 'mtimeMs' | 'isRegularFile'>,
  index: TownIndex,
): number | null => {
  const ageMs = isRegularFile ? ageOf(mtimeMs, index) : null;
  return ageMs === null ? null : Math.round(ageMs / 1000);
};

/** Young by its file and by its record: a checkout or a copy makes the file of an old lock young, but not the lock. */
export const isPriming = (lock: LockFile, record: LockRecord, index: TownIndex): boolean =>
  isYoung(ageOf(lock.mtimeMs, index), PRIMING_MS) &&
  (record.acquiredAtMs === null || isYoung(ageOf(record.acquiredAtMs, index), PRIMING_MS));

/** A file of unknown age counts as fresh: nothing says that it is not being written. */
export const isFresh = (lock: LockFile, index: TownIndex): boolean =>
  lock.mtimeMs === null || isYoung(ageOf(lock.mtimeMs, index), freshMsOf(lock));

/** Whole seconds until the file is no longer fresh, at least one. */
export const secondsLeft = (lock: LockFile, index: TownIndex): number =>
  Math.max(1, Math.ceil((freshMsOf(lock) - Math.abs(ageOf(lock.mtimeMs, index) ?? 0)) / 1000));
