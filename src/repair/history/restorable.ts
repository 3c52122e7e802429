/** Which releases of a history `doctor undo` can still restore. */
import { restoredIds } from '../../core/report/choose-events.ts';
import type { HistoryEvent } from '../../core/types/history.ts';
import type { SystemCalls } from '../../io/disk/system-calls.ts';
import { tryOr } from '../../io/try-or.ts';
import { longPath } from '../repair-context.ts';

/** A release that happened, or that a killed run began. */
export type RestorableEvent = HistoryEvent & { readonly id: string };

/**
 * Releases that were not restored and whose kept copy is there, also those of a killed run; one that cannot be looked at counts as
 * there.
 */
export const restorableReleases = (
  events: readonly HistoryEvent[],
  calls: SystemCalls,
  townRoot: string,
): ReadonlySet<RestorableEvent> => {
  const back = restoredIds(events);
  return new Set(
    events.filter(
      (event): event is RestorableEvent =>
        (event.deed === 'released' || event.deed === 'begun') &&
        event.id !== null &&
        event.backup !== null &&
        !back.has(event.id) &&
        mayExist(calls, longPath(townRoot, event.backup)),
    ),
  );
};

const mayExist = (calls: SystemCalls, path: string): boolean =>
  tryOr(() => calls.lstat(path) !== undefined, true);
