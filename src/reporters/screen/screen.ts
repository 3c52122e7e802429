/** The report for a terminal: the answer on one screen. */
import type { Report, ReportCheck, ReportFinding } from '../../core/types/report.ts';
import { wrapText } from './display-width.ts';
import { describeFix, describeTown } from './sentences.ts';
import { createPen, type Mark, type Pen, type Presentation } from './style.ts';
import { isFixable, summarize } from './summary.ts';
import { count, formatDuration } from './words.ts';

/** More findings than this of one check are counted, not shown: the answer has to fit on one screen. */
const FINDINGS_SHOWN = 10;

interface Canvas extends Pen {
  readonly presentation: Presentation;
  /** Breaks a text under an indentation; continuation lines hang by two more columns. */
  readonly flow: (indent: number, text: string) => readonly string[];
}

/** A report for a terminal: the town, every check with what it found, and what to do next. */
export const renderScreen = (report: Report, presentation: Presentation): readonly string[] => {
  const canvas = createCanvas(presentation);
  const quiet = presentation.verbosity === 'quiet';
  const checks = report.checks.filter(({ status }) => !quiet || !['pass', 'skipped'].includes(status));
  const body = [
    ...checks.flatMap((check) => checkLines(check, report, canvas)),
    ...forcedLines(report, canvas),
    ...gapLines(report, canvas),
  ];
  if (quiet) return body;
  return [
    ...describeTown(report).flatMap((line) => canvas.flow(0, canvas.safe(line))),
    ...(presentation.verbosity === 'verbose' ? serverLines(report, canvas) : []),
    '',
    ...body,
    ...(body.length > 0 ? [''] : []),
    ...summaryLines(report, canvas),
  ];
};

/** The line of one check: `⚠ Stale locks: 2`. */
const describeCheck = (check: ReportCheck, findings: readonly ReportFinding[], pen: Pen): string => {
  const open = findings.filter(({ fix }) => fix?.status !== 'fixed').length;
  const fixed = findings.length - open;
  const counts = [open > 0 ? `${open}` : null, fixed > 0 ? `${fixed} fixed` : null].filter(
    (part) => part !== null,
  );
  const state =
    check.status === 'crashed'
      ? `crashed, ${pen.safe(check.error ?? 'no message')}`
      : check.status === 'skipped'
        ? 'skipped'
        : counts.join(', ');
  return `${pen.sign(checkMark(check, findings))} ${pen.safe(check.title)}${state === '' ? '' : `: ${state}`}`;
};

const checkLines = (check: ReportCheck, report: Report, canvas: Canvas): readonly string[] => {
  const findings = report.findings.filter((finding) => finding.check === check.id);
  const visible =
    canvas.presentation.verbosity === 'quiet'
      ? findings.filter(({ severity }) => severity !== 'info')
      : findings;
  if (canvas.presentation.verbosity === 'quiet' && visible.length === 0 && check.status !== 'crashed')
    return [];
  const timing =
    canvas.presentation.verbosity === 'verbose' ? canvas.dim(` (${formatDuration(check.durationMs)})`) : '';
  const rest = visible.length - FINDINGS_SHOWN;
  return [
    describeCheck(check, findings, canvas) + timing,
    ...visible.slice(0, FINDINGS_SHOWN).flatMap((finding) => findingLines(finding, canvas)),
    ...(rest > 0 ? canvas.flow(4, `and ${rest} more: doctor --json`) : []),
  ];
};

/** Releases by force belong to no check: nothing was wrong with the lock but that a person wanted it gone. */
const forcedLines = (report: Report, canvas: Canvas): readonly string[] => {
  const known = new Set(report.checks.map(({ id }) => id));
  const forced = report.findings.filter(({ check }) => !known.has(check));
  return forced.length === 0
    ? []
    : [
        `${canvas.sign('info')} By force: ${forced.length}`,
        ...forced.flatMap((finding) => findingLines(finding, canvas)),
      ];
};

const findingLines = (finding: ReportFinding, canvas: Canvas): readonly string[] => {
  const { worker, message, evidence, fix } = finding;
  // What --fix would do is said once, in the summary; only what it did or left stands with the finding.
  const outcome =
    fix === null || fix.action === 'advice' || isFixable(finding) ? null : describeFix(atHome(finding));
  const mark: Mark = fix?.status === 'fixed' ? 'fixed' : findingMark(finding);
  const head = `${canvas.safe(worker ?? 'town')}: ${canvas.safe(message)}${outcome === null ? '' : `; ${canvas.safe(outcome)}`}`;
  const [first = '', ...more] = canvas.flow(4, head);
  const advice = fix?.action === 'advice' && fix.text !== null ? canvas.flow(6, canvas.safe(fix.text)) : [];
  return [
    `  ${canvas.sign(mark)}${first.slice(2 + signWidth(canvas))}`,
    ...more,
    ...advice.map(canvas.dim),
    ...(canvas.presentation.verbosity === 'verbose'
      ? evidence.flatMap(({ source, text }) =>
          canvas.flow(6, `${source}: ${canvas.safe(text)}`).map(canvas.dim),
        )
      : []),
  ];
};

/** On a screen the name of a kept copy will do: it lies beside the lock. */
const atHome = (finding: ReportFinding): ReportFinding => {
  const { fix } = finding;
  if (fix === null || fix.backup === null) return finding;
  return { ...finding, fix: { ...fix, backup: fix.backup.slice(fix.backup.lastIndexOf('/') + 1) } };
};

const gapLines = (report: Report, canvas: Canvas): readonly string[] =>
  report.gaps.length === 0
    ? []
    : [
        `${canvas.sign('unknown')} Not looked at: ${report.gaps.length}`,
        ...report.gaps
          .slice(0, FINDINGS_SHOWN)
          .flatMap(({ what, why }) => canvas.flow(4, `${canvas.safe(what)}: ${canvas.safe(why)}`)),
        ...(report.gaps.length > FINDINGS_SHOWN
          ? canvas.flow(4, `and ${report.gaps.length - FINDINGS_SHOWN} more: doctor --json`)
          : []),
      ];

const serverLines = (report: Report, canvas: Canvas): readonly string[] =>
  (report.tmux?.servers ?? []).flatMap(({ socket, status, sessions, panes, reason }) => {
    const said =
      status === 'ok' ? `${count(sessions, 'session')}, ${count(panes, 'pane')}` : (reason ?? status);
    return canvas.flow(2, `tmux ${canvas.safe(socket)}: ${canvas.safe(said)}`).map(canvas.dim);
  });

const summaryLines = (report: Report, canvas: Canvas): readonly string[] => {
  const { headline, steps } = summarize(report);
  return [
    ...canvas.flow(0, headline).map(canvas.bold),
    ...steps.flatMap(({ text, commands }) => [
      ...canvas.flow(0, text),
      // Commands stay whole, however narrow the terminal: a broken line cannot be pasted.
      ...commands.map((command) => `  ${canvas.command(command)}`),
    ]),
  ];
};

const checkMark = (check: ReportCheck, findings: readonly ReportFinding[]): Mark => {
  if (check.status === 'crashed') return 'error';
  if (check.status === 'skipped') return 'skipped';
  const open = findings.filter(({ fix }) => fix?.status !== 'fixed');
  const marks = open.map(findingMark);
  return (
    (['error', 'warning', 'unknown', 'info'] as const).find((mark) => marks.includes(mark)) ??
    (check.status === 'unknown' ? 'unknown' : 'pass')
  );
};

const findingMark = ({ severity, doubt }: ReportFinding): Mark =>
  doubt && severity !== 'info' ? 'unknown' : severity;

const signWidth = ({ presentation }: Canvas): number => (presentation.ascii ? 2 : 1);

const createCanvas = (presentation: Presentation): Canvas => ({
  ...createPen(presentation),
  presentation,
  flow: (indent, text) => {
    const [first = '', ...rest] = wrapText(text, presentation.width - indent - 2);
    const spaces = ' '.repeat(indent);
    return [`${spaces}${first}`, ...rest.map((line) => `${spaces}  ${line}`)];
  },
});
