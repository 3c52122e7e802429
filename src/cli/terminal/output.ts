/** Standard output and standard error. A closed pipe ends nothing, and long output waits for its reader. */
import { fstatSync, statSync, writeSync } from 'node:fs';
import { tryOr } from '../../io/try-or.ts';

/** Standard output or standard error. */
export interface Output {
  readonly isTTY: boolean;
  /** Of the terminal; undefined elsewhere. */
  readonly columns: number | undefined;
  readonly rows: number | undefined;
  readonly write: (text: string) => void;
  /** True while no output waits for its reader. */
  readonly isWritten: boolean;
  /** Node's own stream: opening it at a pipe costs 6 ms, as much as a question to tmux, so most runs do without. */
  readonly stream: NodeJS.WriteStream;
  /** The last words of a run. Text in pieces may be large: the next is made when the reader has taken the one before. */
  readonly end: (text: string | Iterable<string>) => Promise<void>;
}

/** What an empty pipe takes at once on every system (macOS begins with 16 KiB): more than that may have to wait. */
const AT_ONCE = 16 * 1024;

/**
 * One of the two outputs; `onError` is told why it cannot be written, and whether that is a terminal that has hung up. A reader that
 * has seen enough is no error.
 */
export const openOutput = (fd: 1 | 2, onError: (reason: string, isHangUp: boolean) => void): Output => {
  let isLost = false;
  let goOn = (): void => {};
  const lose = (error: unknown): void => {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EPIPE' && !isLost) onError(code ?? message, code === 'EIO' && mayBeTerminal(fd));
    isLost = true;
    goOn();
  };
  let opened: NodeJS.WriteStream | null = null;
  const stream = (): NodeJS.WriteStream => {
    opened ??= (fd === 1 ? process.stdout : process.stderr).on('error', lose).on('drain', () => goOn());
    return opened;
  };
  /** Resolves when the stream takes more, or takes nothing any more. */
  const written = async (text: string | Buffer): Promise<void> => {
    if (text.length === 0 || isLost || stream().write(text)) return;
    await new Promise<void>((resolve) => {
      goOn = resolve;
    });
  };
  let terminal: boolean | null = null;
  const isTTY = (): boolean => {
    terminal ??= mayBeTerminal(fd) && stream().isTTY === true;
    return terminal;
  };
  return {
    get isTTY() {
      return isTTY();
    },
    get columns() {
      return isTTY() ? stream().columns : undefined;
    },
    get rows() {
      return isTTY() ? stream().rows : undefined;
    },
    write: (text) => {
      stream().write(text);
    },
    get isWritten() {
      return opened === null || opened.writableLength === 0;
    },
    get stream() {
      return stream();
    },
    end: async (text) => {
      const pieces = typeof text === 'string' ? [text] : text;
      let first = '';
      for (const piece of pieces) {
        if (isLost) return;
        if (opened === null && first.length + piece.length <= AT_ONCE) {
          first += piece;
          continue;
        }
        await written(first);
        first = '';
        await written(piece);
      }
      if (first === '') return;
      try {
        await written(writeNow(fd, Buffer.from(first, 'utf8')));
      } catch (error) {
        lose(error);
      }
    },
  };
};

/**
 * Only a character device can be a terminal, and the null device is none: scripts that want only the exit code write there, and
 * opening Node's stream to ask would take 6 ms. False for a closed descriptor.
 */
const mayBeTerminal = (fd: number): boolean =>
  tryOr(() => {
    const output = fstatSync(fd);
    if (!output.isCharacterDevice()) return false;
    return output.rdev !== statSync('/dev/null', { throwIfNoEntry: false })?.rdev;
  }, false);

/** Writes what can be written without waiting, and returns the rest; empty where nothing is left. */
const writeNow = (fd: number, bytes: Buffer): Buffer => {
  let rest = bytes;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      // Another process that shares the pipe has made it non-blocking, and it is full.
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return rest;
      throw error;
    }
  }
  return rest;
};
