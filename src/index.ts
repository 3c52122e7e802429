/**
 * lock-doctor as a library: diagnose a town, ask before an agent starts, take and give back the lock of a worker.
 * Asking never writes; only `heal`, `undoReleases`, `cleanStaleLocks` and the methods of `Lock` that say so do.
 */

export { Failure } from './core/failure.ts';
export { examineSnapshot } from './core/judge/examine.ts';
export type { Plan, PlanStep } from './core/plan.ts';
export type { Check, Finding } from './core/types/check.ts';
export type { LockFile, LockRecord, Snapshot, Stamp } from './core/types/evidence.ts';
export type { Collision, Examination, State, Verdict } from './core/types/judgement.ts';
export type {
  Answer,
  PlaceOfWork,
  PreflightReport,
  PreflightResult,
  Report,
  WhoReport,
} from './core/types/report.ts';
export { type ExamineOptions, examine } from './diagnose.ts';
export { type HealOptions, heal } from './heal.ts';
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
export { type LookOptions, lookAtWorker, type WorkerLook } from './look.ts';
export { preflightRemoval } from './places/removal.ts';
export { who } from './places/who.ts';
export { preflight } from './preflight.ts';
export type { JournalDamage } from './repair/find-releases.ts';
export { type UndoOutcome, type UndoReport, undoReleases } from './repair/undo.ts';
export {
  cleanStaleLocks,
  detectCollisions,
  examineTown,
  findAllLocks,
  type TownLocksOptions,
} from './town-locks.ts';
