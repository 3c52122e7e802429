/** Who holds a lease, in words. Pure. */
import type { LeaseRecord } from './engine.ts';

/** `its lease is held on mini2 by doctor (pid 4242), since …` */
export const leaseHolderInWords = (by: LeaseRecord | null): string =>
  by === null
    ? 'somebody else holds its lease'
    : `its lease is held on ${by.hostname} by doctor (pid ${by.pid}), since ${by.acquiredAt}`;
