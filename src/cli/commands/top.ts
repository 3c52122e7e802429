/** `doctor top`: the locks of a town on a full screen, looked at again and again, with keys for what one does about them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodeAfter } from '../../core/report/interruption.ts';
import { quietly } from '../../io/try-or.ts';
import { chosenPart } from '../arguments/chosen-part.ts';
import { usage } from '../arguments/usage.ts';
import { prepareRun } from '../diagnose.ts';
import { asksOthers } from '../elsewhere/asks-others.ts';
import { diagnoseOptionsOf } from '../options-of.ts';
import { enterAlternateScreen } from '../terminal/alternate-screen.ts';
import { leaveLostTerminals } from '../terminal/lost-terminal.ts';
import { onSuspension, suspendAll } from '../terminal/suspension.ts';
import { canMoveCursor, presentationFor, type RunCommand } from '../terminal/terminal.ts';
import type { Key } from '../top/keys.ts';
import { loadScreen } from '../top/load-screen.ts';
import type { Screen } from '../top/screen.ts';
import { openTop } from '../top/top.ts';
import { createLooks, LOOK_EVERY_MS, lookUntil } from '../watch/looks.ts';
import { onParentGone } from '../watch/parent.ts';
import { codeOfEnd, type End } from '../watch/quit-key.ts';

/** The clock has seconds. */
const DRAW_EVERY_MS = 1000;

/** The keys act on this machine, and so the view tells of it alone. */
const ONE_MACHINE = 'Other machines are not asked here. See: doctor locks --watch';

/** Erases the screen and moves the cursor to its top left. */
const CLEAR = '\u001b[2J\u001b[H';

/** `doctor top [town]`: ends with the exit code of the last look, or that of what interrupted it. */
export const run: RunCommand<'top'> = async (given, terminal) => {
  const { stdin, stdout, env, interrupted } = terminal;
  if (stdin.isTTY !== true || !canMoveCursor(stdout, env)) {
    leaveLostTerminals();
    throw usage('doctor top requires a terminal', 'doctor locks');
  }
  const options = await diagnoseOptionsOf(given, terminal);
  const preparation = await prepareRun(given, given.positionals[0], options);
  // Ink counts the columns of what it cuts, and knows nothing of links.
  const presentation = { ...(await presentationFor(given, terminal, stdout)), links: false };
  const { openScreen } = await loadScreen();
  const choose = chosenPart(given, terminal.cwd);
  const look = createLooks(preparation, options);
  terminal.finishFirst();

  const ended = new AbortController();
  const end = (reason: End): void => ended.abort(reason);
  const stop = AbortSignal.any([ended.signal, ...(interrupted === null ? [] : [interrupted])]);
  const loseTerminal = (): void => end('lost');
  // A terminal that goes away without a signal ends what we read, or fails it.
  for (const event of ['end', 'close', 'error']) stdin.on(event, loseTerminal);
  stdout.stream.on('error', loseTerminal);

  let leaveScreen = enterAlternateScreen();
  let screen: Screen | null = null;
  let isLeft = false;
  const top = openTop({
    root: preparation.place?.town.root ?? '/',
    notice: asksOthers(given, preparation, env) ? ONE_MACHINE : null,
    options,
    presentation,
    signal: stop,
    end,
    size: () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 }),
    onDraw: (lines) => screen?.draw(lines),
  });
  const redraw = (): void => {
    // Terminals differ in what they do to long lines when they get narrower.
    stdout.write(CLEAR);
    top.draw();
  };
  const onKey = (key: Key): void => (key.name === 'suspend' ? suspendAll() : top.press(key));
  const open = (): void => {
    screen = openScreen({ stdin, stdout: stdout.stream }, onKey);
    top.draw();
  };
  const forgetSuspension = onSuspension(
    async () => {
      // Other processes wait for the guards that a deed holds.
      if (top.isActing()) await top.changed();
      closeScreen(screen);
      screen = null;
      leaveScreen();
    },
    () => {
      leaveScreen = enterAlternateScreen();
      open();
    },
  );
  const clock = setInterval(top.draw, DRAW_EVERY_MS);
  const forgetParent = onParentGone(loseTerminal);
  try {
    open();
    stdout.stream.on('resize', redraw);
    while (!stop.aborted) {
      const seen = await lookUntil(look, stop);
      isLeft = seen === null;
      if (seen !== null) {
        top.show({ ...seen, report: choose(seen.report) });
        await Promise.race([
          sleep(LOOK_EVERY_MS, undefined, { signal: stop }).catch(() => {}),
          top.changed(),
        ]);
      }
      // Nothing is looked at while a deed is under way. One that has begun is finished.
      await top.idle();
    }
  } finally {
    clearInterval(clock);
    forgetParent();
    forgetSuspension();
    stdout.stream.removeListener('resize', redraw);
    closeScreen(screen);
    leaveScreen();
    leaveLostTerminals();
  }
  const reason = ended.signal.aborted ? (ended.signal.reason as End) : null;
  return {
    exitCode: exitCodeAfter(interrupted, codeOfEnd(reason, top.lastReport())),
    stdout: '',
    stderr: '',
    isLeft,
  };
};

/** A terminal that has hung up does not take its settings back: then there is nothing left to restore. */
const closeScreen = (screen: Screen | null): void => quietly(() => screen?.close());
