/** Describes what stands at a lock's name where that is not a small regular file. Pure. */
import type { FileProblem } from '../types/evidence.ts';

const SENTENCES: Readonly<Record<FileProblem, (size: number) => string>> = {
  directory: () => 'it is a directory',
  symlink: () => 'it is a symbolic link, and those are not followed',
  fifo: () => 'it is a named pipe',
  socket: () => 'it is a socket',
  device: () => 'it is a device',
  'too-large': (size) => `${size} bytes, a record has some 200`,
};

/** What is wrong with a lock that is not a small file; `size` in bytes. */
export const describeFileProblem = ({
  problem,
  size,
}: {
  readonly problem: FileProblem;
  readonly size: number;
}): string => SENTENCES[problem](size);
