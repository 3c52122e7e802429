/** Ctrl-Z at a view: the shell gets its terminal back as it was, and `fg` brings the view back. */
import { quietly } from '../../io/try-or.ts';

/** A stop takes effect at once, but in an orphaned process group, where no shell could continue us, it never does. */
const STOPPED_WITHIN_MS = 100;

/** What the terminal does for Ctrl-Z where it makes signals of keys: all programs of the command line are stopped. */
export const suspendAll = (): void => {
  process.kill(0, 'SIGTSTP');
};

/**
 * Lets SIGTSTP stop us only when `leave` has given the terminal back, and calls `enter` when we go on; after SIGSTOP, of which no
 * program gets a warning, it calls both. A shell may continue us in the background. Returns a function that ends this.
 */
export const onSuspension = (leave: () => void | Promise<void>, enter: () => void): (() => void) => {
  let isAway = false;
  let patience: NodeJS.Timeout | undefined;
  const stop = async (): Promise<void> => {
    if (isAway) return;
    isAway = true;
    await leave();
    process.removeListener('SIGTSTP', stop);
    process.kill(process.pid, 'SIGTSTP');
    patience = setTimeout(goOn, STOPPED_WITHIN_MS);
  };
  const goOn = (): void => {
    clearTimeout(patience);
    patience = undefined;
    process.on('SIGTSTP', stop);
    isAway = false;
    comeBack();
  };
  const comeBack = (): void => {
    // A terminal that has hung up: whoever reads from it is told.
    quietly(enter);
  };
  const onContinue = async (): Promise<void> => {
    if (isAway) {
      if (patience !== undefined) goOn();
      return;
    }
    await leave();
    comeBack();
  };
  process.on('SIGTSTP', stop);
  process.on('SIGCONT', onContinue);
  return () => {
    clearTimeout(patience);
    process.removeListener('SIGTSTP', stop);
    process.removeListener('SIGCONT', onContinue);
  };
};
