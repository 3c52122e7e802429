/** The lines of the view, for a terminal of any size. Pure. */
import type { Report } from '../../core/types/report.ts';
import {
  clipToWidth,
  displayWidth,
  NARROW,
  padToWidth,
  wrapText,
} from '../../reporters/screen/display-width.ts';
import { createPen, type Pen, type Presentation } from '../../reporters/screen/style.ts';
import { summarize, type ToldGaps, tellGaps } from '../../reporters/screen/summary.ts';
import { countTabs, type Memory, type TopRow, visibleRows } from './rows.ts';
import { selectedRow, type TopState } from './state.ts';

/** What is drawn. The report is null until the first look has ended. */
export interface View {
  readonly state: TopState;
  readonly report: Report | null;
  readonly rows: readonly TopRow[];
  readonly gone: Memory['gone'];
  /** The root of the town, for the first line. */
  readonly root: string;
  /** `14:03:22` */
  readonly clock: string;
}

/**
 * As many lines as there are rows; none is wider than the terminal. `page` is how many of them the middle has: where that is less
 * than half, what is around it is told in one line each.
 */
export const drawTop = (
  view: View,
  presentation: Presentation,
  rows: number,
): { readonly lines: readonly string[]; readonly page: number } => {
  const wide = around(view, presentation, false);
  const isTight = 2 * (wide.head.length + wide.foot.length) > rows;
  const { head, foot } = isTight ? around(view, presentation, true) : wide;
  const page = Math.max(1, rows - head.length - foot.length);
  const middle = middleLines(view, presentation, page);
  const lines = [
    ...head,
    ...middle.slice(0, page),
    ...Array(Math.max(0, page - middle.length)).fill(''),
    ...foot,
  ];
  // Of a terminal with a few lines the end matters: the question, the keys.
  return { lines: lines.slice(-Math.max(1, rows)), page };
};

const signOf = ({ ascii }: Presentation): string => (ascii ? '...' : '…');

/** What stands above and below the middle. */
const around = (
  view: View,
  presentation: Presentation,
  isTight: boolean,
): { readonly head: readonly string[]; readonly foot: readonly string[] } => {
  const pen = createPen(presentation);
  const { width, ascii } = presentation;
  const sign = signOf(presentation);
  const blank = isTight ? [] : [''];
  const wrap = (text: string): readonly string[] => (isTight ? [text] : wrapText(text, width));
  const foot = footLines(view, pen, width, ascii, wrap);
  return {
    head: [titleLine(view, pen, width, sign), tabLine(view, pen, width), ...blank],
    foot: [...blank, ...foot.map(({ text, paint }) => paint(clipToWidth(text, width, sign)))],
  };
};

/** The clock stays whole, and of the path the end, which tells one town from the other. */
const titleLine = ({ root, clock }: View, pen: Pen, width: number, sign: string): string => {
  const path = pen.safe(root);
  const room = width - clock.length - 1;
  if (room < 8) return clock.slice(0, Math.max(0, width));
  let shown = path;
  while (displayWidth(shown) > room)
    shown = `${sign}${[...shown.slice(shown.startsWith(sign) ? sign.length : 0)].slice(1).join('')}`;
  return `${pen.bold(padToWidth(shown, room))} ${clock}`;
};

/** All tabs, or where they take too much room the one that is shown, between its neighbours' arrows. */
const tabLine = ({ rows, state }: View, pen: Pen, width: number): string => {
  const tabs = countTabs(rows);
  const all = tabs.some(([tab]) => tab === state.tab) ? tabs : [...tabs, [state.tab, 0] as const];
  const words = all.map(([tab, count]) => `${tab} ${count}`);
  const at = all.findIndex(([tab]) => tab === state.tab);
  const marked = words.map((word, index) => (index === at ? `[${word}]` : ` ${word} `));
  if (marked.join('').length <= width)
    return marked.map((word, index) => (index === at ? pen.inverse(word) : word)).join('');
  return clipToWidth(`< [${words[at]}] > (Tab)`, width, '');
};

const middleLines = (view: View, presentation: Presentation, page: number): readonly string[] => {
  const { state, report } = view;
  const clip = (text: string): string => clipToWidth(text, presentation.width, signOf(presentation));
  if (state.question !== null) return state.question.lines.map(clip).slice(0, page);
  if (state.sheet !== null) return state.sheet.lines.slice(state.sheet.scroll, state.sheet.scroll + page);
  if (report === null) return ['Looking ...'];
  const shown = visibleRows(view.rows, state.tab, state.filter);
  if (shown.length === 0)
    return [view.rows.length === 0 ? 'No locks, and no agent without one.' : 'Nothing that fits.'];
  return windowOf(
    treeLines(shown, selectedRow(state, view.rows), createPen(presentation), presentation),
    page,
  );
};

interface Line {
  readonly text: string;
  readonly isSelected: boolean;
}

const treeLines = (
  shown: readonly TopRow[],
  selected: TopRow | null,
  pen: Pen,
  presentation: Presentation,
): readonly Line[] => {
  const { width } = presentation;
  const isNarrow = width < NARROW;
  const names = shown.map(({ rest }) => displayWidth(pen.safe(rest)));
  const states = isNarrow ? Math.max(...shown.map(({ state }) => state.length)) : 8;
  // Before the name stand the pointer, the mark of a change, a sign, and spaces.
  const edge = presentation.ascii ? 6 : 5;
  const most = isNarrow ? width - edge - states - 1 : Math.floor(width / 3);
  const column = Math.max(1, Math.min(Math.max(...names), most));
  let above: string | null = null;
  return shown.flatMap((row): readonly Line[] => {
    const isSelected = row.key === selected?.key;
    const own = rowLines(row, isSelected, { column, states, edge, isNarrow }, pen, presentation);
    const { heading } = row;
    const isFirst = heading !== above;
    above = heading;
    const lines = own.map((text) => ({ text, isSelected }));
    return isFirst ? [{ text: pen.bold(pen.safe(heading)), isSelected: false }, ...lines] : lines;
  });
};

interface Columns {
  readonly column: number;
  readonly states: number;
  readonly edge: number;
  readonly isNarrow: boolean;
}

const rowLines = (
  { rest, state, mark, text, isNew }: TopRow,
  isSelected: boolean,
  { column, states, edge, isNarrow }: Columns,
  pen: Pen,
  { width, ascii }: Presentation,
): readonly string[] => {
  const sign = ascii ? '...' : '…';
  const said = pen.safe(text);
  const name = padToWidth(clipToWidth(pen.safe(rest), column, sign), column);
  const pointer = isSelected ? '>' : ' ';
  const head = `${pointer}${isNew ? pen.bold('*') : ' '} ${pen.sign(mark)} ${isSelected ? pen.inverse(name) : name} ${pen.paint(mark, state.padEnd(states))}`;
  const indent = isNarrow ? 6 : edge + column + 1 + states + 1;
  const room = width - indent;
  // Lines of the selected row may be cut only where they hold no space to break at.
  const wrapped = isSelected ? wrapText(said, room).map((line) => clipToWidth(line, room, sign)) : [];
  if (isNarrow) return [head, ...wrapped.map((line) => `${' '.repeat(indent)}${line}`)];
  const [first = clipToWidth(said, room, sign), ...more] = wrapped;
  return [`${head} ${first}`, ...more.map((line) => `${' '.repeat(indent)}${line}`)];
};

/** As many lines as there is room for, with the selected ones in the middle where there are more on both sides. */
const windowOf = (lines: readonly Line[], page: number): readonly string[] => {
  const first = lines.findIndex(({ isSelected }) => isSelected);
  const last = lines.findLastIndex(({ isSelected }) => isSelected);
  const middle = Math.min(first - Math.floor(page / 2), lines.length - page);
  // Of a row with more lines than there is room for, the first one names it.
  const start = Math.max(0, middle, Math.min(first, last - page + 1));
  return lines.slice(start, start + page).map(({ text }) => text);
};

interface FootLine {
  readonly text: string;
  readonly paint: (text: string) => string;
}

const plain = (text: string): string => text;

const footLines = (
  { state, report, gone }: View,
  pen: Pen,
  width: number,
  ascii: boolean,
  wrap: (text: string) => readonly string[],
): readonly FootLine[] => {
  if (state.question !== null) {
    const { text, keys } = state.question;
    // A question is never cut off.
    return wrapText(`${text} ${keys.trim()}`, width).map((line) => ({ text: line, paint: pen.bold }));
  }
  const headline = report === null ? '' : pen.safe(summarize(report).headline);
  const unchecked = report === null ? null : tellGaps(report, 1, false);
  const went =
    gone.length === 0
      ? ''
      : `Gone in the last minute: ${pen.safe(gone.map(({ worker }) => worker).join(', '))}`;
  const said = state.isTyping
    ? `/${pen.safe(state.filter)}_`
    : (state.message ?? (state.filter === '' ? went : `/${pen.safe(state.filter)}`));
  return [
    ...wrap(headline).map((text) => ({ text, paint: pen.bold })),
    ...(unchecked === null
      ? []
      : wrap(`${pen.sign('unknown')} ${pen.safe(inOneSentence(unchecked))}`).map((text) => ({
          text,
          paint: plain,
        }))),
    ...(said === '' ? [] : wrapText(said, width).map((text) => ({ text, paint: plain }))),
    { text: keysFor(state, width, ascii), paint: pen.dim },
  ];
};

const inOneSentence = ({ count, places: [first = ''], more }: ToldGaps): string =>
  `${count}: ${first}${more === 0 ? '' : `, and ${more} more (doctor -v)`}`;

/** What the keys do now, in as many words as there is room for. */
const keysFor = ({ isTyping, sheet }: TopState, width: number, ascii: boolean): string => {
  const arrows = ascii ? 'up/down' : '↑↓';
  if (isTyping) return 'Enter keep  Esc clear';
  if (sheet !== null) return `${arrows} scroll  Esc back`;
  return width < NARROW
    ? 'e explain f fix u undo / ? q'
    : `${arrows} move  Tab state  / filter  e explain  f fix  u undo  ? help  q quit`;
};
