/** Decides how many guards are held at once: as many as are released well within a second and have enough descriptors. */
import type { SystemCalls } from '../../io/disk/system-calls.ts';

/** Milliseconds. A process that wants a lock waits for its guard, and gives up after five seconds. */
const HOLD_MS = 700;

/** At this size the look that all share costs a tenth of their releases. */
const MAX_SIZE = 256;

/** Smaller batches would not make the look shorter, which is what takes the time on slow machines. */
const MIN_SIZE = 64;

/** Where the limit is not known: two descriptors each, and every system allows a hundred. */
const WITHOUT_LIMIT = 16;

/** A guard's directory, its file, and the file again in the program that locks it. */
const DESCRIPTORS_EACH = 3;

/** Kept free for the look, which lists processes and runs programs. */
const SPARE_DESCRIPTORS = 64;

export interface BatchSize {
  readonly next: () => number;
  /** Tells how long a batch of this size was held. */
  readonly took: (count: number, ms: number) => void;
}

/** Begins with the most that this process has descriptors for. Never throws. */
export const batchSize = (calls: SystemCalls): BatchSize => {
  const most = mostAtOnce(calls);
  const fewest = Math.min(MIN_SIZE, most);
  let size = most;
  return {
    next: () => size,
    took: (count, ms) => {
      const fitting = Math.floor((count * HOLD_MS) / Math.max(ms, 1));
      // Doubled at most, because the next look may be slower.
      size = Math.max(fewest, Math.min(most, fitting, size * 2));
    },
  };
};

const mostAtOnce = (calls: SystemCalls): number => {
  const limit = calls.openFilesLimit();
  if (limit === null) return WITHOUT_LIMIT;
  try {
    const free = limit - calls.list('/proc/self/fd').length - SPARE_DESCRIPTORS;
    return Math.max(1, Math.min(MAX_SIZE, Math.floor(free / DESCRIPTORS_EACH)));
  } catch {
    return 1; // not even one descriptor is left to list them
  }
};
