/** What makes a directory a Gas Town. */
import { entryExists } from '../../io/disk/entry-exists.ts';

/** The file that marks a Gas Town, relative to its root. */
export const TOWN_MARKER = 'mayor/town.json';

/** True where the directory is the root of a Gas Town; false also where nobody may look. */
export const isMarked = (root: string): boolean => entryExists(`${root}/${TOWN_MARKER}`);
