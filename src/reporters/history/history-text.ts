/** The history of a town as text: a few lines for each event on a screen, one in a pipe. */
import { count } from '../../core/report/amounts.ts';
import type { HistoryEvent } from '../../core/types/history.ts';
import { wrapText } from '../screen/display-width.ts';
import { createPen, type Presentation } from '../screen/style.ts';
import { nameOf } from '../screen/words.ts';
import { DEED_WORDS, lockWords, outcomeWords } from './history-words.ts';

export interface ShownHistory {
  /** Town root. */
  readonly root: string;
  /** What the commands that it prints need besides, to mean the same root. */
  readonly option?: readonly string[];
  /** The newest first. */
  readonly events: readonly HistoryEvent[];
  /** How many older ones are left out. */
  readonly older: number;
  /** What could not be read: a sentence fragment. */
  readonly missing: string | null;
  /** Releases among them, and others, that can still be undone. */
  readonly restorable: ReadonlySet<HistoryEvent>;
  /** Why those releases can't be undone whose lock has no place any more: a clause for each id. */
  readonly removed: ReadonlyMap<string, string>;
}

/** Ends with a line break, or is empty where a pipe asks and nothing has happened. */
export const renderHistory = (shown: ShownHistory, presentation: Presentation): string => {
  const pen = createPen(presentation);
  const { width } = presentation;
  const isScreen = presentation.layout === 'screen';
  const told = shown.events.flatMap((event) =>
    isScreen ? onScreen(event, shown, presentation) : [inOneLine(event, shown, presentation)],
  );
  const older =
    shown.older === 0 || !isScreen
      ? []
      : wrapText(
          `and ${count(shown.older, 'older event')}: ${pen.command(['doctor', 'log', '--limit', String(shown.events.length + shown.older), ...(shown.option ?? [])])}`,
          width,
        );
  const missing =
    shown.missing === null
      ? []
      : wrapText(`Part of the journal could not be read: ${pen.safe(shown.missing)}`, width);
  const nothing =
    told.length > 0 || shown.missing !== null || !isScreen
      ? []
      : ['Nothing was released, restored or taken over here.'];
  return [...told, ...older, ...nothing, ...missing].map((line) => `${line}\n`).join('');
};

const INDENT = '  ';

const onScreen = (
  event: HistoryEvent,
  shown: ShownHistory,
  presentation: Presentation,
): readonly string[] => {
  const pen = createPen(presentation);
  const [mark, word] = DEED_WORDS[event.deed];
  const head = `${word} ${pen.safe(nameOf(event.worker, shown.root))}`;
  const time = localTime(event.at);
  // The time stands above what does not fit beside it.
  const room = presentation.width - time.length - 4;
  const lines =
    presentation.width === 0 || head.length <= room
      ? [`${pen.sign(mark)} ${pen.dim(time)}  ${pen.bold(head)}`]
      : [
          `${pen.sign(mark)} ${pen.dim(time)}`,
          ...wrapText(head, presentation.width - INDENT.length).map((line) => INDENT + pen.bold(line)),
        ];
  return [
    ...lines,
    ...detailsOf(event, shown, presentation).flatMap((detail) =>
      wrapText(pen.safe(detail), presentation.width - INDENT.length).map((line) => INDENT + line),
    ),
  ];
};

const inOneLine = (event: HistoryEvent, shown: ShownHistory, presentation: Presentation): string => {
  const { safe } = createPen(presentation);
  const details = detailsOf(event, shown, presentation);
  return safe(
    `${event.at} ${DEED_WORDS[event.deed][1]} ${nameOf(event.worker, shown.root)}${details.length === 0 ? '' : `: ${details.join('; ')}`}`,
  );
};

const detailsOf = (
  event: HistoryEvent,
  { restorable, removed, option = [] }: ShownHistory,
  presentation: Presentation,
): readonly string[] => {
  const pen = createPen(presentation);
  const { deed, id } = event;
  return [
    lockWords(event).join(', '),
    ...outcomeWords(event),
    (deed === 'released' ? removed.get(id ?? '') : undefined) ?? '',
    id !== null && restorable.has(event) ? `undo: ${pen.command(['doctor', 'undo', id, ...option])}` : '',
  ].filter((part) => part !== '');
};

const two = (number: number): string => String(number).padStart(2, '0');

/** `2026-11-29 18:02:51`, in the time zone of this process; the text itself if it is not a time. */
export const localTime = (rfc3339: string): string => {
  const date = new Date(rfc3339);
  if (Number.isNaN(date.getTime())) return rfc3339;
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`;
};
