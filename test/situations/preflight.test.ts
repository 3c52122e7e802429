/** Preflight: may an agent start here? Every answer, from real evidence. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { PreflightReport } from '../../src/core/types/report.ts';
import {
  canBecomeOthers,
  cleanUp,
  deadPid,
  fakeAgent,
  makeTmuxTmpdir,
  OTHER_UID,
  onCleanUp,
  startProcess,
} from '../support/index.ts';
import {
  ADA,
  askElsewhere,
  BOB,
  bareEnvironment,
  GT,
  hostTest,
  isContainer,
  NO_PANE,
  now,
  sessionOf,
  setStage,
  shellSessionOf,
  tmuxTest,
} from './stage.ts';

afterEach(cleanUp);

const asOther = canBecomeOthers && !isContainer && process.platform === 'linux' ? test : test.skip;

/** Exit code, answer and state of the only worker in the question. */
const shortOf = ({ exitCode, results }: PreflightReport): readonly unknown[] => [
  exitCode,
  results[0]?.answer,
  results[0]?.state,
];

describe('preflight: free or held', () => {
  hostTest('no lock and no occupant → free (0)', async () => {
    const { ask } = setStage();
    expect(shortOf(await ask())).toEqual([0, 'free', null]);
  });

  hostTest('a worker that does not exist yet → free (0), and nothing is created', async () => {
    const { town, ask } = setStage({ workers: [] });
    expect(shortOf(await ask('gastown/polecats/new/gastown'))).toEqual([0, 'free', null]);
    expect(readdirSync(town.root)).toEqual(['mayor']);
  });

  test('no lock, but an agent at work → held (20)', async () => {
    const { town, ask } = setStage();
    await fakeAgent('claude', { cwd: town.path(ADA) });
    const report = await ask();
    expect(shortOf(report)).toEqual([20, 'held', null]);
    expect(report.results[0]).toMatchObject({
      reasons: ['occupied'],
      message: expect.stringMatching(/claude/),
    });
  });

  tmuxTest("no lock, but this worker's session with an agent that runs elsewhere → held (20)", async () => {
    const { town, startTmux, ask } = setStage();
    const server = await startTmux();
    await sessionOf(server, 'scratch', town.root, {
      command: 'mystery',
      env: { GT_ROLE: 'gastown/crew/ada' },
    });
    expect(shortOf(await ask())).toEqual([20, 'held', null]);
    expect(shortOf(await ask(BOB))).toEqual([0, 'free', null]);
  });

  tmuxTest("no lock, but a shell in this worker's session → free (0), shell mentioned", async () => {
    const { town, startTmux, ask } = setStage();
    await shellSessionOf(await startTmux(), `${GT}-crew-ada`, town.path(ADA));
    const report = await ask();
    expect(shortOf(report)).toEqual([0, 'free', null]);
    expect(JSON.stringify(report.results[0]?.evidence)).toMatch(/shows only sh/);
  });

  tmuxTest('held → held (20)', async () => {
    const { town, startTmux, ask } = setStage();
    const pane = await sessionOf(await startTmux(), `${GT}-crew-ada`, town.path(ADA));
    town.lock(ADA, { session_id: pane.paneId, acquired_at: now() });
    expect(shortOf(await ask())).toEqual([20, 'held', 'held']);
  });

  hostTest('orphaned → held (20)', async () => {
    const { town, ask } = setStage();
    const { pid } = await fakeAgent('claude', { cwd: '/' });
    town.lock(ADA, { pid, session_id: NO_PANE, acquired_at: now() }, { ageSeconds: 3600 });
    expect(shortOf(await ask())).toEqual([20, 'held', 'orphaned']);
  });

  test('two agents in this worker → held (20), whatever the lock says', async () => {
    const { town, ask } = setStage();
    for (const name of ['claude', 'codex']) await fakeAgent(name, { cwd: town.path(ADA) });
    town.lock(ADA);
    const report = await ask();
    expect(shortOf(report)).toEqual([20, 'held', 'held']);
    expect(report.results[0]?.message).toMatch(/^2 agents are running there: /);
  });

  hostTest("agents in the parent, a sibling or the town's root do not occupy the worker", async () => {
    const { town, ask } = setStage();
    for (const cwd of [town.root, town.path('gastown'), town.path('gastown/crew'), town.path(BOB)])
      await fakeAgent('claude', { cwd });
    expect(shortOf(await ask())).toEqual([0, 'free', null]);
  });
});

describe('preflight: repair', () => {
  hostTest('stale → repair (21), with the command that repairs it', async () => {
    const { town, ask } = setStage();
    town.lock(ADA, { session_id: NO_PANE });
    const report = await ask();
    expect(shortOf(report)).toEqual([21, 'repair', 'stale']);
    expect(report.results[0]?.next).toEqual([['doctor', 'preflight', '--fix', ADA, '--town', town.root]]);
  });

  hostTest('invalid and older than 30 s → repair (21)', async () => {
    const { town, ask } = setStage();
    town.lock(ADA, '', { ageSeconds: 60 });
    expect(shortOf(await ask())).toEqual([21, 'repair', 'invalid']);
  });

  hostTest('a lock at the legacy path counts as well', async () => {
    const { town, ask } = setStage();
    town.lock(ADA, {}, { at: '.gastown/agent.lock' });
    expect(shortOf(await ask())).toEqual([21, 'repair', 'stale']);
  });

  hostTest('a live legacy lock beside a stale lock at the current path is not ignored', async () => {
    const { town, ask } = setStage();
    const { pid } = await startProcess('sleep', ['600'], { cwd: '/' });
    town.lock(ADA, { session_id: NO_PANE });
    town.lock(ADA, { pid, acquired_at: now() }, { at: '.gastown/agent.lock', ageSeconds: 3600 });
    expect((await ask()).exitCode).not.toBe(0);
  });
});

describe('preflight: unsure', () => {
  hostTest('a fresh stale lock, and a young invalid one → unsure (22) with a retry delay', async () => {
    const { town, ask } = setStage();
    town.lock(ADA, {}, { ageSeconds: 5 });
    town.lock(BOB, '', { ageSeconds: 5 });
    for (const worker of [ADA, BOB]) {
      const report = await ask(worker);
      expect(report).toMatchObject({ exitCode: 22, results: [{ answer: 'unsure' }] });
      expect(report.results[0]?.message).toMatch(/retry in \d+ s/);
      const seconds = report.results[0]?.retryInSeconds ?? 0;
      expect(seconds).toBeGreaterThan(0);
      expect(seconds).toBeLessThanOrEqual(25);
    }
  });

  hostTest('tracked, or not a regular file → unsure (22)', async () => {
    const { town, ask } = setStage();
    town.lock(ADA);
    const git = (...args: string[]): void => {
      const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.org'];
      execFileSync('git', [...identity, ...args], { cwd: town.path(ADA), stdio: 'ignore' });
    };
    git('init', '-q');
    git('add', '-f', '.runtime/agent.lock');
    mkdirSync(town.path(BOB, '.runtime/agent.lock'), { recursive: true });
    expect(shortOf(await ask())).toEqual([22, 'unsure', 'stale']);
    expect(shortOf(await ask(BOB))).toEqual([22, 'unsure', 'invalid']);
  });

  test('foreign → unsure (22)', async () => {
    const { town, ask } = setStage();
    town.lock(ADA, { hostname: '4e449adbac66' });
    expect(shortOf(await ask())).toEqual([22, 'unsure', 'foreign']);
  });

  tmuxTest('unknown → unsure (22), with or without a lock', async () => {
    const { town, startTmux, ask } = setStage();
    const server = await startTmux();
    await sessionOf(server, 'elsewhere', '/', { command: 'mystery' });
    town.lock(ADA, { session_id: NO_PANE });
    server.freeze();
    expect(shortOf(await ask(ADA, { timeoutMs: 300 }))).toEqual([22, 'unsure', 'unknown']);
    expect(shortOf(await ask(BOB, { timeoutMs: 300 }))).toEqual([22, 'unsure', null]);
  });

  asOther('no lock, and tmux not installed → free (0) unless a tmux server shows a doubt', async () => {
    const { town } = setStage();
    const home = makeTmuxTmpdir();
    for (const path of [town.root, home]) chmodSync(path, 0o755);
    const other = { uid: OTHER_UID, gid: OTHER_UID };
    execFileSync('chown', ['-R', `${OTHER_UID}:${OTHER_UID}`, town.root, home]);
    const env = { ...bareEnvironment(home), PATH: '/nowhere' };
    const question = { town: town.root, workers: [ADA], options: { env } };
    expect(shortOf(await askElsewhere(question, other))).toEqual([0, 'free', null]);
    const socket = join(home, 'sock');
    const tmux = (...args: string[]) =>
      spawnSync('tmux', ['-f', '/dev/null', '-S', socket, ...args], {
        ...other,
        cwd: town.path(ADA),
        stdio: 'ignore',
      });
    // Its exit status says nothing: a client whose server ends before it answers reports a failure.
    onCleanUp(() => void tmux('kill-server'));
    // As words: one text would be given to the other user's login shell, which may be nologin.
    const loop = ['sh', '-c', 'while :; do my-agent; sleep 600; done'];
    expect(tmux('new-session', '-d', '-s', 'x', ...loop).status).toBe(0);
    expect(shortOf(await askElsewhere(question, other))).toEqual([22, 'unsure', null]);
  });
});

describe('preflight: several workers, and their names', () => {
  hostTest('the exit code is the worst of several, in the order 22, 20, 21, 0', async () => {
    const { town, ask } = setStage();
    const [free, stale, held, foreign] = ['free', 'stale', 'held', 'foreign'].map(
      (name) => `gastown/crew/${name}`,
    ) as [string, string, string, string];
    town.lock(stale);
    town.lock(held, { pid: deadPid() + 1 });
    town.lock(foreign, { hostname: '4e449adbac66' });
    await fakeAgent('claude', { cwd: town.path(held) });
    expect((await ask([free, stale])).exitCode).toBe(21);
    expect((await ask([stale, held])).exitCode).toBe(20);
    const report = await ask([free, stale, held, foreign]);
    expect(report.exitCode).toBe(22);
    expect(report.results.map(({ worker, answer }) => `${worker} ${answer}`)).toEqual([
      `${free} free`,
      `${stale} repair`,
      `${held} held`,
      `${foreign} unsure`,
    ]);
  });

  hostTest.each([
    ['a trailing slash', (root: string) => [`${ADA}/`, root]],
    ['a leading ./', (root: string) => [`./${ADA}`, root]],
    ['an absolute path', (root: string) => [join(root, ADA), root]],
  ])('%s names the same worker', async (_what, name) => {
    const { town, ask } = setStage();
    town.lock(ADA);
    const [worker = ''] = name(town.root);
    expect((await ask(worker)).results).toMatchObject([{ worker: ADA, answer: 'repair' }]);
  });

  hostTest('a path through a symlink to the town names the same worker', async () => {
    const { town, ask } = setStage();
    town.lock(ADA);
    const link = join(makeTmuxTmpdir(), 'gt');
    symlinkSync(town.root, link);
    expect((await ask(join(link, ADA))).results).toMatchObject([{ answer: 'repair' }]);
  });

  test('a relative path to a worker outside the town is a usage error', async () => {
    const { ask } = setStage();
    await expect(ask('../elsewhere')).rejects.toMatchObject({ code: 'E_USAGE' });
  });
});
