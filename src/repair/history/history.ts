/** The whole journal as a history: what was released, what became of it, and what was restored. Reads only. */
import type { ByWhom, History, HistoryDeed, HistoryEvent } from '../../core/types/history.ts';
import type { SystemCalls } from '../../io/disk/system-calls.ts';
import { describeFailure } from '../../io/programs/describe-failure.ts';
import { endsRelease, type OutcomeEntry, type ReleaseEntry, type TakeOverEntry } from '../journal.ts';
import { readJournal } from '../read-journal.ts';

/** `undo` tells who began it; a later event tells how it ended. */
const DEEDS: Readonly<Record<OutcomeEntry['event'], HistoryDeed | null>> = {
  released: 'released',
  'not-released': 'not-released',
  undo: null,
  undone: 'restored',
  'not-undone': 'not-restored',
  tidied: 'tidied',
};

const noRelease = (worker: string) => ({ id: null, worker, backup: null, lock: null });

/** Reads the history from a town's journal, the oldest event first. `missing` says where the journal could not be read. */
export const readHistory = (calls: SystemCalls, townRoot: string): History => {
  const events: HistoryEvent[] = [];
  const releases = new Map<string, ReleaseEntry>();
  const open = new Map<string, ReleaseEntry>();
  const undoing = new Map<string, ByWhom | null>();
  let damaged = 0;
  let missing: string | null = null;
  try {
    for (const line of readJournal(calls, townRoot)) {
      if (line.kind === 'damaged') {
        damaged += 1;
        continue;
      }
      const { entry } = line;
      if (entry.event === 'release') {
        releases.set(entry.id, entry);
        open.set(entry.id, entry);
      } else if (entry.event === 'taken-over') events.push(takenOver(entry));
      else if (entry.event === 'lease-revoked') {
        const { id, at, event: deed, by, reason } = entry;
        events.push({ ...noRelease(id), at, deed, by, reason });
      } else {
        const { event, id, at, reason, by = null } = entry;
        if (endsRelease(event)) open.delete(id);
        if (event === 'undo') undoing.set(id, by);
        const deed = DEEDS[event];
        const release = releases.get(id) ?? null;
        // An outcome without its release: that line was damaged, and is counted.
        if (deed === null || (deed !== 'tidied' && release === null)) continue;
        const whose = event === 'undone' || event === 'not-undone' ? (undoing.get(id) ?? null) : null;
        events.push(
          release === null
            ? { ...noRelease(id), at, deed, by, reason }
            : { ...aboutRelease(release), at, deed, by: whose ?? by ?? release.by, reason },
        );
      }
    }
  } catch (error) {
    missing = describeFailure(error);
  }
  if (missing === null && damaged > 0)
    missing = `${damaged} ${damaged === 1 ? 'line is' : 'lines are'} damaged`;
  const begun = [...open.values()].map((entry): HistoryEvent => {
    const { at, by } = entry;
    return { ...aboutRelease(entry), at, deed: 'begun', by, reason: null };
  });
  return { events: [...events, ...begun].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)), missing };
};

const aboutRelease = ({ id, worker, backup, kind, state, forced, holder }: ReleaseEntry) => ({
  id,
  worker,
  backup,
  lock: { kind, state, forced, holder },
});

/** Only a stale lock of an agent is taken over. */
const takenOver = ({ id, at, holder, by, reason }: TakeOverEntry): HistoryEvent => ({
  ...noRelease(id),
  at,
  deed: 'taken-over',
  lock: { kind: 'agent', state: 'stale', forced: false, holder },
  by,
  reason,
});
