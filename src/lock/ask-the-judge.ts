/** Asks the doctor what a lock is: the lock library never derives a state itself. */
import { refusalOf } from '../core/report/refusals.ts';
import type { Verdict } from '../core/types/judgement.ts';
import { isSameStamp } from '../io/disk/stamp.ts';
import type { LookOptions } from '../look.ts';
import type { RecordReading } from './files/read-record.ts';

/** A lock in question: only its place is known. */
interface AskedLock {
  /** As the caller named it. */
  readonly workerDir: string;
  /** Absolute path of the lock. */
  readonly path: string;
}

/** The verdict on a lock as it is now, or null where there is none (any more). */
export type Judge = (asked: AskedLock) => Promise<Verdict | null>;

/** Options of the doctor's own judge, as of `lookAtWorker`. */
export interface JudgeOptions
  extends Pick<LookOptions, 'sockets' | 'timeoutMs' | 'agents' | 'formerHosts' | 'env'> {
  /** Root of the town; default: the marked directory around the worker, or the worker itself. */
  readonly town?: string;
}

/** The doctor's own look at one worker. Loaded when it is first needed: most acquisitions meet no lock at all. */
export const doctorsJudge =
  (options: JudgeOptions = {}): Judge =>
  async ({ workerDir, path }) => {
    const { lookAtWorker } = await import('../look.ts');
    const { verdicts } = await lookAtWorker(workerDir, options);
    return verdicts.find(({ lock }) => lock.path === path) ?? null;
  };

/** True where the verdict is about exactly this file with exactly these bytes. */
export const isAbout = (verdict: Verdict, seen: RecordReading): boolean =>
  seen.kind === 'file' && verdict.lock.stamp !== null && isSameStamp(verdict.lock.stamp, seen.stamp);

/** The reason against a release that the judge would allow. */
const SHARED = 'locks of other machines cannot be excluded on this file system';

/** Why a lock that is judged so is not taken over: one sentence for an operator. */
export const explainRefusal = (workerDir: string, verdict: Verdict): string => {
  const { state, holder, facts, notes } = verdict;
  const pid =
    holder === null ? '' : ` (process ${holder.pid}${holder.sessionId ? `, ${holder.sessionId}` : ''})`;
  const because = facts.map(({ text }) => text).join('; ');
  switch (state) {
    case 'held':
      return notes.includes('idle')
        ? `${workerDir} is held by a session that stands idle${pid}: ${because}.`
        : `${workerDir} is held by a live agent${pid}: ${because}.`;
    case 'orphaned':
      return `${workerDir} is locked by a process that lives without its session${pid}: ${because}.`;
    case 'foreign':
      return `${workerDir} was locked on another machine${pid}: ${because}.`;
    case 'stale':
    case 'invalid':
      return `The lock of ${workerDir}${pid} is ${state} and is not released, because ${refusalOf(verdict) ?? SHARED}.`;
    case 'unknown':
      return `Doctor cannot tell who holds ${workerDir}${pid}: ${because}.`;
  }
};
