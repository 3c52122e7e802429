/** Reads one file of a registry safely: it may be any kind of file, with any owner. */
import { readingCalls, readSmallFile } from '../../io/disk/small-file.ts';
import { describeErrno, isAbsence } from '../../io/errno.ts';
import { readdirSync } from '../../io/file-systems/servers.ts';

/** Records are a few hundred bytes. */
const MAX_RECORD_BYTES = 16 * 1024;

export interface RegistryFile {
  readonly text: string;
  readonly mtimeMs: number;
}

/** A file that cannot be read, and when it was written, in milliseconds since the epoch; null where that is hidden too. */
export interface Unread {
  readonly closed: string;
  readonly mtimeMs: number | null;
}

/**
 * Reads a regular file of that user, or says why it cannot be read. Null where there is no file, or where it belongs to somebody
 * else and so is not that user's record. Never follows a symlink, never waits, never throws.
 */
export const readRegistryFile = (path: string, uid: number): RegistryFile | Unread | null => {
  const reading = readSmallFile(readingCalls, path, MAX_RECORD_BYTES);
  if (reading.kind === 'absent' || (reading.uid !== null && reading.uid !== uid)) return null;
  const { mtimeMs } = reading;
  if (reading.kind === 'unread') return { closed: reading.why, mtimeMs };
  if (reading.kind === 'other') {
    const { problem } = reading;
    return {
      closed: problem === 'too-large' ? 'it is longer than any record' : `it is a ${problem}`,
      mtimeMs,
    };
  }
  return { text: new TextDecoder().decode(reading.bytes), mtimeMs: reading.mtimeMs };
};

/** The names in a directory, none where it is absent; or why it cannot be listed. */
export const listRegistry = (directory: string): readonly string[] | { readonly closed: string } => {
  try {
    return readdirSync(directory);
  } catch (error) {
    return isAbsence(error) ? [] : { closed: describeErrno(error) };
  }
};
