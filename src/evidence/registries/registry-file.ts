/** Reads one file of a registry with care: it may be anything, and anybody's. */
import { readingCalls, readSmallFile } from '../../io/disk/small-file.ts';

/** Records are a few hundred bytes. */
const MAX_RECORD_BYTES = 16 * 1024;

export interface RegistryFile {
  readonly text: string;
  readonly mtimeMs: number;
}

/**
 * A regular file of that user's, or why he keeps something there that nobody can read. Null where there is nothing, and where it
 * is anybody else's: that is not a record of his. Never follows a symlink, never waits, never throws.
 */
export const readRegistryFile = (
  path: string,
  uid: number,
): RegistryFile | { readonly closed: string } | null => {
  const reading = readSmallFile(readingCalls, path, MAX_RECORD_BYTES);
  if (reading.kind === 'absent' || (reading.uid !== null && reading.uid !== uid)) return null;
  if (reading.kind === 'unread') return { closed: reading.why };
  if (reading.kind === 'other')
    return {
      closed: reading.problem === 'too-large' ? 'it is longer than any record' : `it is a ${reading.problem}`,
    };
  return { text: new TextDecoder().decode(reading.bytes), mtimeMs: reading.mtimeMs };
};
