/** Runs checks over an examination. A check that throws, or returns something other than findings, has crashed; the others still run. */
import { messageOf } from './failure.ts';
import { type Check, type Finding, type Fix, SEVERITIES } from './types/check.ts';
import { type Examination, FACT_SOURCES } from './types/judgement.ts';
import type { CheckStatus } from './types/report.ts';
import { isListOf, isText } from './unchecked.ts';

export interface CheckOutcome {
  readonly check: Check;
  readonly status: CheckStatus;
  readonly findings: readonly Finding[];
  readonly durationMs: number;
  /** What a crashed check said. */
  readonly error: string | null;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

const isTextOrNothing = (value: unknown): boolean => value === undefined || value === null || isText(value);
const SOURCES: readonly unknown[] = FACT_SOURCES;
const LEVELS: readonly unknown[] = SEVERITIES;
const isFact = (value: unknown): boolean =>
  isRecord(value) && SOURCES.includes(value.source) && isText(value.text);

const fixProblem = (fix: unknown, isLock: (id: string) => boolean): string | null => {
  if (fix === null || fix === undefined) return null;
  if (!isRecord(fix)) return 'a fix that is not an object';
  if (fix.action === 'advice') {
    const { text, commands } = fix;
    const words = isListOf(commands, (one) => isListOf(one, isText));
    return isText(text) && (commands === undefined || words)
      ? null
      : 'an advice without a text, or with commands that are not lists of words';
  }
  if (fix.action !== 'release') return `a fix with the unknown action ${JSON.stringify(fix.action)}`;
  return typeof fix.lock === 'string' && isLock(fix.lock)
    ? null
    : 'a release of a lock that is not in the snapshot';
};

const findingProblem = (finding: unknown, isLock: (id: string) => boolean): string | null => {
  if (!isRecord(finding)) return 'a finding that is not an object';
  if (!LEVELS.includes(finding.severity)) return 'a finding without a severity';
  if (typeof finding.message !== 'string') return 'a finding without a message';
  if (!isTextOrNothing(finding.worker)) return 'a worker that is not a string';
  if (!isTextOrNothing(finding.lock)) return 'a lock that is not a string';
  if (!isTextOrNothing(finding.about)) return 'an `about` that is not a string';
  if (finding.workers !== undefined && !isListOf(finding.workers, isText))
    return 'workers that are not a list of strings';
  if (finding.evidence !== undefined && !isListOf(finding.evidence, isFact))
    return 'evidence that is not a list of facts with a source and a text';
  return fixProblem(finding.fix, isLock);
};

/** Third-party findings may leave out what they have nothing to say about. */
const complete = (finding: Partial<Finding> & Pick<Finding, 'severity' | 'message'>): Finding => {
  const { severity, worker = null, workers, about, message, evidence = [], fix: given = null } = finding;
  const fix: Fix | null = given?.action === 'advice' ? { ...given, commands: given.commands ?? [] } : given;
  const lock = finding.lock ?? (fix?.action === 'release' ? fix.lock : null);
  const completed = {
    severity,
    worker,
    lock,
    message,
    evidence,
    fix,
    ...(about == null ? {} : { about }),
    ...(finding.doubt === false ? { doubt: false as const } : {}),
  };
  return workers === undefined ? completed : { ...completed, workers };
};

/** The finding is doubt (incomplete, 22), and no problem (1) or information. */
export const isDoubt = (check: Check, { severity, doubt }: Finding): boolean =>
  check.reportsDoubt === true && severity !== 'info' && doubt !== false;

const statusOf = (check: Check, findings: readonly Finding[]): CheckStatus => {
  if (findings.length === 0) return 'pass';
  return findings.some((finding) => isDoubt(check, finding)) ? 'unknown' : 'fail';
};

/** What was thrown, in words; anything can be thrown, and not everything can be made into text. */
const wordsOf = (error: unknown): string => {
  try {
    return messageOf(error);
  } catch {
    return 'it threw a value that cannot be shown';
  }
};

/** Runs one check. `now` gives milliseconds and serves for `durationMs` only. */
export const runCheck = (check: Check, examination: Examination, now: () => number): CheckOutcome => {
  const startedAt = now();
  let known: ReadonlySet<string> | null = null;
  const isLock = (id: string): boolean => {
    known ??= new Set(examination.snapshot.locks.map((lock) => lock.id));
    return known.has(id);
  };
  const took = () => Math.round(now() - startedAt);
  try {
    const findings: unknown = check.run(examination);
    if (findings instanceof Promise) {
      // The promise is not awaited, and an unhandled rejection would end the run.
      findings.catch(() => {});
      throw new TypeError('it returned a promise: checks are synchronous');
    }
    if (!Array.isArray(findings)) throw new TypeError('it returned no list of findings');
    for (const finding of findings) {
      const problem = findingProblem(finding, isLock);
      if (problem !== null) throw new TypeError(`it returned ${problem}`);
    }
    const completed = findings.map(complete);
    return {
      check,
      status: statusOf(check, completed),
      findings: completed,
      durationMs: took(),
      error: null,
    };
  } catch (error) {
    return { check, status: 'crashed', findings: [], durationMs: took(), error: wordsOf(error) };
  }
};

/** The outcome of a check that was not to run. */
export const skippedCheck = (check: Check): CheckOutcome => ({
  check,
  status: 'skipped',
  findings: [],
  durationMs: 0,
  error: null,
});
