/** The program that tests of the command line run: Node's build, or the executable that LOCK_DOCTOR_TEST_PROGRAM names. */
import { resolve } from 'node:path';

const named = process.env.LOCK_DOCTOR_TEST_PROGRAM;

/** The executable's absolute path; null if Node's build is tested. */
export const EXECUTABLE: string | null = named === undefined || named === '' ? null : resolve(named);

/** The command line that starts the program; `script` is Node's build of it. */
export const startOf = (script: string): readonly [string, ...string[]] =>
  EXECUTABLE === null ? [process.execPath, script] : [EXECUTABLE];
