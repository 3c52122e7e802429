import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';

/** Where execvp(3) looks when PATH is not set. */
const DEFAULT_PATH = '/usr/bin:/bin';

/** Absolute path of the first executable file of that name in `PATH`, or null. Loads and runs nothing. */
export const findProgram = (
  name: string,
  { PATH }: Readonly<Record<string, string | undefined>>,
): string | null => {
  const candidates = (PATH ?? DEFAULT_PATH).split(':').map((directory) => join(directory || '.', name));
  return candidates.find(isExecutableFile) ?? null;
};

const isExecutableFile = (path: string): boolean => {
  try {
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return false;
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};
