/** Runs the built program as scripts and people do: a process with its own environment, piped or in a tmux pane. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { makeTmuxTmpdir, makeTown, onCleanUp, startTmux, type TestTown, until } from '../support/index.ts';
import { startOf } from '../support/tested-program.ts';

export const PROGRAM = fileURLToPath(new URL('../../dist/bin/doctor.js', import.meta.url));
if (!existsSync(PROGRAM)) throw new Error('dist/ is missing: npm run build');

/** The command that starts the tested program, and the words in front of its arguments. */
export const COMMAND = startOf(PROGRAM);
const [FILE, ...WORDS] = COMMAND;

export interface CliOptions {
  readonly cwd?: string;
  /** Added to the bare environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
  /** For `doctorInPane`: a command that gets the program as its arguments, and runs it. */
  readonly through?: readonly string[];
}

export interface CliResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** An environment without the developer's tmux servers and without an agent's variables. */
export const bareEnvironment = (added: CliOptions['env'] = {}): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  LC_ALL: 'C.UTF-8',
  // Machines that the developer has configured are not queried.
  XDG_CONFIG_HOME: '/no/such',
  TMUX_TMPDIR: makeTmuxTmpdir(),
  ...added,
});

/** Runs the program to its end. */
export const doctor = (args: readonly string[], options: CliOptions = {}): CliResult => {
  const { status, stdout, stderr } = spawnSync(FILE, [...WORDS, ...args], {
    encoding: 'utf8',
    cwd: options.cwd ?? '/',
    env: bareEnvironment(options.env),
    input: options.input ?? '',
    timeout: 60_000,
  });
  return { status, stdout, stderr };
};

/** Starts the program; `cleanUp` kills it. */
export const startDoctor = (
  args: readonly string[],
  { openFiles = null, ...options }: CliOptions & { readonly openFiles?: number | null } = {},
): ChildProcess => {
  const argv = [...COMMAND, ...args];
  const limited =
    openFiles === null ? argv : ['sh', '-c', 'ulimit -n "$0"; exec "$@"', String(openFiles), ...argv];
  const [program = '', ...rest] = limited;
  const child = spawn(program, rest, {
    cwd: options.cwd ?? '/',
    env: bareEnvironment(options.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onCleanUp(() => {
    child.kill('SIGKILL');
  });
  return child;
};

export interface TerminalRun {
  /** What the pane shows, without trailing spaces and empty lines. */
  readonly screen: () => string;
  /** The same with its escape sequences. */
  readonly coloredScreen: () => string;
  readonly type: (...keys: string[]) => void;
  /** Waits until the screen shows a text, and returns the screen. */
  readonly shows: (text: string | RegExp) => Promise<string>;
  /** Waits for the end of the program and returns the screen above its exit code. */
  readonly ends: () => Promise<{ readonly screen: string; readonly status: number }>;
  readonly cursorIsShown: () => boolean;
  readonly resize: (columns: number, rows: number) => void;
  /** Whether the terminal shows its alternate screen. */
  readonly isAlternate: () => boolean;
  /** Whether the terminal is in line mode and echoes input, as shells expect it. */
  readonly isCooked: () => boolean;
  /** PID of the program; only while it runs. */
  readonly pid: () => number;
  readonly killPane: () => void;
}

/** Runs the program in a real pane of a private tmux server. */
export const doctorInPane = async (
  args: readonly string[],
  size: { readonly columns: number; readonly rows: number },
  options: CliOptions = {},
): Promise<TerminalRun> => {
  const server = await startTmux({ name: 'terminal' });
  const env = bareEnvironment({ TERM: 'screen-256color', ...options.env });
  const assignments = Object.entries(env).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  // The shell waits for Enter, so that the pane has its size before the program starts, and it survives Ctrl-C.
  const command = `trap : INT; read -r go; env -i "$@"; echo "exit=$?"; read -r stay`;
  const pane = server.newSession('terminal', {
    cwd: options.cwd ?? '/',
    command: [
      ...['sh', '-c', command, 'sh', ...assignments, ...(options.through ?? [])],
      ...[...COMMAND, ...args],
    ],
  });
  const resize = (columns: number, rows: number): void => {
    server.tmux('resize-window', '-t', pane.sessionId, '-x', String(columns), '-y', String(rows));
  };
  const capture = (...flags: string[]): string =>
    server.tmux('capture-pane', '-p', ...flags, '-t', pane.paneId).replace(/[ \n]+$/, '');
  const tell = (format: string): string =>
    server.tmux('display-message', '-p', '-t', pane.paneId, format).trim();
  const screen = (): string =>
    capture()
      .split('\n')
      .map((line) => line.trimEnd())
      .join('\n');
  resize(size.columns, size.rows);
  server.tmux('send-keys', '-t', pane.paneId, '-l', ' ');
  server.tmux('clear-history', '-t', pane.paneId);
  server.tmux('send-keys', '-t', pane.paneId, 'Enter');
  return {
    screen,
    coloredScreen: () => capture('-e'),
    resize,
    cursorIsShown: () => tell('#{cursor_flag}') === '1',
    isAlternate: () => tell('#{alternate_on}') === '1',
    isCooked: () => {
      const settings = execFileSync('sh', ['-c', `stty -a <${tell('#{pane_tty}')}`], { encoding: 'utf8' });
      return / icanon\b/.test(settings) && / echo\b/.test(settings);
    },
    pid: () => Number(execFileSync('pgrep', ['-P', String(pane.pid)], { encoding: 'utf8' })),
    killPane: () => server.tmux('kill-pane', '-t', pane.paneId),
    type: (...keys) => {
      for (const key of keys) server.tmux('send-keys', '-t', pane.paneId, key);
    },
    shows: (text) =>
      until(
        () => {
          const now = screen();
          return (typeof text === 'string' ? now.includes(text) : text.test(now)) && now;
        },
        `${String(text)} on the screen`,
      ).catch((error: unknown) => {
        throw new Error(`${(error as Error).message}; it shows:\n${screen()}`);
      }),
    ends: async () => {
      const found = await until(
        () => /^([\s\S]*?)\n?exit=(\d+)$/.exec(screen()) ?? undefined,
        'the end of the program',
      ).catch((error: unknown) => {
        throw new Error(`${(error as Error).message}; it shows:\n${screen()}`);
      });
      // The first line is the Enter that released the shell.
      return { screen: (found[1] ?? '').replace(/^\s*\n/, ''), status: Number(found[2]) };
    },
  };
};

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
addFormats.default(ajv);
const schema = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../schema/report.schema.json', import.meta.url)), 'utf8'),
) as object;
ajv.addSchema(schema, 'report');

/** A validator for documents, or for one definition of the published schema. */
export const validatorOf = (definition: string | null = null): ValidateFunction => {
  const found = ajv.getSchema(definition === null ? 'report' : `report#/$defs/${definition}`);
  if (found === undefined) throw new Error(`the schema has no ${definition ?? 'root'}`);
  return found;
};

/** Parses a text that must be one JSON document, valid by the published schema. */
export const documentOf = <Shape = Record<string, unknown>>(text: string): Shape => {
  const document: unknown = JSON.parse(text);
  const validate = validatorOf();
  if (!validate(document))
    throw new Error(`not valid by the schema: ${JSON.stringify(validate.errors, null, 2)}`);
  return document as Shape;
};

/** A repository in the directory `app`, with these worktrees, relative to it; the root of the town is the directory around it. */
export const makeApp = (trees: readonly string[]): { readonly town: TestTown; readonly app: string } => {
  const town = makeTown({ marked: false, workers: ['app'], rigs: {} });
  const app = town.path('app');
  const git = (...args: readonly string[]): void =>
    void spawnSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], { cwd: app });
  git('init', '-q');
  git('commit', '-q', '--allow-empty', '-m', 'first');
  for (const tree of trees) git('worktree', 'add', '-q', '--detach', tree);
  return { town, app };
};
