/** The whole journal as a history: what was released, what became of it, and what was put back. Reads only. */
import type { History, HistoryDeed, HistoryEvent } from '../core/types/history.ts';
import type { SystemCalls } from '../io/disk/system-calls.ts';
import { describeFailure } from '../io/programs/describe-failure.ts';
import type { OutcomeEntry, ReleaseEntry } from './journal.ts';
import { readJournal } from './read-journal.ts';

/** `undo` says that it begins, and what follows says how it ended. */
const DEEDS: Readonly<Record<OutcomeEntry['event'], HistoryDeed | null>> = {
  released: 'released',
  'not-released': 'not-released',
  undo: null,
  undone: 'restored',
  'not-undone': 'not-restored',
  tidied: 'tidied',
};

/** What the journal of a town tells, the oldest first. A journal that cannot be read, or not all of it, says so. */
export const readHistory = (calls: SystemCalls, townRoot: string): History => {
  const events: HistoryEvent[] = [];
  const releases = new Map<string, ReleaseEntry>();
  const open = new Map<string, ReleaseEntry>();
  let damaged = 0;
  let missing: string | null = null;
  try {
    for (const line of readJournal(calls, townRoot)) {
      if (line.kind === 'damaged') damaged += 1;
      else if (line.entry.event === 'release') {
        releases.set(line.entry.id, line.entry);
        open.set(line.entry.id, line.entry);
      } else {
        const { event, id, at, reason } = line.entry;
        open.delete(id);
        const deed = DEEDS[event];
        const release = releases.get(id) ?? null;
        // An outcome of a release that nothing tells of: its line was damaged, and is counted.
        if (deed === null || (deed !== 'tidied' && release === null)) continue;
        events.push(eventOf(deed, at, reason, release, id));
      }
    }
  } catch (error) {
    missing = describeFailure(error);
  }
  if (missing === null && damaged > 0)
    missing = `${damaged} ${damaged === 1 ? 'line is' : 'lines are'} damaged`;
  const begun = [...open.values()].map((entry) => eventOf('begun', entry.at, null, entry, entry.id));
  return { events: [...events, ...begun].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)), missing };
};

const eventOf = (
  deed: HistoryDeed,
  at: string,
  reason: string | null,
  release: ReleaseEntry | null,
  id: string,
): HistoryEvent =>
  release === null
    ? { at, deed, id: null, worker: id, lock: null, reason }
    : {
        at,
        deed,
        id,
        worker: release.worker,
        lock: {
          kind: release.kind,
          state: release.state,
          forced: release.forced,
          holder: release.holder,
        },
        reason,
      };
