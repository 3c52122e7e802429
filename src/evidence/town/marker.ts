/** What makes a directory a Gas Town, or a repository. */
import { entryExists } from '../../io/disk/entry-exists.ts';

/** The file that marks a Gas Town, relative to its root. */
export const TOWN_MARKER = 'mayor/town.json';

/** True where the directory is the root of a Gas Town; false also where nobody may look. */
export const isMarked = (root: string): boolean => entryExists(`${root}/${TOWN_MARKER}`);

/** What git wants of a bare repository. */
const BARE = ['HEAD', 'objects', 'refs'];

/** True for the top of a git working tree, and for a bare repository, that is no Gas Town; false also where nobody may look. */
export const isRepository = (root: string): boolean =>
  !isMarked(root) && (entryExists(`${root}/.git`) || BARE.every((name) => entryExists(`${root}/${name}`)));
