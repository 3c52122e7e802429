/** Which releases of a history `doctor undo` can still restore. */
import { restoredIds } from '../../core/report/choose-events.ts';
import type { HistoryEvent } from '../../core/types/history.ts';
import type { SystemCalls } from '../../io/disk/system-calls.ts';
import { tryOr } from '../../io/try-or.ts';
import { longPath } from '../repair-context.ts';

/** Ids of releases that were not restored and whose kept copy is there; one that cannot be looked at counts as there. */
export const restorableIds = (
  events: readonly HistoryEvent[],
  calls: SystemCalls,
  townRoot: string,
): ReadonlySet<string> => {
  const back = restoredIds(events);
  return new Set(
    events.flatMap(({ deed, id, backup }) =>
      deed === 'released' &&
      id !== null &&
      backup !== null &&
      !back.has(id) &&
      mayExist(calls, longPath(townRoot, backup))
        ? [id]
        : [],
    ),
  );
};

const mayExist = (calls: SystemCalls, path: string): boolean =>
  tryOr(() => calls.lstat(path) !== undefined, true);
