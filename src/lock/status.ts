/** What a lock is and why, as data and as one sentence. Reads only. */
import { describeFileProblem } from '../core/record/file-problem.ts';
import type { LockProblem, LockRecord, Stamp } from '../core/types/evidence.ts';
import type { State, Verdict } from '../core/types/judgement.ts';
import { explainRefusal, isAbout } from './ask-the-judge.ts';
import { type RecordReading, readRecord } from './files/read-record.ts';
import { isOurs, type LockContext } from './lock-context.ts';

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
  const { workerDir } = context;
  if (seen.kind === 'absent') return { ...NOTHING, state: 'unlocked', text: `${workerDir} is not locked.` };
  if (seen.kind === 'unread') return unreadable(workerDir, seen.why);
  if (seen.kind === 'other') return invalid(workerDir, seen.problem, describeFileProblem(seen), null);
  const { content, stamp } = seen;
  if (content.kind === 'unread') return unreadable(workerDir, content.why);
  if (content.kind === 'invalid') return invalid(workerDir, content.problem, content.detail, stamp);
  if (!isOurs(context, seen)) return null;
  return { ...NOTHING, state: 'ours', text: `${workerDir} is locked by us.`, record: content.record, stamp };
};

const unreadable = (workerDir: string, why: string): LockStatus => ({
  ...NOTHING,
  state: 'unknown',
  text: `The lock of ${workerDir} cannot be read: ${why}.`,
});

const invalid = (
  workerDir: string,
  problem: LockProblem,
  detail: string,
  stamp: Stamp | null,
): LockStatus => ({
  ...NOTHING,
  state: 'invalid',
  text: `The lock of ${workerDir} is not a valid lock: ${detail}.`,
  stamp,
  problem: { problem, detail },
});
