/** `--watch`: diagnoses again and again, and tells what changed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodeAfter } from '../../core/report/interruption.ts';
import type { Snapshot } from '../../core/types/evidence.ts';
import type { Report, ReportLock } from '../../core/types/report.ts';
import { diagnose } from '../../diagnose.ts';
import { renderJsonLine } from '../../reporters/json.ts';
import { type Frame, renderLocksTree } from '../../reporters/screen/locks-tree.ts';

import { filterStates } from '../arguments/filter-states.ts';
import { prepareRun } from '../diagnose.ts';
import { diagnoseOptionsOf } from '../options-of.ts';
import { canMoveCursor, type Outcome, presentationFor, type RunCommand, type Terminal } from './terminal.ts';

/** Often enough to watch an agent start, seldom enough to cost nothing. */
const EVERY_MS = 2000;
/** The town is walked again after this many rounds; in between only known places are looked at. */
const ROUNDS_PER_WALK = 15;

// Another screen, so that what stood there before comes back; then line by line, so that nothing flickers.
const ENTER_SCREEN = '\u001b[?1049h\u001b[?25l';
const LEAVE_SCREEN = '\u001b[?1049l\u001b[?25h';
const HOME = '\u001b[H';
const ERASE_LINE_END = '\u001b[K';
const ERASE_BELOW = '\u001b[J';

/** `doctor locks --watch`: the tree, drawn anew until interrupted; JSON lines, one per change, where that cannot be. */
export const run: RunCommand = async (given, terminal) => {
  const options = await diagnoseOptionsOf(given, terminal);
  const preparation = await prepareRun(given, given.positionals[0], options);
  const states = given.options.state;
  const stop = stopSignal(terminal);
  const drawing = canMoveCursor(terminal.stdout, terminal.env) && !given.options.json;
  const show = drawing ? createScreen(terminal) : createEvents(terminal);
  let known: Snapshot | null = null;

  const nextReport = async (round: number): Promise<Report> => {
    const workers = known === null ? [] : knownPlaces(known);
    const walk = known === null || workers.length === 0 || round % ROUNDS_PER_WALK === 0;
    const before = known?.locks;
    const { examination, report } = await diagnose(
      preparation,
      walk ? { ...options, before } : { ...options, scan: 'worker', at: workers, before },
    );
    known = examination.snapshot;
    return filterStates(report, states);
  };

  terminal.finishFirst();
  if (drawing) terminal.stdout.write(ENTER_SCREEN);
  let last: Report | null = null;
  try {
    for (let round = 0; !stop.aborted; round += 1) {
      last = await nextReport(round);
      const shown = last;
      const presentation = await presentationFor(given, terminal, terminal.stdout);
      show(shown, (frame) => renderLocksTree(shown, presentation, frame));
      await sleep(EVERY_MS, undefined, { signal: stop }).catch(() => {});
    }
  } finally {
    if (drawing) terminal.stdout.write(LEAVE_SCREEN);
  }
  // The last look stays on the screen that was there before.
  const tree =
    last === null || !drawing
      ? ''
      : renderLocksTree(last, await presentationFor(given, terminal, terminal.stdout));
  return endOfWatch(terminal, last, tree);
};

const endOfWatch = ({ interrupted }: Terminal, last: Report | null, stdout: string): Outcome => ({
  // A reader that went away ends the watch as well; then the code is that of the last look.
  exitCode: exitCodeAfter(interrupted, last?.exitCode ?? 0),
  stdout,
  stderr: '',
});

/** Aborted when the person interrupts, or when nobody reads what we print any more. */
const stopSignal = ({ interrupted, stdout }: Terminal): AbortSignal => {
  const closed = new AbortController();
  stdout.stream.on('error', () => closed.abort());
  return AbortSignal.any([closed.signal, ...(interrupted === null ? [] : [interrupted])]);
};

/** Where locks are or may appear: the places of all locks seen, and the workers of the known layout. */
const knownPlaces = ({ locks, town, asked }: Snapshot): readonly string[] => [
  ...new Set([...locks.map(({ worker }) => worker), ...town.workers, ...asked]),
];

type Show = (report: Report, tree: (frame: Frame) => string) => void;

const createScreen =
  ({ stdout }: Terminal): Show =>
  (_report, tree) => {
    const rows = (stdout.rows ?? 24) - 1;
    const clock = new Date().toTimeString().slice(0, 8);
    // A terminal of a few lines shows the end, which is the summary.
    const lines = tree({ rows, clock }).trimEnd().split('\n').slice(-rows);
    stdout.write(HOME + lines.map((line) => `${line}${ERASE_LINE_END}\n`).join('') + ERASE_BELOW);
  };

/** One JSON line per lock that appeared, changed or went; the first look reports what is there. */
const createEvents = ({ stdout }: Terminal): Show => {
  let before: ReadonlyMap<string, ReportLock> | null = null;
  return (report) => {
    const now = new Map(report.locks.map((lock) => [lock.id, lock]));
    const say = (event: object): void => stdout.write(renderJsonLine({ schemaVersion: 1, ...event }));
    if (before === null) {
      const { tool, command, startedAt, town } = report;
      say({ event: 'start', tool, command, startedAt, town });
    }
    for (const lock of report.locks) {
      const old = before?.get(lock.id);
      if (old === undefined) say({ event: 'lock', change: 'present', lock });
      else if (essence(old) !== essence(lock)) say({ event: 'lock', change: 'changed', lock });
    }
    for (const [id, lock] of before ?? []) if (!now.has(id)) say({ event: 'lock', change: 'gone', lock });
    before = now;
  };
};

/** What counts as a change: everything but the passing of time. */
const essence = ({ state, reasons, notes, sha256, holder }: ReportLock): string =>
  JSON.stringify([state, reasons, notes, sha256, { ...holder, ageSeconds: null }]);
