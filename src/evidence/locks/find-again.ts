/** Finds one known lock again: a second look is at exactly that file, wherever its kind keeps it. */
import { dirname, join } from 'node:path';
import type { LockFile } from '../../core/types/evidence.ts';
import type { FoundLock } from '../scan/scan.ts';
import { agentTable, type LockTable } from './lock-table.ts';

/**
 * What a scan would return for this lock of the town at `root`; null for an unknown kind. Does not look at the disk:
 * whether the lock is still there shows when it is read. Its path must be UTF-8.
 */
export const findAgain = (
  { kind: id, path, worker, layout, id: lockId, tree, gitDir }: LockFile,
  root: string,
  { kinds }: LockTable = agentTable,
): FoundLock | null => {
  const kind = kinds.get(id);
  if (kind === undefined) return null;
  const companion = 'homes' in kind.where ? kind.where.companion : undefined;
  return {
    kind,
    path,
    place: join(root, worker),
    layout,
    companion: companion === undefined ? null : join(dirname(path), companion),
    hasTwin: lockId.endsWith('#legacy'),
    linkedGitDir: tree === undefined ? null : linkedGitDirAround(path),
    gitDir: gitDir ?? null,
  };
};

/** `<git directory>/worktrees/<name>` of anything that lies in it. */
const linkedGitDirAround = (path: string): FoundLock['linkedGitDir'] => {
  const found = /^(.*\/worktrees\/[^/]+)\/[^/]/.exec(path)?.[1];
  return found === undefined ? null : { path: found, isCheckedOut: false };
};
