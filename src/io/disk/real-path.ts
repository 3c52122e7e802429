/** The real path of a directory, a socket or a program, for comparing places. */
import { basename, dirname, join } from 'node:path';
import { realpathSync } from '../file-systems/servers.ts';
import { tryOr } from '../try-or.ts';
import { type DiskPath, displayPath } from './disk-path.ts';

/** The path with its symlinks resolved, as text, or the path itself where it does not exist or may not be read. */
export const realOrSame = (path: DiskPath): string => tryOr(() => realTextOf(path), displayPath(path));

/** The same of what may not be there, or is a symlink itself: only the directory in which it lies is resolved. */
export const realOfMissing = (path: string): string => join(realOrSame(dirname(path)), basename(path));

const realTextOf = (path: DiskPath): string => {
  const real = typeof path === 'string' ? realpathSync.native(path) : '';
  // A symlink may lead to a name that is not UTF-8.
  return real === '' || real.includes('\ufffd') ? displayPath(realpathSync.native(path, 'buffer')) : real;
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
