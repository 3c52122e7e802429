/** A terminal that went away while we ran on. */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { isatty } from 'node:tty';

/**
 * Puts /dev/null in the place of standard streams whose terminal has hung up. When Node ends, it gives each terminal its
 * settings back, and aborts (with a core file) where that fails, as it does for a terminal that has hung up.
 */
export const leaveLostTerminals = (): void => {
  for (const fd of [0, 1, 2]) {
    try {
      if (!fstatSync(fd).isCharacterDevice() || isatty(fd)) continue;
      closeSync(fd);
      openSync(devNull, 'r+'); // takes the lowest free number, which is this one
    } catch {
      // A closed stream cannot be lost any more.
    }
  }
};
