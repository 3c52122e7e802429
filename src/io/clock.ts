/** A monotonic clock. `performance` would load perf_hooks, which costs each start more than a millisecond. */

/** Milliseconds since this process started. */
export const elapsedMs = (): number => process.uptime() * 1000;
