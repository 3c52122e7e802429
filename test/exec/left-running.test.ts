/** The lock stays while anything lives that the command left running, and is released when that has ended. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import {
  cleanUp,
  hasTmux,
  isRunning,
  makeTown,
  onCleanUp,
  sleeperNamed,
  startProcess,
  type TestTown,
  until,
} from '../support/index.ts';
import { buildCli, type Ended, type RunOptions } from './built-cli.ts';
import { ADA, readLock, startLasting } from './lasting.ts';

const cli = buildCli();
const tmuxTest = hasTmux ? test : test.skip;
const linuxTest = process.platform === 'linux' ? test : test.skip;
/** Otherwise a survivor would keep the pipe open that the test reads to its end. */
const SILENT = '</dev/null >/dev/null 2>&1';

afterAll(cli.remove);

const exec = (town: TestTown, script: string, options: RunOptions = {}, ...flags: string[]) =>
  cli.run(['exec', '--town', town.root, ...flags, ADA, '--', 'sh', '-c', script], options);
const preflight = (town: TestTown, options: RunOptions = {}) =>
  cli.run(['preflight', '--town', town.root, ADA], options);
/** Exit code and standard error of one more exec; standard error explains an unexpected code. */
const next = async (town: TestTown, options: RunOptions = {}) => {
  const { code, stderr } = await exec(town, 'echo next', options);
  return `${code} ${stderr}`;
};

/** The PIDs that the command printed; the processes are killed after the test. */
const leftBy = ({ stdout }: Ended): readonly number[] => {
  const pids = stdout.trim().split('\n').map(Number);
  // PID 0 would be our own process group.
  if (!pids.every((pid) => pid > 1))
    throw new Error(`the command printed no PIDs: ${JSON.stringify(stdout)}`);
  onCleanUp(() => {
    for (const pid of pids.filter(isRunning)) process.kill(pid, 'SIGKILL');
  });
  return pids;
};

const end = async (pid: number | undefined): Promise<void> => {
  if (pid === undefined || !(pid > 1)) throw new Error(`not a process to end: ${pid}`);
  process.kill(pid, 'SIGKILL');
  await until(() => !isRunning(pid), `the end of ${pid}`);
};

const expectHeldUntilEnded = async (
  town: TestTown,
  run: Ended,
  code: number,
  options: RunOptions = {},
): Promise<void> => {
  const [pid] = leftBy(run);
  expect(run.code).toBe(code);
  expect(run.stderr).toMatch(
    new RegExp(`^doctor: ${ADA} stays locked: the command left .* \\(process ${pid}\\) running; `),
  );
  expect(readLock(town)).toMatchObject({ holder_pid: pid });
  const answer = await preflight(town, options);
  expect(answer).toMatchObject({ code: 20, stdout: expect.stringContaining(`process ${pid}`) });
  expect(await next(town, options)).toMatch(/^20 /);
  await end(pid);
  expect((await preflight(town, options)).code).toBe(21);
  expect(await next(town, options)).toBe('0 ');
  expect((await preflight(town, options)).code).toBe(0);
};

describe('a process that the command of exec left running', () => {
  afterEach(cleanUp);

  test.each([
    ['in its own session', `setsid sleep 600 ${SILENT} & echo $!; exit 3`],
    ['immune to SIGHUP', `nohup sleep 600 ${SILENT} & echo $!; exit 3`],
    [
      'after forking twice',
      `(setsid sh -c 'sleep 600 ${SILENT} & echo $! > left' &); until [ -s left ]; do sleep 0.02; done; cat left; exit 3`,
    ],
    ['outside the worker', `cd /; setsid sleep 600 ${SILENT} & echo $!; exit 3`],
  ])(
    'holds the lock in its own name, and the exit code is that of the command: %s',
    async (_name, script) => {
      const town = makeTown({ marked: false });
      await expectHeldUntilEnded(town, await exec(town, script), 3);
    },
  );

  test('does not change the PID of the ended helper in a Gas Town, and is named in the companion record', async () => {
    const town = makeTown();
    const run = await exec(town, `setsid sleep 600 ${SILENT} & echo $!`);
    const [pid] = leftBy(run);
    const lock = readLock(town);
    expect(lock.holder_pid).toBe(pid);
    expect(lock.pid).not.toBe(pid);
    expect(isRunning(lock.pid)).toBe(false);
    expect(readLock(town, 'agent.lock.holder')).toMatchObject({ holder_pid: pid });
  });

  test('is found by the companion record if a hook overwrote the lock', async () => {
    const town = makeTown();
    const running = await startLasting(cli, town, `setsid sleep 600 ${SILENT} & echo $!; exec sleep 600`);
    await until(() => /^\d+$/m.test(running.said()), 'the process that is left');
    const { pid } = spawnSync('true');
    const record = { pid, acquired_at: new Date().toISOString(), session_id: '', hostname: hostname() };
    writeFileSync(town.path(ADA, '.runtime/agent.lock'), JSON.stringify(record));
    process.kill(running.commandPid, 'SIGTERM');
    const run = await running.ended;
    const [left] = leftBy({ ...run, stdout: run.stdout.replace(/^ready.*\n/, '') });
    expect(readLock(town, 'agent.lock.holder')).toMatchObject({ holder_pid: left });
    expect((await preflight(town)).code).toBe(20);
    unlinkSync(town.path(ADA, '.runtime/agent.lock'));
    expect(await next(town)).toMatch(/^20 /);
  });

  test.each([
    ['its lock', 'rm .runtime/agent.lock', 'process'],
    ['its lock', 'rm .runtime/agent.lock', 'helper'],
    ['all of .runtime', 'rm -rf .runtime', 'process'],
    ['all of .runtime', 'rm -rf .runtime', 'helper'],
    ['everything that git does not track', 'git init -q . && git clean -qffdx', 'process'],
  ])('holds the worker even if the command deleted %s (%s, --record %s)', async (_what, deletes, record) => {
    const town = makeTown({ marked: false });
    const script = `${deletes}; setsid sleep 600 ${SILENT} & echo $!; exit 3`;
    const run = await exec(town, script, {}, '--record', record);
    const [pid] = leftBy(run);
    expect(run).toMatchObject({ code: 3, stderr: expect.stringContaining(`(process ${pid}) running`) });
    expect(await preflight(town)).toMatchObject({ code: 20, stdout: expect.stringContaining(`${pid}`) });
    expect(await next(town)).toMatch(/^20 /);
    await end(pid);
    expect(await next(town)).toBe('0 ');
  });

  test('does not take the lock from a process that took it after the command had deleted it', async () => {
    const town = makeTown({ marked: false });
    const { pid } = await startProcess('sleep', ['600'], { cwd: '/' });
    const record = { pid, acquired_at: new Date().toISOString(), session_id: '', hostname: hostname() };
    writeFileSync(town.path('other.json'), JSON.stringify(record));
    const script = `rm .runtime/agent.lock; cp ${town.path('other.json')} .runtime/agent.lock`;
    const run = await exec(
      town,
      `${script}; setsid sleep 600 ${SILENT} & echo $!`,
      {},
      '--record',
      'process',
    );
    leftBy(run);
    expect(run.stderr).toContain(`process ${pid} took it`);
    expect(readLock(town)).toEqual(record);
  });

  test('may be one of several: the lock stays until the last of them has ended', async () => {
    const town = makeTown({ marked: false });
    const run = await exec(town, `for i in 1 2 3; do setsid sleep 600 ${SILENT} & echo $!; done`);
    const pids = leftBy(run);
    expect(run.stderr).toContain('and 2 more');
    const named = readLock(town).holder_pid;
    expect(pids).toContain(named);
    await end(named);
    const others = pids.filter((pid) => pid !== named);
    expect(await preflight(town)).toMatchObject({
      code: 20,
      stdout: expect.stringContaining('left it running'),
    });
    expect(await next(town)).toMatch(/^20 /);
    for (const pid of others) await end(pid);
    expect(await next(town)).toBe('0 ');
  });

  test('and that ends within moments keeps nothing, without a message', async () => {
    const town = makeTown({ marked: false });
    const { code, stderr } = await exec(town, `setsid sleep 0.1 ${SILENT} & exit 0`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(readdirSync(town.path(ADA, '.runtime'))).not.toContain('agent.lock');
  });

  test('holds the lock if doctor and command were killed', async () => {
    const town = makeTown({ marked: false });
    const running = await startLasting(
      cli,
      town,
      `setsid sleep 600 ${SILENT} & echo "left $!"; exec sleep 600`,
    );
    const left = await until(
      () => /^left (\d+)$/m.exec(running.said())?.[1] ?? false,
      'the process that is left',
    );
    leftBy({ code: 0, signal: null, stdout: left, stderr: '' });
    running.child.kill('SIGKILL');
    await until(running.isOver, 'the end of the doctor');
    await end(running.commandPid);
    expect(await preflight(town)).toMatchObject({
      code: 20,
      stdout: expect.stringContaining(`process ${left}`),
    });
    expect(await next(town)).toMatch(/^20 /);
    await end(Number(left));
    expect(await next(town)).toBe('0 ');
  });

  test('counts for the inner of two locks', async () => {
    const town = makeTown({ marked: false });
    mkdirSync(town.path('gastown/crew/bob'), { recursive: true });
    const inner = `$CLI exec --town "$TOWN" gastown/crew/bob -- sh -c 'setsid sleep 600 ${SILENT} & echo $!'`;
    const env = { CLI: cli.command.join(' '), TOWN: town.root };
    const run = await exec(town, inner, { env });
    leftBy(run);
    expect(run.stderr).toMatch(/^doctor: gastown\/crew\/bob stays locked: [^\n]*\n$/);
    expect((await preflight(town)).code).toBe(0);
  });

  test('does not hold the lock if it serves the whole user, like ssh-agent', async () => {
    const town = makeTown({ marked: false });
    const run = await exec(town, `setsid ${sleeperNamed('ssh-agent')} 600 ${SILENT} & echo $!`);
    leftBy(run);
    expect(run.stderr).toBe('');
    expect((await preflight(town)).code).toBe(0);
  });

  linuxTest.each([
    { what: 'its environment', command: 'env -i setsid sleep 600' },
    {
      what: 'the mark in its environment, in the session of the command',
      command: 'env -i PATH="$PATH" sleep 600',
    },
  ])('is in doubt without $what: the lock stays if nothing else can have started it', async ({ command }) => {
    const town = makeTown({ marked: false });
    const run = await exec(town, `${command} ${SILENT} & echo $!`);
    const [pid] = leftBy(run);
    expect(run.stderr).toBe(
      `doctor: ${ADA} stays locked in the name of sleep (process ${pid}): it started meanwhile, and its environment does not say for whom\n`,
    );
    expect(await next(town)).toMatch(/^20 /);
    await end(pid);
    expect(await next(town)).toBe('0 ');
  });

  linuxTest('does not count without the mark if it works elsewhere', async () => {
    const town = makeTown({ marked: false });
    const run = await exec(town, `cd / && env -i PATH="$PATH" sleep 600 ${SILENT} & echo $!`);
    leftBy(run);
    expect(run.stderr).toBe('');
    expect((await preflight(town)).code).toBe(0);
  });

  linuxTest(
    'that a tmux server is just starting still has the server’s name, and holds the lock',
    async () => {
      const town = makeTown({ marked: false });
      const child = sleeperNamed('tmux: server');
      // The kernel calls both by their file names, like a server and its child between fork and exec.
      mkdirSync(town.path('server'));
      const server = town.path('server/tmux: server');
      writeFileSync(server, `#!/bin/sh\n'${child}' 600 & echo $!\nwait\n`, { mode: 0o755 });
      const said = town.path('said');
      const run = await exec(
        town,
        `'${server}' >'${said}' 2>&1 </dev/null & while ! [ -s '${said}' ]; do :; done; cat '${said}'`,
      );
      await expectHeldUntilEnded(town, run, 0);
    },
  );

  describe('in tmux', () => {
    /** A tmux of our own, which the command of the test starts. */
    const stage = (town: TestTown) => {
      const home = town.path('tmux');
      mkdirSync(home, { mode: 0o755 });
      const options = { env: { TMUX_TMPDIR: home } };
      // With its own tmux the doctor runs as ourselves.
      const socket = join(home, `tmux-${process.getuid?.()}`, 'default');
      const tmux = (...args: string[]) =>
        execFileSync('tmux', ['-S', socket, ...args], { encoding: 'utf8', stdio: 'pipe' });
      onCleanUp(() => void spawnSync('tmux', ['-S', socket, 'kill-server']));
      return { options, tmux };
    };
    const START = `tmux -f /dev/null new-session -d -P -F '#{pane_pid}' `;

    tmuxTest('the process of the pane holds the lock, not the server that was started with it', async () => {
      const town = makeTown({ marked: false });
      const { options, tmux } = stage(town);
      const run = await exec(town, `${START} 'exec sleep 600'`, options);
      // The server continues for another session, elsewhere, with the mark in its environment.
      tmux('new-session', '-d', '-s', 'other', '-c', dirname(town.root), 'exec sleep 600');
      const [pane] = leftBy(run);
      const server = Number(tmux('display-message', '-p', '#{pid}'));
      expect(readFileSync(`/proc/${server}/environ`, 'latin1')).toContain(`=${readLock(town).nonce}`);
      await expectHeldUntilEnded(town, run, 0, options);
      expect(isRunning(server)).toBe(true);
      expect(pane).not.toBe(server);
    });

    tmuxTest(
      'a pane that the marked server creates later in the worker counts as working there',
      async () => {
        const town = makeTown({ marked: false });
        const { options, tmux } = stage(town);
        const run = await exec(town, `${START} 'exec sleep 600'`, options);
        const [pane] = leftBy(run);
        tmux('new-session', '-d', '-s', 'more', '-c', town.path(ADA), 'exec sleep 600');
        await end(pane);
        expect(await next(town, options)).toMatch(/^20 /);
      },
    );
  });
});
