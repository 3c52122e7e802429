/** The other screen of a terminal, so that what stood there before comes back, whatever ends us. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { ReadStream } from 'node:tty';
import { quietly } from '../../io/try-or.ts';

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?1049l\u001b[?25h';

/** Events before which the screen is left; the second comes before a crash prints its error. */
const ENDS = ['exit', 'uncaughtExceptionMonitor'] as const;

/**
 * Shows the other screen, without a cursor, on standard output. In the background it first waits for the foreground, because a shell
 * shows its prompt there. The returned function brings the first screen back; the end of the process calls it too, and only the first
 * call counts.
 */
export const enterAlternateScreen = (): (() => void) => {
  awaitForeground();
  let isThere = true;
  const leave = (): void => {
    if (!isThere) return;
    isThere = false;
    for (const event of ENDS) process.removeListener(event, leave);
    process.removeListener('SIGQUIT', quit);
    writeNow(LEAVE);
  };
  // Its default ends us without an exit, which is what gives the terminal back.
  const quit = (): void => {
    process.emit('exit', 128 + constants.signals.SIGQUIT);
    process.removeAllListeners('SIGQUIT');
    process.kill(process.pid, 'SIGQUIT');
  };
  for (const event of ENDS) process.on(event, leave);
  process.on('SIGQUIT', quit);
  writeNow(ENTER);
  return leave;
};

/**
 * Sets the mode of our terminal, whatever our streams are, and sets it back: the kernel stops a background process that does so
 * until it is continued in the foreground.
 */
const awaitForeground = (): void =>
  // Without a terminal there is no foreground, and an orphan is not stopped.
  quietly(() => {
    const descriptor = openSync('/dev/tty', 'r+');
    try {
      const terminal = new ReadStream(descriptor);
      terminal.setRawMode(true);
      terminal.setRawMode(false);
      terminal.destroy();
    } finally {
      // Node's stream has opened the terminal anew. That of Bun, which runs the executable, closes this descriptor itself: closed
      // twice, it takes the next stream's with it.
      if (process.versions.bun === undefined) closeSync(descriptor);
    }
  });

/** A terminal that has hung up needs nothing any more. */
const writeNow = (text: string): void =>
  // It is gone, or full and stopped: then nobody sees it.
  quietly(() => writeSync(1, text));
