/** Locks from which on it is worth while. */
const MANY = 1000;

/**
 * Asks V8 to collect garbage early where so many locks are to be read. Ten thousand leave 30 MB of evidence, but the heap
 * would grow to five times that before it is swept. It has to be said before the heap has grown; the price is some percent
 * of a long run's time. V8 does not take code that was compiled under other flags, so short runs are left alone.
 */
export const keepHeapSmall = (locks: number): void => {
  if (locks < MANY) return;
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=40');
};
