/** The tree of `doctor locks`. */
import { HERE } from '../../core/town/views.ts';
import { EXIT, type Report } from '../../core/types/report.ts';
import { gapBlock } from './blocks.ts';
import { createCanvas } from './canvas.ts';
import { displayWidth, wrapText } from './display-width.ts';
import { type Row, rowsOf } from './lock-rows.ts';
import { describeTown } from './sentences.ts';
import { createPen, type Pen, type Presentation } from './style.ts';
import { summarize, withTown } from './summary.ts';
import { LEAST_FIRST } from './worst-first.ts';

/** More places than this that could not be looked at are counted; in a frame, where room is short, more than one. */
const GAPS_SHOWN = 3;

/** A screen that is drawn again and again: how many lines it has, and what time it is. */
export interface Frame {
  readonly rows: number;
  /** `14:03:22` */
  readonly clock: string;
  /** What may be typed, on the last line; null for nothing. */
  readonly keys: string | null;
}

/**
 * The locks of a town as a tree, worst first: rig (in a repository: directory), worker, state, and who holds it since when; and the agents that hold none. In a
 * `frame` rows give way, healthy ones first: the summary is always there.
 */
export const renderLocksTree = (
  report: Report,
  presentation: Presentation,
  frame: Frame | null = null,
): string => {
  const pen = createPen(presentation);
  const rows = rowsOf(report, presentation.verbosity === 'verbose');
  const verbose = presentation.verbosity === 'verbose';
  const gapsShown = frame !== null ? 1 : verbose ? Number.POSITIVE_INFINITY : GAPS_SHOWN;
  const headline = pen.safe(summarize(report).headline);
  const silent = (report.machines ?? []).filter(({ status }) => status !== 'ok');
  if (presentation.layout === 'lines')
    return [
      ...rows.map(
        ({ worker, state, text }) => `${state.replace(' ', '-')} ${pen.safe(worker)}: ${pen.safe(text)}\n`,
      ),
      ...silent.map(({ name, reason }) => `no-answer ${pen.safe(name)}: ${pen.safe(reason ?? '')}\n`),
      ...report.gaps
        .filter(({ what }) => !what.startsWith('machine:'))
        .map(({ what, why }) => `gap ${pen.safe(what)}: ${pen.safe(why)}\n`),
    ].join('');
  const head = [
    ...describeTown(report, verbose).flatMap((line) =>
      wrapText(pen.safe(`${frame === null ? '' : `${frame.clock} `}${line}`), presentation.width),
    ),
    '',
  ];
  const foot = [
    ...(rows.length > 0 ? [''] : []),
    ...silent.flatMap(({ name, reason }) =>
      wrapText(`${pen.sign('unknown')} ${pen.safe(name)}: ${pen.safe(reason ?? '')}`, presentation.width),
    ),
    ...wrapText(headline, presentation.width).map((line) => pen.bold(line)),
    ...gapBlock(report, createCanvas(presentation), gapsShown, false),
    ...(frame === null ? whatToDo(report, pen) : []),
    ...(typeof frame?.keys === 'string' ? [pen.dim(frame.keys)] : []),
  ];
  const room = frame === null ? Number.POSITIVE_INFINITY : frame.rows - head.length - foot.length;
  const tree = treeLines(rows, report.town?.host ?? null, pen, presentation, room);
  return [...head, ...tree, ...foot].map((line) => `${line}\n`).join('');
};

/** Where the reader is told what to do about the problems in the tree: the report tells it. */
const whatToDo = (report: Report, pen: Pen): readonly string[] =>
  report.exitCode === EXIT.problems
    ? ['What to do now:', `  ${pen.command(withTown(report, ['doctor']))}`]
    : [];

const treeLines = (
  rows: readonly Row[],
  host: string | null,
  pen: Pen,
  presentation: Presentation,
  room: number,
): readonly string[] => {
  const { width } = presentation;
  const names = rows.map(({ rest }) => pen.safe(rest));
  // A name that takes more than a third of the line would leave no room for what is said of it.
  const column = Math.min(Math.max(0, ...names.map(displayWidth)), width === 0 ? 40 : Math.floor(width / 3));
  const drawn = rows.map((row) => ({ row, lines: rowLines(row, host, column, pen, presentation) }));
  const left = fitting(drawn, room);
  let above: string | null = null;
  const lines = left.flatMap(({ row: { heading }, lines: own }) => {
    const isNew = heading !== above;
    above = heading;
    return isNew ? [pen.bold(pen.safe(heading)), ...own] : own;
  });
  const cut = drawn.length - left.length;
  return cut === 0 ? lines : [...lines, pen.dim(`  ... ${cut} more, none of them worse`)];
};

interface Drawn {
  readonly row: Row;
  readonly lines: readonly string[];
}

/** The rows for which there is room, below their headings: of those that give way the last ones go first. */
const fitting = (drawn: readonly Drawn[], room: number): readonly Drawn[] => {
  const under = new Map<string, number>();
  let height = 0;
  for (const { row, lines } of drawn) {
    const { heading } = row;
    const others = under.get(heading) ?? 0;
    under.set(heading, others + 1);
    height += lines.length + (others === 0 ? 1 : 0);
  }
  if (height <= room) return drawn;
  // The line that counts the others needs room as well.
  height += 1;
  const gone = new Set<Drawn>();
  for (const mark of LEAST_FIRST)
    for (const one of [...drawn].reverse()) {
      if (height <= room) break;
      if (one.row.mark !== mark) continue;
      const { heading } = one.row;
      const others = (under.get(heading) ?? 1) - 1;
      under.set(heading, others);
      height -= one.lines.length + (others === 0 ? 1 : 0);
      gone.add(one);
    }
  return drawn.filter((one) => !gone.has(one));
};

const rowLines = (
  { rest, state, mark, text, lock }: Row,
  host: string | null,
  column: number,
  pen: Pen,
  { width }: Presentation,
): readonly string[] => {
  const said = pen.safe(text);
  const name = pen.safe(rest);
  const isHere = lock !== null && (lock.machine === undefined || lock.machine === HERE);
  const linked = isHere && host !== null ? pen.link(name, host, lock.path) : name;
  const head = `  ${pen.sign(mark)} ${linked}${' '.repeat(Math.max(0, column - displayWidth(name)))} ${pen.paint(mark, state.padEnd(8))} `;
  const indent = 2 + 2 + column + 1 + 8 + 1;
  const room = width - indent;
  const [first = '', ...more] = room < 24 && width > 0 ? [] : wrapText(said, room);
  if (first !== '') return [head + first, ...more.map((line) => ' '.repeat(indent) + line)];
  return [head.trimEnd(), ...wrapText(said, width - 6).map((line) => `      ${line}`)];
};
