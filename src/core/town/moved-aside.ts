/** Locks that a run had moved aside when it was killed: the file beside the lock's place may still be the lock. Pure. */
import { lockBeside } from '../record/lock-names.ts';
import type { Leftover, LockFile } from '../types/evidence.ts';

/** True where no lock stands in the place: until this file is back there, nobody can tell whether the place is held. */
export const isLockMovedAside = ({ kind, path }: Leftover, locks: readonly LockFile[]): boolean =>
  kind === 'old' && !locks.some((lock) => lock.path === lockBeside(path));

/** A sentence about such a file. */
export const describeAside = ({ path }: Leftover): string =>
  `a run was killed halfway through a release: ${path.slice(path.lastIndexOf('/') + 1)} may still be the lock`;
