/** Whether a path belongs to another town. */

import { dirname } from 'node:path';
import { remembering } from '../../core/remembering.ts';
import { relativeTo } from '../../core/town/roles.ts';
import { isMarked } from './marker.ts';
import { behindServers } from './place.ts';

/**
 * Finds the root of another town in which a path lies: the outermost directory with `mayor/town.json`, null for paths
 * inside `root`, for those in no town, and for those that could only be looked at by waiting for a server. Remembers what it saw: panes share most of their ancestors.
 */
export const otherTownFinder = (root: string): ((path: string) => string | null) => {
  const find = remembering((directory: string): string | null => {
    const parent = dirname(directory);
    const above = parent === directory ? null : find(parent);
    return above ?? (isMarked(directory) ? directory : null);
  });
  const mayWait = behindServers(root);
  return (path) =>
    path.startsWith('/') && relativeTo(root, path) === null && !mayWait(path) ? find(path) : null;
};
