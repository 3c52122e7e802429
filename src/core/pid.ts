/** Which numbers can be a PID, when one may have been given away since, and how far a process tree is followed. */

/** Largest value of a pid_t. */
const MAX_PID = 2 ** 31 - 1;

/** What can be the number of one process: 0 and negative numbers address groups and must never reach kill(2). */
export const isPossiblePid = (pid: number): boolean => Number.isInteger(pid) && pid >= 1 && pid <= MAX_PID;

/**
 * Milliseconds. Clocks step, by hours after a sleep, and a boot takes a while: a process that started this much later than a note
 * of its PID was written may be another one.
 */
export const LATE_MS = 10 * 60_000;

/** How many processes above one are looked at: in a damaged list, or one read while PIDs are reused, the tree may be a ring. */
export const MAX_ANCESTORS = 64;
