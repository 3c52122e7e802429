/** The report for GitHub Actions. */
import { optionWith } from '../core/report/name-worker.ts';
import { HERE } from '../core/town/views.ts';
import type { Report, ReportFinding } from '../core/types/report.ts';
import { escapeControls } from './screen/safe-text.ts';
import { describeFix } from './screen/sentences.ts';
import { quoteCommand } from './screen/shell-quote.ts';
import { isFixable, summarize, withTown } from './screen/summary.ts';
import { nameOf } from './screen/words.ts';
import { worstFirst } from './screen/worst-first.ts';

/** Escapes line breaks, so that they end neither the annotation nor its text. */
const LINE_BREAK = '%0A';

const LEVELS = { info: 'notice', warning: 'warning', error: 'error' } as const;

/** Workflow commands of GitHub Actions: one annotation per finding, gap and crashed check, and the headline last. */
export const renderGithub = (report: Report): string =>
  [
    ...worstFirst(report.findings)
      .filter(({ fix }) => fix?.status !== 'fixed')
      .map((finding) => annotation(finding, report)),
    ...report.gaps.map(
      ({ what, why }) => `::warning title=${property('could not be checked')}::${data(`${what}: ${why}`)}`,
    ),
    ...report.checks
      .filter(({ status }) => status === 'crashed')
      .map(
        ({ id, error }) => `::error title=${property(`check ${id} crashed`)}::${data(error ?? 'no message')}`,
      ),
    // A line that starts with two colons would be a command; this one starts with ours.
    `lock-doctor: ${escapeControls(summarize(report).headline)}`,
  ]
    .map((line) => `${line}\n`)
    .join('');

const annotation = (finding: ReportFinding, report: Report): string => {
  const path = report.locks.find(({ id }) => id === finding.lock)?.path;
  const properties = [
    ...(path === undefined ? [] : [`file=${property(path)}`]),
    `title=${property(finding.check)}`,
  ];
  const fix = describeFix(finding);
  // Nothing but the headline follows, so all that is to be run stands here.
  const commands = isFixable(finding) ? [releasing(finding, report)] : finding.next;
  const text = `${nameOf(finding.worker ?? '.', report.town?.root)}: ${finding.message}${fix === null ? '' : ` (${fix})`}`;
  return `::${LEVELS[finding.severity]} ${properties.join(',')}::${[text, ...commands.map((command) => quoteCommand(command))].map(data).join(LINE_BREAK)}`;
};

/** Releases what a finding is about, and whatever else is dead at that worker. */
const releasing = ({ worker, machine = HERE }: ReportFinding, report: Report): readonly string[] =>
  withTown(report, [
    ...['doctor', '--fix', ...(machine === HERE ? [] : ['--on', machine])],
    ...optionWith('worker', worker ?? '.'),
  ]);

const data = (text: string): string => escapeControls(text).replaceAll('%', '%25');
const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
