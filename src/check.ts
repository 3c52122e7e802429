/**
 * What a check module imports (`lock-doctor/check`): the types of the evidence, and helpers for wording. A check is
 * pure: it gets an examination and returns findings; a fix is a proposal that only the repair acts on.
 */
import type { Check, Fix } from './core/types/check.ts';
import type { Verdict } from './core/types/judgement.ts';

export { groupBy } from './core/group-by.ts';
export { isTracked } from './core/judge/may-release.ts';
export { programOf } from './core/programs/classify.ts';
export { isAbandoned, lockBeside } from './core/record/lock-names.ts';
export { describeAge } from './core/report/amounts.ts';
export { doubtOf } from './core/report/doubt.ts';
export { mainGitDirOf, repairCommand } from './core/report/git-commands.ts';
export { ofKind, sinceAtEnd, summary } from './core/report/holder-words.ts';
export { optionWith, townOption, workerArgument } from './core/report/name-worker.ts';
export { describeRefusal } from './core/report/refusals.ts';
export { type ClosedHome, closedHomesOf } from './core/town/closed-homes.ts';
export { isContainerId } from './core/town/host-names.ts';
export { attachTo, processesIn, programsIn } from './core/town/in-pane.ts';
export { claimsWorker as isAgents, isHarmless } from './core/town/lock-rules.ts';
export { type LostRepository, lostRepositoriesOf } from './core/town/lost-repositories.ts';
export { isLockMovedAside } from './core/town/moved-aside.ts';
export { isWithin, relativeTo } from './core/town/roles.ts';
export { firstUnreached } from './core/town/unreached.ts';
export type { Check, Finding, Fix, Severity } from './core/types/check.ts';
export type {
  Gap,
  GitFacts,
  GoneTree,
  Leftover,
  LegacyItem,
  LockContent,
  LockFile,
  LockRecord,
  MovedTree,
  Observed,
  ProcessInfo,
  Snapshot,
  TmuxPane,
  TmuxServer,
} from './core/types/evidence.ts';
export type {
  Collision,
  Examination,
  Fact,
  Holder,
  Note,
  Occupant,
  Reason,
  Release,
  State,
  Verdict,
} from './core/types/judgement.ts';

/** Declares a check. It only adds the types; the module's default export is the check, or an array of checks. */
export const defineCheck = (check: Check): Check => check;

/** Proposes to release the lock of a verdict. The repair looks again and decides by its own rules whether it may. */
export const release = (verdict: Verdict): Fix => ({ action: 'release', lock: verdict.lock.id });

/** Advises a person. `commands` are argument vectors that work when pasted from the town's root. */
export const advice = (text: string, commands: readonly (readonly string[])[] = []): Fix => ({
  action: 'advice',
  text,
  commands,
});
