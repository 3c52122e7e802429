/** A report as one HTML file that needs nothing else: to attach to an incident, to read years later, to print. */
import { count, formatDuration } from '../../core/report/amounts.ts';
import type { ReportFilter } from '../../core/report/filter-report.ts';
import type { History } from '../../core/types/history.ts';
import type { Report, ReportCheck } from '../../core/types/report.ts';
import { describeServer, describeTown } from '../screen/sentences.ts';
import { quoteCommand } from '../screen/shell-quote.ts';
import type { Mark } from '../screen/style.ts';
import { summarize } from '../screen/summary.ts';
import { findingCards, lockCards } from './cards.ts';
import { html, type Markup } from './markup.ts';
import { countList, marked, section, time } from './pieces.ts';
import { STYLE_SHEET } from './style-sheet.ts';
import { timeline } from './timeline.ts';

/** Nothing is loaded and nothing runs, even if some text were taken for markup. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/**
 * The whole report with every piece of evidence, and what the journal tells besides; null where there was none to read.
 * Nothing is cut short: it is read where nobody can ask again. Of a `part` the page says that it is one.
 */
export const renderHtml = (
  report: Report,
  history: History | null,
  part: ReportFilter | null = null,
): string => {
  const where = report.town?.root ?? 'no town';
  const { headline } = summarize(report, true);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="${`lock-doctor ${report.tool.version}`}">
<title>${`lock-doctor: ${where}`}</title>
${STYLE_SHEET}
</head>
<body>
<header>
<h1>Locks of <span class="name">${where}</span></h1>
<p class="faint small">${origin(report)}</p>
</header>
<main>
${verdictOf(report, headline)}
${countList(report)}
${part === null ? null : html`<p class="faint small">${partWords(part)}</p>`}
${section('What to do', nextSteps(report))}
${section('Findings', findingCards(report))}
${section('Locks', lockCards(report))}
${section('Timeline', timeline(report, history))}
${section('What was checked', lookedAt(report))}
</main>
<footer class="faint small">
<p>Made by lock-doctor ${report.tool.version}. A lock is broken only on proof of death, never on doubt. <code>doctor explain WORD</code> explains each word of this report.</p>
</footer>
</body>
</html>
`;
  return page.markup;
};

const origin = (report: Report): Markup =>
  html`Examined on ${report.town?.host ?? 'an unknown host'} at ${time(report.startedAt)}, by <code>${`doctor ${report.command === 'doctor' ? '' : report.command}`.trim()}</code>. ${describeTown(report, true).join(' ')}`;

/** `Only a part is shown: stale locks; at or below gastown. The counts are those of the whole town.` */
const partWords = ({ states, kinds, places, sinceMs, beforeMs }: ReportFilter): string => {
  const moment = (ms: number): string => new Date(ms).toISOString();
  const said = [
    states.length === 0 ? '' : `state ${states.join(' or ')}`,
    kinds.length === 0 ? '' : `kind ${kinds.join(' or ')}`,
    places.length === 0 ? '' : `at or below ${places.join(' or ')}`,
    sinceMs === null ? '' : `since ${moment(sinceMs)}`,
    beforeMs === null ? '' : `before ${moment(beforeMs)}`,
  ].filter((words) => words !== '');
  return `Only a part is shown, in the timeline too: ${said.join('; ')}. Counts and verdict are those of the whole town.`;
};

const MARKS: Readonly<Record<ReportCheck['status'], Mark>> = {
  pass: 'pass',
  fail: 'warning',
  skipped: 'skipped',
  unknown: 'unknown',
  crashed: 'error',
};

/** What was examined; null where nothing was. */
const lookedAt = ({ gaps, tmux, checks }: Report): Markup | null => {
  const servers = tmux?.servers ?? [];
  if (gaps.length + servers.length + checks.length === 0) return null;
  return html`${
    gaps.length === 0
      ? null
      : html`<h3>Could not be checked</h3><ul>${gaps.map(({ what, why }) => html`<li>${marked('unknown', what)}: ${why}</li>`)}</ul>`
  }
${
  servers.length === 0
    ? null
    : html`<h3>tmux servers</h3><ul>${servers.map(
        (server) => html`<li><code>${server.socket}</code>: ${describeServer(server)}</li>`,
      )}</ul>`
}
${
  checks.length === 0
    ? null
    : html`<h3>Checks</h3><ul>${checks.map(
        ({ id, title, status, findings, durationMs, error }) =>
          html`<li>${marked(MARKS[status], status)} ${title} <span class="faint small">(${id}, ${count(findings, 'finding')}, ${formatDuration(durationMs)})</span>${error === null ? '' : `: ${error}`}</li>`,
      )}</ul>`
}`;
};

/** The verdict in one word and one sentence. */
const verdictOf = (report: Report, headline: string): Markup => {
  const [mark, word] = wordFor(report);
  return html`<p class="headline">${marked(mark, word)} ${headline}</p>
${report.error === null ? null : html`<p class="error">${report.error.message}</p>`}`;
};

const wordFor = ({ ok, complete, exitCode, findings }: Report): readonly [Mark, string] => {
  if (ok && complete) return ['pass', 'Healthy.'];
  if (exitCode === 1)
    return findings.some(({ severity, fix }) => severity === 'error' && fix?.status !== 'fixed')
      ? ['error', 'Dangerous.']
      : ['warning', 'Problems found.'];
  return complete
    ? ['warning', `Ended with exit code ${exitCode}.`]
    : ['unknown', 'Not everything could be checked.'];
};

/** All of the commands, each to be pasted as it is. */
const nextSteps = (report: Report): Markup | null => {
  const { steps } = summarize(report, true);
  return steps.length === 0
    ? null
    : html`${steps.map(
        ({ text, commands }) =>
          html`<p>${text}</p>${commands.length === 0 ? null : html`<pre>${commands.map((command) => quoteCommand(command)).map((line, at) => html`${at === 0 ? '' : { markup: '\n' }}${line}`)}</pre>`}`,
      )}`;
};
