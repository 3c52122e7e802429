import { type ChildProcess, execFileSync, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { onCleanUp } from './clean-up.ts';

export interface StartedProcess {
  readonly pid: number;
  readonly child: ChildProcess;
  /** SIGKILL (after SIGCONT) and wait until it is reaped. */
  readonly stop: () => Promise<void>;
}

/** A number that no process can have: one above Linux's largest possible pid, far above macOS's. */
export const deadPid = (): number => 2 ** 22 + 1;

/** Starts a process that `cleanUp` kills. Resolves once it was started; rejects where it cannot be. */
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

/** Path of an executable that sleeps for as many seconds as its only argument says, under a file name of your choice. */
export const sleeperNamed = (name: string): string => {
  const home = mkdtempSync(join(tmpdir(), 'sleeper-'));
  chmodSync(home, 0o755);
  onCleanUp(() => rmSync(home, { recursive: true, force: true }));
  const path = join(home, name);
  const sleep = realpathSync(
    execFileSync('/bin/sh', ['-c', 'command -v sleep'], { encoding: 'utf8' }).trim(),
  );
  if (basename(sleep) !== 'sleep') throw new Error(`${sleep} serves many names: no copy of it would sleep`);
  copyFileSync(sleep, path);
  chmodSync(path, 0o755);
  return path;
};

/**
 * A process that looks like an agent: its command is `name` (default `claude`). With `cwd` it works there.
 * In a tmux pane use `[sleeperNamed('claude'), '600']` as the pane's command instead.
 */
export const fakeAgent = (name = 'claude', options: SpawnOptions = {}): Promise<StartedProcess> =>
  startProcess(sleeperNamed(name), ['600'], options);

/** The process exists and is no zombie: init may take seconds to reap one that has ended. */
export const isRunning = (pid: number): boolean => {
  const ps = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return ps.status === 0 && !ps.stdout.trim().startsWith('Z');
};

/** True where this test process may start processes as another user. */
export const canBecomeOthers = process.getuid?.() === 0;

/** A uid that is not ours and owns nothing here. */
export const OTHER_UID = 65_534;
