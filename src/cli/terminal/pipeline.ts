import { examineSnapshot } from '../../core/judge/examine.ts';
import { type CheckOutcome, runCheck, skippedCheck } from '../../core/run-checks.ts';
import type { Check } from '../../core/types/check.ts';
import type { Snapshot } from '../../core/types/evidence.ts';
import type { Examination } from '../../core/types/judgement.ts';
import type { Stage } from '../../evidence/gather.ts';
import { escapeControls, escapeToAscii } from '../../reporters/screen/safe-text.ts';
import { createPen, type Presentation } from '../../reporters/screen/style.ts';
import { count, formatDuration } from '../../reporters/screen/words.ts';
import type { Output } from './output.ts';
import type { Terminal } from './terminal.ts';

/** The parts of a look at a town, in the order in which it looks: the other way round a just-started agent looks stale. */
const STAGES: readonly Stage[] = ['locks', 'processes', 'tmux', 'git'];

/** What a look tells while it goes on. */
export interface LookEvents {
  readonly onStage: (stage: Stage) => void;
  /** Directories that the scan has entered so far. */
  readonly onProgress: (directories: number) => void;
}

export interface PipelineRequest {
  readonly look: (events: LookEvents) => Promise<Snapshot>;
  readonly checks: readonly Check[];
  /** Ids of those that run; the others are reported as skipped. */
  readonly selected: ReadonlySet<string>;
}

export interface PipelineResult {
  readonly examination: Examination;
  readonly outcomes: readonly CheckOutcome[];
}

/**
 * Look, judge, run the checks. With `live` every part is a task of a listr2 pipeline on standard error, which is wiped
 * off when it is done: the report that follows on standard output says it all. Without, nothing is printed at all.
 */
export const runPipeline = async (
  request: PipelineRequest,
  terminal: Terminal,
  live: Presentation | null,
): Promise<PipelineResult> =>
  live === null || !canDraw(terminal.stderr) ? runSilently(request) : runLive(request, terminal, live);

/** A terminal that does not know its width would get one character per line. */
const canDraw = ({ isTTY, columns = 0 }: Output): boolean => isTTY && columns >= 20;

const runSilently = async ({ look, checks, selected }: PipelineRequest): Promise<PipelineResult> => {
  const snapshot = await look({ onStage: () => {}, onProgress: () => {} });
  const examination = examineSnapshot(snapshot);
  return { examination, outcomes: checks.map((check) => runOne(check, selected, examination)) };
};

const runOne = (check: Check, selected: ReadonlySet<string>, examination: Examination): CheckOutcome =>
  selected.has(check.id) ? runCheck(check, examination, () => performance.now()) : skippedCheck(check);

const TITLES: Readonly<Record<Stage, string>> = {
  locks: 'Look for locks',
  processes: 'Look at processes',
  tmux: 'Ask tmux',
  git: 'Ask git',
};

const runLive = async (
  { look, checks, selected }: PipelineRequest,
  { stderr: { stream: stderr }, interrupted }: Terminal,
  presentation: Presentation,
): Promise<PipelineResult> => {
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
  const write = (frame: string): boolean => {
    if (frames.push(frame) === 1) setImmediate(flush);
    return true;
  };
  const stand = Object.create(stderr, { write: { value: write, writable: true } }) as typeof stderr;
  const output = new ProcessOutput(stand, stand);
  const startedAt = performance.now();
  const begun = new Map(STAGES.map((stage) => [stage, deferred()]));
  let scanning: { title: string } | null = null;
  let reported = 0;
  let drawing = false;
  const begin = (): Promise<Snapshot> =>
    look({
      onStage: (stage) => begun.get(stage)?.resolve(),
      onProgress: (directories) => {
        const now = performance.now();
        // The screen is drawn at most ten times a second, however fast directories fly by.
        if (scanning === null || now - reported < 100) return;
        reported = now;
        scanning.title = `${TITLES.locks}: ${count(directories, 'directory', 'directories')}, ${formatDuration(now - startedAt)}`;
      },
    });
  // The first task begins the look, when there is a screen to show it on; the other tasks wait for their parts of it.
  let looked: (snapshot: Promise<Snapshot>) => void = () => {};
  const looking = new Promise<Snapshot>((resolve) => {
    looked = resolve;
  });
  // A look that fails ends every stage; the error itself is met below.
  const settled = looking.then(
    () => {},
    () => {},
  );
  const examining = looking.then(examineSnapshot);
  examining.catch(() => {});
  const outcomes: CheckOutcome[] = [];
  const tasks = new Listr(
    [
      ...STAGES.map((stage, index) => ({
        title: TITLES[stage],
        task: async (_context: unknown, task: { title: string }) => {
          if (stage === 'locks') {
            scanning = task;
            looked(begin());
          }
          const next = STAGES[index + 1];
          await Promise.race([settled, next === undefined ? settled : begun.get(next)?.promise]);
        },
      })),
      ...checks.map((check) => ({
        title: safe(check.title),
        task: async (_context: unknown, task: { title: string }) => {
          const outcome = runOne(check, selected, await examining);
          outcomes.push(outcome);
          const { status, findings } = outcome;
          const found =
            status === 'crashed' ? ': crashed' : findings.length === 0 ? '' : `: ${findings.length}`;
          task.title = `${safe(check.title)}${found}`;
          // listr2 shows the sign of a failed task for one that throws; the outcome itself is data.
          if (found !== '') throw new Error(task.title);
        },
      })),
    ],
    {
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
    },
  );
  // An interrupted run says so below the picture, which is not drawn again, and with the cursor back.
  interrupted?.addEventListener('abort', () => {
    if (!drawing) return;
    spinner.stop();
    tasks.events.complete();
    output.release();
    flush();
  });
  drawing = true;
  await tasks.run();
  flush();
  drawing = false;
  return { examination: await examining, outcomes };
};

const deferred = (): { readonly promise: Promise<void>; readonly resolve: () => void } => {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
};
