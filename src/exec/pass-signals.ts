/** Passes signals on to the command that `doctor exec` runs. */
import type { ChildProcess } from 'node:child_process';
import { isatty } from 'node:tty';
import { readProc } from '../evidence/processes/linux/proc-files.ts';
import { parseProcStat } from '../evidence/processes/linux/proc-stat.ts';

/** Signals to the doctor that are meant for the command. */
const PASSED: readonly NodeJS.Signals[] = [
  'SIGTERM',
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGWINCH',
];

/** The terminal sends these to every process in its foreground, the command included, so they are not passed on again. */
const FROM_TERMINAL: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGQUIT', 'SIGWINCH']);

/** Passes signals on to a child while it runs, and survives them. Returns a function that stops this. */
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
 * True where keys at a terminal reach us: they go to the foreground process group, whether or not a stream is a terminal. Where
 * the system does not tell that group, a stream that is a terminal counts instead.
 */
const isInForeground = (): boolean => {
  const read = readProc('/proc/self/stat');
  if ('error' in read) return [0, 1, 2].some((descriptor) => isatty(descriptor));
  return parseProcStat(read.bytes.toString('latin1'))?.inForeground === true;
};
