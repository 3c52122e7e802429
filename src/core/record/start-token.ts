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
