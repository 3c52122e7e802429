/** Small phrases that several reporters share. */
import { isAgentLock } from '../../core/record/lock-names.ts';

/** A worker as people call it: one that is the root itself has the name of its directory. */
export const nameOf = (worker: string, root: string | undefined): string =>
  worker === '.' && root !== undefined && root !== '/' ? root.slice(root.lastIndexOf('/') + 1) : worker;

/** A directory as the caller typed it, if that leads up and out: `../feature-1`; null for every other name. */
export const typedOutside = (typed: string): string | null =>
  /^\.\.(?:\/|$)/.test(typed) ? typed.replace(/\/+$/, '') : null;

/** A lock that was released: its worker, and its file (in the root, relative to it) where that is not the worker's own `agent.lock`. */
export const nameOfReleased = (
  { worker, lock }: { readonly worker: string; readonly lock: string },
  root: string,
): string => {
  const name = nameOf(worker, root);
  if (isAgentLock(lock)) return name;
  const prefix = root === '/' ? '/' : `${root}/`;
  return `${name}, ${lock.startsWith(prefix) ? lock.slice(prefix.length) : lock}`;
};
