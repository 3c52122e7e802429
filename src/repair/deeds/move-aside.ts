/** Lets a lock go by moving it aside: it becomes its kept copy, which `doctor undo` links back. Always under the guard. */
import type { BigIntStats } from 'node:fs';
import type { ReleaseOutcome } from '../../core/report/report.ts';
import type { Stamp } from '../../core/types/evidence.ts';
import { isSameFile } from '../../io/disk/stamp.ts';
import { describeFailure } from '../../io/programs/describe-failure.ts';
import {
  bringBack,
  findAside,
  finishAside,
  moveAside,
  putBack as putAsideBack,
} from '../../lock/files/aside.ts';
import { readCompanion, removeCompanion, writeCompanion } from '../../lock/files/companion.ts';
import { readStamp } from '../../lock/files/read-record.ts';
import type { Guard } from '../../lock/guard/guard.ts';
import { changed, failed, replaced, skipped } from '../outcomes.ts';
import type { Deed, PutBack } from './deed.ts';

const letGo = (guard: Guard, stamp: Stamp, backup: string): ReleaseOutcome => {
  const { calls } = guard.directory;
  if (isOfOtherTools(guard) && !isStill(calls.lstat(guard.files.lock), stamp)) return replaced();
  const moved = moveAside(guard, stamp);
  switch (moved.kind) {
    case 'moved':
      finishAside(calls, guard.files, moved.aside, () => calls.rename(moved.aside, backup));
      return { status: 'fixed', backup, reason: dropCompanion(guard) };
    case 'absent':
      return changed('it is gone');
    case 'changed':
      return changed('it was replaced at the last moment, and is back at its place');
    case 'unguarded':
      return skipped(`somebody removed its guard file (${guard.files.guard}) meanwhile`);
    case 'stranded':
      return failed(`it was replaced at the last moment and is now at ${moved.aside}: ${moved.why}`);
  }
};

/** True for a lock of other tools. They do not know our guard, so one may have taken the lock again since the last look. */
const isOfOtherTools = ({ files }: Guard): boolean => files.companion === null;

/** Looks before moving, so that a live holder's lock is not absent even for the moment that the look aside takes. */
const isStill = (now: BigIntStats | undefined, { dev, ino, mtimeNs, size }: Stamp): boolean =>
  now !== undefined &&
  String(now.dev) === dev &&
  String(now.ino) === ino &&
  String(now.mtimeNs) === mtimeNs &&
  Number(now.size) === size;

/** Removes the second record. If that fails the lock is still released: other tools do not read that record. */
const dropCompanion = ({ files, directory }: Guard): string | null => {
  try {
    removeCompanion(directory.calls, files);
    return null;
  } catch (error) {
    return `its second record ${files.companion} could not be removed: ${describeFailure(error)}`;
  }
};

const NEWER: PutBack = { status: 'newer-lock', reason: 'a newer lock is there' };
const BACK: PutBack = { status: 'restored', reason: 'it is back' };

const unguarded = ({ files }: Guard): PutBack => ({
  status: 'no-guard',
  reason: `somebody removed its guard file (${files.guard})`,
});

/** A run that was killed between the two renames left no kept copy: the file that it moved aside is the lock. */
const bringBackAside = (guard: Guard, aside: string): PutBack | (() => PutBack) => {
  const { calls } = guard.directory;
  if (!guard.stands()) return unguarded(guard);
  if (calls.lstat(guard.files.lock) !== undefined) return NEWER;
  return () => {
    const back = putAsideBack(calls, guard.files, aside);
    if (back.kind === 'failed') throw new Error(back.why);
    return back.kind === 'back' ? BACK : NEWER;
  };
};

const putBack: Deed['putBack'] = (guard, { backup, stamp, companion }) => {
  const { files } = guard;
  const { calls } = guard.directory;
  const kept = readStamp(calls, backup);
  const current = readStamp(calls, files.lock);
  if (kept.kind === 'absent' && current.kind === 'file' && current.stamp.sha256 === stamp.sha256)
    return { status: 'already', reason: 'it is already there' };
  const aside = kept.kind === 'absent' ? findAside(calls, files.lock, stamp) : null;
  if (aside !== null) return bringBackAside(guard, aside);
  if (kept.kind !== 'file') return { status: 'missing', reason: `its backup ${backup} is gone` };
  if (kept.stamp.sha256 !== stamp.sha256)
    return { status: 'missing', reason: `its backup ${backup} is not what was released` };
  if (!guard.stands()) return unguarded(guard);
  const existing = calls.lstat(files.lock);
  const copy = calls.lstat(backup);
  // An undo that died after linking left two names of one file: only the remaining steps are done.
  const isLinked = existing !== undefined && copy !== undefined && isSameFile(existing, copy);
  if (existing !== undefined && !isLinked) return NEWER;
  return () => {
    if (!isLinked && !bringBack(calls, backup, files.lock)) return NEWER;
    if (companion !== null && readCompanion(calls, files) === null) writeCompanion(calls, files, companion);
    if (calls.lstat(backup) !== undefined) calls.unlink(backup);
    return BACK;
  };
};

export const moveAsideDeed: Deed = { letGo, putBack };
