/** The report as one JSON event per line. */
import {
  type Report,
  type ReportFinding,
  type ReportFix,
  type ReportTown,
  SCHEMA_VERSION,
} from '../core/types/report.ts';
import { renderJsonLine } from './json.ts';

/** What of a run has been told already, while it went on. */
export interface Told {
  readonly start: boolean;
  readonly fixes: boolean;
}

/**
 * A report as one JSON object per line: `start`, then per check `check` and its `finding`s, a `fix` for every repair
 * that was tried, and `summary`, which carries the exit code. Every line has `schemaVersion` and `event`. What was told
 * while the run went on is left out.
 */
export const renderNdjson = (report: Report, told: Told = { start: false, fixes: false }): string =>
  [
    ...(told.start ? [] : [startEvent(report, report.town)]),
    ...bodyEvents(report, told.fixes),
    summaryEvent(report),
  ]
    .map(renderJsonLine)
    .join('');

/** The first event: what runs, and on which town. */
export const startEvent = (
  {
    schemaVersion,
    tool,
    command,
    startedAt,
  }: Pick<Report, 'schemaVersion' | 'tool' | 'command' | 'startedAt'>,
  town: ReportTown | null,
): object => ({ schemaVersion, event: 'start', tool, command, startedAt, town });

/** What became of one release. */
export const fixEvent = (
  { id, worker, lock }: Pick<ReportFinding, 'id' | 'worker' | 'lock'>,
  { status, reason, backup }: Pick<ReportFix, 'status' | 'reason' | 'backup'>,
): object => ({
  schemaVersion: SCHEMA_VERSION,
  event: 'fix',
  finding: id,
  worker,
  lock,
  status,
  reason,
  backup,
});

const bodyEvents = ({ schemaVersion, checks, findings }: Report, fixesTold: boolean): readonly object[] =>
  [...checks, null].flatMap((check) => {
    // Findings of no check are releases by force; they come last.
    const own = findings.filter((finding) =>
      check === null ? !checks.some(({ id }) => id === finding.check) : finding.check === check.id,
    );
    return [
      ...(check === null ? [] : [{ schemaVersion, event: 'check', ...check }]),
      ...own.map((finding) => ({ schemaVersion, event: 'finding', ...finding })),
      ...own.flatMap((finding) =>
        !fixesTold && finding.fix?.action === 'release' && finding.fix.status !== 'planned'
          ? [fixEvent(finding, finding.fix)]
          : [],
      ),
    ];
  });

const summaryEvent = (report: Report): object => {
  const { schemaVersion, ok, complete, exitCode, durationMs, tmux, summary, leases, gaps, error } = report;
  return {
    ...{ schemaVersion, event: 'summary', ok, complete, exitCode, durationMs, tmux, summary },
    ...(leases === undefined ? {} : { leases }),
    ...{ gaps, error },
  };
};
