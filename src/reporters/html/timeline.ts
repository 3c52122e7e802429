/** What happened, in order: the locks that stand were taken, others were released, and some of those were restored. */
import { restoredIds } from '../../core/report/choose-events.ts';
import type { History, HistoryEvent } from '../../core/types/history.ts';
import type { Report } from '../../core/types/report.ts';
import { DEED_WORDS, lockWords, outcomeWords, recordWords } from '../history/history-words.ts';
import type { Mark } from '../screen/style.ts';
import { nameOf } from '../screen/words.ts';
import { html, type Markup } from './markup.ts';
import { marked, time } from './pieces.ts';

interface Moment {
  readonly at: string;
  readonly mark: Mark;
  readonly word: string;
  readonly worker: string;
  readonly text: string;
}

/** Null where nothing has happened that is known. */
export const timeline = (report: Report, history: History | null): Markup | null => {
  const root = report.town?.root;
  const events = history?.events ?? [];
  const back = restoredIds(events);
  const deeds = events.map((event) => momentOf(event, (id) => back.has(id)));
  const moments = [...takings(report), ...deeds].sort(byTime);
  const missing = history?.missing ?? null;
  if (moments.length === 0 && missing === null) return null;
  return html`${missing === null ? null : html`<p class="unknown">Part of the journal could not be read: ${missing}.</p>`}
<ol class="timeline">${moments.map(
    ({ at, mark, word, worker, text }) =>
      html`<li><span class="faint small">${time(at)}</span><span>${marked(mark, word)} <span class="name">${nameOf(worker, root)}</span>${text === '' ? '' : `: ${text}`}</span></li>
`,
  )}</ol>`;
};

/** By the moment that the times mean: those in a record may have another offset, and up to nine digits of a second. */
const byTime = (a: Moment, b: Moment): number =>
  Date.parse(a.at) - Date.parse(b.at) || (a.at < b.at ? -1 : 1);

const takings = ({ locks }: Report): readonly Moment[] =>
  locks.flatMap(({ kind, worker, state, holder }) =>
    holder?.acquiredAt == null || Number.isNaN(Date.parse(holder.acquiredAt))
      ? []
      : [
          {
            at: holder.acquiredAt,
            mark: 'info' as const,
            word: 'taken',
            worker,
            text: `by ${recordWords({ ...holder, pid: holder.truePid }, kind)}; ${state} now`,
          },
        ],
  );

const momentOf = (event: HistoryEvent, isBack: (id: string) => boolean): Moment => {
  const { at, deed, id, worker } = event;
  const [mark, word] = DEED_WORDS[deed];
  const said = [
    ...lockWords(event),
    ...outcomeWords(event),
    ...(id === null || deed !== 'released' || isBack(id) ? [] : [`undo: doctor undo ${id}`]),
  ];
  return { at, mark, word, worker, text: said.join('; ') };
};
