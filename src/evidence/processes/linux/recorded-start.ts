/** The start of a process as records note it, with the clock by which it counts (time_namespaces(7)). */
import { startInNamespace } from '../../../core/record/start-token.ts';
import { readNamespace, readProcText } from './proc-files.ts';

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

/** Field 22 of `stat` counts hundredths of a second on all current ports of Linux. */
const TICK_NS = 10_000_000n;

/** How much later than ours a process's clock of time since boot is, in nanoseconds; 0 where the kernel has no such namespaces. */
const clockAheadNs = (directory: string): bigint => {
  const theirs = readProcText(`${directory}/timens_offsets`);
  const our = readProcText('/proc/self/timens_offsets');
  return theirs === our ? 0n : boottimeIn(theirs) - boottimeIn(our);
};

const boottimeIn = (offsets: string): bigint => {
  const [, seconds = '0', nanoseconds = '0'] = /^boottime\s+(-?\d+)\s+(\d+)$/m.exec(offsets) ?? [];
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
};

/**
 * True where a process that reads its own start in `/proc`, in its own time namespace, sees this text.
 *
 * @param directory of the process below /proc
 * @param ticks field 22 of its `stat`, as we read it
 */
export const readsItsStartAs = (directory: string, ticks: string, start: string): boolean => {
  if (!/^\d{1,18}$/.test(start)) return false;
  const ahead = clockAheadNs(directory);
  const off = BigInt(start) - BigInt(ticks) - ahead / TICK_NS;
  // Of clocks that are no whole number of ticks apart, either may have been rounded.
  return off === 0n || (ahead % TICK_NS !== 0n && (off === 1n || off === -1n));
};
