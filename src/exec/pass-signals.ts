import type { ChildProcess } from 'node:child_process';
import { isatty } from 'node:tty';

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
  const atTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
  const passing = PASSED.map((signal) => {
    const pass = (): void => {
      if (!(atTerminal && FROM_TERMINAL.has(signal))) child.kill(signal);
    };
    process.on(signal, pass);
    return { signal, pass };
  });
  return () => {
    for (const { signal, pass } of passing) process.removeListener(signal, pass);
  };
};
