/** What every operation on one lock needs, and the questions that they share. */
import { describeFileProblem } from '../core/record/file-problem.ts';
import type { LockRecord, Stamp } from '../core/types/evidence.ts';
import { UnsafeDirectoryError } from '../io/disk/open-directory.ts';
import type { SystemCalls } from '../io/disk/system-calls.ts';
import { errnoOf } from '../io/errno.ts';
import { describeFailure } from '../io/programs/describe-failure.ts';
import type { Judge } from './ask-the-judge.ts';
import {
  DiskError,
  InvalidLockError,
  LockChangedError,
  LockError,
  LockedError,
  LockIoError,
  NoGuardError,
  NotLockedError,
} from './errors.ts';
import { moveAside } from './files/aside.ts';
import type { LockFiles } from './files/names.ts';
import type { RecordReading } from './files/read-record.ts';
import type { Guard } from './guard/guard.ts';

export interface LockContext {
  readonly workerDir: string;
  readonly files: LockFiles;
  /** Under a guard, the calls of the opened directory. */
  readonly calls: SystemCalls;
  readonly judge: Judge;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Nonce of this instance's acquisition, or null. */
  readonly nonce: string | null;
  /** Session that this acquisition names; empty for none. */
  readonly sessionId: string;
}

export interface Seen {
  readonly record: LockRecord;
  readonly stamp: Stamp;
}

/** True where the record that was seen is this instance's. */
export const isOurs = ({ nonce }: LockContext, seen: RecordReading): boolean => {
  const holder = seen.kind === 'file' && seen.content.kind === 'record' ? seen.content.record.holder : null;
  return nonce !== null && holder?.nonce === nonce;
};

/** The record that was seen; throws NotLockedError, InvalidLockError or, where it cannot be read, LockedError. */
export const recordOf = ({ workerDir }: LockContext, seen: RecordReading): Seen => {
  if (seen.kind === 'absent') throw new NotLockedError(workerDir);
  if (seen.kind === 'other') throw new InvalidLockError(workerDir, seen.problem, describeFileProblem(seen));
  if (seen.kind === 'unread') throw unreadable(workerDir, seen.why);
  const { content, stamp } = seen;
  if (content.kind === 'invalid') throw new InvalidLockError(workerDir, content.problem, content.detail);
  if (content.kind === 'unread') throw unreadable(workerDir, content.why);
  return { record: content.record, stamp };
};

/** What to throw for a lock of somebody else. */
export const notOurs = (context: LockContext, seen: RecordReading): LockedError => {
  const { record, stamp } = recordOf(context, seen);
  const { workerDir } = context;
  const by =
    record.sessionId === '' ? `process ${record.pid}` : `process ${record.pid} (${record.sessionId})`;
  return new LockedError(workerDir, `The lock of ${workerDir} is not ours: ${by} took it.`, {
    state: 'unknown',
    record,
    stamp,
  });
};

/**
 * Moves the lock with this stamp aside and returns its new path, `changed` or `absent`. Throws NoGuardError when the guard's
 * file was removed, and LockChangedError when a lock that was moved by mistake could not be restored.
 */
export const take = (
  { workerDir }: LockContext,
  guard: Guard,
  expected: Stamp,
  nonce?: string,
): { readonly aside: string } | 'changed' | 'absent' => {
  const moved = moveAside(guard, expected, nonce);
  switch (moved.kind) {
    case 'moved':
      return { aside: moved.aside };
    case 'unguarded':
      throw tornGuard(workerDir);
    case 'stranded':
      throw new LockChangedError(
        workerDir,
        `The lock of ${workerDir} changed during the check, and is now at ${moved.aside}: ${moved.why}.`,
      );
    default:
      return moved.kind;
  }
};

export const tornGuard = (workerDir: string): NoGuardError =>
  new NoGuardError(
    workerDir,
    'somebody removed its guard file while it was held',
    'Never remove agent.lock.flock.',
  );

/** Errors of the library and programming errors pass unchanged; the error of a system call becomes a LockIoError. */
export const asLockError = (workerDir: string, error: unknown): unknown => {
  if (error instanceof LockError) return error;
  if (error instanceof UnsafeDirectoryError) return new NoGuardError(workerDir, error.message, error.hint);
  const isOfDisk = error instanceof DiskError || /^E[A-Z0-9]+$/.test(errnoOf(error) ?? '');
  if (!isOfDisk) return error;
  const message = `The disk refused to change the lock of ${workerDir}: ${describeFailure(error)}.`;
  return new LockIoError(workerDir, message, errnoOf(error), error);
};

const unreadable = (workerDir: string, why: string): LockedError =>
  new LockedError(workerDir, `The lock of ${workerDir} cannot be read: ${why}.`, { state: 'unknown' });
