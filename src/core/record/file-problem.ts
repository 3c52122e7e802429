/** What stands at a lock's name where no small regular file does, in words. Pure. */
import type { FileProblem } from '../types/evidence.ts';

const SENTENCES: Readonly<Record<FileProblem, (size: number) => string>> = {
  directory: () => 'a directory stands in its place',
  symlink: () => 'a symbolic link stands in its place and is not followed',
  fifo: () => 'a named pipe stands in its place',
  socket: () => 'a socket stands in its place',
  device: () => 'a device stands in its place',
  'too-large': (size) => `${size} bytes, a record has some 200`,
};

/** The detail of a lock that is none; `size` in bytes. */
export const describeFileProblem = ({
  problem,
  size,
}: {
  readonly problem: FileProblem;
  readonly size: number;
}): string => SENTENCES[problem](size);
