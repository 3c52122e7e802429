/** The second record, which keeps the true holder when another tool overwrites the lock. Always under the guard. */
import { formatCompanion } from '../../core/record/lock-record.ts';
import type { TrueHolder } from '../../core/types/evidence.ts';
import { readHolder } from '../../evidence/locks/read-holder.ts';
import type { SystemCalls } from '../../io/disk/system-calls.ts';
import { errnoOf } from '../../io/errno.ts';
import type { LockFiles } from './names.ts';
import { replaceFile } from './staging.ts';

/** The true holder beside the lock, or null where there is none or it cannot be read as one. Never throws. */
export const readCompanion = (calls: SystemCalls, files: LockFiles): TrueHolder | null => {
  if (files.companion === null) return null;
  return readHolder(calls, files.companion).holder;
};

/** Throws what the system throws. */
export const writeCompanion = (calls: SystemCalls, files: LockFiles, holder: TrueHolder): void => {
  if (files.companion !== null) replaceFile(calls, files, files.companion, formatCompanion(holder));
};

/** Removes it where it is a regular file; nothing happens where there is none. Throws what the system throws. */
export const removeCompanion = (calls: SystemCalls, files: LockFiles): void => {
  if (files.companion === null) return;
  try {
    if (calls.lstat(files.companion)?.isFile()) calls.unlink(files.companion);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
};
