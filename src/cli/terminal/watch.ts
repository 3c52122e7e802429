/** `--watch`: diagnoses again and again, and tells what changed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodeAfter } from '../../core/report/interruption.ts';
import type { Report } from '../../core/types/report.ts';
import { renderJsonLine } from '../../reporters/json.ts';
import { type Frame, renderLocksTree } from '../../reporters/screen/locks-tree.ts';
import { chosenPart } from '../arguments/chosen-part.ts';
import { prepareRun, withLeaseCheck } from '../diagnose.ts';
import { asksOthers } from '../elsewhere/asks-others.ts';
import { diagnoseOptionsOf } from '../options-of.ts';
import { shownIn } from '../shown-in.ts';
import { enterAlternateScreen } from './alternate-screen.ts';
import { changesSince, type KnownLocks } from './lock-changes.ts';
import { createLooks, LOOK_EVERY_MS } from './looks.ts';
import { canMoveCursor, type Outcome, presentationFor, type RunCommand, type Terminal } from './terminal.ts';

/** Other machines answer more slowly, and being asked costs them something. */
const LOOK_ELSEWHERE_EVERY_MS = 15_000;

// Line by line, so that nothing flickers.
const HOME = '\u001b[H';
const ERASE_LINE_END = '\u001b[K';
const ERASE_BELOW = '\u001b[J';

/** `doctor locks --watch`: the tree, drawn anew until interrupted; JSON lines, one per change, where that cannot be. */
export const run: RunCommand = async (given, terminal) => {
  const asked = await diagnoseOptionsOf(given, terminal);
  const town = await prepareRun(given, given.positionals[0], asked);
  const { options, preparation, leases } = await withLeaseCheck(given, terminal, town, asked);
  const choose = chosenPart(given, terminal.cwd);
  const stop = stopSignal(terminal);
  const drawing = canMoveCursor(terminal.stdout, terminal.env) && !given.options.json;
  const show = drawing ? createScreen(terminal) : createEvents(terminal);
  const others = asksOthers(given, preparation, terminal.env) ? await import('../elsewhere/fleet.ts') : null;
  const look =
    others === null
      ? createLooks(preparation, options)
      : () => others.diagnoseFleet(given, terminal, preparation, options);
  const everyMs = others === null ? LOOK_EVERY_MS : LOOK_ELSEWHERE_EVERY_MS;

  terminal.finishFirst();
  const leaveScreen = drawing ? enterAlternateScreen() : () => {};
  let last: Report | null = null;
  try {
    while (!stop.aborted) {
      await leases?.list();
      const { report } = await look();
      const shown = choose(leases?.told(report) ?? report);
      last = shown;
      const presentation = await presentationFor(given, terminal, terminal.stdout);
      show(shown, (frame) => renderLocksTree(shownIn('text', shown), presentation, frame));
      await sleep(everyMs, undefined, { signal: stop }).catch(() => {});
    }
  } finally {
    leaveScreen();
  }
  // The last look stays on the screen that was there before.
  const tree =
    last === null || !drawing
      ? ''
      : renderLocksTree(shownIn('text', last), await presentationFor(given, terminal, terminal.stdout));
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
  let before: KnownLocks | null = null;
  return (report) => {
    const say = (event: object): void => stdout.write(renderJsonLine({ schemaVersion: 1, ...event }));
    if (before === null) {
      const { tool, command, startedAt, town } = report;
      say({ event: 'start', tool, command, startedAt, town });
    }
    const { changes, known } = changesSince(before, report);
    for (const change of changes) say({ event: 'lock', ...change });
    before = known;
  };
};
