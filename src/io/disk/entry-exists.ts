/** Whether there is an entry of a name. */
import { lstatSync } from 'node:fs';

/** True where there is an entry of that name, of whatever kind; false where there is none, or we may not look. */
export const entryExists = (path: string): boolean => {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
};
