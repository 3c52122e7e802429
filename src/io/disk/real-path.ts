/** The real path of a directory, a socket or a program, for comparing places. */
import { realpathSync } from 'node:fs';

/** The path with its symlinks resolved, or the path itself where it does not exist or is closed to us. */
export const realOrSame = (path: string): string => {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
};

/** The same for many paths, each looked up once. */
export const realPaths = (): ((path: string) => string) => {
  const known = new Map<string, string>();
  return (path) => {
    const real = known.get(path) ?? realOrSame(path);
    known.set(path, real);
    return real;
  };
};
