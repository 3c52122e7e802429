/** The real path of a directory, a socket or a program, for comparing places. */
import { realpathSync } from 'node:fs';
import { tryOr } from '../try-or.ts';

/** The path with its symlinks resolved, or the path itself where it does not exist or is closed to us. */
export const realOrSame = (path: string): string => tryOr(() => realpathSync.native(path), path);

/** The same for many paths, each looked up once. */
export const realPaths = (): ((path: string) => string) => {
  const known = new Map<string, string>();
  return (path) => {
    const real = known.get(path) ?? realOrSame(path);
    known.set(path, real);
    return real;
  };
};
