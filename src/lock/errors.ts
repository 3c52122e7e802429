/** What can go wrong with a lock, each with the data that a caller needs to decide what to do next. */
import type { LockProblem, LockRecord, Stamp } from '../core/types/evidence.ts';
import type { State, Verdict } from '../core/types/judgement.ts';

export type LockErrorCode =
  | 'E_LOCKED'
  | 'E_NOT_LOCKED'
  | 'E_INVALID_LOCK'
  | 'E_LOCK_CHANGED'
  | 'E_GUARD_BUSY'
  | 'E_NO_GUARD'
  | 'E_LOCK_IO';

/** Base of all errors of the lock library; `message` is one sentence for an operator. */
export class LockError extends Error {
  readonly code: LockErrorCode;
  readonly workerDir: string;

  constructor(code: LockErrorCode, workerDir: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.workerDir = workerDir;
  }
}

/** Somebody else has the lock, or it cannot be proven free. */
export class LockedError extends LockError {
  /** As judged; `unknown` where nothing could be found out. */
  readonly state: State;
  readonly record: LockRecord | null;
  readonly stamp: Stamp | null;
  /** The whole judgement, where one was made. */
  readonly verdict: Verdict | null;
  /** Seconds until asking again makes sense; null where waiting does not help. */
  readonly retryInSeconds: number | null;

  constructor(
    workerDir: string,
    message: string,
    data: {
      readonly state: State;
      readonly record?: LockRecord | null;
      readonly stamp?: Stamp | null;
      readonly verdict?: Verdict | null;
    },
  ) {
    super('E_LOCKED', workerDir, message);
    this.state = data.state;
    this.record = data.record ?? null;
    this.stamp = data.stamp ?? null;
    this.verdict = data.verdict ?? null;
    const release = this.verdict?.release;
    this.retryInSeconds = release?.allowed === false ? release.retryInSeconds : null;
  }
}

/** There is no lock where one was expected. */
export class NotLockedError extends LockError {
  constructor(workerDir: string) {
    super('E_NOT_LOCKED', workerDir, `${workerDir} is not locked.`);
  }
}

/** The file at the lock's name is not a lock record. It is left alone: `doctor --fix` decides about it. */
export class InvalidLockError extends LockError {
  readonly problem: LockProblem;
  readonly detail: string;

  constructor(workerDir: string, problem: LockProblem, detail: string) {
    super('E_INVALID_LOCK', workerDir, `The lock of ${workerDir} is not a valid lock: ${detail}.`);
    this.problem = problem;
    this.detail = detail;
  }
}

/** The lock is not the one that the caller has seen; nothing was changed, or everything was restored. */
export class LockChangedError extends LockError {
  constructor(workerDir: string, message: string) {
    super('E_LOCK_CHANGED', workerDir, message);
  }
}

/** Somebody else kept the guard during the whole waiting time. Nothing was changed. */
export class GuardBusyError extends LockError {
  readonly waitedMs: number;

  constructor(workerDir: string, waitedMs: number) {
    super(
      'E_GUARD_BUSY',
      workerDir,
      `Somebody else is changing the lock of ${workerDir}: waited ${waitedMs} ms for the guard.`,
    );
    this.waitedMs = waitedMs;
  }
}

/** Without the guard nothing may be removed or replaced. Nothing was changed. */
export class NoGuardError extends LockError {
  readonly why: string;
  /** What helps. */
  readonly hint: string;

  constructor(workerDir: string, why: string, hint: string) {
    super('E_NO_GUARD', workerDir, `The lock of ${workerDir} cannot be guarded: ${why}. ${hint}`);
    this.why = why;
    this.hint = hint;
  }
}

/** The disk refused; `cause` is the system's own error. Begun changes were undone as far as the disk allowed. */
export class LockIoError extends LockError {
  /** `ENOSPC`, `EACCES` …; null where the system gave none. */
  readonly errno: string | null;

  constructor(workerDir: string, message: string, errno: string | null, cause: unknown) {
    super('E_LOCK_IO', workerDir, message, { cause });
    this.errno = errno;
  }
}

/** The disk failed in a way that has no system error; `Lock` rejects with LockIoError for it. */
export class DiskError extends Error {
  constructor(message: string) {
    super(message);
    this.name = new.target.name;
  }
}
