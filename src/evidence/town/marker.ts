/** How a Gas Town and a repository are recognized. */
import { entryExists } from '../../io/disk/entry-exists.ts';
import { REPOSITORY_PARTS } from '../git/git-directory.ts';

/** The file that marks a Gas Town, relative to its root. */
export const TOWN_MARKER = 'mayor/town.json';

/** True where the directory is the root of a Gas Town; false also where we may not look. */
export const isMarked = (root: string): boolean => entryExists(`${root}/${TOWN_MARKER}`);

/** True for the top of a git working tree or a bare repository, unless it is a Gas Town; false also where we may not look. */
export const isRepository = (root: string): boolean =>
  !isMarked(root) &&
  (entryExists(`${root}/.git`) || REPOSITORY_PARTS.every((name) => entryExists(`${root}/${name}`)));
