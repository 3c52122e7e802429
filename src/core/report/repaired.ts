/** The reports of a repair: what was planned, what was declined, what was done. Pure: Report in, Report out. */
import type { Plan, PlanStep } from '../plan.ts';
import type { Severity } from '../types/check.ts';
import { EXIT, type Report, type ReportFinding, type ReportFix } from '../types/report.ts';
import { remedyFor } from './after-failure.ts';
import { count } from './amounts.ts';
import { findingId } from './finding-id.ts';
import { summary } from './holder-words.ts';
import { describeInterrupted, exitCodeAfter, type Interruptible, NOT_BEGUN } from './interruption.ts';
import { townOption, workerArgument } from './name-worker.ts';
import { exitCodeOf, type ReleaseOutcome, SKIPPED, withoutConsent } from './report.ts';

/** What a repair did: outcomes by lock id, and the id under which `doctor undo` finds them (null where nothing moved). */
export interface RepairRecord {
  readonly id: string | null;
  readonly outcomes: ReadonlyMap<string, ReleaseOutcome>;
}

const withOutcome = (
  finding: ReportFinding,
  outcome: ReleaseOutcome,
  undo: readonly string[] | null,
  path: string | undefined,
): ReportFinding => {
  const { status, reason, backup } = outcome;
  const remedy = status === 'failed' && path !== undefined ? remedyFor(reason, path) : null;
  return {
    ...finding,
    fix: {
      ...SKIPPED,
      safe: finding.fix?.safe ?? false,
      status,
      reason: remedy === null ? reason : `${reason}; ${remedy.text}`,
      backup,
    },
    next:
      status === 'fixed'
        ? undo === null
          ? []
          : [undo]
        : remedy === null
          ? asking(finding.next)
          : [remedy.next],
  };
};

/** For a release that was not made: the next attempt decides anew. */
const asking = (commands: ReportFinding['next']): ReportFinding['next'] => commands.map(withoutConsent);

const PLANNED_BY_FORCE: ReportFix = { ...SKIPPED, status: 'planned', reason: 'by force' };

/** The finding for a lock that was released by force and that no check reported. */
const forcedFinding = (
  { id, worker }: { readonly id: string; readonly worker: string },
  evidence: ReportFinding['evidence'],
  severity: Severity,
  message: string,
  next: ReportFinding['next'] = [],
): ReportFinding => ({
  id: findingId('forced', { worker, lock: id }),
  check: 'forced',
  severity,
  doubt: false,
  worker,
  lock: id,
  message,
  evidence,
  fix: null,
  next,
});

/**
 * The report of a repair: the second look decides, and what was released is added. A finding that disappeared without being
 * repaired is left out. A forced release of a lock that no check reported gets a finding of its own, which is a problem where
 * the lock still stands.
 */
export const repairedReport = (
  before: Report,
  after: Report,
  repair: RepairRecord,
  failOn: Severity,
  { steps, left }: Pick<Plan, 'steps' | 'left'>,
): Report => {
  const undo =
    repair.id === null || after.town === null
      ? null
      : ['doctor', 'undo', repair.id, ...townOption(after.town)];
  const outcomeOf = (finding: ReportFinding): ReleaseOutcome | undefined =>
    finding.lock === null ? undefined : repair.outcomes.get(finding.lock);
  const paths = new Map(before.locks.map(({ id, path }) => [id, path]));
  const settled = (finding: ReportFinding, outcome: ReleaseOutcome): ReportFinding =>
    withOutcome(finding, outcome, undo, paths.get(finding.lock ?? ''));
  const still = new Set(after.findings.map(({ id }) => id));
  const told = before.findings.flatMap((finding) => {
    const outcome = outcomeOf(finding);
    if (outcome === undefined || finding.check === 'tracked-lock') return [];
    return outcome.status === 'fixed' || !still.has(finding.id) ? [settled(finding, outcome)] : [];
  });
  const remaining = after.findings.map((finding) => {
    const outcome = outcomeOf(finding);
    const concerns = outcome !== undefined && outcome.status !== 'fixed' && finding.fix?.action === 'release';
    return concerns ? settled(finding, outcome) : finding;
  });
  const toldLocks = new Set(
    [...told, ...remaining].filter(({ fix }) => fix?.action === 'release').map(({ lock }) => lock),
  );
  const stands = new Set(after.locks.map(({ id }) => id));
  const from = new Map([...steps, ...left].map(({ verdict }) => [verdict.lock.id, summary(verdict)]));
  const forced = before.locks.flatMap((lock): readonly ReportFinding[] => {
    const outcome = repair.outcomes.get(lock.id);
    if (outcome === undefined || toldLocks.has(lock.id)) return [];
    const isLeft = outcome.status !== 'fixed';
    const whose = from.has(lock.id) ? `: ${from.get(lock.id)}` : '';
    const finding = forcedFinding(
      lock,
      lock.evidence,
      isLeft && stands.has(lock.id) ? 'warning' : 'info',
      `${lock.state} lock ${isLeft ? 'not released' : 'released by force'}${whose}`,
      after.town === null
        ? []
        : [['doctor', 'explain', workerArgument(lock.worker, after.town.root), ...townOption(after.town)]],
    );
    return [settled(finding, outcome)];
  });
  const taken = new Set(told.map(({ id }) => id));
  const findings = [...told, ...forced, ...remaining.filter(({ id }) => !taken.has(id))];
  const fixed = [...repair.outcomes.values()].filter(({ status }) => status === 'fixed').length;
  const exitCode = exitCodeOf([...remaining, ...forced], after.complete, failOn);
  return {
    ...after,
    ok: exitCode === EXIT.ok,
    exitCode,
    startedAt: before.startedAt,
    summary: after.summary === null ? null : { ...after.summary, fixed },
    findings,
    undo,
  };
};

/** A dry run's report: forced releases are planned as well, and locks that are left because of the asker are not. */
export const plannedReport = (report: Report, { steps, left }: Plan): Report => {
  const own = new Map(
    left.filter(({ isAskers }) => isAskers).map(({ verdict, why }) => [verdict.lock.id, why]),
  );
  const forced = new Map(
    steps.filter(({ force }) => force).map((step) => [step.verdict.lock.id, step.verdict]),
  );
  const findings = report.findings.map((finding) => {
    const why = finding.fix?.status === 'planned' ? own.get(finding.lock ?? '') : undefined;
    if (why !== undefined)
      return withOutcome(finding, { status: 'skipped', reason: why, backup: null }, null, undefined);
    return finding.lock !== null &&
      forced.has(finding.lock) &&
      finding.fix?.action === 'release' &&
      !finding.fix.safe
      ? { ...finding, fix: PLANNED_BY_FORCE }
      : finding;
  });
  const told = new Set(findings.filter(({ fix }) => fix?.status === 'planned').map(({ lock }) => lock));
  const more = [...forced.values()]
    .filter(({ lock }) => !told.has(lock.id))
    .map((verdict) => ({
      ...forcedFinding(
        verdict.lock,
        verdict.facts,
        'info',
        `${verdict.state} lock would be released: ${summary(verdict)}`,
      ),
      fix: PLANNED_BY_FORCE,
    }));
  const counts = report.summary;
  return {
    ...report,
    summary: counts === null ? null : { ...counts, fixable: counts.fixable - own.size },
    findings: [...findings, ...more],
  };
};

/** Marks these releases as declined by the person. */
export const markDeclined = (report: Report, steps: readonly PlanStep[]): Report => {
  const left = new Set(steps.map(({ verdict }) => verdict.lock.id));
  return {
    ...report,
    findings: report.findings.map((finding) =>
      finding.lock !== null && left.has(finding.lock) && finding.fix?.action === 'release'
        ? {
            ...finding,
            fix: { ...finding.fix, status: 'skipped' as const, reason: 'you answered no' },
            next: asking(finding.next),
          }
        : finding,
    ),
  };
};

/** The report of an interrupted repair: it ended at a safe point, says what it did, and exits with the signal's status. */
export const interruptedReport = (report: Report, signal: Interruptible | undefined): Report =>
  signal?.aborted === true
    ? {
        ...report,
        ok: false,
        exitCode: exitCodeAfter(signal, report.exitCode),
        error: { code: 'E_INTERRUPTED', message: describeReleases(report), hint: null },
      }
    : report;

const describeReleases = ({ findings }: Report): string => {
  // A lock may have several findings.
  const locksWith = (isSo: (fix: ReportFix) => boolean): number =>
    new Set(
      findings
        .filter(({ fix }) => fix !== null && isSo(fix))
        .map(({ machine = '', worker, lock }) => `${machine}\0${worker}\0${lock}`),
    ).size;
  const released = locksWith(({ status }) => status === 'fixed');
  return describeInterrupted(
    count(released, 'release'),
    locksWith(({ reason }) => reason === NOT_BEGUN),
  );
};
