/** Says of a release that its lock has no place any more. Reads only. */
import { dirname } from 'node:path';
import { restoredIds } from '../../core/report/choose-events.ts';
import type { LockKind } from '../../core/types/evidence.ts';
import type { HistoryEvent } from '../../core/types/history.ts';
import type { SystemCalls } from '../../io/disk/system-calls.ts';
import { tryOr } from '../../io/try-or.ts';
import { longPath } from '../repair-context.ts';

/**
 * A clause if the directory of the lock is gone, and with it the backup beside the lock: `git worktree remove` and `prune` do
 * that. Null if it is there. Throws what lstat throws.
 */
export const removedSince = (
  kind: LockKind,
  backup: string,
  calls: SystemCalls,
  townRoot: string,
): string | null => {
  const directory = dirname(longPath(townRoot, backup));
  if (calls.lstat(directory) !== undefined) return null;
  return kind === 'git-worktree'
    ? 'the worktree was removed since the release'
    : `the directory ${directory} is gone`;
};

/** These clauses by the ids of the releases that were not restored; a directory that cannot be looked at counts as there. */
export const removedReleases = (
  events: readonly HistoryEvent[],
  calls: SystemCalls,
  townRoot: string,
): ReadonlyMap<string, string> => {
  const back = restoredIds(events);
  return new Map(
    events.flatMap(({ deed, id, backup, lock }): readonly (readonly [string, string])[] => {
      if (deed !== 'released' || id === null || backup === null || lock === null || back.has(id)) return [];
      const removed = tryOr(() => removedSince(lock.kind, backup, calls, townRoot), null);
      return removed === null ? [] : [[id, removed]];
    }),
  );
};
