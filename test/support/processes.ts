import { type ChildProcess, execFileSync, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { onCleanUp } from './clean-up.ts';
import { until } from './until.ts';

export interface StartedProcess {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Sends SIGCONT and SIGKILL, and waits until the process is reaped. */
  readonly stop: () => Promise<void>;
}

/** Starts a process that `cleanUp` kills. Resolves once it has started; rejects if it cannot be started. */
export const startProcess = (
  command: string,
  args: readonly string[] = [],
  options: SpawnOptions = {},
): Promise<StartedProcess> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'ignore', ...options });
    const ended = new Promise<void>((done) => {
      child.once('exit', () => done());
    });
    child.once('error', reject);
    child.once('spawn', () => {
      const stop = async (): Promise<void> => {
        child.kill('SIGCONT');
        child.kill('SIGKILL');
        await ended;
      };
      onCleanUp(stop);
      resolve({ pid: child.pid ?? -1, child, stop });
    });
  });

/** Starts a program in a session of its own; `cleanUp` kills its children as well. */
export const startGroup: typeof startProcess = async (command, args, options) => {
  const started = await startProcess(command, args, { ...options, detached: true });
  onCleanUp(() => {
    if (groupIsRunning(started.pid)) process.kill(-started.pid, 'SIGKILL');
  });
  return started;
};

/** The path of an executable with this file name that sleeps for as many seconds as its argument says. */
export const sleeperNamed = (name: string): string => {
  const home = mkdtempSync(join(tmpdir(), 'sleeper-'));
  chmodSync(home, 0o755);
  onCleanUp(() => rmSync(home, { recursive: true, force: true }));
  const path = join(home, name);
  const sleep = realpathSync(
    execFileSync('/bin/sh', ['-c', 'command -v sleep'], { encoding: 'utf8' }).trim(),
  );
  if (basename(sleep) !== 'sleep')
    throw new Error(`${sleep} is a multi-call binary, of which a renamed copy does not sleep`);
  copyFileSync(sleep, path);
  chmodSync(path, 0o755);
  return path;
};

/** A shell script with this name that waits, whatever its arguments are. */
export const waiterNamed = (name: string): string => {
  const home = mkdtempSync(join(tmpdir(), 'waiter-'));
  onCleanUp(() => rmSync(home, { recursive: true, force: true }));
  const path = join(home, name);
  writeFileSync(path, '#!/bin/sh\nread -r word <"$0.fifo"\n');
  execFileSync('mkfifo', [`${path}.fifo`]);
  chmodSync(path, 0o755);
  return path;
};

/**
 * A process that looks like an agent: its command is `name` (default `claude`), and `cwd` its working directory.
 * In a tmux pane use `[sleeperNamed('claude'), '600']` as the pane's command instead.
 */
export const fakeAgent = (name = 'claude', options: SpawnOptions = {}): Promise<StartedProcess> =>
  startProcess(sleeperNamed(name), ['600'], options);

/** True if the process exists and is not a zombie: init may take seconds to reap a process that has ended. */
export const isRunning = (pid: number): boolean => {
  const state = stateOf(pid);
  return state !== '' && !state.startsWith('Z');
};

/** Whether a process of this group runs. Zombies do not count: the kernel keeps their group until init reaps them. */
export const groupIsRunning = (group: number): boolean => {
  try {
    process.kill(-group, 0);
  } catch {
    return false;
  }
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pgid=', '-o', 'stat='], { encoding: 'utf8' });
  return stdout.split('\n').some((line) => {
    const [pgid, state = 'Z'] = line.trim().split(/\s+/);
    return Number(pgid) === group && !state.startsWith('Z');
  });
};

/** True if this test process may start processes as another user. */
export const canBecomeOthers = process.getuid?.() === 0;

/** A UID that is not ours and owns nothing here. */
export const OTHER_UID = 65_534;

/** A user whose processes `asOtherUser` may not signal: it may signal root's, because its real UID stays root. */
export const THIRD_UID = 65_533;

/** A zombie: it has ended, but its parent never reaps it. `cleanUp` kills the parent; then Linux reaps the zombie. */
export const startZombie = async (): Promise<number> => {
  const parent = await startProcess('/bin/sh', ['-c', 'sleep 600 & echo $!; exec tail -f /dev/null'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const pid = Number(await firstLine(parent));
  // A shell would reap its child; the program that replaces it does not.
  await until(() => ps(parent.pid, 'comm=').endsWith('tail'), 'the end of the shell');
  await until(() => ps(pid, 'comm=').endsWith('sleep'), 'the child');
  process.kill(pid, 'SIGKILL');
  await until(() => stateOf(pid).startsWith('Z'), `the zombie ${pid}`);
  return pid;
};

/** True if a C compiler is installed, for processes that a script cannot imitate. */
export const hasCompiler = spawnSync('cc', ['--version']).status === 0;

/** A process whose main thread has ended while another thread runs on: it looks like a zombie but is alive. */
export const startZombieLeader = async (options: SpawnOptions = {}): Promise<number> => {
  const program = sleeperNamed('leaderless');
  const source =
    '#include <pthread.h>\n#include <unistd.h>\nstatic void *stay(void *x) { sleep(600); return x; }\n' +
    'int main(void) { pthread_t t; pthread_create(&t, 0, stay, 0); pthread_exit(0); }\n';
  execFileSync('cc', ['-x', 'c', '-o', program, '-', '-lpthread'], { input: source });
  const { pid } = await startProcess(program, [], options);
  await until(() => stateOf(pid).startsWith('Z'), `the end of the main thread of ${pid}`);
  return pid;
};

/** A compiled program called new-agent that gives itself this name, as the kernel and its command line show it. */
export const startRenamed = async (name: string, options: SpawnOptions = {}): Promise<number> => {
  const program = sleeperNamed('new-agent');
  const source =
    '#include <sys/prctl.h>\n#include <string.h>\n#include <unistd.h>\n' +
    'int main(int c, char **v) { prctl(PR_SET_NAME, v[1]); char *end = v[2] + strlen(v[2]); strcpy(v[0], v[1]);\n' +
    'memset(v[0] + strlen(v[0]), 0, end - v[0] - strlen(v[0])); sleep(600); return 0; }\n';
  execFileSync('cc', ['-x', 'c', '-o', program, '-'], { input: source });
  const { pid } = await startProcess(program, [name, 'x'.repeat(name.length)], options);
  await until(
    () => readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith(`${name}\0`),
    `the name ${name}`,
  );
  return pid;
};

/** One letter, as ps(1) prints it; empty if the PID is not in use. Polled, so it reads /proc instead of running ps if possible. */
const stateOf = (pid: number): string => {
  if (process.platform !== 'linux') return ps(pid, 'stat=');
  try {
    return /^.*\) (\S)/s.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1] ?? '';
  } catch {
    return '';
  }
};

const ps = (pid: number, column: string): string =>
  spawnSync('ps', ['-o', column, '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();

/** The first line that a process writes to its piped standard output. */
export const firstLine = ({ child }: StartedProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (bytes: Buffer) => {
      text += bytes.toString('utf8');
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
    });
    child.once('exit', () => reject(new Error(`ended after writing only ${JSON.stringify(text)}`)));
  });
