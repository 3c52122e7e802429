/** What happened, in order: the locks that stand were taken, others were released, and some of those were put back. */
import type { ByWhom, History, HistoryEvent } from '../../core/types/history.ts';
import type { Report } from '../../core/types/report.ts';
import { quoteCommand } from '../screen/shell-quote.ts';
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
  const back = new Set(events.filter(({ deed }) => deed === 'restored').map(({ id }) => id));
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
  locks.flatMap(({ worker, state, holder }) =>
    holder?.acquiredAt == null || Number.isNaN(Date.parse(holder.acquiredAt))
      ? []
      : [
          {
            at: holder.acquiredAt,
            mark: 'info' as const,
            word: 'taken',
            worker,
            text: `by ${holderWords(holder)}; ${state} now`,
          },
        ],
  );

const WORDS: Readonly<Record<HistoryEvent['deed'], readonly [Mark, string]>> = {
  begun: ['unknown', 'release begun'],
  released: ['fixed', 'released'],
  'not-released': ['warning', 'not released'],
  restored: ['info', 'restored'],
  'not-restored': ['warning', 'not restored'],
  tidied: ['skipped', 'cleaned up'],
  'taken-over': ['info', 'taken over'],
};

const momentOf = (
  { at, deed, id, worker, lock, by, reason }: HistoryEvent,
  isBack: (id: string) => boolean,
): Moment => {
  const [mark, word] = WORDS[deed];
  const said = [
    lock === null ? '' : `${lock.state}${lock.forced ? ', by force' : ''}`,
    lock?.holder == null ? '' : `held by ${holderWords(lock.holder)}`,
    deed === 'begun' ? 'nothing says how it ended' : '',
    reason ?? '',
    by === null ? '' : `by ${byWords(by)}`,
    id === null || deed !== 'released' || isBack(id) ? '' : `put back with doctor undo ${id}`,
  ].filter((part) => part !== '');
  return { at, mark, word, worker, text: said.join('; ') };
};

/** `ada on build1, asked: doctor --fix`; what was typed is known without what looks like a secret. */
const byWords = ({ user, uid, sudoUid, host, command, consent }: ByWhom): string =>
  `${user ?? `user ${uid}`}${sudoUid === null ? '' : ` (sudo of user ${sudoUid})`} on ${host}, ${CONSENTS[consent]}: ${quoteCommand(command)}`;

const CONSENTS: Readonly<Record<ByWhom['consent'], string>> = {
  asked: 'who was asked',
  yes: 'by --yes',
  command: 'by command',
  library: 'by a program',
};

const holderWords = ({
  pid,
  sessionId,
  hostname,
}: {
  readonly pid: number;
  readonly sessionId: string | null;
  readonly hostname: string | null;
}): string =>
  [
    `PID ${pid}`,
    ...(sessionId === null || sessionId === '' ? [] : [`in ${sessionId}`]),
    ...(hostname === null || hostname === '' ? [] : [`on ${hostname}`]),
  ].join(' ');
