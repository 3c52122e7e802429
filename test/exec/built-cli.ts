/** The CLI as it ships, in a directory of its own that everybody may read: other users run it too. */
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
  /** As a shell counts it: 128+n for signal n is told apart by `signal`. */
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
  /** What it has said so far on standard output, and on standard error. */
  readonly said: () => string;
  readonly complained: () => string;
}

export interface RunOptions extends Pick<SpawnOptions, 'cwd' | 'detached' | 'uid' | 'gid'> {
  /** Added to (undefined: taken out of) the environment of the tests, less everything of tmux and Gas Town. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Written to standard input; without it there is none. */
  readonly input?: string;
}

/** Options with which a process runs as that user; none: as ourselves. */
export type User = Pick<SpawnOptions, 'uid' | 'gid'>;

export interface BuiltCli {
  /** The words that start it. */
  readonly command: readonly [string, ...string[]];
  /**
   * Who runs the doctor unless a test says otherwise: root's tests take a user who has no tmux servers, for those of
   * tests beside these, started, frozen and killed at any moment, are evidence that the doctor rightly minds.
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

/** A test's town that a word names: its owner's tmux servers count like those of the one who asks. */
const giveTo = (uid: number | undefined, word: string): void => {
  const begin = `${realpathSync(tmpdir())}/town-`;
  if (uid === undefined || !word.startsWith(begin)) return;
  const town = begin + (word.slice(begin.length).split('/')[0] ?? '');
  if (!existsSync(town)) return;
  // Nothing is touched that is right already: some tests look at every time of every file.
  const id = String(uid);
  spawnSync('find', [town, '!', '-user', id, '-exec', 'chown', '-h', `${id}:${id}`, '{}', '+']);
  if ((statSync(town).mode & 0o777) !== 0o755) chmodSync(town, 0o755);
};

interface Metafile {
  readonly outputs: Readonly<Record<string, { readonly inputs: Readonly<Record<string, unknown>> }>>;
}

const makeHome = (): string => realpathSync(mkdtempSync(join(tmpdir(), 'doctor-cli-')));

/** A copy of what `npm run build` made. Call `remove` when all tests of a file are through. */
export const buildCli = (): BuiltCli => {
  const home = makeHome();
  cpSync('dist/bin', join(home, 'dist/bin'), { recursive: true });
  return cliIn(home);
};

/** The sources that went into one of the bundle's files (absolute path). */
export type SourcesOf = (file: string) => readonly string[];

/** The CLI bundled as modules, for those who ask what each file is made of. Call `remove` as well. */
export const bundleCli = (): BuiltCli & { readonly sourcesOf: SourcesOf } => {
  const home = makeHome();
  const banner =
    "#!/usr/bin/env node\nimport{createRequire as $cr}from'node:module';const require=$cr(import.meta.url);";
  execFileSync('node_modules/.bin/esbuild', [
    'dist/bin/doctor=src/cli/main.ts', // the doctor knows itself by this name
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

/** No tmux of the person who runs the tests, no Gas Town around them. */
const plainEnvironment = (tmuxTmpdir: string, added: NonNullable<RunOptions['env']>): NodeJS.ProcessEnv => {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(GT_|TMUX|NODE_EXTRA_CA|FORCE_COLOR|LOCK_DOCTOR_TEST)/.test(name),
  );
  const merged = { ...Object.fromEntries(own), TMUX_TMPDIR: tmuxTmpdir, ...added };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
};
