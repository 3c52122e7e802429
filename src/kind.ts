/**
 * What a module in `kinds/` imports (`lock-doctor/kind`). A kind is data and one pure function: it says where its locks
 * lie and what their bytes mean. The program finds, judges and releases them by its own rules.
 */
import type { Kind } from './core/types/kind.ts';

export { isPossiblePid } from './core/pid.ts';
// The agent's lock, which the lock library writes by the same names.
export { COMPANION_NAME, LOCK_HOMES, LOCK_NAME } from './core/record/lock-names.ts';
export { parseLockRecord } from './core/record/lock-record.ts';
// What most other tools write.
export {
  type ClaimFields,
  claimByNumber,
  readBareNumber,
  readNumberField,
} from './core/record/number-claim.ts';
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

/** A kind, with a `read` that can be called where the declaration has one. */
type Declared<K extends Kind> = Kind &
  (K['read'] extends null ? unknown : { readonly read: NonNullable<Kind['read']> });

/** Declares a kind of lock. It only adds the types; the module's default export is the kind. */
export const defineKind = <K extends Kind>(kind: K): Declared<K> => kind as unknown as Declared<K>;
