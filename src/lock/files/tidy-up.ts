/** Finishes or undoes what a killed run left beside a lock. Every operation under a guard begins with this. */
import type { BigIntStats } from 'node:fs';
import { basename } from 'node:path';
import { isAbandoned, isExpiredCopy, leftoverKind } from '../../core/record/lock-names.ts';
import type { Leftover } from '../../core/types/evidence.ts';
import { isSameFile } from '../../io/disk/stamp.ts';
import type { SystemCalls } from '../../io/disk/system-calls.ts';
import type { Guard } from '../guard/guard.ts';
import { isProvenDead, lifeNow } from '../identity.ts';
import { putBack } from './aside.ts';
import { readCompanion } from './companion.ts';
import type { LockFiles } from './names.ts';
import { readRecord } from './read-record.ts';

export interface LeftoverRepair {
  /** A lock that a killed run had moved aside is back at its place. */
  readonly restored: boolean;
  /** Paths that were removed. */
  readonly removed: readonly string[];
  /** Paths of locks whose holder may live and that cannot be restored because a newer lock is there. */
  readonly kept: readonly string[];
}

export interface LeftoverOptions {
  readonly nowMs: number;
  /** Milliseconds: kept copies older than this are removed too; null keeps all. */
  readonly clearReleasedAfterMs: number | null;
}

/**
 * Tidies up under the guard: removes staged files and second names of one file, and puts a lock that was moved aside back
 * unless there is a newer one or its holder is proven dead. Touches only regular files under names that we make. Throws
 * what the system throws.
 */
export const tidyUp = (guard: Guard, options: LeftoverOptions): LeftoverRepair => {
  const { files } = guard;
  const { calls } = guard.directory;
  const removed: string[] = [];
  const kept: string[] = [];
  let restored = false;
  if (!guard.stands()) return { restored, removed, kept };
  const remove = (path: string): void => {
    calls.unlink(path);
    removed.push(path);
  };

  const found = findLeftovers(calls, files);
  const staged = found.filter(({ kind }) => kind === 'new');
  for (const { path, stat } of newestFirst(found, 'old')) {
    const lock = calls.lstat(files.lock);
    if (lock === undefined) {
      if (putBack(calls, files, path).kind === 'back') restored = true;
      else kept.push(path);
    } else if (
      isSameFile(lock, stat) ||
      isReplaced(calls, files, path, staged) ||
      isRecordOfDead(calls, path)
    ) {
      remove(path);
    } else kept.push(path);
  }
  // Last, because a staged file tells whether the lock of an `.old` beside it was replaced.
  for (const { path } of staged) remove(path);
  for (const { path, kind, stat } of found) {
    if (kind === 'tmp' && isAbandoned(Number(stat.mtimeNs / 1_000_000n), options.nowMs)) remove(path);
  }
  for (const { path, stat } of newestFirst(found, 'released')) {
    const lock = calls.lstat(files.lock);
    const isSecondName = lock !== undefined && isSameFile(lock, stat);
    if (isSecondName || isExpired(path, options)) remove(path);
  }
  removeOrphanedCompanion(calls, files, remove);
  return { restored, removed, kept };
};

interface Found {
  readonly path: string;
  readonly kind: Leftover['kind'];
  readonly stat: BigIntStats;
}

const findLeftovers = (calls: SystemCalls, files: LockFiles): readonly Found[] => {
  return calls.list(files.directory).flatMap((name) => {
    const kind = leftoverKind(name, basename(files.lock));
    const path = `${files.directory}/${name}`;
    const stat = kind === null ? undefined : calls.lstat(path);
    return kind === null || !stat?.isFile() ? [] : [{ path, kind, stat }];
  });
};

const newestFirst = (found: readonly Found[], kind: Leftover['kind']): readonly Found[] =>
  found.filter((each) => each.kind === kind).sort((a, b) => Number(b.stat.mtimeNs - a.stat.mtimeNs));

const isExpired = (path: string, { nowMs, clearReleasedAfterMs }: LeftoverOptions): boolean =>
  clearReleasedAfterMs !== null && isExpiredCopy(path, nowMs, clearReleasedAfterMs);

/** True for a take-over that died at its end: the lock has the record that was staged under the same nonce. */
const isReplaced = (
  calls: SystemCalls,
  files: LockFiles,
  aside: string,
  staged: readonly Found[],
): boolean => {
  const record = staged.find(({ path }) => path === aside.replace(/old$/, 'new'));
  if (record === undefined) return false;
  const [one, other] = [readRecord(calls, record.path), readRecord(calls, files.lock)];
  return one.kind === 'file' && other.kind === 'file' && one.stamp.sha256 === other.stamp.sha256;
};

const isRecordOfDead = (calls: SystemCalls, path: string): boolean => {
  const seen = readRecord(calls, path);
  return seen.kind === 'file' && isProvenDead(seen.content);
};

/** Removes a second record without a lock whose holder is gone: nothing needs it. */
const removeOrphanedCompanion = (
  calls: SystemCalls,
  files: LockFiles,
  remove: (path: string) => void,
): void => {
  if (calls.lstat(files.lock) !== undefined) return;
  const holder = readCompanion(calls, files);
  if (holder !== null && files.companion !== null && lifeNow(holder) === 'gone') remove(files.companion);
};
