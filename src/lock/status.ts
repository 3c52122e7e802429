/** What a lock is and why, as data and as one sentence. Reads only. */
import type { LockProblem, LockRecord, Stamp } from '../core/types/evidence.ts';
import type { State, Verdict } from '../core/types/judgement.ts';
import { explainRefusal, isAbout } from './ask-the-judge.ts';
import { InvalidLockError, LockError, NotLockedError } from './errors.ts';
import { type RecordReading, readRecord } from './files/read-record.ts';
import { isOurs, type LockContext, recordOf } from './lock-context.ts';

export interface LockStatus {
  readonly state: 'unlocked' | 'ours' | State;
  /** One sentence for an operator. */
  readonly text: string;
  readonly record: LockRecord | null;
  readonly stamp: Stamp | null;
  /** Why it is not a lock record; null where it is one. */
  readonly problem: { readonly problem: LockProblem; readonly detail: string } | null;
  /** The whole judgement, where one was made. */
  readonly verdict: Verdict | null;
}

/** How often a lock that changes while it is judged is looked at again before the answer is unknown. */
const ATTEMPTS = 3;

const NOTHING = { record: null, stamp: null, problem: null, verdict: null };

/** Looks and judges. Throws only what the judge throws. */
export const statusOf = async (context: LockContext): Promise<LockStatus> => {
  const { calls, files, workerDir, judge } = context;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const seen = lookAtLock(context);
    const plain = withoutJudge(context, seen);
    if (plain !== null) return plain;
    const verdict = await judge({ workerDir, path: files.lock });
    const again = readRecord(calls, files.lock);
    if (verdict === null || again.kind !== 'file' || !isAbout(verdict, again)) continue;
    if (again.content.kind !== 'record') continue;
    const { state } = verdict;
    const text =
      state === 'stale' && verdict.release.allowed
        ? `The lock of ${workerDir} is stale: ${verdict.facts.map((fact) => fact.text).join('; ')}.`
        : explainRefusal(workerDir, verdict);
    return { ...NOTHING, state, text, record: again.content.record, stamp: again.stamp, verdict };
  }
  return {
    ...NOTHING,
    state: 'unknown',
    text: `The lock of ${workerDir} changes faster than it can be judged.`,
  };
};

/** Reads the lock's file; a symlink in place of its directory is not followed either. */
export const lookAtLock = ({ calls, files }: LockContext): RecordReading => {
  const directory = readRecord(calls, files.directory);
  return directory.kind === 'other' && directory.problem === 'directory'
    ? readRecord(calls, files.lock)
    : directory;
};

/** The status where no judge is needed; null for somebody else's record. */
const withoutJudge = (context: LockContext, seen: RecordReading): LockStatus | null => {
  try {
    const { record, stamp } = recordOf(context, seen);
    if (!isOurs(context, seen)) return null;
    return { ...NOTHING, state: 'ours', text: `${context.workerDir} is locked by us.`, record, stamp };
  } catch (error) {
    if (!(error instanceof LockError)) throw error;
    const { message: text } = error;
    if (error instanceof NotLockedError) return { ...NOTHING, state: 'unlocked', text };
    if (!(error instanceof InvalidLockError)) return { ...NOTHING, state: 'unknown', text };
    const { problem, detail } = error;
    const stamp = seen.kind === 'file' ? seen.stamp : null;
    return { ...NOTHING, state: 'invalid', text, stamp, problem: { problem, detail } };
  }
};
