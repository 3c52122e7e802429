/** `--watch`: diagnoses again and again, and tells what changed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodeAfter } from '../../core/report/interruption.ts';
import { type Report, SCHEMA_VERSION } from '../../core/types/report.ts';
import { renderJsonLine } from '../../reporters/json.ts';
import { type Frame, renderLocksTree } from '../../reporters/screen/locks-tree.ts';
import { chosenPart } from '../arguments/chosen-part.ts';
import { prepareRun, withLeaseCheck } from '../diagnose.ts';
import { asksOthers } from '../elsewhere/asks-others.ts';
import { diagnoseOptionsOf } from '../options-of.ts';
import { shownIn } from '../shown-in.ts';
import { enterAlternateScreen } from '../terminal/alternate-screen.ts';
import { leaveLostTerminals } from '../terminal/lost-terminal.ts';
import { onSuspension } from '../terminal/suspension.ts';
import { canMoveCursor, presentationFor, type RunCommand, type Terminal } from '../terminal/terminal.ts';
import { changesSince, type KnownLocks } from './lock-changes.ts';
import { createLooks, LOOK_EVERY_MS, lookUntil } from './looks.ts';
import { onParentGone } from './parent.ts';
import { codeOfEnd, type End, listenForKeys } from './quit-key.ts';

/** Other machines answer more slowly, and being asked costs them something. */
const LOOK_ELSEWHERE_EVERY_MS = 15_000;

// Line by line, so that nothing flickers.
const HOME = '\u001b[H';
const ERASE_LINE_END = '\u001b[K';
const ERASE_BELOW = '\u001b[J';

/** `doctor locks --watch`: the tree, drawn anew until `q` or an interruption; JSON lines, one per change, where that cannot be. */
export const run: RunCommand<'locks'> = async (given, terminal) => {
  const asked = await diagnoseOptionsOf(given, terminal);
  const town = await prepareRun(given, given.positionals[0], asked);
  const { options, preparation, leases } = await withLeaseCheck(given, terminal, town, asked);
  const choose = chosenPart(given, terminal.cwd);
  const drawing = canMoveCursor(terminal.stdout, terminal.env) && !given.options.json;
  const hasKeys = drawing && terminal.stdin.isTTY === true;
  const keyLine = hasKeys ? 'q quit' : null;
  const show = drawing ? createScreen(terminal, keyLine) : createEvents(terminal);
  const others = asksOthers(given, preparation, terminal.env) ? await import('../elsewhere/fleet.ts') : null;
  const look =
    others === null
      ? createLooks(preparation, options)
      : () => others.diagnoseFleet(given, terminal, preparation, options);
  const everyMs = others === null ? LOOK_EVERY_MS : LOOK_ELSEWHERE_EVERY_MS;

  terminal.finishFirst();
  let leaveScreen = drawing ? enterAlternateScreen() : () => {};
  const keys = hasKeys ? listenForKeys(terminal.stdin) : null;
  const unread = new AbortController();
  const lose = (): void => unread.abort('lost' satisfies End);
  terminal.stdout.stream.on('error', lose);
  const forgetParent = drawing ? onParentGone(lose) : () => {};
  const stop = AbortSignal.any(
    [unread.signal, keys?.ended, terminal.interrupted].filter((signal) => signal != null),
  );
  let last: Report | null = null;
  const draw = async (): Promise<void> => {
    if (last === null) {
      if (drawing) terminal.stdout.write(`${HOME}${ERASE_BELOW}Looking ...\n${keyLine ?? ''}`);
      return;
    }
    const shown = last;
    const presentation = await presentationFor(given, terminal, terminal.stdout);
    show(shown, (frame) => renderLocksTree(shownIn('text', shown), presentation, frame));
  };
  const forgetSuspension = drawing
    ? onSuspension(
        () => {
          keys?.close();
          leaveScreen();
        },
        () => {
          leaveScreen = enterAlternateScreen();
          keys?.open();
          void draw();
        },
      )
    : () => {};
  await draw();
  let isLeft = false;
  try {
    while (!stop.aborted) {
      const seen = await lookUntil(async () => {
        await leases?.list();
        return look();
      }, stop);
      isLeft = seen === null;
      if (seen === null) break;
      last = choose(leases?.told(seen.report) ?? seen.report);
      await draw();
      await sleep(everyMs, undefined, { signal: stop }).catch(() => {});
    }
  } finally {
    forgetParent();
    forgetSuspension();
    keys?.close();
    leaveScreen();
    if (drawing) leaveLostTerminals();
  }
  // The last look stays on the screen that was there before.
  const tree =
    last === null || !drawing
      ? ''
      : renderLocksTree(shownIn('text', last), await presentationFor(given, terminal, terminal.stdout));
  // A reader of lines that went away ends the watch as well; then, and after `q`, the code is that of the last look.
  const end = [keys?.ended, drawing ? unread.signal : null].find((signal) => signal?.aborted === true);
  const own = codeOfEnd((end?.reason as End | undefined) ?? null, last);
  return { exitCode: exitCodeAfter(terminal.interrupted, own), stdout: tree, stderr: '', isLeft };
};

type Show = (report: Report, tree: (frame: Frame) => string) => void;

const createScreen =
  ({ stdout }: Terminal, keys: string | null): Show =>
  (_report, tree) => {
    const rows = (stdout.rows ?? 24) - 1;
    const clock = new Date().toTimeString().slice(0, 8);
    // A terminal of a few lines shows the end, which is the summary.
    const lines = tree({ rows, clock, keys }).trimEnd().split('\n').slice(-rows);
    stdout.write(HOME + lines.map((line) => `${line}${ERASE_LINE_END}\n`).join('') + ERASE_BELOW);
  };

/** One JSON line per lock that appeared, changed or went; the first look reports what is there. */
const createEvents = ({ stdout }: Terminal): Show => {
  let before: KnownLocks | null = null;
  return (report) => {
    const say = (event: object): void =>
      stdout.write(renderJsonLine({ schemaVersion: SCHEMA_VERSION, ...event }));
    if (before === null) {
      const { tool, command, startedAt, town } = report;
      say({ event: 'start', tool, command, startedAt, town });
    }
    const { changes, known } = changesSince(before, report);
    for (const change of changes) say({ event: 'lock', ...change });
    before = known;
  };
};
