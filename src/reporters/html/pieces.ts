/** Small pieces of the HTML report that several of its parts share. */
import { type Fact, STATES } from '../../core/types/judgement.ts';
import type { Report } from '../../core/types/report.ts';
import type { Mark } from '../screen/style.ts';
import { html, type Markup } from './markup.ts';

/** A part of the page with its heading; nothing where it has nothing to say. */
export const section = (title: string, body: Markup | null): Markup | null =>
  body === null ? null : html`<section><h2>${title}</h2>\n${body}\n</section>`;

/** `2026-11-23 03:00:00 UTC`, for machines too. Other texts are left as they are. */
export const time = (at: string): Markup => {
  const parts = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/.exec(at);
  return parts === null
    ? html`<span>${at}</span>`
    : html`<time datetime="${at}">${`${parts[1]} ${parts[2]} UTC`}</time>`;
};

/** A word with a colour: the colour alone says nothing new. */
export const marked = (mark: Mark, word: string): Markup => html`<span class="mark ${mark}">${word}</span>`;

/** Names and what is said of them; those of which nothing is known are left out. */
export const descriptions = (rows: readonly (readonly [string, Markup | string | null])[]): Markup | null => {
  const known = rows.filter(([, value]) => value !== null && value !== '');
  return known.length === 0
    ? null
    : html`<dl>${known.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
};

/** Every sentence of evidence, with where it comes from. */
export const evidenceList = (facts: readonly Fact[]): Markup | null =>
  facts.length === 0
    ? null
    : html`<ul class="small">${facts.map(({ source, text }) => html`<li><span class="faint">${source}:</span> ${text}</li>`)}</ul>`;

/** How many locks there are of each state. */
export const countList = ({ summary }: Report): Markup | null => {
  if (summary === null) return null;
  const counts: readonly (readonly [string, number])[] = [
    [summary.locks === 1 ? 'lock' : 'locks', summary.locks],
    ...STATES.map((state) => [state, summary[state]] as const),
    [summary.collisions === 1 ? 'collision' : 'collisions', summary.collisions],
    ['can be released', summary.fixable],
    ['released by this run', summary.fixed],
  ];
  const shown = counts.filter(([, number], at) => at === 0 || number > 0);
  return html`<ul class="counts" aria-label="Counts">${shown.map(([name, number]) => html`<li><b>${number}</b>${name}</li>`)}</ul>`;
};
