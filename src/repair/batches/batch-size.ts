/** How many guards are held at once: as many as are done with well within a second, and as there are descriptors for. */
import type { SystemCalls } from '../../io/disk/system-calls.ts';

/** Whoever wants a lock waits for its guard, and gives up after five seconds. */
const HOLD_MS = 700;

/** One look for all of them costs a tenth of their releases by then. */
const MOST = 256;

/** Fewer do not make the look shorter, which is what takes long where it takes long. */
const FEWEST = 64;

/** Two descriptors each: no system allows less than a hundred. */
const WITHOUT_LIMIT = 16;

/** A guard's directory and file, and the file once more in the program that locks it. */
const DESCRIPTORS_EACH = 3;

/** For the look, which lists processes and runs programs. */
const SPARE_DESCRIPTORS = 64;

export interface BatchSize {
  readonly next: () => number;
  /** Says how long a batch of this many was held. */
  readonly took: (count: number, ms: number) => void;
}

/** Begins with the most that this process has descriptors for. Never throws. */
export const batchSize = (calls: SystemCalls): BatchSize => {
  const most = mostAtOnce(calls);
  const fewest = Math.min(FEWEST, most);
  let size = most;
  return {
    next: () => size,
    took: (count, ms) => {
      const fitting = Math.floor((count * HOLD_MS) / Math.max(ms, 1));
      // Grown with care: the next look may be slower.
      size = Math.max(fewest, Math.min(most, fitting, size * 2));
    },
  };
};

const mostAtOnce = (calls: SystemCalls): number => {
  const limit = calls.openFilesLimit();
  if (limit === null) return WITHOUT_LIMIT;
  try {
    const free = limit - calls.list('/proc/self/fd').length - SPARE_DESCRIPTORS;
    return Math.max(1, Math.min(MOST, Math.floor(free / DESCRIPTORS_EACH)));
  } catch {
    return 1; // not even one is left to list them
  }
};
