/** One line on a terminal's standard error that counts while many locks are released; it is wiped off at the end. */
import { canMoveCursor, type Terminal } from './terminal.ts';

/** It is written at most ten times a second; a repair of a few locks is over before it appears. */
const WRITE_EVERY_MS = 100;

const ERASE_LINE = '\r\x1b[K';

export interface ProgressLine {
  /** Sets how many there will be. */
  readonly expect: (total: number) => void;
  /** Counts one more as done. */
  readonly step: () => void;
  /** Wipes the line off; safe to call when nothing was written. */
  readonly end: () => void;
}

/** Writes nothing where the cursor cannot be moved back. */
export const progressLine = ({ stderr, env }: Terminal, title: string): ProgressLine => {
  const draws = canMoveCursor(stderr, env);
  let total = 0;
  let done = 0;
  let writtenAt: number | null = null;
  let isShown = false;
  return {
    expect: (count) => {
      total = count;
    },
    step: () => {
      done += 1;
      const now = performance.now();
      writtenAt ??= now;
      if (!draws || now - writtenAt < WRITE_EVERY_MS) return;
      writtenAt = now;
      isShown = true;
      stderr.write(`${ERASE_LINE}${title}: ${done} of ${total}`);
    },
    end: () => {
      if (isShown) stderr.write(ERASE_LINE);
      isShown = false;
    },
  };
};
