/** The report for a pipe. */
import type { Report, ReportFinding } from '../core/types/report.ts';
import { describeFix, describeTown } from './screen/sentences.ts';
import { createPen, type Pen, type Presentation } from './screen/style.ts';
import { summarize } from './screen/summary.ts';
import { formatDuration } from './screen/words.ts';

/** Lines for a pipe: each stands alone, starts with what it is, and names its worker; `grep` and `cut` work. */
export const renderLines = (report: Report, presentation: Presentation): readonly string[] => {
  const pen = createPen(presentation);
  const verbose = presentation.verbosity === 'verbose';
  const problems = [
    ...report.findings
      .filter(({ severity }) => presentation.verbosity !== 'quiet' || severity !== 'info')
      .flatMap((finding) => findingLines(finding, pen, verbose)),
    ...report.checks
      .filter(({ status }) => status === 'crashed')
      .map(({ id, error }) => `crashed ${id}: ${pen.safe(error ?? 'no message')}`),
    ...report.gaps.map(({ what, why }) => `gap ${pen.safe(what)}: ${pen.safe(why)}`),
  ];
  if (presentation.verbosity === 'quiet') return problems;
  return [
    ...describeTown(report).map((line) => `town ${pen.safe(line)}`),
    ...(verbose ? timingLines(report, pen) : []),
    ...problems,
    ...summaryLines(report, pen),
  ];
};

const findingLines = (finding: ReportFinding, pen: Pen, verbose: boolean): readonly string[] => {
  const { severity, doubt, check, worker, message, evidence, fix } = finding;
  const outcome = describeFix(finding);
  const word = fix?.status === 'fixed' ? 'fixed' : doubt ? 'unknown' : severity;
  return [
    `${word} ${check} ${pen.safe(worker ?? '.')}: ${pen.safe(message)}${outcome === null ? '' : ` (${pen.safe(outcome)})`}`,
    ...(verbose ? evidence.map(({ source, text }) => `  ${source}: ${pen.safe(text)}`) : []),
  ];
};

const timingLines = (report: Report, pen: Pen): readonly string[] => [
  ...(report.tmux?.servers ?? []).map(
    ({ socket, status, reason, sessions, panes }) =>
      `tmux ${pen.safe(socket)}: ${status === 'ok' ? `${sessions} sessions, ${panes} panes` : `${status}${reason === null ? '' : `, ${pen.safe(reason)}`}`}`,
  ),
  ...report.checks.map(
    ({ id, status, findings, durationMs }) =>
      `check ${id}: ${status}, ${findings} findings, ${formatDuration(durationMs)}`,
  ),
];

const summaryLines = (report: Report, pen: Pen): readonly string[] => {
  const { headline, steps } = summarize(report);
  return [
    `summary ${headline}`,
    ...steps.flatMap(({ text, commands }) => [
      `summary ${text.replace(/:$/, '.')}`,
      ...commands.map((command) => `next ${pen.command(command)}`),
    ]),
  ];
};
