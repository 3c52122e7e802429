/**
 * The program: routes before it imports, so that the commands in front of every agent's start load next to nothing.
 * The only place that touches `process.exitCode` and calls `process.exit`.
 */
import { Failure, messageOf } from '../core/failure.ts';
import { EXIT } from '../core/types/report.ts';
import { VERSION } from '../version.ts';
import type { ArgumentsOf } from './arguments/arguments.ts';
import { keptHelp, USUAL_WIDTH } from './arguments/kept-help.ts';
import type { CommandName } from './arguments/options.ts';
import { readArguments } from './arguments/read-arguments.ts';
import { asksFor, formatAskedFor, type Route, routeOf } from './route.ts';
import { openOutput } from './terminal/output.ts';
import { type Interruption, listenForSignals } from './terminal/signals.ts';
import type { Outcome, RunCommand, Terminal } from './terminal/terminal.ts';
import { describeInterruption, endOfFailure, type FailedRun } from './words/failures.ts';

const COMMANDS: { readonly [C in CommandName]: () => Promise<{ readonly run: RunCommand<C> }> } = {
  doctor: () => import('./commands/doctor.ts'),
  preflight: () => import('./commands/preflight.ts'),
  exec: () => import('./commands/exec.ts'),
  locks: () => import('./commands/locks.ts'),
  who: () => import('./commands/who.ts'),
  top: () => import('./commands/top.ts'),
  explain: () => import('./commands/explain.ts'),
  checks: () => import('./commands/setup/checks.ts'),
  log: () => import('./commands/log.ts'),
  undo: () => import('./commands/undo.ts'),
  machines: () => import('./commands/setup/machines.ts'),
  init: () => import('./commands/setup/init.ts'),
  completion: () => import('./commands/setup/completion.ts'),
};

/** These stand in front of every start of an agent, or run on every patrol: their lines are read without loading yargs. */
const FAST: readonly CommandName[] = ['preflight', 'exec', 'doctor'];

const perform = async ({ command, argv }: Route, terminal: Terminal): Promise<Outcome> => {
  if (asksFor(argv, '--version')) return { exitCode: EXIT.ok, stdout: `${VERSION}\n`, stderr: '' };
  if (FAST.includes(command) && !asksFor(argv, '--help', '-h')) {
    return start(command, readArguments(command, argv), terminal);
  }
  if (command === 'doctor') await refuseMistyped(argv[0]);
  const { columns } = terminal.stdout;
  const width = columns === undefined || columns < 40 ? USUAL_WIDTH : Math.min(columns, 110);
  const help = width === USUAL_WIDTH ? keptHelp(command, argv) : null;
  if (help !== null) return { exitCode: EXIT.ok, stdout: help, stderr: '' };
  // Asked first: yargs asks too when it is loaded, and crashes if the directory is gone.
  const { cwd } = terminal;
  const { parseWithYargs } = await import('./arguments/parse-with-yargs.ts');
  const parsed = await parseWithYargs(command === 'doctor' ? argv : [command, ...argv], { cwd, width });
  if (parsed.kind === 'help') return { exitCode: EXIT.ok, stdout: parsed.text, stderr: '' };
  return start(command, parsed.arguments, terminal);
};

const start = async <C extends CommandName>(command: C, given: ArgumentsOf<C>, terminal: Terminal) =>
  (await COMMANDS[command]()).run(given, terminal);

/** Refuses `doctor help lcoks`, which does not ask about `doctor`. */
const refuseMistyped = async (word = ''): Promise<void> => {
  if (word.startsWith('-')) return;
  const { meantCommand } = await import('./arguments/meant-command.ts');
  const meant = meantCommand(word);
  if (meant !== null) throw new Failure('E_USAGE', `command not found: ${word}`, `Did you mean: ${meant}?`);
};

/** An output failed: then the run failed, whatever its own outcome is. */
let isUnwritable = false;

/** After a hang-up no output can be written, which is not an error. The output may fail before the signal arrives. */
let isHungUp = false;

const fail = (_reason: string, isHangUp: boolean): void => {
  isUnwritable = true;
  isHungUp ||= isHangUp;
  process.exitCode = isHungUp ? EXIT.hungUp : EXIT.bug;
};

const stderr = openOutput(2, fail);

const outputs = {
  stdout: openOutput(1, (reason, isHangUp) => {
    fail(reason, isHangUp);
    if (!isHungUp) void stderr.end(`doctor: the output cannot be written (${reason})\n`);
  }),
  stderr,
};

/** Getters: a run pays only for what it asks for. */
const terminalOf = (interruption: Interruption | null): Terminal => ({
  env: process.env,
  get cwd() {
    try {
      return process.cwd();
    } catch (cause) {
      throw new Failure('E_USAGE', 'the working directory does not exist any more', null, { cause });
    }
  },
  get stdin() {
    return process.stdin;
  },
  ...outputs,
  get interrupted() {
    return interruption?.signal ?? null;
  },
  finishFirst: () => interruption?.finishFirst(),
});

const main = async (): Promise<void> => {
  const words = process.argv.slice(2);
  const route = routeOf(words[0] === 'help' ? [...words.slice(1), '--help'] : words);
  const failed: FailedRun = {
    command: route.command,
    format: formatAskedFor(route.argv),
    startedAtMs: Date.now(),
    changes: route.command === 'init' || asksFor(route.argv, '--fix'),
    stderr: outputs.stderr,
    debug: process.env.DEBUG === 'lock-doctor',
  };
  // exec passes signals on to its command and ends when that has ended.
  const interruption = route.command === 'exec' ? null : listenForSignals();
  const end = (error: unknown): Outcome => endOfFailure(error, failed);
  const outcome = await Promise.race([
    // Twice: to say what failed may itself meet a terminal that has hung up.
    perform(route, terminalOf(interruption)).catch(end).catch(end),
    ...(interruption === null ? [] : [interruption.left.then((code) => describeInterruption(code, failed))]),
  ]);
  isHungUp ||= outcome.exitCode === EXIT.hungUp;
  // Events that were told on the way may have met an output that cannot be written.
  process.exitCode = isHungUp ? EXIT.hungUp : isUnwritable ? EXIT.bug : outcome.exitCode;
  if (mayLackTerminal()) (await import('./terminal/lost-terminal.ts')).leaveLostTerminals();
  // From here on signals may end the run at once, or a reader that does not read could keep it for ever.
  interruption?.stopListening();
  await outputs.stdout.end(outcome.stdout);
  await outputs.stderr.end(outcome.stderr);
  if (mayLackTerminal()) (await import('./terminal/lost-terminal.ts')).leaveLostTerminals();
  // Node stops listening before it exits by itself, and one more signal would then kill the run.
  const isToldToEnd = interruption?.isIgnoringSignals === true && isWritten();
  if (isToldToEnd || isOver(outcome, route.command)) process.exit();
};

/** A terminal that has hung up fails whatever asks it for something. Its signal may come later than that. */
const mayLackTerminal = (): boolean => isHungUp || process.exitCode === EXIT.bug;

const isWritten = (): boolean => outputs.stdout.isWritten && outputs.stderr.isWritten;

/**
 * Node would end now by itself, and first collect garbage and take its heap apart, 1 to 2 ms. False while output waits for its
 * reader, which `process.exit` would cut off, and while something that a plug-in started goes on. Bun, which runs the
 * executable, does not tell what goes on: there only a preflight is over, because it loads no plug-ins.
 */
const isOver = ({ isLeft = false }: Outcome, command: CommandName): boolean =>
  isWritten() &&
  (isLeft ||
    (process.versions.bun === undefined
      ? process.getActiveResourcesInfo().length === 0 && process.listenerCount('beforeExit') === 0
      : command === 'preflight'));

main().catch((error: unknown) => {
  process.exitCode = EXIT.bug;
  void outputs.stderr.end(`doctor: ${messageOf(error)}\n`);
});
