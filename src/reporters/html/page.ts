/** A report as one HTML file that needs nothing else: to attach to an incident, to read years later, to print. */
import type { ReportFilter } from '../../core/report/filter-report.ts';
import type { History } from '../../core/types/history.ts';
import type { Report } from '../../core/types/report.ts';
import { describeTown } from '../screen/sentences.ts';
import { summarize } from '../screen/summary.ts';
import { findingCards } from './findings.ts';
import { lockCards } from './locks.ts';
import { lookedAt } from './looked-at.ts';
import { html, type Markup } from './markup.ts';
import { countList, section, time } from './pieces.ts';
import { STYLE_SHEET } from './style-sheet.ts';
import { timeline } from './timeline.ts';
import { nextSteps, verdictOf } from './verdict.ts';

/** Nothing is loaded, nothing runs: not even where something in here were taken for markup. */
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
