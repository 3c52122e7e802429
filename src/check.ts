/**
 * What a check module imports (`lock-doctor/check`): the types of the evidence, and the few words in which a check
 * speaks. A check is pure: it gets an examination and returns findings; a fix is a proposal that only the repair acts on.
 */
import { describeAge } from './core/report/age.ts';
import type { Check, Fix } from './core/types/check.ts';
import type { Verdict } from './core/types/judgement.ts';

export { isContainerId } from './core/judge/where-taken.ts';
export { isAbandoned } from './core/record/lock-names.ts';
export { describeAge } from './core/report/age.ts';
export { doubtOf } from './core/report/doubt.ts';
export { optionWith } from './core/report/name-worker.ts';
export { describeRefusal } from './core/report/refusals.ts';
export type { Check, Finding, Fix, Severity } from './core/types/check.ts';
export type {
  Gap,
  GitFacts,
  Leftover,
  LegacyItem,
  LockContent,
  LockFile,
  LockRecord,
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

/** Declares a check. It only lends the types; the module's default export is the check, or an array of checks. */
export const defineCheck = (check: Check): Check => check;

/** Proposes to release the lock of a verdict. The repair looks again and decides by its own rules whether it may. */
export const release = (verdict: Verdict): Fix => ({ action: 'release', lock: verdict.lock.id });

/** Advises a person. `commands` are argument vectors that work when pasted from the town's root. */
export const advice = (text: string, commands: readonly (readonly string[])[] = []): Fix => ({
  action: 'advice',
  text,
  commands,
});

/** One line that says who held the lock and how it stands: `process 41822 gone, pane %55 gone, 8 h`. */
export const summary = (verdict: Verdict): string => {
  const { holder, lock, facts, reasons } = verdict;
  if (holder === null) return facts[0]?.text ?? `${lock.path} is no lock record`;
  const away = reasons.includes('other-namespace')
    ? 'taken in another PID namespace'
    : `taken on ${holder.hostname ?? 'another host'}`;
  const process = holder.process === null ? away : `process ${holder.truePid} ${holder.process}`;
  const noun = holder.sessionId?.startsWith('%') === true ? 'pane' : 'session';
  const session =
    holder.session === 'unnamed' || holder.sessionId === null
      ? 'no session named'
      : `${noun} ${holder.sessionId} ${holder.session}`;
  const age = holder.ageSeconds === null ? 'age unknown' : describeAge(holder.ageSeconds);
  return [process, session, age].join(', ');
};
