/**
 * lock-doctor as a library: diagnose a town, ask before an agent starts, take and give back the lock of a worker.
 * Asking never writes; only `heal`, `undoReleases`, `cleanStaleLocks` and the methods of `Lock` that say so do.
 */
export { examineSnapshot } from './core/examine.ts';
export { Failure } from './core/failure.ts';
export type { Plan, PlanStep } from './core/plan.ts';
export type { Answer, PreflightReport, PreflightResult, Report } from './core/report-types.ts';
export type {
  Check,
  Collision,
  Examination,
  Finding,
  LockFile,
  LockRecord,
  Snapshot,
  Stamp,
  State,
  Verdict,
} from './core/types.ts';
export { type ExamineOptions, examine, type HealOptions, heal, preflight } from './doctor.ts';
export { examineTown, type LookOptions, lookAtWorker, type WorkerLook } from './evidence/look.ts';
export type { Acquired, AcquireRequest } from './lock/acquire.ts';
export { Lock, type LockOptions } from './lock/agent-lock.ts';
export {
  GuardBusyError,
  InvalidLockError,
  LockChangedError,
  LockError,
  LockedError,
  LockIoError,
  NoGuardError,
  NotLockedError,
} from './lock/errors.ts';
export type { Released } from './lock/release.ts';
export type { LockStatus } from './lock/status.ts';
export { type WithLockOptions, withLock } from './lock/with-lock.ts';
export {
  cleanStaleLocks,
  detectCollisions,
  findAllLocks,
  type TownLocksOptions,
} from './repair/town-locks.ts';
export { type UndoOutcome, type UndoReport, undoReleases } from './repair/undo.ts';
