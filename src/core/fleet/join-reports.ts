/** Joins reports of many towns on many machines into one: all rows, the sums, and the exit code. Pure. */
import { countUp } from '../report/report.ts';
import type { Gap } from '../types/evidence.ts';
import {
  type CheckStatus,
  EXIT,
  type Report,
  type ReportCheck,
  type ReportMachine,
  type ReportSummary,
} from '../types/report.ts';

/** Of a check that ran in several towns, the worst outcome is reported. */
const WORST_FIRST: readonly CheckStatus[] = ['crashed', 'unknown', 'fail', 'pass', 'skipped'];

const joinChecks = (reports: readonly Report[]): readonly ReportCheck[] => {
  const joined = new Map<string, ReportCheck>();
  for (const check of reports.flatMap((report) => report.checks)) {
    const known = joined.get(check.id);
    joined.set(
      check.id,
      known === undefined
        ? check
        : {
            ...known,
            status:
              WORST_FIRST.find((status) => status === known.status || status === check.status) ?? 'unknown',
            findings: known.findings + check.findings,
            durationMs: known.durationMs + check.durationMs,
            error: known.error ?? check.error,
          },
    );
  }
  return [...joined.values()];
};

const addSummaries = (reports: readonly Report[]): ReportSummary => {
  const sums: Record<keyof ReportSummary, number> = countUp([], [], [], 0);
  for (const { summary } of reports)
    for (const key of Object.keys(sums) as (keyof ReportSummary)[]) sums[key] += summary?.[key] ?? 0;
  return sums;
};

/** A machine that could not be asked, or only in part, is a gap like anything else that could not be looked at. */
const machineGaps = (machines: readonly ReportMachine[]): readonly Gap[] =>
  machines.flatMap(({ name, status, reason }) =>
    status === 'ok' ? [] : [{ what: `machine:${name}`, why: reason ?? 'could not be asked', machine: name }],
  );

/** An interruption outranks problems, problems outrank doubt, doubt outranks health. */
const exitCodeFor = (reports: readonly Report[], complete: boolean): number => {
  const codes = reports.map(({ exitCode }) => exitCode);
  const interrupted = codes.find((code) => code > EXIT.bug);
  if (interrupted !== undefined) return interrupted;
  if (codes.includes(EXIT.problems)) return EXIT.problems;
  return complete ? EXIT.ok : EXIT.unsure;
};

/**
 * Joins labelled reports into one. The first is this machine's: its town and tmux stand for the whole.
 *
 * @param machines a row for each that was asked, whether or not it answered
 */
export const joinReports = (
  [first, ...others]: readonly [Report, ...Report[]],
  machines: readonly ReportMachine[],
  durationMs: number,
): Report => {
  const reports = [first, ...others];
  const gaps = [...machineGaps(machines), ...reports.flatMap((report) => report.gaps)];
  const complete = reports.every((report) => report.complete) && gaps.length === 0;
  const exitCode = exitCodeFor(reports, complete);
  return {
    ...first,
    ok: exitCode === EXIT.ok,
    complete,
    exitCode,
    durationMs: Math.round(durationMs),
    summary: addSummaries(reports),
    machines,
    locks: reports.flatMap(({ locks }) => locks),
    agents: reports.flatMap(({ agents }) => agents),
    collisions: reports.flatMap(({ collisions }) => collisions),
    checks: joinChecks(reports),
    findings: reports.flatMap(({ findings }) => findings),
    gaps,
    undo: null,
    error: reports.find(({ error }) => error !== null)?.error ?? null,
  };
};
