/** How this very program is started from anywhere: Node and its file, or the executable alone. */
import { realpathSync } from 'node:fs';

/** Put in place by the bundler; see `scripts/executable/`. */
declare const LOCK_DOCTOR_EXECUTABLE: boolean | undefined;

/** The words in front of its arguments. */
export const ownProgram = (): readonly string[] =>
  typeof LOCK_DOCTOR_EXECUTABLE === 'boolean' && LOCK_DOCTOR_EXECUTABLE
    ? [process.execPath]
    : [process.execPath, realpathSync(process.argv[1] ?? '')];
