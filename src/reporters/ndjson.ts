import type { Report } from '../core/report-types.ts';
import { renderJsonLine } from './json.ts';

/**
 * A report as one JSON object per line: `start`, then per check `check` and its `finding`s, a `fix` for every repair
 * that was tried, and `summary`, which carries the exit code. Every line has `schemaVersion` and `event`.
 */
export const renderNdjson = (report: Report): string =>
  [startEvent(report), ...bodyEvents(report), summaryEvent(report)].map(renderJsonLine).join('');

const startEvent = ({ schemaVersion, tool, command, startedAt, town }: Report): object => ({
  schemaVersion,
  event: 'start',
  tool,
  command,
  startedAt,
  town,
});

const bodyEvents = ({ schemaVersion, checks, findings }: Report): readonly object[] =>
  [...checks, null].flatMap((check) => {
    // Findings of no check are releases by force; they come last.
    const own = findings.filter((finding) =>
      check === null ? !checks.some(({ id }) => id === finding.check) : finding.check === check.id,
    );
    return [
      ...(check === null ? [] : [{ schemaVersion, event: 'check', ...check }]),
      ...own.map((finding) => ({ schemaVersion, event: 'finding', ...finding })),
      ...own.flatMap(({ id, worker, lock, fix }) =>
        fix?.action === 'release' && fix.status !== 'planned'
          ? [
              {
                schemaVersion,
                event: 'fix',
                finding: id,
                worker,
                lock,
                status: fix.status,
                reason: fix.reason,
                backup: fix.backup,
              },
            ]
          : [],
      ),
    ];
  });

const summaryEvent = (report: Report): object => {
  const { schemaVersion, ok, complete, exitCode, durationMs, tmux, summary, gaps, error } = report;
  return { schemaVersion, event: 'summary', ok, complete, exitCode, durationMs, tmux, summary, gaps, error };
};
