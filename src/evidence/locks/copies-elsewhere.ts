/** Locks with the same bytes in other working trees of the repository, outside of the root. Reads only. */
import { MAX_LOCK_BYTES } from '../../core/record/lock-record.ts';
import { claimsWorker } from '../../core/town/lock-rules.ts';
import { relativeTo } from '../../core/town/roles.ts';
import type { LockFile, PidLookup, TmuxEvidence, TmuxPane } from '../../core/types/evidence.ts';
import { sha256Hex } from '../../io/disk/digest.ts';
import { displayPath, joinPath } from '../../io/disk/disk-path.ts';
import { readingCalls, readSmallFile } from '../../io/disk/small-file.ts';
import { siblingsOutside } from '../town/outside-trees.ts';

/** Adds to the lock of the root's own agent in which of these working trees a lock with its bytes is. */
const withCopies = (locks: readonly LockFile[], root: string): readonly LockFile[] =>
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

/**
 * Adds the copies of the root's lock. They matter only where whoever it names is seen outside: a preflight of a worktree with a hundred
 * siblings reads none of theirs.
 */
export const withCopiesElsewhere = (
  locks: readonly LockFile[],
  root: string,
  lookups: readonly PidLookup[],
  { servers }: TmuxEvidence,
): readonly LockFile[] => {
  const isOutside = (path: string): boolean => relativeTo(root, path)?.startsWith('../') ?? true;
  const names = new Set(
    locks.map(({ content }) => (content.kind === 'record' ? content.record.sessionId : '')),
  );
  const isNamed = ({ id, sessionId, sessionName, path }: TmuxPane): boolean =>
    path !== null && isOutside(path) && [id, sessionId, sessionName].some((name) => names.has(name));
  return lookups.some(({ process }) => process?.cwd?.seen === true && isOutside(process.cwd.value)) ||
    servers.some(({ panes }) => panes.some(isNamed))
    ? withCopies(locks, root)
    : locks;
};
