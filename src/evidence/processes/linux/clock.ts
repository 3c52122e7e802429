/** Turns the clock ticks in which Linux counts process starts into wall time. */
import { readProc, readProcText } from './proc-files.ts';
import { parseProcStat } from './proc-stat.ts';

/** Milliseconds since the epoch at which a process started, or null where this machine's clocks disagree. */
export type ProcessClock = (startTicks: string) => number | null;

/** AT_CLKTCK in the auxiliary vector (getauxval(3)). */
const AT_CLKTCK = 17;

/** The value of all current Linux ports; used only where the kernel hides the auxiliary vector. */
const USUAL_TICKS_PER_SECOND = 100;

/** Our own start may seem this much later than it was: uptime counts in 10 ms, and the wall clock is adjusted. */
const TOLERANCE_MS = 1500;

/**
 * Reads the clocks once. In some containers `/proc/uptime` tells the container's age while start times count from the
 * host's boot; then our own process would have started in the future, and no start time is believed.
 */
export const readProcessClock = (proc: string): ProcessClock => {
  const seconds = Number.parseFloat(readProcText(`${proc}/uptime`));
  const own = parseProcStat(readProcText(`${proc}/self/stat`));
  if (!Number.isFinite(seconds) || own === null) return () => null;
  const bootMs = Date.now() - seconds * 1000;
  const tickMs = 1000 / ticksPerSecond(proc);
  const clock = (startTicks: string): number => Math.round(bootMs + Number(startTicks) * tickMs);
  const ownStartMs = Date.now() - process.uptime() * 1000;
  return clock(own.startTicks) <= ownStartMs + TOLERANCE_MS ? clock : () => null;
};

const ticksPerSecond = (proc: string): number => {
  const read = readProc(`${proc}/self/auxv`);
  if ('error' in read) return USUAL_TICKS_PER_SECOND;
  const { bytes } = read;
  // Pairs of machine words; Node runs on 64-bit little-endian Linux almost everywhere, else the usual value is used.
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    // The lower halves: big integers cost 0.1 ms where they are read for the first time.
    if (bytes.readUInt32LE(at) !== AT_CLKTCK || bytes.readUInt32LE(at + 4) !== 0) continue;
    const ticks = bytes.readUInt32LE(at + 12) === 0 ? bytes.readUInt32LE(at + 8) : 0;
    return ticks >= 1 && ticks <= 1_000_000 ? ticks : USUAL_TICKS_PER_SECOND;
  }
  return USUAL_TICKS_PER_SECOND;
};
