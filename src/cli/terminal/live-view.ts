/** The picture of a diagnosis that goes on: a listr2 pipeline on standard error that listens and draws. The home of listr2. */
import type { ListrTask } from 'listr2';
import { count, formatDuration } from '../../core/report/amounts.ts';
import type { CheckOutcome } from '../../core/run-checks.ts';
import type { Check } from '../../core/types/check.ts';
import type { DiagnoseOptions } from '../../diagnose.ts';
import type { Stage } from '../../evidence/gather-request.ts';
import { escapeControls, escapeToAscii } from '../../reporters/screen/safe-text.ts';
import { createPen, type Presentation } from '../../reporters/screen/style.ts';
import { onSuspension } from './suspension.ts';
import { canMoveCursor, type Terminal } from './terminal.ts';

/** The parts of a look at a town, in the order in which it looks: the other way round a just-started agent looks stale. */
const STAGES: readonly Stage[] = ['locks', 'processes', 'tmux', 'git'];

const TITLES: Readonly<Record<Stage, string>> = {
  locks: 'Look for locks',
  processes: 'Look at processes',
  tmux: 'Ask tmux',
  git: 'Ask git',
};

/** The screen is drawn at most ten times a second, however fast directories fly by. */
const DRAW_EVERY_MS = 100;

/**
 * Runs something that tells its events. With a presentation every part of it is a task on standard error, wiped off when
 * it is done: the report that follows on standard output says it all. Without, nothing is printed. Whoever asks a question
 * in between ends the view before, or the question would stand in it.
 */
export const withLiveView = async <Result>(
  terminal: Terminal,
  presentation: Presentation | null,
  options: DiagnoseOptions,
  run: (options: DiagnoseOptions, endView: () => Promise<void>) => Promise<Result>,
): Promise<Result> => {
  if (presentation === null || !canDraw(terminal)) return run(options, async () => {});
  const view = createView(terminal, presentation);
  try {
    return await run(
      {
        ...options,
        onStage: view.onStage,
        onProgress: (directories, locks) => {
          options.onProgress?.(directories, locks);
          view.onProgress(directories);
        },
        events: { onStart: view.start, onCheck: view.onCheck },
      },
      view.end,
    );
  } finally {
    await view.end();
  }
};

/** Where a terminal does not know its width, listr2 would print one character per line. */
const canDraw = ({ stderr, env }: Terminal): boolean =>
  canMoveCursor(stderr, env) && (stderr.columns ?? 0) >= 20;

/** A task of the pipeline: begun by listr2, ended by an event. */
interface Part {
  readonly ended: Promise<CheckOutcome | null>;
  readonly end: (outcome: CheckOutcome | null) => void;
}

const createPart = (): Part => {
  let end: Part['end'] = () => {};
  const ended = new Promise<CheckOutcome | null>((resolve) => {
    end = resolve;
  });
  return { ended, end };
};

interface View {
  /** Draws the first picture, then returns. */
  readonly start: (checks: readonly Check[]) => Promise<void>;
  readonly onStage: (stage: Stage) => void;
  readonly onProgress: (directories: number) => void;
  readonly onCheck: (outcome: CheckOutcome) => void;
  /** Wipes the picture off. Whatever has not ended by then was not reached. */
  readonly end: () => Promise<void>;
}

const createView = (terminal: Terminal, presentation: Presentation): View => {
  const parts = new Map<string, Part>();
  const startedAt = performance.now();
  let drawing: Promise<void> | null = null;
  let scanning: { title: string } | null = null;
  let reported = 0;
  const endStagesBefore = (stage: Stage | null): void => {
    for (const earlier of STAGES) {
      if (earlier === stage) return;
      parts.get(earlier)?.end(null);
    }
  };
  return {
    start: async (checks) => {
      for (const key of [...STAGES, ...checks.map(({ id }) => id)]) parts.set(key, createPart());
      const begun = createPart();
      ({ drawn: drawing } = await draw(terminal, presentation, checks, parts, (task) => {
        scanning = task;
        begun.end(null);
      }));
      await begun.ended;
    },
    onStage: endStagesBefore,
    onProgress: (directories) => {
      const now = performance.now();
      if (scanning === null || now - reported < DRAW_EVERY_MS) return;
      reported = now;
      scanning.title = `${TITLES.locks}: ${count(directories, 'directory', 'directories')}, ${formatDuration(now - startedAt)}`;
    },
    onCheck: (outcome) => {
      endStagesBefore(null);
      parts.get(outcome.check.id)?.end(outcome);
    },
    end: async () => {
      // A repair looks again afterwards, and must not draw its progress into a picture that is gone.
      scanning = null;
      for (const part of parts.values()) part.end(null);
      await drawing;
    },
  };
};

/** A task for each stage and each check: it ends when its part does, and has the number of findings in its title. */
const taskList = (
  checks: readonly Check[],
  parts: ReadonlyMap<string, Part>,
  safe: (text: string) => string,
  onFirstTask: (task: { title: string }) => void,
): ListrTask[] => [
  ...STAGES.map((stage, index) => ({
    title: TITLES[stage],
    task: async (_context: unknown, task: { title: string }) => {
      if (index === 0) onFirstTask(task);
      await parts.get(stage)?.ended;
    },
  })),
  ...checks.map(({ id, title }) => ({
    title: safe(title),
    task: async (_context: unknown, task: { title: string }) => {
      const outcome = (await parts.get(id)?.ended) ?? null;
      if (outcome === null) return;
      const { status, findings } = outcome;
      const found = status === 'crashed' ? ': crashed' : findings.length === 0 ? '' : `: ${findings.length}`;
      task.title = `${safe(title)}${found}`;
      // listr2 shows the sign of a failed task for one that throws; the outcome itself is data.
      if (found !== '') throw new Error(task.title);
    },
  })),
];

/** What shows (`h`) and hides (`l`) the cursor, erases its line, and moves it up by one. */
const CURSOR = '\u001b[?25';
const ERASE_LINE = '\u001b[2K';
const UP = '\u001b[1A';

/** Begins to draw; the promise inside ends when the picture is gone. In an object, for promises of promises are one. */
const draw = async (
  { stderr: { stream: stderr }, interrupted }: Terminal,
  presentation: Presentation,
  checks: readonly Check[],
  parts: ReadonlyMap<string, Part>,
  onFirstTask: (task: { title: string }) => void,
): Promise<{ readonly drawn: Promise<void> }> => {
  const { Listr, ListrLogger, ProcessOutput, Spinner } = await import('listr2');
  const pen = createPen(presentation);
  const safe = presentation.ascii ? escapeToAscii : escapeControls;
  const spinner = new Spinner();
  if (presentation.ascii) Object.assign(spinner, { spinner: ['-', '\\', '|', '/'] });
  // What listr2 calls standard output is our standard error, behind a stand-in: it takes over its stream's `write`, and
  // others must still get a word in. It draws for every little change; what comes together is written together.
  const frames: string[] = [];
  const flush = (): void => {
    if (frames.length > 0) stderr.write(frames.splice(0).join(''));
  };
  /** Lines of the picture: the next one goes up by so many before it draws. */
  let height = 0;
  let isAway = false;
  const write = (frame: string): boolean => {
    if (!frame.startsWith(CURSOR)) height = frame.split('\n').length - 1;
    if (!isAway && frames.push(frame) === 1) setImmediate(flush);
    return true;
  };
  // A shell writes where the picture is: it is wiped off before, and drawn anew below what the shell has written.
  const forgetSuspension = onSuspension(
    () => {
      flush();
      isAway = true;
      stderr.write(`${ERASE_LINE}${`${UP}${ERASE_LINE}`.repeat(height)}\r${CURSOR}h`);
    },
    () => {
      isAway = false;
      stderr.write(`${CURSOR}l${'\n'.repeat(height)}`);
    },
  );
  const stand = Object.create(stderr, { write: { value: write, writable: true } }) as typeof stderr;
  const output = new ProcessOutput(stand, stand);
  const tasks = new Listr(taskList(checks, parts, safe, onFirstTask), {
    exitOnError: false,
    collectErrors: false,
    registerSignalListeners: false,
    renderer: 'default',
    fallbackRendererCondition: false,
    rendererOptions: {
      clearOutput: true,
      formatOutput: 'truncate',
      logger: new ListrLogger({ processOutput: output, useIcons: true, toStderr: [] }),
      icon: {
        COMPLETED: pen.sign('pass'),
        FAILED: pen.sign('warning'),
        WAITING: ' ',
      },
      spinner,
    },
  });
  let running = true;
  // An interrupted run says so below the picture, which is not drawn again, and with the cursor back.
  interrupted?.addEventListener('abort', () => {
    if (!running) return;
    spinner.stop();
    tasks.events.complete();
    output.release();
    flush();
    forgetSuspension();
  });
  const drawn = tasks.run().then(() => {
    flush();
    forgetSuspension();
    running = false;
  });
  return { drawn };
};
