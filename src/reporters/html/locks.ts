/** The locks of the HTML report, and the agents that work without one: every piece of evidence about each. */
import { describeAge } from '../../core/report/amounts.ts';
import type { Report, ReportLock } from '../../core/types/report.ts';
import { rowsOf } from '../screen/lock-rows.ts';
import { html, type Markup } from './markup.ts';
import { descriptions, evidenceList, marked, time } from './pieces.ts';

/** A card for each lock, and for each worker in which agents work without one; null where there is neither. */
export const lockCards = (report: Report): Markup | null => {
  const rows = rowsOf(report, false);
  return rows.length === 0
    ? null
    : html`${rows.map(
        ({ worker, state, mark, text, lock }) => html`<article class="card ${mark}">
<header>${marked(mark, state)} <h3 class="name">${worker}</h3> ${lock === null || lock.kind === 'agent' ? null : html`<span class="faint small">${lock.kind}</span>`}</header>
<p>${text}</p>
${lock === null ? null : html`${evidenceList(lock.evidence)}${details(lock)}`}
</article>
`,
      )}`;
};

const details = ({ path, reasons, notes, holder, sha256 }: ReportLock): Markup | null =>
  descriptions([
    ['file', html`<code>${path}</code>`],
    ['reasons', reasons.join(', ')],
    ['notes', notes.join(', ')],
    [
      'taken',
      holder?.acquiredAt == null ? null : html`${time(holder.acquiredAt)}${ageOf(holder.ageSeconds)}`,
    ],
    ['process', holder === null ? null : processOf(holder)],
    ['session', holder?.sessionId == null ? null : `${holder.sessionId} (${holder.session})`],
    [
      'pane',
      holder?.pane == null
        ? null
        : `${holder.pane.id} in ${holder.pane.sessionName}, on ${holder.pane.socket}`,
    ],
    ['host', holder?.hostname ?? null],
    ['SHA-256', sha256 === null ? null : html`<code>${sha256}</code>`],
  ]);

const ageOf = (seconds: number | null): string => (seconds === null ? '' : ` (${describeAge(seconds)})`);

const processOf = ({ pid, truePid, process, command }: NonNullable<ReportLock['holder']>): string => {
  const recorded = pid === truePid ? `PID ${pid}` : `PID ${truePid} (the record says ${pid})`;
  return `${recorded}: ${process ?? 'not of this machine'}${command === null ? '' : `, ${command}`}`;
};
