import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onCleanUp } from './clean-up.ts';
import { isRunning } from './processes.ts';
import { until } from './until.ts';

/** True if tmux is installed. If not, skip the test by name: `const needsTmux = hasTmux ? test : test.skip;`. */
export const hasTmux = spawnSync('tmux', ['-V']).status === 0;

export interface TestPane {
  readonly sessionId: string;
  readonly sessionName: string;
  readonly paneId: string;
  readonly pid: number;
}

export interface SessionOptions {
  readonly cwd?: string;
  /** Session environment (`-e`). */
  readonly env?: Readonly<Record<string, string>>;
  /** Command and arguments; default `sleep 600`, which ends with the pane. */
  readonly command?: readonly string[];
}

export interface TmuxOptions {
  /** `-L` name below the private directory. Default `default`. */
  readonly name?: string;
  /** `-S` path; overrides `name`. */
  readonly socket?: string;
  /** TMUX_TMPDIR; default a new private directory. Two servers may share one. */
  readonly tmuxTmpdir?: string;
  /** The user who owns the server, if this process is root; default our own. */
  readonly uid?: number;
  /** The name under which the program is started, in a directory of its own; default `tmux`. */
  readonly programName?: string;
  /** Environment of the server process, added to ours (without variables that begin with GT_ or TMUX). */
  readonly env?: Readonly<Record<string, string>>;
}

export interface TestTmux {
  readonly socket: string;
  /** The TMUX_TMPDIR with which the product finds this server. */
  readonly tmuxTmpdir: string;
  readonly pid: number;
  /** Runs the tmux client on this server and returns its output; throws if it fails. */
  readonly tmux: (...args: string[]) => string;
  readonly newSession: (name: string, options?: SessionOptions) => TestPane;
  readonly splitWindow: (target: string, options?: SessionOptions) => TestPane;
  readonly panes: () => readonly TestPane[];
  /** Sends SIGSTOP; `cleanUp` continues and kills the server. */
  readonly freeze: () => void;
  readonly thaw: () => void;
  /** Kills this server (never another) and waits until its process is gone. */
  readonly stop: () => Promise<void>;
}

const FORMAT = '#{session_id} #{pane_id} #{pane_pid} #{session_name}';

const parsePane = (line: string): TestPane => {
  const [sessionId = '', paneId = '', pid = '', ...name] = line.split(' ');
  return { sessionId, paneId, pid: Number(pid), sessionName: name.join(' ') };
};

const tmuxNamed = (name: string): string => {
  const link = join(makeTmuxTmpdir(), name);
  symlinkSync(execFileSync('/bin/sh', ['-c', 'command -v tmux'], { encoding: 'utf8' }).trim(), link);
  return link;
};

/** Starts a private tmux server without configuration, which keeps running without sessions; `cleanUp` stops it. */
export const startTmux = async (options: TmuxOptions = {}): Promise<TestTmux> => {
  const tmuxTmpdir = options.tmuxTmpdir ?? makeTmuxTmpdir();
  const socket =
    options.socket ??
    join(tmuxTmpdir, `tmux-${options.uid ?? process.getuid?.() ?? 0}`, options.name ?? 'default');
  mkdirSync(dirname(socket), { recursive: true, mode: 0o700 });
  const owner = options.uid === undefined ? {} : { uid: options.uid, cwd: '/' };
  if (options.uid !== undefined) {
    chmodSync(tmuxTmpdir, 0o755);
    chownSync(dirname(socket), options.uid, -1);
  }
  const env = serverEnvironment(options.env ?? {});
  const program = options.programName === undefined ? 'tmux' : tmuxNamed(options.programName);
  const tmux = (...args: string[]): string =>
    execFileSync(program, ['-u', '-f', '/dev/null', '-S', socket, ...args], {
      ...owner,
      env,
      encoding: 'utf8',
      timeout: 30_000,
    });

  const start = ['start-server', ';', 'set-option', '-g', 'exit-empty', 'off'];
  const pid = Number(tmux(...start, ';', 'display-message', '-p', '#{pid}'));

  const create = (command: string, args: readonly string[], session: SessionOptions): TestPane => {
    // tmux expands formats in the directory.
    const cwd = session.cwd ? ['-c', session.cwd.replaceAll('#', '##')] : [];
    const variables = Object.entries(session.env ?? {}).flatMap(([name, value]) => [
      '-e',
      `${name}=${value}`,
    ]);
    const run = session.command ?? ['sleep', '600'];
    return parsePane(
      tmux(command, '-d', '-P', '-F', FORMAT, ...args, ...cwd, ...variables, ...run).trimEnd(),
    );
  };
  const stop = async (): Promise<void> => {
    signal(pid, 'SIGCONT');
    // By PID, not by socket: another server may listen there by now.
    signal(pid, 'SIGTERM');
    const deadline = Date.now() + 3000;
    await until(() => {
      if (Date.now() > deadline) signal(pid, 'SIGKILL');
      return !isRunning(pid);
    }, `the end of the tmux server ${pid}`);
  };
  onCleanUp(stop);

  return {
    socket,
    tmuxTmpdir,
    pid,
    tmux,
    newSession: (name, session = {}) => create('new-session', ['-s', name, '-x', '80', '-y', '24'], session),
    splitWindow: (target, session = {}) => create('split-window', ['-t', target], session),
    panes: () =>
      tmux('list-panes', '-a', '-F', FORMAT)
        .split('\n')
        .filter((line) => line !== '')
        .map(parsePane),
    freeze: () => process.kill(pid, 'SIGSTOP'),
    thaw: () => process.kill(pid, 'SIGCONT'),
    stop,
  };
};

/** A short private directory for TMUX_TMPDIR (socket paths end at 107 bytes), removed by `cleanUp`. */
export const makeTmuxTmpdir = (): string => {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'tm-')));
  onCleanUp(() => rmSync(path, { recursive: true, force: true }));
  return path;
};

const serverEnvironment = (added: Readonly<Record<string, string>>): NodeJS.ProcessEnv => {
  const own = Object.entries(process.env).filter(([name]) => !/^(GT_|TMUX)/.test(name));
  return { ...Object.fromEntries(own), ...added };
};

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended already.
  }
};
