/** Reads one file of a registry with care: it may be anything, and anybody's. */
import { readingCalls, readSmallFile } from '../../io/disk/small-file.ts';
import type { ClosedRecord } from './registry.ts';

/** Records are a few hundred bytes. */
const MAX_RECORD_BYTES = 16 * 1024;

export interface RegistryFile {
  readonly text: string;
  readonly mtimeMs: number;
}

/**
 * A regular file of that user's. Null where there is none, and where it is anybody else's, a symlink, a FIFO or the like, or
 * too long for a record. Never waits, never throws.
 */
export const readRegistryFile = (path: string, uid: number): RegistryFile | ClosedRecord | null => {
  const reading = readSmallFile(readingCalls, path, MAX_RECORD_BYTES);
  if (reading.kind === 'unread' && reading.uid === uid) return { path, closed: reading.why };
  if (reading.kind !== 'file' || reading.uid !== uid) return null;
  return { text: new TextDecoder().decode(reading.bytes), mtimeMs: reading.mtimeMs };
};
