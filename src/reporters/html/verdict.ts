/** The first lines of the HTML report: how it stands, and what to do about it. */
import type { Report } from '../../core/types/report.ts';
import { quoteCommand } from '../screen/shell-quote.ts';
import type { Mark } from '../screen/style.ts';
import { summarize } from '../screen/summary.ts';
import { html, type Markup } from './markup.ts';
import { marked } from './pieces.ts';

/** In one word and one sentence. */
export const verdictOf = (report: Report, headline: string): Markup => {
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
export const nextSteps = (report: Report): Markup | null => {
  const { steps } = summarize(report, true);
  return steps.length === 0
    ? null
    : html`${steps.map(
        ({ text, commands }) =>
          html`<p>${text}</p>${commands.length === 0 ? null : html`<pre>${commands.map((command) => quoteCommand(command)).map((line, at) => html`${at === 0 ? '' : { markup: '\n' }}${line}`)}</pre>`}`,
      )}`;
};
