/** Start times of processes as records note them. */

/**
 * A start that was read in a time namespace, or of a process in one: there `/proc` counts from another moment, so such starts differ
 * although the process is the same. Equal ones are still the same start.
 *
 * @param namespace as Linux names it, `time:[4026532777]`
 */
export const startInNamespace = (ticks: string, namespace: string): string => `${ticks}@${namespace}`;

/** True where two different starts are certain to be those of two processes. */
export const areComparable = (one: string, other: string): boolean =>
  !one.includes('@') && !other.includes('@');

/** What ctime(3) prints, and `ps -o lstart=` in English: `Sun Nov 29 15:10:55 2026`. */
const CTIME = /^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$/;

/** True where that text is this moment in UTC, in whole seconds, as tools note a start on macOS, which has no start token. */
export const isStartInUtc = (start: string, startedAtMs: number | null): boolean =>
  startedAtMs !== null &&
  CTIME.test(start) &&
  Math.floor(Date.parse(`${start} UTC`) / 1000) === Math.floor(startedAtMs / 1000);
