/**
 * What a module in `kinds/` imports (`lock-doctor/kind`). A kind is data and one pure function: it says where its locks
 * lie and what their bytes mean; finding, judging and letting go are done by the program, by its rules.
 */
import type { Kind } from './core/types/kind.ts';

// The agent's lock, which the lock library writes by the same names.
export { COMPANION_NAME, LOCK_HOMES, LOCK_NAME } from './core/record/lock-names.ts';
export { parseLockRecord } from './core/record/lock-record.ts';
export { textOf } from './core/record/text-of.ts';
export type {
  Claim,
  FlockClaim,
  MtimeClaim,
  NumberClaim,
  OpenFileClaim,
  PersonClaim,
} from './core/types/claim.ts';
export type {
  KindRules,
  LockContent,
  LockProblem,
  LockRecord,
  TrueHolder,
  Witness,
} from './core/types/evidence.ts';
export type {
  Kind,
  LetGo,
  LockFileName,
  Where,
  WhereBeside,
  WhereFiles,
  WhereHome,
  WhereInGitDir,
} from './core/types/kind.ts';

/** Declares a kind of lock. It only lends the types; the module's default export is the kind. */
export const defineKind = (kind: Kind): Kind => kind;
