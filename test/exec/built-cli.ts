/** The CLI as it ships, in its own directory that everybody may read, because other users run it too. */
import { type ChildProcess, execFileSync, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { canBecomeOthers, onCleanUp } from '../support/index.ts';
import { startOf } from '../support/tested-program.ts';

/** How a run ended. */
export interface Ended {
  /** As a shell reports it; `signal` distinguishes 128+n from death by signal n. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCli {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  readonly isOver: () => boolean;
  /** Standard output, and standard error, so far. */
  readonly said: () => string;
  readonly complained: () => string;
}

export interface RunOptions extends Pick<SpawnOptions, 'cwd' | 'detached' | 'uid' | 'gid'> {
  /** Added to (undefined: removed from) the environment of the tests, without the variables of tmux and Gas Town. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Written to standard input, which is empty without it. */
  readonly input?: string;
}

/** Options to run a process as that user; none means as ourselves. */
export type User = Pick<SpawnOptions, 'uid' | 'gid'>;

export interface BuiltCli {
  /** The words that start the program. */
  readonly command: readonly [string, ...string[]];
  /**
   * Who runs the doctor unless a test says otherwise: root's tests use a user without tmux servers, because those of
   * concurrent tests, which start, freeze and die at any moment, are evidence that the doctor must take into account.
   */
  readonly user: User;
  readonly start: (args: readonly string[], options?: RunOptions) => RunningCli;
  readonly run: (args: readonly string[], options?: RunOptions) => Promise<Ended>;
  readonly remove: () => void;
}

const ALONE = 64_916;

const findUser = ([file, ...words]: BuiltCli['command']): User => {
  if (!canBecomeOthers) return {};
  const user = { uid: ALONE, gid: ALONE };
  return spawnSync(file, [...words, '--version'], { ...user, cwd: '/' }).status === 0 ? user : {};
};

/** Gives the town of a test that a word names to that user: tmux servers of the town's owner count like the asker's. */
const giveTo = (uid: number | undefined, word: string): void => {
  const begin = `${realpathSync(tmpdir())}/town-`;
  if (uid === undefined || !word.startsWith(begin)) return;
  const town = begin + (word.slice(begin.length).split('/')[0] ?? '');
  if (!existsSync(town)) return;
  // What is right already is not touched: some tests compare all times of all files.
  const id = String(uid);
  spawnSync('find', [town, '!', '-user', id, '-exec', 'chown', '-h', `${id}:${id}`, '{}', '+']);
  if ((statSync(town).mode & 0o777) !== 0o755) chmodSync(town, 0o755);
};

interface Metafile {
  readonly outputs: Readonly<Record<string, { readonly inputs: Readonly<Record<string, unknown>> }>>;
}

const makeDirectory = (): string => realpathSync(mkdtempSync(join(tmpdir(), 'doctor-cli-')));

/** A copy of what `npm run build` made. Call `remove` after all tests of a file. */
export const buildCli = (): BuiltCli => {
  const home = makeDirectory();
  cpSync('dist/bin', join(home, 'dist/bin'), { recursive: true });
  return cliIn(home);
};

/** The sources of one file of the bundle (absolute path). */
export type SourcesOf = (file: string) => readonly string[];

/** The CLI bundled as modules, for tests that ask which sources each file contains. Call `remove` as well. */
export const bundleCli = (): BuiltCli & { readonly sourcesOf: SourcesOf } => {
  const home = makeDirectory();
  const banner =
    "#!/usr/bin/env node\nimport{createRequire as $cr}from'node:module';const require=$cr(import.meta.url);";
  execFileSync('node_modules/.bin/esbuild', [
    'dist/bin/doctor=src/cli/main.ts', // the doctor recognizes itself by this name
    '--bundle',
    '--splitting',
    '--format=esm',
    '--platform=node',
    '--target=node20.19',
    '--log-level=warning',
    '--define:LOCK_DOCTOR_VERSION="0.0.0-test"',
    `--banner:js=${banner}`,
    `--outdir=${home}`,
    `--metafile=${home}/meta.json`,
  ]);
  writeFileSync(join(home, 'package.json'), '{"type":"module"}');
  const { outputs }: Metafile = JSON.parse(readFileSync(join(home, 'meta.json'), 'utf8'));
  const sources = new Map(
    Object.entries(outputs).map(([name, { inputs }]) => [basename(name), Object.keys(inputs)]),
  );
  return { ...cliIn(home), sourcesOf: (name) => sources.get(basename(name)) ?? [] };
};

const cliIn = (home: string): BuiltCli => {
  execFileSync('chmod', ['-R', 'a+rX', home]);
  const command = startOf(join(home, 'dist/bin/doctor.js'));
  const [file, ...words] = command;
  const tmuxTmpdir = join(home, 'no-tmux');
  mkdirSync(tmuxTmpdir, { mode: 0o755 });

  const user = findUser(command);
  const start = (args: readonly string[], options: RunOptions = {}): RunningCli => {
    const { env, input, ...rest } = options;
    const isAlone = env?.TMUX_TMPDIR === undefined && rest.uid === undefined && user.uid !== undefined;
    if (isAlone) for (const word of [...args, String(rest.cwd ?? '')]) giveTo(user.uid, word);
    const child = spawn(file, [...words, ...args], {
      ...(isAlone ? { ...rest, ...user } : rest),
      env: plainEnvironment(tmuxTmpdir, env ?? {}),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin?.on('error', () => {}); // it may end without reading
    child.stdin?.end(input ?? '');
    let stdout = '';
    let stderr = '';
    let over = false;
    child.stdout?.on('data', (bytes: Buffer) => {
      stdout += bytes.toString('utf8');
    });
    child.stderr?.on('data', (bytes: Buffer) => {
      stderr += bytes.toString('utf8');
    });
    const ended = new Promise<Ended>((settle, reject) => {
      child.once('error', reject);
      child.once('exit', () => {
        over = true;
      });
      child.once('close', (code, signal) => settle({ code, signal, stdout, stderr }));
    });
    onCleanUp(() => {
      if (!over) child.kill('SIGKILL');
    });
    return {
      pid: child.pid ?? 0,
      child,
      ended,
      isOver: () => over,
      said: () => stdout,
      complained: () => stderr,
    };
  };

  return {
    command,
    user,
    start,
    run: (args, options) => start(args, options).ended,
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
};

/** The environment without the tester's tmux and Gas Town. */
const plainEnvironment = (tmuxTmpdir: string, added: NonNullable<RunOptions['env']>): NodeJS.ProcessEnv => {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(GT_|TMUX|NODE_EXTRA_CA|FORCE_COLOR|LOCK_DOCTOR_TEST)/.test(name),
  );
  const merged = { ...Object.fromEntries(own), TMUX_TMPDIR: tmuxTmpdir, ...added };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
};
