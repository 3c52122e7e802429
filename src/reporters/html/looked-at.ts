/** What the HTML report rests on: the servers that were asked, the checks that ran, and what could not be looked at. */

import { count, formatDuration } from '../../core/report/amounts.ts';
import type { Report, ReportCheck } from '../../core/types/report.ts';
import type { Mark } from '../screen/style.ts';
import { html, type Markup } from './markup.ts';
import { marked } from './pieces.ts';

const MARKS: Readonly<Record<ReportCheck['status'], Mark>> = {
  pass: 'pass',
  fail: 'warning',
  skipped: 'skipped',
  unknown: 'unknown',
  crashed: 'error',
};

/** Null where nothing was examined. */
export const lookedAt = ({ gaps, tmux, checks }: Report): Markup | null => {
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
        ({ socket, status, sessions, panes, reason }) =>
          html`<li><code>${socket}</code>: ${status === 'ok' ? `${count(sessions, 'session')}, ${count(panes, 'pane')}` : `${status}${reason === null ? '' : `, ${reason}`}`}</li>`,
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
