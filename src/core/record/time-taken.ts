/** The moment at which a lock was taken, out of the number that its writer noted. */

/** No tool that leaves such locks is older. A clock that was never set, an uptime or Go's zero time gives an earlier date. */
const FIRST_MS = Date.UTC(2020, 0);
/** The year 3000: microseconds and nanoseconds since the epoch, read as milliseconds, are later. */
const LAST_MS = Date.UTC(3000, 0);

/**
 * Milliseconds since the epoch. Seconds that were noted as if they were milliseconds, as a number or as a date in January 1970,
 * are taken as seconds. Null for what is a moment in neither way: a process that started after such a date may have taken the lock.
 */
export const momentTaken = (ms: number | null): number | null =>
  [ms ?? 0, (ms ?? 0) * 1000].find((moment) => moment >= FIRST_MS && moment < LAST_MS) ?? null;
