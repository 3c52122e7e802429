/** Finds releases in the journals of other roots: without a marker the root is the working directory, which varies. Reads only. */
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { relativeTo } from '../../core/town/roles.ts';
import { workingTreesAround } from '../../evidence/git/same-repository.ts';
import type { SystemCalls } from '../../io/disk/system-calls.ts';
import { longPath } from '../repair-context.ts';
import { readHistory } from './history.ts';
import { restorableIds } from './restorable.ts';

/** A release that can be restored from another root. */
export interface ReleasedElsewhere {
  /** The root whose journal has it, absolute. */
  readonly root: string;
  readonly id: string;
  /** Absolute path of the worker. */
  readonly directory: string;
}

/** Directories with more entries are not searched. */
const MAX_BELOW = 1000;

/**
 * Releases at or below `townRoot` that can still be restored, made by runs in a directory above it, directly below it, or in a
 * working tree of its repository. The main working tree is also told of releases in the linked ones, wherever they lie. A journal
 * that cannot be read is skipped here: an undo in that root says why.
 */
export const releasedElsewhere = (calls: SystemCalls, townRoot: string): readonly ReleasedElsewhere[] => {
  const trees = workingTreesAround(townRoot);
  const places = trees[0] === townRoot ? trees : [townRoot];
  const roots = new Set([...directoriesAbove(townRoot), ...directoriesBelow(townRoot), ...trees]);
  roots.delete(townRoot);
  return [...roots].flatMap((root) => {
    const { events } = readHistory(calls, root);
    const restorable = restorableIds(events, calls, root);
    return events.flatMap(({ deed, id, worker }) => {
      const directory = longPath(root, worker);
      const isHere = places.some((place) => relativeTo(place, directory) !== null);
      return deed === 'released' && id !== null && restorable.has(id) && isHere
        ? [{ root, id, directory }]
        : [];
    });
  });
};

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
          .filter((entry) => entry.isDirectory() && entry.name !== '.runtime')
          .map(({ name }) => join(path, name));
  } catch {
    return [];
  }
};
