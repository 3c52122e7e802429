/** The tree of `doctor locks`. */
import { describeAge } from '../../core/report/age.ts';
import type { State } from '../../core/types/judgement.ts';
import type { Report, ReportLock } from '../../core/types/report.ts';
import { displayWidth, padToWidth, wrapText } from './display-width.ts';
import { describeTown } from './sentences.ts';
import { createPen, type Mark, type Pen, type Presentation } from './style.ts';
import { summarize } from './summary.ts';

const MARKS: Readonly<Record<State, Mark>> = {
  held: 'pass',
  stale: 'warning',
  orphaned: 'warning',
  invalid: 'warning',
  foreign: 'info',
  unknown: 'unknown',
};

/** The locks of a town as a tree: rig, worker, state, and who holds it since when. */
export const renderLocksTree = (report: Report, presentation: Presentation): string => {
  const pen = createPen(presentation);
  const lines =
    presentation.layout === 'lines'
      ? report.locks.map((lock) => `${lock.state} ${pen.safe(lock.worker)}: ${describeHolder(lock, pen)}`)
      : [
          ...describeTown(report).flatMap((line) => wrapText(pen.safe(line), presentation.width)),
          '',
          ...treeLines(report.locks, pen, presentation),
          ...(report.locks.length > 0 ? [''] : []),
          pen.bold(summarize(report).headline),
        ];
  return lines.map((line) => `${line}\n`).join('');
};

/** `pid 41822 (claude), pane %55 of gt-crew-ada, for 8 h; drifted`: who is, or was, behind a lock. */
export const describeHolder = ({ holder, notes, reasons }: ReportLock, pen: Pick<Pen, 'safe'>): string => {
  const tail = notes.length === 0 ? '' : `; ${notes.join(', ')}`;
  if (holder === null) return `no record (${reasons.join(', ')})${tail}`;
  const command = holder.command === null ? '' : ` (${pen.safe(holder.command)})`;
  const process = `pid ${holder.pid}${command}${holder.process === null || holder.process === 'alive' ? '' : ` ${holder.process}`}`;
  const place =
    holder.pane !== null
      ? `pane ${pen.safe(holder.pane.id)} of ${pen.safe(holder.pane.sessionName)}`
      : holder.sessionId === null
        ? null
        : `${pen.safe(holder.sessionId)} ${holder.session}`;
  const host = holder.process === null && holder.hostname !== null ? `on ${pen.safe(holder.hostname)}` : null;
  const age = holder.ageSeconds === null ? null : since(holder.ageSeconds);
  return [process, place, host, age].filter((part) => part !== null).join(', ') + tail;
};

/** A time in the future is that of a clock which was set back since. */
const since = (seconds: number): string =>
  seconds < 0 ? `taken ${describeAge(seconds)}` : `for ${describeAge(seconds)}`;

const treeLines = (locks: readonly ReportLock[], pen: Pen, { width }: Presentation): readonly string[] => {
  const names = locks.map(({ worker }) => pen.safe(splitWorker(worker).rest));
  // A name that takes more than a third of the line would leave no room for what is said of it.
  const column = Math.min(Math.max(0, ...names.map(displayWidth)), width === 0 ? 40 : Math.floor(width / 3));
  let rig: string | null = null;
  return locks.flatMap((lock) => {
    const { rig: own, rest } = splitWorker(lock.worker);
    const heading = own === rig ? [] : [pen.bold(pen.safe(own))];
    rig = own;
    const state = pen.paint(MARKS[lock.state], lock.state.padEnd(8));
    const head = `  ${pen.sign(MARKS[lock.state])} ${padToWidth(pen.safe(rest), column)} ${state} `;
    const indent = 2 + 2 + column + 1 + 8 + 1;
    const room = width - indent;
    const [first = '', ...more] = room < 24 ? [] : wrapText(describeHolder(lock, pen), room);
    if (first !== '') return [...heading, head + first, ...more.map((line) => ' '.repeat(indent) + line)];
    const below = wrapText(describeHolder(lock, pen), width - 6).map((line) => `      ${line}`);
    return [...heading, head.trimEnd(), ...below];
  });
};

/** The first part of a worker's path is its rig; a lock in the town root or directly below belongs to the town. */
const splitWorker = (worker: string): { readonly rig: string; readonly rest: string } => {
  const slash = worker.indexOf('/');
  return slash < 0
    ? { rig: 'town', rest: worker }
    : { rig: worker.slice(0, slash), rest: worker.slice(slash + 1) };
};
