import { fstatSync, writeSync } from 'node:fs';

/** Standard output or standard error. */
export interface Output {
  readonly isTTY: boolean;
  /** Of the terminal; undefined elsewhere. */
  readonly columns: number | undefined;
  readonly rows: number | undefined;
  readonly write: (text: string) => void;
  /** Node's own stream: opening it at a pipe costs 6 ms, as much as a question to tmux, so most runs do without. */
  readonly stream: NodeJS.WriteStream;
  /** The last words of a run. Text in pieces may be large: each piece is written before the next is made. */
  readonly end: (text: string | Iterable<string>) => void;
}

/** What an empty pipe takes at once on every system (macOS begins with 16 KiB): more than that may have to wait. */
const AT_ONCE = 16 * 1024;

/** One of the two outputs; `onError` is told why it cannot be written. A reader that has seen enough is no error. */
export const openOutput = (fd: 1 | 2, onError: (reason: string) => void): Output => {
  const failed = (error: unknown): void => {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EPIPE') onError(code ?? message);
  };
  let opened: NodeJS.WriteStream | null = null;
  const stream = (): NodeJS.WriteStream => {
    opened ??= (fd === 1 ? process.stdout : process.stderr).on('error', failed);
    return opened;
  };
  let terminal: boolean | null = null;
  const isTTY = (): boolean => {
    terminal ??= isCharacterDevice(fd) && stream().isTTY === true;
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
    get stream() {
      return stream();
    },
    end: (text) => {
      const pieces = typeof text === 'string' ? [text] : text;
      let first = '';
      for (const piece of pieces) {
        if (opened === null && first.length + piece.length <= AT_ONCE) {
          first += piece;
          continue;
        }
        if (first !== '') stream().write(first);
        first = '';
        if (piece !== '') stream().write(piece);
      }
      if (first === '') return;
      try {
        const rest = writeNow(fd, Buffer.from(first, 'utf8'));
        if (rest.length > 0) stream().write(rest);
      } catch (error) {
        failed(error);
      }
    },
  };
};

/** Only there can be a terminal; a closed descriptor is none either. */
const isCharacterDevice = (fd: number): boolean => {
  try {
    return fstatSync(fd).isCharacterDevice();
  } catch {
    return false;
  }
};

/** Writes what can be written without waiting, and returns the rest; empty where nothing is left. */
const writeNow = (fd: number, bytes: Buffer): Buffer => {
  let rest = bytes;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      // Whoever shares the pipe with us has made it one that does not wait, and it is full.
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return rest;
      throw error;
    }
  }
  return rest;
};
