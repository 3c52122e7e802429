/** The report for a terminal: the answer on one screen. */
import { count, formatDuration } from '../../core/report/amounts.ts';
import type { Report, ReportCheck } from '../../core/types/report.ts';
import { blockLines, gapBlock, markOf } from './blocks.ts';
import { type Canvas, createCanvas } from './canvas.ts';
import { describeTown, rootBefore } from './sentences.ts';
import type { Mark, Presentation } from './style.ts';
import { hiddenStep, isHealthy, type Summary, summarize } from './summary.ts';

/** More places than this that could not be checked are counted. */
const GAPS_SHOWN = 10;

/** A report for a terminal: what is wrong, the worst first, and what to do next. All well is one line. */
export const renderScreen = (report: Report, presentation: Presentation): readonly string[] => {
  const canvas = createCanvas(presentation);
  const { verbosity } = presentation;
  const verbose = verbosity === 'verbose';
  if (verbosity === 'normal' && isHealthy(report)) return healthyLines(report, canvas);
  const findings =
    verbosity === 'quiet' ? report.findings.filter(({ severity }) => severity !== 'info') : report.findings;
  const problems = [
    ...blockLines(report, findings, canvas),
    ...crashLines(report, canvas),
    ...gapLines(report, canvas),
  ];
  if (verbosity === 'quiet') {
    const hidden = hiddenStep(report);
    return hidden === null ? problems : [...problems, ...stepLines([hidden], canvas)];
  }
  const checks = verbose ? report.checks.flatMap((check) => checkLines(check, report, canvas)) : [];
  return [
    ...describeTown(report, verbose).flatMap((line) => canvas.flow(0, canvas.safe(line))),
    ...(verbose ? serverLines(report, canvas) : []),
    '',
    ...problems,
    ...(problems.length > 0 && checks.length > 0 ? [''] : []),
    ...checks,
    ...(verbose ? skippedLine(report, canvas) : []),
    ...(report.findings.length + report.gaps.length + checks.length > 0 ? [''] : []),
    ...summaryLines(report, canvas),
  ];
};

const healthyLines = (report: Report, canvas: Canvas): readonly string[] => {
  const { headline, steps } = summarize(report);
  return [
    ...canvas.signed('pass', 0, canvas.safe(rootBefore(report) + headline)),
    ...stepLines(steps, canvas),
  ];
};

/** The line of one check: `⚠ Stale locks: 2 (1 ms)`. */
const checkLines = (check: ReportCheck, report: Report, canvas: Canvas): readonly string[] => {
  if (check.status === 'skipped' || check.status === 'crashed') return [];
  const findings = report.findings.filter((finding) => finding.check === check.id);
  const fixed = findings.filter(({ fix }) => fix?.status === 'fixed').length;
  const open = findings.length - fixed;
  const counts = [open > 0 ? `${open}` : null, fixed > 0 ? `${fixed} fixed` : null].filter(
    (part) => part !== null,
  );
  const marks = findings.map(markOf);
  const mark: Mark =
    (['error', 'warning', 'unknown', 'info'] as const).find((one) => marks.includes(one)) ??
    (check.status === 'unknown' ? 'unknown' : 'pass');
  const said = counts.length === 0 ? 'none' : counts.join(', ');
  const timing = canvas.dim(` (${formatDuration(check.durationMs)})`);
  return [`${canvas.sign(mark)} ${canvas.safe(check.title)}: ${said}${timing}`];
};

const skippedLine = (report: Report, canvas: Canvas): readonly string[] => {
  const skipped = report.checks.filter(({ status }) => status === 'skipped').length;
  return skipped === 0
    ? []
    : canvas.signed('skipped', 0, `${count(skipped, 'check')} skipped`).map(canvas.dim);
};

const crashLines = (report: Report, canvas: Canvas): readonly string[] =>
  report.checks
    .filter(({ status }) => status === 'crashed')
    .flatMap(({ title, error }) =>
      canvas.signed('error', 0, `${canvas.safe(title)}: crashed, ${canvas.safe(error ?? 'no message')}`),
    );

const gapLines = (report: Report, canvas: Canvas): readonly string[] =>
  gapBlock(
    report,
    canvas,
    canvas.presentation.verbosity === 'verbose' ? Number.POSITIVE_INFINITY : GAPS_SHOWN,
    true,
  );

const serverLines = (report: Report, canvas: Canvas): readonly string[] =>
  (report.tmux?.servers ?? []).flatMap(({ socket, status, sessions, panes, reason }) => {
    const said =
      status === 'ok' ? `${count(sessions, 'session')}, ${count(panes, 'pane')}` : (reason ?? status);
    return canvas.flow(2, `tmux ${canvas.safe(socket)}: ${canvas.safe(said)}`).map(canvas.dim);
  });

const summaryLines = (report: Report, canvas: Canvas): readonly string[] => {
  const { headline, steps } = summarize(report, canvas.presentation.verbosity === 'verbose');
  return [...canvas.flow(0, canvas.safe(headline)).map(canvas.bold), ...stepLines(steps, canvas)];
};

const stepLines = (steps: Summary['steps'], canvas: Canvas): readonly string[] =>
  steps.flatMap(({ text, commands, more }) => [
    ...canvas.flow(0, text),
    // Commands stay whole, however narrow the terminal: a broken line cannot be pasted.
    ...commands.map((command) => `  ${canvas.command(command)}`),
    ...(more > 0 ? [`  (and ${more} more: doctor -v)`] : []),
  ]);
