/** Reads the second record beside a lock, which names the true holder. */
import { MAX_LOCK_BYTES, parseCompanion } from '../../core/record/lock-record.ts';
import type { TrueHolder } from '../../core/types/evidence.ts';
import type { DiskPath } from '../../io/disk/disk-path.ts';
import { type ReadingCalls, readSmallFile } from '../../io/disk/small-file.ts';

/** The holder, null where there is none; `unread`: the record is there, and why it could not be read. Never throws. */
export const readHolder = <Path extends DiskPath>(
  calls: ReadingCalls<Path>,
  path: Path,
): { readonly holder: TrueHolder | null; readonly unread: string | null } => {
  const reading = readSmallFile(calls, path, MAX_LOCK_BYTES);
  return {
    holder: reading.kind === 'file' ? parseCompanion(reading.bytes) : null,
    unread: reading.kind === 'unread' ? reading.why : null,
  };
};
