/** Runs a command's function inside the test: for hundreds of runs, where starting the program each time would take minutes. */
import type { CommandName } from '../../src/cli/arguments/options.ts';
import { readArguments } from '../../src/cli/arguments/read-arguments.ts';
import { type Route, routeOf } from '../../src/cli/route.ts';
import type { Outcome, RunCommand, Terminal } from '../../src/cli/terminal/terminal.ts';
import { endOfFailure } from '../../src/cli/words/failures.ts';

const COMMANDS: { readonly [C in CommandName]?: () => Promise<{ readonly run: RunCommand<C> }> } = {
  doctor: () => import('../../src/cli/commands/doctor.ts'),
  explain: () => import('../../src/cli/commands/explain.ts'),
  locks: () => import('../../src/cli/commands/locks.ts'),
  preflight: () => import('../../src/cli/commands/preflight.ts'),
  undo: () => import('../../src/cli/commands/undo.ts'),
};

/** The result of a run, with its complete output. */
export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `doctor ARGV` as `main` does, with its output in a pipe or, with `columns`, as if at a terminal of that width. */
export const doctorInProcess = async (
  argv: readonly string[],
  { cwd, env = {}, columns }: { cwd: string; env?: NodeJS.ProcessEnv; columns?: number },
): Promise<Ended> => {
  const written = { stdout: '', stderr: '' };
  const output = (name: keyof typeof written): Terminal['stdout'] => ({
    // Standard error is never a terminal: a live view would write to that of the test.
    isTTY: name === 'stdout' && columns !== undefined,
    columns,
    rows: columns === undefined ? undefined : 24,
    isWritten: true,
    stream: process.stdout,
    write: (text: string) => {
      written[name] += text;
    },
    end: async () => {},
  });
  const terminal: Terminal = {
    env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', ...env },
    cwd,
    stdin: process.stdin,
    stdout: output('stdout'),
    stderr: output('stderr'),
    interrupted: null,
    finishFirst: () => {},
  };
  const route = routeOf(argv);
  const { exitCode, stdout, stderr } = await perform(route, terminal);
  const text = typeof stdout === 'string' ? stdout : [...stdout].join('');
  return { exitCode, stdout: written.stdout + text, stderr: written.stderr + stderr };
};

const perform = async (route: Route, terminal: Terminal): Promise<Outcome> => {
  const { command, argv } = route;
  try {
    return await start(command, argv, terminal);
  } catch (error) {
    const format = argv.includes('--json') ? 'json' : 'text';
    return endOfFailure(error, {
      command,
      format,
      changes: false,
      stderr: terminal.stderr,
      startedAtMs: Date.now(),
      debug: false,
    });
  }
};

const start = async <C extends CommandName>(command: C, argv: readonly string[], terminal: Terminal) => {
  const load = COMMANDS[command];
  if (load === undefined) throw new Error(`${command} cannot be run here`);
  return (await load()).run(readArguments(command, argv), terminal);
};
