/** Situations that processes decide: recorded ones, reused PIDs, other users' processes, and agents outside tmux. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Report } from '../../src/core/types/report.ts';
import { townSocketNames } from '../../src/evidence/tmux/tmux.ts';
import {
  canBecomeOthers,
  cleanUp,
  deadPid,
  fakeAgent,
  hasTmux,
  isRunning,
  makeTmuxTmpdir,
  OTHER_UID,
  onCleanUp,
  type StartedProcess,
  sleeperNamed,
  startProcess,
  until,
} from '../support/index.ts';
import {
  ADA,
  askElsewhere,
  BOB,
  bareEnvironment,
  bundleDoctor,
  GT,
  hostTest,
  isContainer,
  linuxTest,
  lockOf,
  NO_PANE,
  now,
  secondsAgo,
  sessionOf,
  setStage,
  shellSessionOf,
  textsOf,
  tmuxTest,
} from './stage.ts';

afterEach(cleanUp);

const asOther = canBecomeOthers && !isContainer && process.platform === 'linux' ? test : test.skip;
/** The system call that ends one thread has another number on other processors. */
const hasPython = process.arch === 'x64' && spawnSync('python3', ['-c', 'import ctypes']).status === 0;
const browser = (cwd = '/'): Promise<StartedProcess> => fakeAgent('chrome', { cwd });

const ps = (column: string, pid: number | undefined): string =>
  spawnSync('ps', ['-o', `${column}=`, '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();

/** Waits until a process has its own name and no longer that of the process that it was forked from. */
const named = async (started: StartedProcess, name: string): Promise<StartedProcess> => {
  await until(() => ps('comm', started.pid) === name, `a process called ${name}`);
  return started;
};

describe('processes: dead ones, and those that only look alive', () => {
  hostTest.each([
    ['a PID that is not in use', deadPid()],
    ['PID 0', 0],
    ['a negative PID, which would mean a process group', -1],
    ['a PID beyond the limit of kill(2)', 2 ** 31],
    ['a PID beyond exact integers', 2 ** 53],
  ])('%s → stale', async (_what, pid) => {
    const { town, judge } = setStage();
    town.lock(ADA, { pid });
    expect(await judge()).toMatchObject({ state: 'stale', notes: [], holder: { process: 'gone' } });
  });

  hostTest('a zombie without other threads → stale', async () => {
    const { town, judge } = setStage();
    const parent = spawn('sh', ['-c', 'sleep 600 & echo $!; exec sleep 600'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    onCleanUp(() => void parent.kill('SIGKILL'));
    const pid = await new Promise<number>((resolve) => {
      parent.stdout.once('data', (text) => resolve(Number(text)));
    });
    // Once the shell has been replaced by sleep, nothing reaps its children.
    await until(() => ps('comm', parent.pid) === 'sleep', 'a parent that does not wait');
    process.kill(pid, 'SIGKILL');
    await until(() => ps('stat', pid).startsWith('Z'), 'the zombie');
    town.lock(ADA, { pid, acquired_at: now() }, { ageSeconds: 3600 });
    expect(await judge()).toMatchObject({
      state: 'stale',
      reasons: ['process-zombie', 'session-unnamed'],
      notes: ['would-block'],
    });
  });

  (hasPython ? linuxTest : test.skip)(
    'a zombie leader with live threads is alive (skipped without python3) → held',
    async () => {
      const { town, judge } = setStage();
      const script = [
        'import ctypes, threading, time',
        'threading.Thread(target=time.sleep, args=(600,)).start()',
        'ctypes.CDLL(None).syscall(60, 0)',
      ].join('\n');
      const { pid } = await startProcess('python3', ['-c', script]);
      await until(() => ps('stat', pid).startsWith('Z'), 'the end of the leader');
      town.lock(ADA, { pid, acquired_at: now() }, { ageSeconds: 3600 });
      expect(await judge()).toMatchObject({ state: 'held', holder: { process: 'alive' } });
    },
  );

  (isContainer ? test.skip : linuxTest)('a thread ID that is not a PID → stale', async () => {
    const { town, judge } = setStage();
    const thread = new Worker('setInterval(() => {}, 1000)', { eval: true });
    onCleanUp(async () => void (await thread.terminate()));
    const ids = readdirSync('/proc/self/task').map(Number);
    const tid = ids.find((id) => id !== process.pid) ?? 0;
    town.lock(ADA, { pid: tid, acquired_at: now() }, { ageSeconds: 3600 });
    expect(await judge()).toMatchObject({
      state: 'stale',
      reasons: ['process-thread', 'session-unnamed'],
      notes: ['would-block'],
    });
  });

  hostTest('PID reused by a browser, worker gone → stale with would-block', async () => {
    const { town, judge } = setStage();
    const { pid } = await named(await browser(), 'chrome');
    town.lock(ADA, { pid, session_id: NO_PANE });
    const lock = await judge();
    expect(lock).toMatchObject({
      state: 'stale',
      reasons: ['process-recycled', 'pane-gone'],
      notes: ['would-block'],
      holder: { process: 'recycled', command: 'chrome' },
    });
    expect(textsOf(lock)).toMatch(/now belongs to another process \(chrome\)/);
  });

  tmuxTest('PID reused by a browser, worker alive → held with would-block', async () => {
    const { town, startTmux, judge } = setStage();
    const { pid } = await named(await browser(), 'chrome');
    await sessionOf(await startTmux(), `${GT}-crew-ada`, town.path(ADA));
    town.lock(ADA, { pid, session_id: 'gastown/ada' });
    expect(await judge()).toMatchObject({
      state: 'held',
      notes: ['would-block'],
      holder: { process: 'recycled' },
    });
  });

  asOther("PID belongs to root's daemon (EPERM), started after the lock → stale", async () => {
    const { town } = setStage();
    const { pid } = await named(await fakeAgent('crond', { cwd: '/' }), 'crond');
    town.lock(ADA, { pid, session_id: NO_PANE });
    const home = makeTmuxTmpdir();
    for (const path of [town.root, home]) chmodSync(path, 0o755);
    execFileSync('chown', ['-R', String(OTHER_UID), town.root]);
    const report = await askElsewhere(
      { town: town.root, options: { env: bareEnvironment(home) } },
      { uid: OTHER_UID, gid: OTHER_UID },
    );
    expect(lockOf(report, ADA)).toMatchObject({
      state: 'stale',
      reasons: ['process-recycled', 'pane-gone'],
      notes: [],
    });
  });

  asOther(
    "PID belongs to root's daemon (EPERM), as old as the lock → alive, orphaned and not stale",
    async () => {
      const { town } = setStage();
      const { pid } = await named(await fakeAgent('crond', { cwd: '/' }), 'crond');
      town.lock(ADA, { pid, session_id: NO_PANE, acquired_at: now() }, { ageSeconds: 3600 });
      town.lock(BOB, { pid, acquired_at: now() }, { ageSeconds: 3600 });
      const home = makeTmuxTmpdir();
      for (const path of [town.root, home]) chmodSync(path, 0o755);
      execFileSync('chown', ['-R', String(OTHER_UID), town.root]);
      const report = await askElsewhere(
        { town: town.root, options: { env: bareEnvironment(home) } },
        { uid: OTHER_UID, gid: OTHER_UID },
      );
      expect(lockOf(report, ADA)).toMatchObject({ state: 'orphaned', holder: { process: 'alive' } });
      expect(lockOf(report, BOB)).toMatchObject({ state: 'held', holder: { process: 'alive' } });
    },
  );
});

describe('processes: live ones', () => {
  test('a live process behind a lock that names no session → held', async () => {
    const { town, judge } = setStage();
    const { pid } = await browser();
    town.lock(ADA, { pid, acquired_at: now() }, { ageSeconds: 3600 });
    expect(await judge()).toMatchObject({
      state: 'held',
      reasons: ['process-alive', 'session-unnamed'],
      notes: ['would-block'],
    });
  });

  test.each(['claude', 'gt'])(
    'the start time alone proves nothing: %s that started long after the lock was taken holds it',
    async (name) => {
      const { town, judge } = setStage();
      const { pid } = await named(await fakeAgent(name, { cwd: town.path(ADA) }), name);
      town.lock(ADA, { pid });
      expect(await judge()).toMatchObject({ state: 'held', holder: { process: 'alive' } });
    },
  );

  test('the command alone proves nothing: a browser that is older than the lock holds it', async () => {
    const { town, judge } = setStage();
    const { pid } = await named(await browser(), 'chrome');
    town.lock(ADA, { pid, acquired_at: secondsAgo(-3600) }, { ageSeconds: 3600 });
    expect(await judge()).toMatchObject({ state: 'held', holder: { process: 'alive' } });
  });

  hostTest('the process is alive, but the pane in the lock is gone → orphaned, advice only', async () => {
    const { town, look } = setStage();
    const agent = await named(await fakeAgent('claude', { cwd: town.path(ADA) }), 'claude');
    town.lock(ADA, { pid: agent.pid, session_id: NO_PANE, acquired_at: now() }, { ageSeconds: 3600 });
    const report = await look();
    expect(lockOf(report, ADA)).toMatchObject({ state: 'orphaned', reasons: ['process-alive', 'pane-gone'] });
    expect(report.findings).toMatchObject([
      { check: 'orphaned-lock', severity: 'warning', fix: { action: 'advice' } },
    ]);
    expect(report).toMatchObject({ exitCode: 1, summary: { orphaned: 1, fixable: 0 } });
  });

  hostTest("an orphan's own subagents are not occupants, other agents are", async () => {
    const { town, judge } = setStage();
    const claude = sleeperNamed('claude');
    const outer = await startProcess('sh', ['-c', `'${claude}' 600; exit`], { cwd: town.path(ADA) });
    town.lock(ADA, { pid: outer.pid, session_id: NO_PANE, acquired_at: now() }, { ageSeconds: 3600 });
    const child = await until(() => {
      const { stdout } = {
        stdout: execFileSync('ps', ['-e', '-o', 'pid=,ppid=,comm='], { encoding: 'utf8' }),
      };
      const line = stdout.split('\n').find((row) => new RegExp(` ${outer.pid} claude`).test(row));
      return line !== undefined && Number(line.trim().split(/\s+/)[0]);
    });
    onCleanUp(() => void process.kill(child, 'SIGKILL'));
    expect(await judge()).toMatchObject({ state: 'orphaned' });
    await fakeAgent('claude', { cwd: town.path(ADA) });
    expect(await judge()).toMatchObject({ state: 'held', notes: expect.arrayContaining(['drifted']) });
  });

  test('the helper is still running and the lock is 5 s old → held/priming', async () => {
    const { town, look } = setStage();
    const { pid } = await named(await fakeAgent('gt', { cwd: town.path(ADA) }), 'gt');
    town.lock(ADA, { pid, session_id: NO_PANE }, { ageSeconds: 5 });
    const report = await look();
    expect(lockOf(report, ADA)).toMatchObject({ state: 'held', notes: ['priming', 'would-block'] });
    expect(report).toMatchObject({ exitCode: 0, findings: [] });
  });

  hostTest.each([
    ['over a minute ago', 70],
    ['in the future', -3600],
  ])('a helper that took its lock %s is no longer priming → orphaned', async (_what, ageSeconds) => {
    const { town, judge } = setStage();
    const { pid } = await named(await fakeAgent('gt', { cwd: '/' }), 'gt');
    town.lock(ADA, { pid, session_id: NO_PANE }, { ageSeconds });
    expect(await judge()).toMatchObject({ state: 'orphaned', notes: ['would-block'] });
  });

  hostTest('a stale lock younger than 30 s is stale with the note fresh, and --fix leaves it', async () => {
    const { town, look } = setStage();
    town.lock(ADA, {}, { ageSeconds: 5 });
    town.lock(BOB, { pid: deadPid() + 1 }, { ageSeconds: 35 });
    const report = await look();
    expect(lockOf(report, ADA)).toMatchObject({ state: 'stale', notes: ['fresh'] });
    expect(lockOf(report, BOB)).toMatchObject({ state: 'stale', notes: [] });
    expect(report.summary).toMatchObject({ stale: 2, fixable: 1 });
    expect(report.findings.find(({ worker }) => worker === ADA)?.fix).toMatchObject({
      action: 'release',
      safe: false,
      status: 'skipped',
      reason: expect.stringMatching(/less than 30 s ago; try again in \d+ s/),
    });
  });

  hostTest('a stale file with a date in the future does not stay fresh forever', async () => {
    const { town, judge } = setStage();
    town.lock(ADA, {}, { ageSeconds: -3600 });
    expect(await judge()).toMatchObject({ state: 'stale', notes: [] });
  });
});

describe('processes: our own records, which name the real holder', () => {
  const boot = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const namespace = (): string =>
    execFileSync('readlink', ['/proc/self/ns/pid'], { encoding: 'utf8' }).trim();
  const startOf = (pid: number): string =>
    readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19] ?? '';

  linuxTest('the real holder is alive, although the process in `pid` is dead → held', async () => {
    const { town, judge } = setStage();
    const { pid } = await browser();
    town.lock(ADA, { holder_pid: pid, holder_start: startOf(pid), boot_id: boot(), pid_ns: namespace() });
    expect(await judge()).toMatchObject({ state: 'held', holder: { process: 'alive' } });
  });

  linuxTest('the start token differs, so the PID was reused, whatever the command → stale', async () => {
    const { town, look } = setStage();
    const { pid } = await named(await fakeAgent('claude', { cwd: '/' }), 'claude');
    town.lock(ADA, {
      ...{ pid, holder_pid: pid, holder_start: '1', boot_id: boot(), pid_ns: namespace() },
      ...{ session_id: 'gastown/ada' },
    });
    const report = await look();
    expect(lockOf(report, ADA)).toMatchObject({ state: 'stale', notes: ['would-block'] });
    expect(report.summary?.fixable).toBe(1);
  });

  linuxTest('another boot ID proves death on this machine, but not on another host', async () => {
    const { town, judge } = setStage();
    const { pid } = await browser();
    const other = '00000000-0000-4000-8000-000000000000';
    const record = { pid, holder_pid: pid, holder_start: startOf(pid), boot_id: other, pid_ns: namespace() };
    town.lock(ADA, record);
    expect(await judge()).toMatchObject({ state: 'stale', reasons: ['rebooted', 'session-unnamed'] });
    town.lock(ADA, { ...record, hostname: 'elsewhere' });
    expect(await judge()).toMatchObject({ state: 'foreign' });
  });

  linuxTest('our own boot ID means this machine, even under a former host name → held', async () => {
    const { town, judge } = setStage();
    const { pid } = await browser();
    town.lock(ADA, {
      ...{ hostname: 'renamed-since', holder_pid: pid, holder_start: startOf(pid) },
      ...{ boot_id: boot(), pid_ns: namespace() },
    });
    expect(await judge()).toMatchObject({ state: 'held', holder: { process: 'alive' } });
  });

  linuxTest('a different PID namespace → foreign', async () => {
    const { town, judge } = setStage();
    const { pid } = await browser();
    town.lock(ADA, { pid, holder_pid: pid, holder_start: '1', boot_id: boot(), pid_ns: 'pid:[1]' });
    expect(await judge()).toMatchObject({ state: 'foreign', holder: { process: null } });
  });

  tmuxTest(
    'dead real holder with a live session → stale if it has no occupant, held if it has one',
    async () => {
      const { town, startTmux, judge } = setStage();
      const server = await startTmux();
      const pane = await shellSessionOf(server, `${GT}-crew-ada`, town.path(ADA));
      town.lock(
        ADA,
        { holder_pid: deadPid(), holder_start: '1', session_id: pane.paneId, acquired_at: now() },
        { ageSeconds: 3600 },
      );
      expect(await judge()).toMatchObject({ state: 'stale', holder: { process: 'gone', session: 'live' } });
      await sessionOf(server, 'scratch', town.path(ADA));
      expect(await judge()).toMatchObject({ state: 'held' });
    },
  );

  linuxTest('the second record beside the lock counts while its holder lives', async () => {
    const { town, judge } = setStage();
    const holder = await browser();
    town.lock(ADA, { session_id: NO_PANE });
    town.write(
      `${ADA}/.runtime/agent.lock.holder`,
      JSON.stringify({
        holder_pid: holder.pid,
        holder_start: startOf(holder.pid),
        boot_id: boot(),
        pid_ns: namespace(),
      }),
    );
    expect(await judge()).toMatchObject({ holder: { process: 'alive' } });
    expect((await judge()).state).not.toBe('stale');
    await holder.stop();
    expect(await judge()).toMatchObject({ state: isContainer ? 'unknown' : 'stale' });
  });
});

describe('processes: another host', () => {
  test('a lock from a container whose PID is also in use here → foreign, with would-block', async () => {
    const { town, look } = setStage();
    const { pid } = await fakeAgent('claude', { cwd: '/' });
    town.lock(
      ADA,
      { pid, hostname: '4e449adbac66', session_id: '%4196', acquired_at: now() },
      { ageSeconds: 3600 },
    );
    const report = await look();
    expect(lockOf(report, ADA)).toMatchObject({
      state: 'foreign',
      holder: { process: null, session: 'unknown', hostname: '4e449adbac66' },
    });
    expect(lockOf(report, ADA).notes).toContain('would-block');
    expect(report.exitCode).toBe(1);
    expect(report.findings).toMatchObject([
      { check: 'undecided-lock', severity: 'warning', fix: { action: 'advice' } },
    ]);
  });

  tmuxTest("a foreign record's %N never matches a local pane; an occupant makes it held", async () => {
    const { town, startTmux, judge } = setStage();
    const server = await startTmux();
    const pane = await shellSessionOf(server, 'scratch', town.path(ADA));
    town.lock(ADA, { hostname: '4e449adbac66', session_id: pane.paneId, acquired_at: now() });
    expect(await judge()).toMatchObject({ state: 'foreign', holder: { process: null } });
    town.lock(ADA, { hostname: '4e449adbac66', session_id: pane.sessionId, acquired_at: now() });
    expect(await judge()).toMatchObject({ state: 'foreign', holder: { process: null } });
    await fakeAgent('claude', { cwd: town.path(ADA) });
    expect(await judge()).toMatchObject({ state: 'held', holder: { process: null } });
  });

  hostTest('variants of the same host name (mac.lan, Mac.local) → same host', async () => {
    const { town, judge } = setStage();
    const plain = hostname().split('.')[0] ?? '';
    for (const name of [`${plain}.lan`, `${plain}.local`, plain.toUpperCase(), `${plain}.corp.example`]) {
      town.lock(ADA, { hostname: name });
      expect(await judge()).toMatchObject({ state: 'stale' });
    }
    town.lock(ADA, { hostname: `${plain}2.local` });
    expect(await judge()).toMatchObject({ state: 'foreign' });
  });

  hostTest('a record without a host name counts as local', async () => {
    const { town, judge } = setStage();
    town.lock(ADA, { hostname: undefined });
    expect(await judge()).toMatchObject({ state: 'stale' });
  });

  (canBecomeOthers && existsSync('/usr/bin/unshare') ? linuxTest : test.skip)(
    'inside a PID namespace, a missing process proves nothing',
    async () => {
      const { town, env } = setStage();
      town.lock(ADA, { session_id: NO_PANE });
      town.lock(BOB);
      const report = await askElsewhere({ town: town.root, options: { env } }, {}, [
        'unshare',
        '--pid',
        '--fork',
        '--mount-proc',
      ]);
      expect(lockOf(report, ADA)).toMatchObject({ state: 'unknown', holder: { process: 'unknown' } });
      expect(lockOf(report, BOB)).toMatchObject({ state: 'unknown', holder: { process: 'unknown' } });
      expect(report).toMatchObject({ exitCode: 22, summary: { fixable: 0 } });
    },
  );

  (canBecomeOthers && hasTmux && existsSync('/usr/bin/unshare') ? linuxTest : test.skip)(
    'inside a PID namespace, a tmux server outside proves nothing about processes outside',
    async () => {
      const { town, env, startTmux } = setStage();
      const server = await startTmux({ name: townSocketNames(town.root)[0]?.name ?? '' });
      await sessionOf(server, 'scratch', town.root, { command: 'mystery' });
      const { pid } = await named(await browser(), 'chrome');
      town.lock(ADA, { pid, session_id: NO_PANE, acquired_at: now() }, { ageSeconds: 3600 });
      const report = await askElsewhere({ town: town.root, options: { env } }, {}, [
        ...['unshare', '--pid', '--fork', '--mount-proc'],
      ]);
      expect(report.tmux?.servers[0]).toMatchObject({ status: 'ok', pid: server.pid });
      expect(lockOf(report, ADA)).toMatchObject({ state: 'unknown' });
      expect(report.summary?.fixable).toBe(0);
    },
  );

  (canBecomeOthers && hasTmux && existsSync('/usr/bin/unshare') ? linuxTest : test.skip)(
    'inside a PID namespace, a missing process proves nothing even with a tmux server of the town inside',
    async () => {
      const { town, env, tmuxTmpdir } = setStage();
      town.lock(ADA, { session_id: NO_PANE });
      const socket = join(tmuxTmpdir, 'inside');
      const start = `tmux -f /dev/null -S '${socket}' new-session -d -s x -c '${town.root}' sleep 600; "$@"; exit $?`;
      const report = await askElsewhere({ town: town.root, options: { env, sockets: [socket] } }, {}, [
        ...['unshare', '--pid', '--fork', '--mount-proc', 'sh', '-c', start, 'sh'],
      ]);
      expect(lockOf(report, ADA)).toMatchObject({ state: 'unknown', holder: { process: 'unknown' } });
    },
  );
});

describe('processes: occupants outside tmux', () => {
  test('an agent with its working directory in or below the worker → held', async () => {
    const { town, judge } = setStage();
    await fakeAgent('claude', { cwd: town.path(ADA) });
    await fakeAgent('codex', { cwd: town.worker(`${BOB}/src/deep`) });
    town.lock(ADA);
    town.lock(BOB, { pid: deadPid() + 1 });
    expect(await judge()).toMatchObject({ state: 'held', reasons: expect.arrayContaining(['occupied']) });
    expect(await judge(BOB)).toMatchObject({ state: 'held' });
  });

  test('an agent that runs in node is recognized by its script', async () => {
    const { town, judge } = setStage();
    const script = town.write('node_modules/@anthropic-ai/claude-code/cli.js', 'setInterval(() => {}, 1000)');
    await startProcess(process.execPath, [script], { cwd: town.path(ADA) });
    town.lock(ADA);
    expect(await until(async () => (await judge()).state === 'held')).toBe(true);
  });

  hostTest('shells, editors and dev servers do not count; node with inline code is in doubt', async () => {
    const { town, judge } = setStage();
    const cwd = town.path(ADA);
    await startProcess('sh', ['-i'], { cwd, stdio: ['pipe', 'ignore', 'ignore'] });
    for (const name of ['vim', 'vite']) await fakeAgent(name, { cwd });
    town.lock(ADA);
    expect(await judge()).toMatchObject({ state: 'stale' });
    await startProcess(process.execPath, ['-e', 'setInterval(() => {}, 1000)', 'claude'], { cwd });
    expect(await judge()).toMatchObject({
      state: 'unknown',
      reasons: expect.arrayContaining(['occupants-unknown']),
    });
  });

  hostTest(
    "an agent in another worker's directory, or in one with the same prefix, does not count",
    async () => {
      const { town, judge } = setStage({ workers: [ADA, BOB, `${ADA}2`] });
      await fakeAgent('claude', { cwd: town.path(BOB) });
      await fakeAgent('claude', { cwd: town.path(`${ADA}2`) });
      await fakeAgent('claude', { cwd: town.root });
      town.lock(ADA);
      expect(await judge()).toMatchObject({ state: 'stale' });
    },
  );

  hostTest('agent commands that start and end elsewhere during the look cause no doubt', async () => {
    const { town, judge } = setStage();
    const claude = sleeperNamed('claude');
    await startProcess('sh', ['-c', `while :; do '${claude}' 0.002; done`], { cwd: '/' });
    town.lock(ADA);
    for (let look = 0; look < 15; look += 1) expect((await judge()).state).toBe('stale');
  });

  asOther("another user's agent in the worker counts", async () => {
    const { town, judge } = setStage();
    chmodSync(town.root, 0o755);
    await fakeAgent('claude', { cwd: town.path(ADA), uid: OTHER_UID, gid: OTHER_UID });
    town.lock(ADA);
    expect(await judge()).toMatchObject({ state: 'held' });
  });

  asOther('an agent whose working directory we cannot read leaves the lock undecided', async () => {
    const { town } = setStage();
    const home = makeTmuxTmpdir();
    for (const path of [town.root, home]) chmodSync(path, 0o755);
    await named(await fakeAgent('claude', { cwd: town.path(ADA) }), 'claude');
    town.lock(ADA);
    const report = await askElsewhere(
      { town: town.root, options: { env: bareEnvironment(home) } },
      { uid: OTHER_UID, gid: OTHER_UID },
    );
    expect(lockOf(report, ADA).state).toBe('unknown');
    expect(report.exitCode).toBe(22);
  });
});

describe('processes: the caller does not count', () => {
  /** A shell with an agent's name that runs a command: agents start commands through such a shell. */
  const shellNamed = (name: string): string => {
    const home = mkdtempSync(join(tmpdir(), 'shell-'));
    onCleanUp(() => rmSync(home, { recursive: true, force: true }));
    const path = join(home, name);
    copyFileSync(realpathSync('/bin/sh'), path);
    chmodSync(path, 0o755);
    return path;
  };
  /** Runs the question as a child of an agent that works in `cwd`. */
  const behindAgent = (): readonly string[] => [shellNamed('claude'), '-c', '"$@"; exit $?', 'claude'];

  hostTest("an agent's own start hook asks from inside its worker → stale, not held", async () => {
    const { town, env } = setStage();
    town.lock(ADA);
    const question = { town: town.root, options: { env } };
    const report = await askElsewhere(question, { cwd: town.path(ADA) }, behindAgent());
    expect(lockOf(report, ADA)).toMatchObject({ state: 'stale' });
    await fakeAgent('codex', { cwd: town.path(ADA) });
    const again = await askElsewhere(question, { cwd: town.path(ADA) }, behindAgent());
    expect(lockOf(again, ADA)).toMatchObject({ state: 'held' });
  });

  hostTest('an agent that the asking agent started in another worker counts there → held', async () => {
    const { town, env } = setStage();
    town.lock(ADA);
    const sub = `'${sleeperNamed('claude')}' 600 </dev/null >/dev/null 2>&1 & echo $! >'${town.path('sub.pid')}'`;
    const start = `cd '${town.path(ADA)}'; ${sub}; cd '${town.path(BOB)}'; "$@"; exit $?`;
    const report = await askElsewhere<Report>(
      { town: town.root, options: { env } },
      { cwd: town.path(BOB) },
      [shellNamed('claude'), '-c', start, 'claude'],
    );
    const pid = Number(readFileSync(town.path('sub.pid'), 'utf8'));
    onCleanUp(() => void process.kill(pid, 'SIGKILL'));
    expect(isRunning(pid)).toBe(true);
    expect(lockOf(report, ADA)).toMatchObject({
      state: 'held',
      reasons: expect.arrayContaining(['occupied']),
    });
  });

  tmuxTest("the caller's own pane never counts, whatever its session is called", async () => {
    const { town, startTmux, env } = setStage();
    const server = await startTmux();
    town.lock(ADA, { session_id: NO_PANE });
    const out = town.path('answer.json');
    const question = JSON.stringify({ town: town.root, options: { env }, out });
    server.newSession(`${GT}-crew-ada`, {
      cwd: town.path(ADA),
      env: { GT_ROLE: 'gastown/crew/ada' },
      command: [...behindAgent(), process.execPath, bundleDoctor(), question],
    });
    const report: Report = JSON.parse(
      await until(() => existsSync(out) && readFileSync(out, 'utf8'), 'the answer from the pane'),
    );
    expect(lockOf(report, ADA)).toMatchObject({ state: 'stale' });
  });

  /** What a shell in a pane of that session is told, when an agent is a job of the same shell. */
  const askBesideAgent = async (session: string, agentIn: string, command = 'claude'): Promise<Report> => {
    const { town, startTmux, env } = setStage();
    const server = await startTmux();
    town.lock(ADA, { session_id: NO_PANE });
    const out = town.path('answer.json');
    const question = JSON.stringify({ town: town.root, options: { env }, out });
    const job = `cd '${town.path(agentIn)}'; '${sleeperNamed(command)}' 600 & cd '${town.path(ADA)}'`;
    server.newSession(session, {
      cwd: town.path(ADA),
      command: ['sh', '-c', `${job}; "$@"; exit $?`, 'sh', process.execPath, bundleDoctor(), question],
    });
    return JSON.parse(
      await until(() => existsSync(out) && readFileSync(out, 'utf8'), 'the answer from the pane'),
    );
  };

  tmuxTest("an agent that is a job of the caller's shell counts → held", async () => {
    expect(lockOf(await askBesideAgent('any', ADA), ADA)).toMatchObject({
      state: 'held',
      evidence: expect.arrayContaining([
        expect.objectContaining({ text: expect.stringMatching(/^claude is running in pane %\d+ of/) }),
      ]),
    });
    expect(lockOf(await askBesideAgent(`${GT}-crew-ada`, BOB), ADA).state).toBe('held');
    expect(lockOf(await askBesideAgent('any', BOB), ADA).state).toBe('stale');
    expect(lockOf(await askBesideAgent('any', ADA, 'new-agent'), ADA).state).toBe('unknown');
  });

  tmuxTest('TMUX and TMUX_PANE of a pane that the caller does not descend from change nothing', async () => {
    const { town, startTmux, judge, env } = setStage();
    const server = await startTmux();
    const pane = await sessionOf(server, `${GT}-crew-ada`, town.path(ADA));
    town.lock(ADA, { session_id: NO_PANE });
    const inside = { ...env, TMUX: `${server.socket},${server.pid},0`, TMUX_PANE: pane.paneId };
    expect(await judge(ADA, { env: inside })).toMatchObject({ state: 'held' });
    expect(await judge()).toMatchObject({ state: 'held' });
  });
});
