/** System calls that stay in one opened directory, even if its name leads elsewhere by now. */
import type { SystemCalls } from './system-calls.ts';

/** `base`: a path that reaches the opened directory itself; `check`: throws where its name leads elsewhere by now. */
export type Anchor = { readonly base: string } | { readonly check: () => void };

/**
 * The same calls for the directory and its direct entries, by their paths in `directory`. Errors keep those paths. Throws for
 * every other path: that is a bug of the caller.
 */
export const throughDescriptor = (calls: SystemCalls, directory: string, anchor: Anchor): SystemCalls => {
  const start = directory === '/' ? '/' : `${directory}/`;
  const at = (path: string): string => {
    const name = path === directory ? '.' : path.slice(start.length);
    const isInside = path === directory || path === `${start}${name}`;
    if (!isInside || name === '' || name.includes('/'))
      throw new Error(`${path} does not lie in ${directory}`);
    if ('base' in anchor) return `${anchor.base}/${name}`;
    anchor.check();
    return path;
  };
  const named = <T>(call: () => T): T => {
    try {
      return call();
    } catch (error) {
      if ('base' in anchor) rename(error, [`${anchor.base}/`, start], [anchor.base, directory]);
      throw error;
    }
  };
  return {
    ...calls,
    open: (path, flags, mode) => named(() => calls.open(at(path), flags, mode)),
    lstat: (path) => named(() => calls.lstat(at(path))),
    link: (from, to) => named(() => calls.link(at(from), at(to))),
    rename: (from, to) => named(() => calls.rename(at(from), at(to))),
    unlink: (path) => named(() => calls.unlink(at(path))),
    mkdir: (path) => named(() => calls.mkdir(at(path))),
    list: (path) => named(() => calls.list(at(path))),
    fileSystemType: (path) => named(() => calls.fileSystemType(at(path))),
  };
};

/** Replaces the path of our descriptor in an error by the directory's name, which people know. */
const rename = (error: unknown, ...names: readonly (readonly [string, string])[]): void => {
  if (typeof error !== 'object' || error === null) return;
  for (const key of ['path', 'dest', 'message'] as const) {
    const text: unknown = Reflect.get(error, key);
    if (typeof text !== 'string') continue;
    Reflect.set(
      error,
      key,
      names.reduce((said, [ours, theirs]) => said.replaceAll(ours, theirs), text),
    );
  }
};
