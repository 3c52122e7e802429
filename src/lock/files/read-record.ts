/** Reads one file of a lock and parses it as a record. Never follows a symlink, never hangs. */
import { MAX_LOCK_BYTES, parseLockRecord } from '../../core/record/lock-record.ts';
import type { AgentLockContent, Stamp } from '../../core/types/evidence.ts';
import {
  type FileReading,
  type RegularFile,
  readFileStart,
  readSmallFile,
} from '../../io/disk/small-file.ts';
import { stampOf } from '../../io/disk/stamp.ts';
import type { SystemCalls } from '../../io/disk/system-calls.ts';

/** A regular file at a lock's name; it may not be a valid record. */
export interface RecordFile extends RegularFile {
  readonly stamp: Stamp;
  readonly content: AgentLockContent;
}

/** What stands at the name of a lock. */
export type RecordReading = Exclude<FileReading, RegularFile> | RecordFile;

/** What stands at a name, by its stamp alone. */
export type StampReading =
  | Exclude<FileReading, RegularFile>
  | { readonly kind: 'file'; readonly stamp: Stamp };

/** The stamp of a file of any size, since locks of other kinds may be large. Returns the same kinds of answer as `readRecord`. */
export const readStamp = (calls: SystemCalls, path: string): StampReading => {
  const reading = readFileStart(calls, path, MAX_LOCK_BYTES);
  return reading.kind === 'file' ? { kind: 'file', stamp: stampOf(reading) } : reading;
};

/** Reads the file that is there now. Expected failures are returned; nothing is thrown. */
export const readRecord = (calls: SystemCalls, path: string): RecordReading => {
  const reading = readSmallFile(calls, path, MAX_LOCK_BYTES);
  return reading.kind === 'file'
    ? { ...reading, stamp: stampOf(reading), content: parseLockRecord(reading.bytes) }
    : reading;
};
