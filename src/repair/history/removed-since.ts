/** Says of a release that its lock has no place any more. Reads only. */
import type { BigIntStats } from 'node:fs';
import { dirname } from 'node:path';
import { restoredIds } from '../../core/report/choose-events.ts';
import type { LockKind } from '../../core/types/evidence.ts';
import type { HistoryEvent } from '../../core/types/history.ts';
import type { SystemCalls } from '../../io/disk/system-calls.ts';
import { tryOr } from '../../io/try-or.ts';
import { longPath } from '../repair-context.ts';

/**
 * A clause if the directory of the lock is gone, and with it the backup beside the lock: `git worktree remove` and `prune` do
 * that. Another one may have its name since. Null if it is there. Throws what lstat throws.
 */
export const removedSince = (
  { kind, backup, at }: { readonly kind: LockKind; readonly backup: string; readonly at: string },
  calls: SystemCalls,
  townRoot: string,
): string | null => {
  const path = longPath(townRoot, backup);
  const directory = dirname(path);
  const stat = calls.lstat(directory);
  if (stat !== undefined && !(isMadeAfter(stat, at) && calls.lstat(path) === undefined)) return null;
  const other = stat === undefined ? '' : ', and another one has its name';
  return kind === 'git-worktree'
    ? `the worktree was removed since the release${other}`
    : `the directory ${directory} ${stat === undefined ? 'is gone' : `was removed since the release${other}`}`;
};

/** Where the disk keeps no birth time, it is 1970, or the time of the last change. */
const isMadeAfter = ({ birthtimeNs, ctimeNs }: BigIntStats, at: string): boolean =>
  birthtimeNs !== ctimeNs && birthtimeNs > BigInt(Date.parse(at)) * 1_000_000n;

/** These clauses by the ids of the releases that were not restored; a directory that cannot be looked at counts as there. */
export const removedReleases = (
  events: readonly HistoryEvent[],
  calls: SystemCalls,
  townRoot: string,
): ReadonlyMap<string, string> => {
  const back = restoredIds(events);
  return new Map(
    events.flatMap(({ at, deed, id, backup, lock }): readonly (readonly [string, string])[] => {
      if (deed !== 'released' || id === null || backup === null || lock === null || back.has(id)) return [];
      const removed = tryOr(() => removedSince({ kind: lock.kind, backup, at }, calls, townRoot), null);
      return removed === null ? [] : [[id, removed]];
    }),
  );
};
