/** Finds the file of a program. Only absolute directories count, because `.` may be a directory that an agent can write. */
import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';

/** Variables of a process by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where execvp(3) looks when PATH is not set. */
const DEFAULT_PATH = '/usr/bin:/bin';

/** Directories of the system's own programs. They come before PATH; cron's PATH lacks some of them. */
export const SYSTEM_DIRECTORIES: readonly string[] = [
  '/usr/bin',
  '/bin',
  '/usr/sbin',
  '/sbin',
  '/usr/local/bin',
];

/**
 * Absolute path of the first executable file of that name in `PATH`, or null. Relative and empty elements are passed
 * over. Loads and runs nothing.
 */
export const findProgram = (name: string, { PATH }: Environment): string | null =>
  firstExecutable(
    name,
    (PATH ?? DEFAULT_PATH).split(':').filter((directory) => directory.startsWith('/')),
  );

/** As `findProgram`, for programs of the system: its own directories come before `PATH`. */
export const findSystemProgram = (name: string, env: Environment): string | null =>
  firstExecutable(name, SYSTEM_DIRECTORIES) ?? findProgram(name, env);

/** As `findProgram`, for the caller's own command: relative elements of `PATH` count from `cwd`, as they do for a shell. */
export const findCommand = (name: string, { PATH }: Environment, cwd: string): string | null =>
  firstExecutable(
    name,
    (PATH ?? DEFAULT_PATH).split(':').map((directory) => resolve(cwd, directory)),
  );

/** The first of these directories' files of that name that can be executed. */
export const firstExecutable = (name: string, directories: readonly string[]): string | null =>
  directories.map((directory) => `${directory}/${name}`).find(isExecutableFile) ?? null;

const isExecutableFile = (path: string): boolean => {
  try {
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return false;
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};
