/** The cards of the HTML report: its locks, the agents that work without one, and its findings, each with its evidence. */
import { describeAge } from '../../core/report/amounts.ts';
import { withoutConsent } from '../../core/report/report.ts';
import type { Report, ReportFinding, ReportLock } from '../../core/types/report.ts';
import { markOf } from '../screen/blocks.ts';
import { rowsOf } from '../screen/lock-rows.ts';
import { describeFix } from '../screen/sentences.ts';
import { quoteCommand } from '../screen/shell-quote.ts';
import type { Mark } from '../screen/style.ts';
import { nameOf } from '../screen/words.ts';
import { worstFirst } from '../screen/worst-first.ts';
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

export const findingCards = ({ findings, town }: Report): Markup | null =>
  findings.length === 0 ? null : html`${worstFirst(findings).map((finding) => card(finding, town?.root))}`;

const card = (finding: ReportFinding, root: string | undefined): Markup => {
  const { check, worker, message, evidence, next } = finding;
  const mark = markOf(finding);
  return html`<article class="card ${mark}">
<header>${marked(mark, wordOf(finding, mark))} <h3 class="name">${nameOf(worker ?? '.', root)}</h3> <span class="faint small">${check}</span></header>
<p>${message}</p>
${evidenceList(evidence)}
${descriptions([
  ['fix', describeFix(finding)],
  [
    'next',
    next.length === 0
      ? null
      : html`${next.map((command) => html`<code>${quoteCommand(withoutConsent(command))}</code> `)}`,
  ],
])}
</article>
`;
};

const wordOf = ({ severity, fix }: ReportFinding, mark: Mark): string =>
  fix?.status === 'fixed' ? 'fixed' : mark === 'unknown' ? 'unknown' : severity;
