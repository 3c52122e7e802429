/** The report for a pipe. */
import { count, formatDuration } from '../core/report/amounts.ts';
import type { Report, ReportFinding } from '../core/types/report.ts';
import { takenAt } from './screen/blocks.ts';
import { describeFix, describeServer, describeTown, rootBefore } from './screen/sentences.ts';
import { createPen, type Pen, type Presentation } from './screen/style.ts';
import { hiddenStep, isHealthy, type Summary, summarize } from './screen/summary.ts';
import { nameOf } from './screen/words.ts';
import { worstFirst } from './screen/worst-first.ts';

/** Lines for a pipe: each stands alone, starts with what it is, and names its worker; `grep` and `cut` work. */
export const renderLines = (report: Report, presentation: Presentation): readonly string[] => {
  const pen = createPen(presentation);
  const verbose = presentation.verbosity === 'verbose';
  const problems = [
    ...worstFirst(report.findings)
      .filter(({ severity }) => presentation.verbosity !== 'quiet' || severity !== 'info')
      .flatMap((finding) => findingLines(finding, report, pen, verbose)),
    ...report.checks
      .filter(({ status }) => status === 'crashed')
      .map(({ id, error }) => `crashed ${id}: ${pen.safe(error ?? 'no message')}`),
    ...report.gaps.map(({ what, why }) => `gap ${pen.safe(what)}: ${pen.safe(why)}`),
  ];
  if (presentation.verbosity === 'quiet') {
    const hidden = hiddenStep(report);
    return hidden === null ? problems : [...problems, ...stepLines(hidden, pen)];
  }
  if (!verbose && isHealthy(report))
    return [`ok ${pen.safe(rootBefore(report) + summarize(report).headline)}`];
  return [
    ...describeTown(report, verbose).map((line, at) =>
      at === 0 && report.town?.type !== undefined ? pen.safe(line) : `town ${pen.safe(line)}`,
    ),
    ...(verbose ? timingLines(report, pen) : []),
    ...problems,
    ...summaryLines(report, pen, verbose),
  ];
};

const findingLines = (
  finding: ReportFinding,
  report: Report,
  pen: Pen,
  verbose: boolean,
): readonly string[] => {
  const { severity, doubt, check, worker, message, evidence, fix } = finding;
  const outcome = describeFix(finding);
  const word = fix?.status === 'fixed' ? 'fixed' : doubt ? 'unknown' : severity;
  return [
    `${word} ${check} ${pen.safe(nameOf(worker ?? '.', report.town?.root))}: ${pen.safe(message)}${outcome === null ? '' : outcome.endsWith(')') ? `; ${pen.safe(outcome)}` : ` (${pen.safe(outcome)})`}`,
    ...(verbose
      ? [
          ...takenAt(report, finding.lock).map((line) => `  ${pen.safe(line)}`),
          ...evidence.map(({ source, text }) => `  ${source}: ${pen.safe(text)}`),
        ]
      : []),
  ];
};

const timingLines = (report: Report, pen: Pen): readonly string[] => [
  ...(report.tmux?.servers ?? []).map(
    (server) => `tmux ${pen.safe(server.socket)}: ${pen.safe(describeServer(server))}`,
  ),
  ...report.checks.map(
    ({ id, status, findings, durationMs }) =>
      `check ${id}: ${status}, ${count(findings, 'finding')}, ${formatDuration(durationMs)}`,
  ),
];

const summaryLines = (report: Report, pen: Pen, verbose: boolean): readonly string[] => {
  const { headline, steps } = summarize(report, verbose);
  return [`summary ${pen.safe(headline)}`, ...steps.flatMap((step) => stepLines(step, pen))];
};

const stepLines = ({ text, commands, more }: Summary['steps'][number], pen: Pen): readonly string[] => [
  `summary ${inOneLine(text, more)}`,
  ...commands.map((command) => `next ${pen.command(command)}`),
];

/** In a pipe the command has a line of its own, which says by its first word what it is. */
const inOneLine = (text: string, more: number): string =>
  `${text.replace(/(?:(?:\. Run|, then run|\. Undo with)?:|\.)$/, '')}${more > 0 ? ` (and ${more} more: doctor -v)` : ''}.`;
