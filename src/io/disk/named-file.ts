/** Reads a file that the user named: whole, but only a regular one up to a size, so that it neither hangs nor fills the memory. */
import { Buffer } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { unlessSilent } from '../file-systems/servers.ts';

const open = unlessSilent(openSync);

/** Far more than anybody writes by hand. */
const MEBIBYTE = 1024 * 1024;

/**
 * The bytes of a regular file, through one descriptor. A symlink is followed, because the user named it. Throws what the
 * system throws, and where it is not a regular file or larger than `maxBytes` (default 1 MiB) an `Error` whose message is a fragment.
 */
export const readNamedFile = (path: string, maxBytes = MEBIBYTE): Buffer => {
  // O_NONBLOCK: opening a FIFO without a writer would wait forever.
  const descriptor = open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw new Error('it is not a regular file');
    const tooLarge = new Error(`it is larger than ${maxBytes / MEBIBYTE} MiB`);
    if (stat.size > maxBytes) throw tooLarge;
    const bytes = Buffer.allocUnsafe(stat.size + 1);
    let length = 0;
    for (;;) {
      const count = readSync(descriptor, bytes, length, bytes.length - length, null);
      length += count;
      if (count === 0) return bytes.subarray(0, length);
      // It has grown since fstat: it is being written.
      if (length > stat.size) throw new Error('it is being written right now');
    }
  } finally {
    closeSync(descriptor);
  }
};
