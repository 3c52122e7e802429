/** Whether a name is taken. */
import { lstatSync } from 'node:fs';

/** True where there is an entry of that name, of whatever kind; false where there is none or nobody may know. */
export const entryExists = (path: string): boolean => {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
};
