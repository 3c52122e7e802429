/** Passes signals on to the command that `doctor exec` runs. */
import type { ChildProcess } from 'node:child_process';
import { isatty } from 'node:tty';
import { readProc } from '../evidence/processes/linux/proc-files.ts';
import { parseProcStat } from '../evidence/processes/linux/proc-stat.ts';

/** Signals that somebody may send to the doctor and means for the command. */
const PASSED: readonly NodeJS.Signals[] = [
  'SIGTERM',
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGWINCH',
];

/** The terminal itself sends these to every process in its foreground, the command included: not twice. */
const FROM_TERMINAL: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGQUIT', 'SIGWINCH']);

/** Passes signals on to a child for as long as it runs, and survives them. Returns how to stop. */
export const passSignals = (child: ChildProcess): (() => void) => {
  const passing = PASSED.map((signal) => {
    const pass = (): void => {
      if (!(FROM_TERMINAL.has(signal) && isInForeground())) child.kill(signal);
    };
    process.on(signal, pass);
    return { signal, pass };
  });
  return () => {
    for (const { signal, pass } of passing) process.removeListener(signal, pass);
  };
};

/**
 * Keys at a terminal reach its foreground process group, whether or not a stream leads to the terminal. Where the
 * system does not say which group that is, a stream at a terminal has to do.
 */
const isInForeground = (): boolean => {
  const read = readProc('/proc/self/stat');
  if ('error' in read) return [0, 1, 2].some((descriptor) => isatty(descriptor));
  return parseProcStat(read.bytes.toString('latin1'))?.inForeground === true;
};
