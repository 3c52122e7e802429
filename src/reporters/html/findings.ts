/** The findings of the HTML report, the worst first, each with its evidence and its commands. */
import type { Report, ReportFinding } from '../../core/types/report.ts';
import { markOf } from '../screen/blocks.ts';
import { describeFix } from '../screen/sentences.ts';
import { quoteCommand } from '../screen/shell-quote.ts';
import type { Mark } from '../screen/style.ts';
import { nameOf } from '../screen/words.ts';
import { worstFirst } from '../screen/worst-first.ts';
import { html, type Markup } from './markup.ts';
import { descriptions, evidenceList, marked } from './pieces.ts';

/** A card for each finding; null without findings. */
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
    next.length === 0 ? null : html`${next.map((command) => html`<code>${quoteCommand(command)}</code> `)}`,
  ],
])}
</article>
`;
};

const wordOf = ({ severity, fix }: ReportFinding, mark: Mark): string =>
  fix?.status === 'fixed' ? 'fixed' : mark === 'unknown' ? 'unknown' : severity;
