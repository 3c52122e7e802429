/** Locks with the same bytes in other working trees of the repository, outside of the root. Reads only. */
import { MAX_LOCK_BYTES } from '../../core/record/lock-record.ts';
import { claimsWorker } from '../../core/town/lock-rules.ts';
import type { LockFile } from '../../core/types/evidence.ts';
import { sha256Hex } from '../../io/disk/digest.ts';
import { displayPath, joinPath } from '../../io/disk/disk-path.ts';
import { readingCalls, readSmallFile } from '../../io/disk/small-file.ts';
import { siblingsOutside } from '../town/outside-trees.ts';

/** Adds to the lock of the root's own agent in which of these working trees a lock with its bytes is. */
export const withCopiesElsewhere = (locks: readonly LockFile[], root: string): readonly LockFile[] =>
  locks.map((lock) => {
    const { worker, stamp } = lock;
    if (worker !== '.' || stamp === null || !claimsWorker(lock)) return lock;
    const copies = siblingsOutside(root).filter(({ top }) => {
      const read = readSmallFile(readingCalls, joinPath(top, '.runtime/agent.lock'), MAX_LOCK_BYTES);
      return read.kind === 'file' && sha256Hex(read.bytes) === stamp.sha256;
    });
    return copies.length === 0
      ? lock
      : { ...lock, copies: copies.map(({ name, top }) => ({ name, path: displayPath(top) })) };
  });
