/** Finds events in the journals of other roots: without a marker the root is the working directory, which varies. Reads only. */
import { dirname, join } from 'node:path';
import { AGENT_HOME } from '../../core/record/lock-names.ts';
import { runOf } from '../../core/report/choose-events.ts';
import { relativeTo } from '../../core/town/roles.ts';
import type { HistoryEvent, ReleasedElsewhere } from '../../core/types/history.ts';
import { workingTreesAround } from '../../evidence/git/same-repository.ts';
import type { SystemCalls } from '../../io/disk/system-calls.ts';
import { readdirSync } from '../../io/file-systems/servers.ts';
import { longPath } from '../repair-context.ts';
import { readHistory } from './history.ts';
import { restorableReleases } from './restorable.ts';

/** Directories with more entries are not searched. */
const MAX_BELOW = 1000;

/** What the journal of another root says of places at or below this one. */
export interface HistoryElsewhere {
  /** The root whose journal it is, absolute. */
  readonly root: string;
  readonly events: readonly HistoryEvent[];
  /** What can still be restored of it. */
  readonly releases: readonly ReleasedElsewhere[];
}

/**
 * What the journals of a directory above `townRoot`, of one directly below it, and of a working tree of its repository say of
 * places at or below it. The main working tree is also told of the linked ones, wherever they lie. A journal that cannot be read is
 * skipped here: an undo in that root says why.
 */
export const historiesElsewhere = (calls: SystemCalls, townRoot: string): readonly HistoryElsewhere[] => {
  const trees = workingTreesAround(townRoot);
  const places = trees[0] === townRoot ? trees : [townRoot];
  const roots = new Set([...directoriesAbove(townRoot), ...directoriesBelow(townRoot), ...trees]);
  roots.delete(townRoot);
  return [...roots].flatMap((root): readonly HistoryElsewhere[] => {
    const { events: all } = readHistory(calls, root);
    const isHere = ({ worker }: HistoryEvent): boolean =>
      places.some((place) => relativeTo(place, longPath(root, worker)) !== null);
    const events = all.filter(isHere);
    if (events.length === 0) return [];
    const restorable = [...restorableReleases(all, calls, root)];
    const notHere = new Set(restorable.filter((event) => !isHere(event)).map(({ id }) => runOf(id)));
    const releases = restorable.filter(isHere).map(({ id, worker }) => {
      const run = runOf(id);
      return { root, id, run: notHere.has(run) ? null : run, directory: longPath(root, worker) };
    });
    return [{ root, events, releases }];
  });
};

/** The releases among them that can still be restored. */
export const releasedElsewhere = (calls: SystemCalls, townRoot: string): readonly ReleasedElsewhere[] =>
  historiesElsewhere(calls, townRoot).flatMap(({ releases }) => releases);

const directoriesAbove = (path: string): readonly string[] => {
  const parent = dirname(path);
  return parent === path ? [] : [parent, ...directoriesAbove(parent)];
};

const directoriesBelow = (path: string): readonly string[] => {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.length > MAX_BELOW
      ? []
      : entries
          .filter((entry) => entry.isDirectory() && entry.name !== AGENT_HOME)
          .map(({ name }) => join(path, name));
  } catch {
    return [];
  }
};
