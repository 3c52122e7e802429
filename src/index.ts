/**
 * lock-doctor as a library: diagnose a town, ask before an agent starts, take and give back the lock of a worker.
 * Asking never writes; only `heal`, `undo`, `cleanStaleLocks` and the methods of `Lock` that say so do.
 */
export type { PreflightReport, PreflightResult, Report } from './core/report-types.ts';
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
export { Failure } from './core/failure.ts';
export { examineSnapshot } from './core/examine.ts';
export { examine, type ExamineOptions, lookAtWorker, type LookOptions, preflight } from './doctor.ts';
