/** Reads the start of a process as records note it, with the clock by which it counts (time_namespaces(7)). */
import { startInNamespace } from '../../../core/record/start-token.ts';
import { readNamespace } from './proc-files.ts';

/** The first time namespace of a Linux kernel always has this number (PROC_TIME_INIT_INO in its sources). */
const INITIAL_TIME_NAMESPACE = 'time:[4026531834]';

let ours: readonly [string | null] | undefined;

/**
 * @param directory of the process below /proc
 * @param ticks field 22 of its `stat`
 */
export const recordedStart = (directory: string, ticks: string): string => {
  // Ours never changes: a thread enters another one only by starting a program.
  ours ??= [readNamespace('/proc/self/ns/time')];
  const apart = [...ours, readNamespace(`${directory}/ns/time`)].find(
    (one) => one !== null && one !== INITIAL_TIME_NAMESPACE,
  );
  return apart == null ? ticks : startInNamespace(ticks, apart);
};
