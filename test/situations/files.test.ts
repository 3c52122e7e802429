/** Situations that the lock file, or what git knows about it, decides. */
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { ReleaseOutcome } from '../../src/core/report/report.ts';
import { lookAtWorker } from '../../src/look.ts';
import { applyRelease } from '../lock/support/release.ts';
import {
  canBecomeOthers,
  cleanUp,
  deadPid,
  fakeAgent,
  makeTmuxTmpdir,
  OTHER_UID,
  onCleanUp,
} from '../support/index.ts';
import {
  ADA,
  BOB,
  GT,
  hostTest,
  lockOf,
  NO_PANE,
  now,
  type Stage,
  sessionOf,
  setStage,
  textsOf,
  tmuxTest,
} from './stage.ts';

afterEach(cleanUp);

const RECORD = `{"pid": ${deadPid()}, "acquired_at": "2026-08-11T09:00:00.5+02:00", "hostname": "${hostname()}"}`;
const place = ({ town }: Stage, worker = ADA): string =>
  join(town.worker(`${worker}/.runtime`), 'agent.lock');

describe('files: not a lock record', () => {
  const damage: readonly (readonly [string, string, string | Uint8Array])[] = [
    ['an empty file', 'empty', ''],
    ['a truncated record', 'not-json', RECORD.slice(0, 40)],
    ['a byte order mark', 'not-json', `\ufeff${RECORD}`],
    ['trailing garbage', 'not-json', `${RECORD}}`],
    ['a PID in quotes', 'wrong-type', RECORD.replace(/\d+/, '"12"')],
    ['a PID with a fraction', 'wrong-type', RECORD.replace(/\d+/, '1.5')],
    ['a PID with an exponent', 'wrong-type', RECORD.replace(/\d+/, '1e3')],
    ['a PID beyond int64', 'wrong-type', RECORD.replace(/\d+/, '9223372036854775808')],
    ['a list', 'wrong-type', '[]'],
    ['an invalid time', 'bad-time', RECORD.replace('2026-08-11', '2026-13-11')],
    ['more than 64 KiB', 'too-large', `${RECORD}${' '.repeat(65_536)}`],
    ['binary bytes', 'not-json', new Uint8Array([0, 255, 1, 254])],
  ];
  hostTest.each(damage)('%s → invalid', async (_what, reason, content) => {
    const { town, look } = setStage();
    town.lock(ADA, content);
    const report = await look();
    expect(lockOf(report, ADA)).toMatchObject({ state: 'invalid', reasons: [reason], holder: null });
    expect(report).toMatchObject({ exitCode: 1, complete: true });
  });

  const zero: readonly (readonly [string, string])[] = [
    ['{}', '{}'],
    ['null', 'null'],
    ['unknown keys only', '{"Pidd": "x", "z": [1, {"pid": 5}]}'],
  ];
  hostTest.each(zero)('%s → stale (PID 0)', async (_what, text) => {
    const { town, judge } = setStage();
    town.lock(ADA, text);
    expect(await judge()).toMatchObject({
      state: 'stale',
      reasons: ['pid-invalid', 'session-unnamed'],
      holder: { pid: 0, acquiredAt: null },
    });
  });

  test('keys match in any case and the last duplicate wins, as in Go', async () => {
    const { town, judge } = setStage();
    const { pid } = await fakeAgent('claude', { cwd: '/' });
    town.lock(ADA, `{"pid": 1, "PID": ${deadPid()}, "Session_ID": "%1", "pId": ${pid}, "session_id": ""}`);
    expect(await judge()).toMatchObject({
      state: 'held',
      holder: { pid, process: 'alive', sessionId: null },
    });
  });

  type Make = (path: string, stage: Stage) => void | Promise<void>;
  const kinds: readonly (readonly [string, string, Make])[] = [
    ['a directory', 'directory', (path) => mkdirSync(path)],
    ['a FIFO', 'fifo', (path) => void execFileSync('mkfifo', [path])],
    ['a dangling symlink', 'symlink', (path) => symlinkSync('/nowhere/at/all', path)],
    [
      'a symlink out of the town',
      'symlink',
      (path) => {
        const outside = join(makeTmuxTmpdir(), 'agent.lock');
        writeFileSync(outside, RECORD);
        symlinkSync(outside, path);
      },
    ],
    [
      'a symlink to another lock of the town',
      'symlink',
      (path, stage) => symlinkSync(stage.town.lock(BOB), path),
    ],
    [
      'a socket',
      'socket',
      async (path) => {
        const server = createServer();
        await new Promise<void>((resolve) => server.listen(path, resolve));
        onCleanUp(() => new Promise((resolve) => server.close(() => resolve())));
      },
    ],
  ];
  hostTest.each(kinds)('%s → invalid, never followed', async (_what, reason, make) => {
    const stage = setStage();
    const path = place(stage);
    await make(path, stage);
    const before = lstatSync(path);
    const report = await stage.look();
    expect(lockOf(report, ADA)).toMatchObject({ state: 'invalid', reasons: [reason], sha256: null });
    const finding = report.findings.find(({ worker, check }) => worker === ADA && check === 'invalid-lock');
    expect(finding?.fix).toMatchObject({ action: 'advice', safe: false });
    expect(lstatSync(path).ino).toBe(before.ino);
    const [verdict] = (await lookAtWorker(stage.town.path(ADA), { town: stage.town.root, env: stage.env }))
      .verdicts;
    expect(verdict?.release).toMatchObject({ allowed: false, why: 'not-a-file' });
  });

  hostTest('an invalid file older than 30 s is released; a younger one may still be written', async () => {
    const { town, look } = setStage();
    town.lock(ADA, RECORD.slice(0, 40), { ageSeconds: 60 });
    town.lock(BOB, '', { ageSeconds: 5 });
    const report = await look();
    const fixOf = (name: string) => report.findings.find(({ worker }) => worker === name)?.fix;
    expect(fixOf(ADA)).toMatchObject({ action: 'release', safe: true, status: 'planned' });
    expect(fixOf(BOB)).toMatchObject({ action: 'release', safe: false, status: 'skipped' });
    expect(report.summary).toMatchObject({ invalid: 2, fixable: 1 });
  });

  test('an invalid file where an agent works stays invalid and is left', async () => {
    const { town, look } = setStage();
    town.lock(ADA, '', { ageSeconds: 60 });
    await fakeAgent('claude', { cwd: town.path(ADA) });
    const report = await look();
    expect(lockOf(report, ADA)).toMatchObject({ state: 'invalid', reasons: ['empty', 'occupied'] });
    expect(report.findings).toMatchObject([{ check: 'invalid-lock', fix: { action: 'advice' } }]);
  });

  hostTest('an invalid file is left if agents may be running unseen', async () => {
    const { town, look } = setStage();
    town.lock(ADA, '', { ageSeconds: 60 });
    const socket = town.path('mute');
    const server = createServer().listen(socket);
    onCleanUp(() => void server.close());
    const report = await look({ sockets: [socket], timeoutMs: 300 });
    expect(lockOf(report, ADA).state).toBe('invalid');
    expect(report).toMatchObject({ exitCode: 1, complete: false, summary: { fixable: 0 } });
  });
});

describe('files: places and copies', () => {
  hostTest('a lock only at the legacy path is judged like any other, with the note legacy-path', async () => {
    const { town, look } = setStage();
    town.lock(ADA, { session_id: NO_PANE }, { at: '.gastown/agent.lock' });
    const report = await look();
    expect(lockOf(report, ADA)).toMatchObject({
      id: `agent:${ADA}`,
      state: 'stale',
      notes: ['legacy-path'],
      path: town.path(ADA, '.gastown/agent.lock'),
    });
    expect(report.findings.map(({ check }) => check)).toEqual(['stale-lock', 'legacy-layout']);
  });

  test('locks at both paths are two locks', async () => {
    const { town, look } = setStage();
    const { pid } = await fakeAgent('claude', { cwd: '/' });
    town.lock(ADA, { pid, acquired_at: now() }, { ageSeconds: 3600 });
    town.lock(ADA, {}, { at: '.gastown/agent.lock' });
    const states = (await look()).locks.map(({ id, state }) => `${id} ${state}`);
    expect(states).toContain(`agent:${ADA} held`);
    expect(states.filter((text) => text.startsWith(`agent:${ADA}#legacy`))).toHaveLength(1);
  });

  hostTest('misplaced marks locks outside canonical worker directories, only in a marked town', async () => {
    const places = {
      [ADA]: false,
      'gastown/polecats/toast': false,
      'gastown/polecats/toast/gastown': false,
      'gastown/witness': false,
      'gastown/refinery/rig': false,
      'deacon/dogs/rex': false,
      'deacon/dogs/rex/gastown': false,
      '.': true,
      gastown: true,
      'gastown/crew': true,
      [`${ADA}/packages/core`]: true,
      'gastown/polecats/toast/other': true,
    };
    for (const marked of [true, false]) {
      const { town, look } = setStage({ marked });
      for (const worker of Object.keys(places)) town.lock(worker);
      const found = Object.fromEntries(
        (await look()).locks.map(({ worker, notes }) => [worker, notes.includes('misplaced')]),
      );
      expect(found).toEqual(
        marked ? places : Object.fromEntries(Object.keys(places).map((worker) => [worker, false])),
      );
    }
  });

  tmuxTest.each([
    ['', `${GT}-crew-ada`],
    [' whose session only shows its directory', 'scratch'],
  ])('cp -r of a worker%s → original held, copy stale/copy', async (_, session) => {
    const { town, startTmux, look } = setStage({ workers: [ADA] });
    const pane = await sessionOf(await startTmux(), session, town.path(ADA));
    town.lock(ADA, { session_id: pane.paneId, acquired_at: now() }, { ageSeconds: 3600 });
    cpSync(town.path(ADA), town.path(BOB), { recursive: true, preserveTimestamps: true });
    const report = await look();
    expect(lockOf(report, ADA)).toMatchObject({ state: 'held', notes: [] });
    expect(lockOf(report, BOB)).toMatchObject({ state: 'stale', notes: ['copy'] });
    expect(report.summary?.collisions).toBe(0);
  });

  tmuxTest('a copy in which an agent works by now is held there', async () => {
    const { town, startTmux, look } = setStage({ workers: [ADA] });
    const pane = await sessionOf(await startTmux(), `${GT}-crew-ada`, town.path(ADA));
    town.lock(ADA, { session_id: pane.paneId, acquired_at: now() }, { ageSeconds: 3600 });
    cpSync(town.path(ADA), town.path(BOB), { recursive: true, preserveTimestamps: true });
    await fakeAgent('claude', { cwd: town.path(BOB) });
    const report = await look();
    expect(lockOf(report, BOB).state).toBe('held');
    expect(report.summary?.collisions).toBe(0);
  });

  hostTest('debris is reported once it is a minute old; the guard file is never debris', async () => {
    const { town, look } = setStage();
    for (const [name, age] of [
      ['agent.lock.tmp', 120],
      ['agent.lock.flock', 9999],
    ] as const)
      town.lock(ADA, '', { at: `.runtime/${name}`, ageSeconds: age });
    town.lock(BOB, '', { at: '.runtime/agent.lock.tmp', ageSeconds: 5 });
    const report = await look();
    expect(report.findings.map(({ check, worker }) => `${check} ${worker}`)).toEqual([`lock-debris ${ADA}`]);
    expect(report.findings[0]?.message).toMatch(/agent\.lock\.tmp/);
    expect(report.exitCode).toBe(0);
  });
});

const git = (cwd: string, ...args: string[]): void => {
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.org', '-c', 'init.defaultBranch=main'];
  execFileSync('git', [...identity, ...args], {
    cwd,
    stdio: 'ignore',
    env: { PATH: process.env.PATH, HOME: cwd, GIT_CONFIG_NOSYSTEM: '1' },
  });
};

/** Commits the lock of a worker in a repository in that worker's directory. */
const commitLock = ({ town }: Stage, worker: string): void => {
  const directory = town.worker(worker);
  git(directory, 'init', '-q');
  git(directory, 'add', '-f', '.runtime/agent.lock');
  git(directory, 'commit', '-q', '-m', 'x');
};

describe('files: git', () => {
  hostTest('a tracked lock → advice only', async () => {
    const stage = setStage();
    const path = stage.town.lock(ADA);
    commitLock(stage, ADA);
    const report = await stage.look();
    expect(lockOf(report, ADA)).toMatchObject({ state: 'stale', notes: ['tracked'] });
    expect(report.findings.find(({ check }) => check === 'tracked-lock')).toMatchObject({
      severity: 'warning',
      fix: { action: 'advice' },
    });
    expect(report.summary).toMatchObject({ stale: 1, fixable: 0 });
    expect(JSON.stringify(report.findings.map(({ next }) => next))).toMatch(/rm","--cached/);
    expect(existsSync(path)).toBe(true);
  });

  hostTest('an untracked lock in a repository is released; that it is not ignored is a note', async () => {
    const stage = setStage();
    stage.town.lock(ADA);
    git(stage.town.path(ADA), 'init', '-q');
    const report = await stage.look();
    expect(lockOf(report, ADA)).toMatchObject({ state: 'stale', notes: [] });
    expect(report.summary?.fixable).toBe(1);
    expect(report.findings.map(({ check, severity }) => `${check} ${severity}`)).toEqual([
      'stale-lock warning',
      'tracked-lock info',
    ]);
    writeFileSync(stage.town.path(ADA, '.gitignore'), '.runtime/\n');
    expect((await stage.look()).findings.map(({ check }) => check)).toEqual(['stale-lock']);
  });

  hostTest('a lock in a git worktree is tracked only if its branch contains it', async () => {
    const stage = setStage({ workers: [ADA] });
    const { town } = stage;
    town.lock(ADA);
    commitLock(stage, ADA);
    const [carries, clean] = ['gastown/polecats/one/gastown', 'gastown/polecats/two/gastown'];
    mkdirSync(town.path('gastown/polecats'), { recursive: true });
    git(town.path(ADA), 'worktree', 'add', '-q', '-b', 'one', town.path(carries));
    git(town.path(ADA), 'worktree', 'add', '-q', '-b', 'two', town.path(clean));
    git(town.path(clean), 'rm', '-q', '--cached', '.runtime/agent.lock');
    expect(lstatSync(town.path(carries, '.git')).isFile()).toBe(true);
    const report = await stage.look();
    expect(lockOf(report, carries).notes).toContain('tracked');
    expect(lockOf(report, clean).notes).not.toContain('tracked');
  });

  (canBecomeOthers ? hostTest : test.skip)(
    'a repository of several users makes tracked unknown: stale, but not released',
    async () => {
      const stage = setStage();
      stage.town.lock(ADA);
      commitLock(stage, ADA);
      // If all of it belongs to one user, git is run as that user.
      execFileSync('chown', ['-R', String(OTHER_UID), stage.town.path(ADA, '.git')]);
      const report = await stage.look();
      const lock = lockOf(report, ADA);
      expect(lock.state).toBe('stale');
      expect(report.summary?.fixable).toBe(0);
      expect(textsOf(lock)).toMatch(/belongs to several users: not asked/);
    },
  );

  hostTest('a broken .git above the worker makes tracked unknown', async () => {
    const stage = setStage();
    stage.town.lock(ADA);
    writeFileSync(stage.town.path(ADA, '.git'), 'gitdir: /nowhere/at/all\n');
    const report = await stage.look();
    expect(lockOf(report, ADA)).toMatchObject({ state: 'stale' });
    expect(report.summary?.fixable).toBe(0);
    expect(textsOf(lockOf(report, ADA))).toMatch(/git could not say/);
  });

  tmuxTest('a missing git makes tracked unknown in a repository, and nothing elsewhere', async () => {
    const stage = setStage();
    await stage.startTmux();
    stage.town.lock(ADA);
    commitLock(stage, ADA);
    stage.town.lock(BOB, { pid: deadPid() + 1 });
    const bin = makeTmuxTmpdir();
    symlinkSync(
      execFileSync('sh', ['-c', 'command -v tmux'], { encoding: 'utf8' }).trim(),
      join(bin, 'tmux'),
    );
    const report = await stage.look({ env: { ...stage.env, PATH: bin } });
    const fixes = new Map(report.findings.map(({ worker, fix }) => [worker, fix?.safe]));
    expect(fixes.get(ADA)).toBe(false);
    expect(fixes.get(BOB)).toBe(true);
  });

  hostTest('a diagnosis runs nothing that a repository configures and leaves its index alone', async () => {
    const stage = setStage();
    const { town } = stage;
    town.lock(ADA);
    commitLock(stage, ADA);
    const trap = town.write('trap.sh', `#!/bin/sh\ntouch '${town.path('sprung')}'\n`);
    chmodSync(trap, 0o755);
    git(town.path(ADA), 'config', 'core.fsmonitor', trap);
    git(town.path(ADA), 'config', 'core.hooksPath', dirname(trap));
    const index = lstatSync(town.path(ADA, '.git/index'));
    rmSync(town.path('sprung'), { force: true });
    expect(lockOf(await stage.look(), ADA).notes).toContain('tracked');
    expect(existsSync(town.path('sprung'))).toBe(false);
    expect(lstatSync(town.path(ADA, '.git/index')).mtimeMs).toBe(index.mtimeMs);
  });
});

describe('files: changed between diagnosis and release', () => {
  const diagnose = async ({ town, env }: Stage) => {
    const [verdict] = (await lookAtWorker(town.path(ADA), { town: town.root, env })).verdicts;
    if (verdict === undefined) throw new Error('no lock');
    return { lock: verdict.lock, state: verdict.state, force: false };
  };
  const release = async (stage: Stage, step: Awaited<ReturnType<typeof diagnose>>): Promise<ReleaseOutcome> =>
    applyRelease(step, 'run', 1, {
      townRoot: stage.town.root,
      guardTimeoutMs: 100,
      judge: async ({ workerDir }) =>
        (await lookAtWorker(workerDir, { town: stage.town.root, env: stage.env })).verdicts[0] ?? null,
    });

  hostTest('a stale lock that did not change is released, with a kept copy', async () => {
    const stage = setStage();
    const path = stage.town.lock(ADA);
    const bytes = readFileSync(path);
    const outcome = await release(stage, await diagnose(stage));
    expect(outcome.status).toBe('fixed');
    expect(existsSync(path)).toBe(false);
    if (outcome.status === 'fixed') expect(readFileSync(outcome.backup)).toEqual(bytes);
  });

  hostTest('a guard held by another process → --fix skips the lock as busy', async () => {
    const stage = setStage();
    const path = stage.town.lock(ADA);
    const step = await diagnose(stage);
    const holder = spawn('flock', ['-x', `${path}.flock`, 'sh', '-c', 'echo held; exec sleep 600'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
    onCleanUp(() => void process.kill(-(holder.pid ?? 0), 'SIGKILL'));
    await new Promise<void>((resolve) => holder.stdout.once('data', () => resolve()));
    expect(await release(stage, step)).toMatchObject({
      status: 'skipped',
      reason: expect.stringContaining('somebody else is changing it'),
    });
    expect(existsSync(path)).toBe(true);
  });

  hostTest('a lock that was replaced meanwhile → changed, untouched', async () => {
    const stage = setStage();
    const path = stage.town.lock(ADA);
    const step = await diagnose(stage);
    const fresh = `${path}.tmp2`;
    writeFileSync(fresh, RECORD);
    renameSync(fresh, path);
    expect(await release(stage, step)).toMatchObject({ status: 'changed' });
    expect(readFileSync(path, 'utf8')).toBe(RECORD);
  });

  hostTest('the same bytes in a new file are another lock → changed', async () => {
    const stage = setStage();
    const path = stage.town.lock(ADA);
    const step = await diagnose(stage);
    writeFileSync(`${path}.again`, readFileSync(path));
    renameSync(`${path}.again`, path);
    expect(await release(stage, step)).toMatchObject({ status: 'changed' });
    expect(existsSync(path)).toBe(true);
  });

  test('an agent that started meanwhile → changed, untouched', async () => {
    const stage = setStage();
    const path = stage.town.lock(ADA);
    const step = { ...(await diagnose(stage)), state: 'stale' as const };
    await fakeAgent('claude', { cwd: stage.town.path(ADA) });
    expect(await release(stage, step)).toMatchObject({ status: 'changed' });
    expect(existsSync(path)).toBe(true);
    expect(readdirSync(dirname(path)).filter((name) => /released|old/.test(name))).toEqual([]);
  });
});
