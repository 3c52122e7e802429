/** Shared by all situations: a town, a private directory for tmux sockets, a clean environment, and functions that ask the doctor. */
import { type SpawnOptions, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, test } from '@jest/globals';
import { buildSync } from 'esbuild';
import type { PreflightReport, Report, ReportLock } from '../../src/core/types/report.ts';
import { type ExamineOptions, examine } from '../../src/diagnose.ts';
import { type HealOptions, heal } from '../../src/heal.ts';
import { preflight } from '../../src/preflight.ts';
import {
  hasTmux,
  makeTmuxTmpdir,
  makeTown,
  type SessionOptions,
  sleeperNamed,
  startTmux,
  type TestPane,
  type TestTmux,
  type TestTown,
  type TmuxOptions,
  type TownOptions,
  until,
} from '../support/index.ts';

export const ADA = 'gastown/crew/ada';
export const BOB = 'gastown/crew/bob';

/**
 * Prefix of the rig's session names, different in every test process. If another session on this machine has a matching name
 * and shows nothing else, for instance while its pane is being forked, it rightly counts as life.
 */
export const GT = `g${process.pid}`;

const isLinux = process.platform === 'linux';

/** Longer than any healthy answer takes on a busy machine; tests with stopped servers use less. */
const TIMEOUT_MS = 5000;

export const tmuxTest = hasTmux ? test : test.skip;
/** Facts of /proc, of network namespaces and of `/proc/net/unix` that other systems do not have. */
export const linuxTest = isLinux ? test : test.skip;
export const linuxTmuxTest = isLinux && hasTmux ? test : test.skip;

/** The initial PID namespace of Linux. */
const INITIAL_PID_NAMESPACE = 'pid:[4026531836]';

/** In a container the absence of a process proves nothing as long as no tmux server answers. */
export const isContainer = isLinux && readlinkSync('/proc/self/ns/pid') !== INITIAL_PID_NAMESPACE;
export const hostTest = isContainer ? test.skip : test;

export interface Stage {
  readonly town: TestTown;
  /** The doctor's environment: it contains nothing of the developer's own tmux or Gas Town. */
  readonly env: Readonly<Record<string, string>>;
  readonly tmuxTmpdir: string;
  readonly startTmux: (options?: TmuxOptions) => Promise<TestTmux>;
  readonly look: (options?: ExamineOptions) => Promise<Report>;
  /** The judgement of one worker's lock. */
  readonly judge: (worker?: string, options?: ExamineOptions) => Promise<ReportLock>;
  /** `--fix`. */
  readonly fix: (options?: HealOptions) => Promise<Report>;
  readonly ask: (worker?: string | readonly string[], options?: ExamineOptions) => Promise<PreflightReport>;
}

export const bareEnvironment = (tmuxTmpdir: string): Record<string, string> => ({
  PATH: process.env.PATH ?? '/usr/bin:/bin',
  HOME: tmuxTmpdir,
  TMUX_TMPDIR: tmuxTmpdir,
});

export const lockOf = (report: Report, worker: string, at = 0): ReportLock => {
  const lock = report.locks.filter((each) => each.worker === worker)[at];
  if (lock === undefined) throw new Error(`no lock of ${worker} among ${report.locks.map(({ id }) => id)}`);
  return lock;
};

export const textsOf = ({ evidence }: { readonly evidence: ReportLock['evidence'] }): string =>
  evidence.map(({ text }) => text).join('\n');

export const setStage = (options: TownOptions = {}): Stage => {
  const town = makeTown({ workers: [ADA, BOB], rigs: { gastown: GT }, ...options });
  const tmuxTmpdir = makeTmuxTmpdir();
  const env = bareEnvironment(tmuxTmpdir);
  const look = (more: ExamineOptions = {}): Promise<Report> =>
    examine(town.root, { env, cwd: '/', timeoutMs: TIMEOUT_MS, ...more });
  return {
    town,
    env,
    tmuxTmpdir,
    startTmux: (server = {}) => startTmux({ tmuxTmpdir, ...server }),
    look,
    judge: async (worker = ADA, more = {}) => lockOf(await look(more), worker),
    fix: (more = {}) => heal(town.root, { env, cwd: '/', timeoutMs: TIMEOUT_MS, ...more }),
    ask: (workers = ADA, more = {}) =>
      preflight(town.root, workers, { env, cwd: '/', timeoutMs: TIMEOUT_MS, ...more }),
  };
};

/** A pane that does not exist on any server: other servers run on this machine, and they also count from %0. */
export const NO_PANE = '%707070';

/** The current time in the format of locks. A tmux server that already runs is older than a lock taken now. */
export const now = (): string => new Date().toISOString();

export const secondsAgo = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();

const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
};

/** Waits until the pane's process is the command and no longer a fork of the tmux server. */
export const settled = async (pane: TestPane, command: string): Promise<TestPane> => {
  const name = basename(command).slice(0, 15);
  if (isLinux) await until(() => commandOf(pane.pid) === name, `${name} in pane ${pane.paneId}`);
  return pane;
};

/** A session in which a command of that name (default: an agent) has started to run. */
export const sessionOf = async (
  server: TestTmux,
  name: string,
  cwd: string,
  { command = 'claude', env = {} }: { readonly command?: string; readonly env?: SessionOptions['env'] } = {},
): Promise<TestPane> => {
  const pane = server.newSession(name, {
    cwd,
    ...(env === undefined ? {} : { env }),
    command: [sleeperNamed(command), '600'],
  });
  return settled(pane, command);
};

/** A session that runs only a shell, under its real name. */
export const shellSessionOf = (
  server: TestTmux,
  name: string,
  cwd: string,
  env: NonNullable<SessionOptions['env']> = {},
): Promise<TestPane> => settled(server.newSession(name, { cwd, env, command: ['sh', '-i'] }), 'sh');

/** Creates sessions elsewhere, so that the next pane gets the number that a story needs. */
export const fillPanes = (server: TestTmux, count: number): void => {
  for (let index = 0; index < count; index += 1) server.newSession(`filler-${index}`, { cwd: '/' });
};

const SCRIPT = `
  import { writeFileSync, renameSync } from 'node:fs';
  import { examine } from './src/diagnose.ts';
  import { preflight } from './src/preflight.ts';
  const { town, workers, options, out } = JSON.parse(process.argv[2]);
  const report = workers ? await preflight(town, workers, options) : await examine(town, options);
  if (out) { writeFileSync(out + '.part', JSON.stringify(report)); renameSync(out + '.part', out); }
  else process.stdout.write(JSON.stringify(report));
`;

export interface Question {
  readonly town: string;
  readonly workers?: readonly string[];
  readonly options: ExamineOptions;
  /** Write the answer to this file instead of standard output. */
  readonly out?: string;
}

let bundle: string | null = null;

afterAll(() => {
  if (bundle !== null) rmSync(dirname(bundle), { recursive: true, force: true });
});

/** Path of the library as a bundled script that any user may run with node; one for each test file. */
export const bundleDoctor = (): string => {
  bundle ??= makeBundle();
  return bundle;
};

const makeBundle = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'asker-'));
  chmodSync(directory, 0o755);
  const outfile = join(directory, 'ask.mjs');
  buildSync({
    stdin: { contents: SCRIPT, resolveDir: process.cwd(), loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    define: { LOCK_DOCTOR_VERSION: '"test"' },
    outfile,
    logLevel: 'silent',
    banner: {
      js: "import { createRequire as $cr } from 'node:module'; const require = $cr(import.meta.url);",
    },
  });
  return outfile;
};

/** Asks in a separate process: as another user, from another directory, or started by `command`. */
export const askElsewhere = <Answer = Report>(
  question: Question,
  options: SpawnOptions = {},
  behind: readonly string[] = [],
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const [file = '', ...args] = [...behind, process.execPath, bundleDoctor(), JSON.stringify(question)];
    const child = spawn(file, args, {
      cwd: '/',
      env: { ...question.options.env },
      ...options,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let answer = '';
    let complaint = '';
    child.stdout?.on('data', (text) => {
      answer += text;
    });
    child.stderr?.on('data', (text) => {
      complaint += text;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(answer));
      else reject(new Error(`the question ended with ${code}: ${complaint}`));
    });
  });
