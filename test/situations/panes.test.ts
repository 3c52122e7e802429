/** Situations that tmux panes decide, each with its own real server, panes and processes. */
import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { cleanUp, fakeAgent, onCleanUp, sleeperNamed, startProcess, until } from '../support/index.ts';
import {
  ADA,
  BOB,
  fillPanes,
  GT,
  linuxTmuxTest,
  NO_PANE,
  now,
  sessionOf,
  setStage,
  settled,
  shellSessionOf,
  textsOf,
  tmuxTest,
} from './stage.ts';

afterEach(cleanUp);

const JOE = 'gastown/crew/joe';
const POLECAT_JOE = 'gastown/polecats/joe';

describe('panes: live holders', () => {
  tmuxTest('live agent in pane %3, recorded PID dead → held', async () => {
    const { town, startTmux, look, judge } = setStage();
    const server = await startTmux();
    fillPanes(server, 3);
    const pane = await sessionOf(server, `${GT}-crew-ada`, town.path(ADA));
    expect(pane.paneId).toBe('%3');
    town.lock(ADA, { session_id: '%3', acquired_at: now() });
    const lock = await judge();
    expect(lock).toMatchObject({
      state: 'held',
      reasons: ['process-gone', 'pane-live', 'occupied'],
      notes: [],
      holder: { process: 'gone', session: 'live', pane: { socket: server.socket, id: '%3' } },
    });
    expect(await look()).toMatchObject({ exitCode: 0, complete: true, findings: [] });
  });

  tmuxTest('the same with a split elsewhere, so that the session is $3 and the pane %4 → held', async () => {
    const { town, startTmux, judge } = setStage();
    const server = await startTmux();
    fillPanes(server, 3);
    server.splitWindow('filler-0', { cwd: '/' });
    const pane = await sessionOf(server, `${GT}-crew-ada`, town.path(ADA));
    expect(pane).toMatchObject({ sessionId: '$3', paneId: '%4' });
    town.lock(ADA, { session_id: '%4', acquired_at: now() });
    expect(await judge()).toMatchObject({ state: 'held', holder: { session: 'live' } });
  });

  tmuxTest('gastown/joe with gt-crew-joe alive → held', async () => {
    const { town, startTmux, judge } = setStage({ workers: [JOE, POLECAT_JOE] });
    const server = await startTmux();
    await sessionOf(server, `${GT}-crew-joe`, town.path(JOE));
    town.lock(JOE, { session_id: 'gastown/joe', acquired_at: now() });
    expect(await judge(JOE)).toMatchObject({ state: 'held', holder: { session: 'live' }, notes: [] });
  });

  tmuxTest('gastown/joe with the session name from before v0.7, gt-gastown-crew-joe → held', async () => {
    const { town, startTmux, judge } = setStage({ workers: [JOE] });
    await sessionOf(await startTmux(), 'gt-gastown-crew-joe', town.path(JOE));
    town.lock(JOE, { session_id: 'gastown/joe', acquired_at: now() });
    expect(await judge(JOE)).toMatchObject({ state: 'held', holder: { session: 'live' } });
  });

  tmuxTest('an identity in a session of any name with a matching GT_ROLE → held', async () => {
    const { town, startTmux, judge } = setStage({ workers: [POLECAT_JOE] });
    await sessionOf(await startTmux(), 'scratch', town.path(POLECAT_JOE), {
      env: { GT_ROLE: 'gastown/polecats/joe' },
    });
    town.lock(POLECAT_JOE, { session_id: 'gastown/joe', acquired_at: now() });
    expect(await judge(POLECAT_JOE)).toMatchObject({ state: 'held', holder: { session: 'live' } });
  });

  tmuxTest.each([
    ['mayor', 'hq-mayor', 'mayor'],
    ['deacon', 'hq-deacon', 'deacon'],
    ['deacon/dogs/rex', 'hq-dog-rex', 'deacon/dogs/rex'],
    ['gastown/witness', `${GT}-witness`, 'gastown/witness'],
    ['gastown/refinery/rig', `${GT}-refinery`, 'gastown/refinery'],
    ['gastown/polecats/toast/gastown', `${GT}-toast`, 'gastown/polecats/toast'],
    ['gastown/polecats/toast', `gt-gastown-toast`, 'gastown/polecats/toast'],
    ['gastown/crew/ada', `${GT}-crew-ada`, 'gastown/crew/ada'],
  ])('%s is recognized by the session name %s, and by its GT_ROLE', async (worker, name, role) => {
    const { town, startTmux, judge } = setStage({ workers: [worker] });
    const server = await startTmux();
    const named = await sessionOf(server, name, town.root, { command: 'mystery' });
    town.lock(worker, { session_id: NO_PANE });
    expect(await judge(worker)).toMatchObject({ state: 'held', notes: expect.arrayContaining(['drifted']) });
    await sessionOf(server, 'scratch', town.root, { command: 'mystery', env: { GT_ROLE: role } });
    server.tmux('kill-pane', '-t', named.paneId);
    expect(await judge(worker)).toMatchObject({ state: 'held' });
  });

  tmuxTest('an agent resumed in a new pane → held/drifted', async () => {
    const { town, startTmux, judge } = setStage();
    const server = await startTmux();
    fillPanes(server, 5);
    await sessionOf(server, `${GT}-crew-ada`, town.path(ADA));
    town.lock(ADA, { session_id: NO_PANE, acquired_at: now() });
    expect(await judge()).toMatchObject({
      state: 'held',
      reasons: ['process-gone', 'pane-gone', 'occupied'],
      notes: ['drifted'],
      holder: { session: 'gone' },
    });
  });

  tmuxTest('respawn-pane: same pane ID, younger process → held', async () => {
    const { town, startTmux, judge } = setStage();
    const server = await startTmux();
    const before = await sessionOf(server, `${GT}-crew-ada`, town.path(ADA));
    town.lock(ADA, { session_id: before.paneId, acquired_at: now(), pid: before.pid });
    server.tmux('respawn-pane', '-k', '-t', before.paneId, sleeperNamed('claude'), '601');
    const [after] = await until(() => {
      const panes = server.panes();
      return panes[0]?.pid !== before.pid && panes;
    }, 'another process in the pane');
    expect(after).toMatchObject({ paneId: before.paneId });
    if (after !== undefined) await settled(after, 'claude');
    expect(await judge()).toMatchObject({
      state: 'held',
      notes: [],
      holder: { process: 'gone', session: 'live' },
    });
  });

  tmuxTest('a session that shows only a shell because the agent exited → held, and says so', async () => {
    const { town, startTmux, judge } = setStage();
    const pane = await shellSessionOf(await startTmux(), `${GT}-crew-ada`, town.path(ADA));
    town.lock(ADA, { session_id: pane.paneId, acquired_at: now() });
    const lock = await judge();
    expect(lock).toMatchObject({ state: 'held', holder: { session: 'live' } });
    expect(textsOf(lock)).toMatch(/exists and shows only sh/);
  });

  tmuxTest("an agent that moved to another worker's directory keeps its own pane → held", async () => {
    const { town, startTmux, judge } = setStage();
    const pane = await sessionOf(await startTmux(), 'anything', town.path(BOB));
    town.lock(ADA, { session_id: pane.paneId, acquired_at: now() });
    expect(await judge()).toMatchObject({ state: 'held', holder: { session: 'live' } });
  });

  tmuxTest('an agent below a shell wrapper is seen', async () => {
    const { town, startTmux, judge } = setStage();
    const server = await startTmux();
    const claude = sleeperNamed('claude');
    const pane = server.newSession('wrapped', {
      cwd: town.path(ADA),
      command: ['sh', '-c', `'${claude}' 600; exit`],
    });
    await settled(pane, 'sh');
    town.lock(ADA, { acquired_at: now() });
    const lock = await until(async () => {
      const seen = await judge();
      return seen.state === 'held' && seen;
    }, 'the agent below its shell');
    expect(lock.reasons).toContain('occupied');
  });

  tmuxTest('an agent whose command is a bare version is seen', async () => {
    const { town, startTmux, judge } = setStage();
    await sessionOf(await startTmux(), 'anything', town.path(ADA), { command: '2.1.29' });
    town.lock(ADA, { acquired_at: now() });
    expect(await judge()).toMatchObject({ state: 'held' });
  });

  tmuxTest('an agent in a subdirectory of its worker is seen', async () => {
    const { town, startTmux, judge } = setStage();
    await sessionOf(await startTmux(), 'anything', town.worker(`${ADA}/packages/core`));
    town.lock(ADA, { acquired_at: now() });
    expect(await judge()).toMatchObject({ state: 'held' });
  });

  tmuxTest('a command of GT_PROCESS_NAMES or the configuration is an agent, otherwise in doubt', async () => {
    const { town, startTmux, judge, env } = setStage();
    await sessionOf(await startTmux(), 'anything', town.path(ADA), { command: 'houseagent' });
    town.lock(ADA);
    expect(await judge()).toMatchObject({ state: 'unknown' });
    expect(await judge(ADA, { env: { ...env, GT_PROCESS_NAMES: 'foo,houseagent' } })).toMatchObject({
      state: 'held',
    });
    expect(await judge(ADA, { agents: ['houseagent'] })).toMatchObject({ state: 'held' });
    town.write('lock-doctor.json', '{"agents":["houseagent"]}');
    expect(await judge()).toMatchObject({ state: 'held' });
  });

  tmuxTest("any program but a shell in this worker's session → held", async () => {
    const { town, startTmux, judge } = setStage();
    await sessionOf(await startTmux(), `${GT}-crew-ada`, town.path(ADA), { command: 'mystery' });
    town.lock(ADA, { session_id: NO_PANE });
    expect(await judge()).toMatchObject({ state: 'held', notes: ['drifted'] });
  });

  tmuxTest('a worker name that is not ASCII is matched in the locale of cron', async () => {
    const worker = 'gastown/crew/町';
    const { town, startTmux, judge, env } = setStage({ workers: [worker] });
    const pane = await sessionOf(await startTmux(), `${GT}-crew-町`, town.path(worker));
    town.lock(worker, { session_id: `${GT}-crew-町`, acquired_at: now() });
    expect(await judge(worker, { env: { ...env, LC_ALL: 'C' } })).toMatchObject({
      state: 'held',
      holder: { session: 'live', pane: { id: pane.paneId, sessionName: `${GT}-crew-町` } },
    });
  });

  tmuxTest('a worker name with spaces, quotes, backslashes and a line break is matched', async () => {
    const worker = 'gastown/crew/a b\\"c\'\nd%0 $1';
    const { town, startTmux, judge } = setStage({ workers: [worker] });
    const server = await startTmux();
    const pane = await sessionOf(server, 'scratch', town.path(worker));
    await sessionOf(server, 'beside', town.path(BOB));
    town.lock(worker, { session_id: NO_PANE });
    expect(await judge(worker)).toMatchObject({ state: 'held', notes: ['drifted'] });
    server.tmux('kill-pane', '-t', pane.paneId);
    expect(await judge(worker)).toMatchObject({ state: 'stale' });
  });

  tmuxTest('$N names a session by ID, other text a session by its exact name → held', async () => {
    const { town, startTmux, judge } = setStage();
    const server = await startTmux();
    fillPanes(server, 2);
    const pane = await sessionOf(server, 'scratch', town.path(ADA));
    town.lock(ADA, { session_id: '$2', acquired_at: now() });
    expect(pane.sessionId).toBe('$2');
    expect(await judge()).toMatchObject({ state: 'held', holder: { session: 'live' } });
    town.lock(ADA, { session_id: 'scratch', acquired_at: now() });
    expect(await judge()).toMatchObject({ state: 'held', holder: { session: 'live' } });
  });

  tmuxTest('a pane without its own GT_ROLE does not inherit that of its server', async () => {
    const { town, startTmux, judge } = setStage();
    const server = await startTmux({
      env: { GT_ROLE: 'gastown/crew/bob', GT_RIG: 'gastown', GT_CREW: 'bob' },
    });
    const pane = await sessionOf(server, 'scratch', town.path(ADA));
    town.lock(ADA, { session_id: pane.paneId, acquired_at: now() });
    town.lock(BOB, { session_id: NO_PANE, acquired_at: now() }, { ageSeconds: 3600 });
    expect(await judge()).toMatchObject({ state: 'held', holder: { session: 'live' } });
    expect(await judge(BOB)).toMatchObject({ state: 'stale' });
  });
});

describe('panes: proven dead holders', () => {
  tmuxTest("%2 is now another worker's shell, its own agent is gone → stale", async () => {
    const { town, startTmux, look, judge } = setStage();
    const server = await startTmux();
    fillPanes(server, 2);
    const pane = await shellSessionOf(server, `${GT}-crew-bob`, town.path(BOB));
    expect(pane.paneId).toBe('%2');
    town.lock(ADA, { session_id: '%2', acquired_at: now() });
    expect(await judge()).toMatchObject({
      state: 'stale',
      reasons: ['process-gone', 'pane-recycled'],
      holder: { session: 'gone' },
    });
    expect(await look()).toMatchObject({ exitCode: 1, complete: true, summary: { stale: 1 } });
  });

  tmuxTest("an idle shell in another worker's directory, in a session of any name → stale", async () => {
    const { town, startTmux, judge } = setStage();
    const pane = await shellSessionOf(await startTmux(), 'scratch', town.path(BOB));
    town.lock(ADA, { session_id: pane.paneId, acquired_at: now() });
    expect(await judge()).toMatchObject({ state: 'stale', reasons: ['process-gone', 'pane-recycled'] });
  });

  tmuxTest('an agent whose GT_ROLE names another worker is not the holder → stale', async () => {
    const { town, startTmux, judge } = setStage();
    const pane = await sessionOf(await startTmux(), 'scratch', town.path(BOB), {
      env: { GT_ROLE: 'gastown/crew/bob' },
    });
    town.lock(ADA, { session_id: pane.paneId, acquired_at: now() });
    expect(await judge()).toMatchObject({ state: 'stale', reasons: ['process-gone', 'pane-recycled'] });
  });

  tmuxTest('crew and polecat both called joe, only the polecat alive, lock in crew/joe → stale', async () => {
    const { town, startTmux, judge } = setStage({ workers: [JOE, POLECAT_JOE] });
    await sessionOf(await startTmux(), `${GT}-joe`, town.path(POLECAT_JOE));
    town.lock(JOE, { session_id: 'gastown/joe', acquired_at: now() });
    town.lock(POLECAT_JOE, { session_id: 'gastown/joe', acquired_at: now(), pid: 4_194_306 });
    expect(await judge(JOE)).toMatchObject({ state: 'stale' });
    expect(await judge(POLECAT_JOE)).toMatchObject({ state: 'held', holder: { session: 'live' } });
  });

  tmuxTest('server restarted, %3 is now the witness → stale', async () => {
    const { town, startTmux, judge } = setStage({ workers: [ADA, 'gastown/witness'] });
    const server = await startTmux();
    fillPanes(server, 3);
    const pane = await sessionOf(server, `${GT}-witness`, town.path('gastown/witness'));
    expect(pane.paneId).toBe('%3');
    town.lock(ADA, { session_id: '%3' });
    expect(await judge()).toMatchObject({ state: 'stale', reasons: ['process-gone', 'pane-recycled'] });
  });

  tmuxTest('server restarted, %3 is now an unknown agent → stale, because the lock is older', async () => {
    const { town, startTmux, judge } = setStage();
    const server = await startTmux();
    fillPanes(server, 4);
    town.lock(ADA, { session_id: '%3' });
    const lock = await judge();
    expect(lock).toMatchObject({ state: 'stale', reasons: ['process-gone', 'pane-recycled'] });
    expect(textsOf(lock)).toMatch(/tmux server that started after the lock was taken/);
  });

  tmuxTest('pane_dead=1 → gone', async () => {
    const { town, startTmux, judge } = setStage();
    const server = await startTmux();
    server.newSession('keeper', { cwd: '/' });
    server.tmux('set-option', '-g', 'remain-on-exit', 'on');
    const pane = server.newSession(`${GT}-crew-ada`, {
      cwd: town.path(ADA),
      command: ['sh', '-c', 'exit 3'],
    });
    await until(
      () => server.tmux('display-message', '-p', '-t', pane.paneId, '#{pane_dead}').trim() === '1',
      'the end of the pane',
    );
    town.lock(ADA, { session_id: pane.paneId, acquired_at: now() });
    expect(await judge()).toMatchObject({
      state: 'stale',
      reasons: ['process-gone', 'pane-dead'],
      holder: { session: 'gone' },
    });
  });

  tmuxTest('%N is not a session ID and $N is not a pane ID → stale', async () => {
    const { town, startTmux, judge } = setStage();
    const server = await startTmux();
    server.newSession('one', { cwd: '/' });
    server.splitWindow('one', { cwd: '/' });
    server.splitWindow('one', { cwd: '/' });
    town.lock(ADA, { session_id: '$2', acquired_at: now() });
    expect(await judge()).toMatchObject({ state: 'stale', holder: { session: 'gone' } });
    await server.stop();
    const again = await startTmux();
    again.newSession('one', { cwd: '/' });
    again.splitWindow('one', { cwd: '/' });
    again.newSession('two', { cwd: '/' });
    again.tmux('kill-pane', '-t', '%1');
    expect(again.panes().map(({ sessionId, paneId }) => `${sessionId} ${paneId}`)).toEqual([
      '$0 %0',
      '$1 %2',
    ]);
    town.lock(ADA, { session_id: '%1', acquired_at: now() });
    expect(await judge()).toMatchObject({ state: 'stale', holder: { session: 'gone' } });
  });

  tmuxTest('a session name is matched exactly, not by its prefix → stale', async () => {
    const { town, startTmux, judge } = setStage({ workers: [ADA, 'gastown/crew/adalbert'] });
    await sessionOf(await startTmux(), `${GT}-crew-adalbert`, town.path('gastown/crew/adalbert'));
    town.lock(ADA, { session_id: `${GT}-crew-ada`, acquired_at: now() });
    expect(await judge()).toMatchObject({ state: 'stale', holder: { session: 'gone' } });
  });

  tmuxTest('a lock that names no session (missing, empty or /), agent gone → stale', async () => {
    const { town, startTmux, judge } = setStage();
    await startTmux();
    for (const session of [undefined, '', '/']) {
      town.lock(ADA, { session_id: session });
      expect(await judge()).toMatchObject({ state: 'stale', reasons: ['process-gone', 'session-unnamed'] });
    }
  });

  tmuxTest('an editor, a pager and a dev server are not agents, but are mentioned', async () => {
    const { town, startTmux, judge } = setStage();
    const server = await startTmux();
    for (const command of ['vim', 'less', 'vite'])
      await sessionOf(server, `${GT}-crew-ada-${command}`, town.path(ADA), {
        command,
        env: { GT_ROLE: 'gastown/crew/ada' },
      });
    town.lock(ADA);
    const lock = await judge();
    expect(lock).toMatchObject({ state: 'stale' });
    for (const command of ['vim', 'less', 'vite'])
      expect(textsOf(lock)).toMatch(new RegExp(`only ${command}`));
  });

  tmuxTest("a window that is linked into another worker's session belongs to the agent's place", async () => {
    const { town, startTmux, judge, ask } = setStage();
    const server = await startTmux();
    const ada = await sessionOf(server, `${GT}-crew-ada`, town.path(ADA));
    await shellSessionOf(server, `${GT}-crew-bob`, town.path(BOB));
    server.tmux('link-window', '-s', ada.paneId, '-t', `${GT}-crew-bob:5`);
    expect(await ask([BOB, ADA])).toMatchObject({ results: [{ answer: 'free' }, { answer: 'held' }] });
    town.lock(BOB, { session_id: NO_PANE });
    town.lock(ADA, { session_id: NO_PANE });
    expect(await judge(BOB)).toMatchObject({ state: 'stale' });
    const lock = await judge(ADA);
    expect(lock).toMatchObject({ state: 'held', notes: expect.arrayContaining(['drifted']) });
    expect(textsOf(lock)).toContain(`claude is running in pane ${ada.paneId} of session ${GT}-crew-ada`);
  });

  tmuxTest('an identity that fits panes of several rigs is decided by the directory', async () => {
    const elsewhere = 'beads/crew/joe';
    const { town, startTmux, judge } = setStage({
      workers: [JOE, elsewhere],
      rigs: { gastown: GT, beads: GT },
    });
    await sessionOf(await startTmux(), `${GT}-crew-joe`, town.path(elsewhere));
    town.lock(JOE, { session_id: 'gastown/joe', acquired_at: now() });
    town.lock(elsewhere, { session_id: 'beads/joe', acquired_at: now() });
    expect(await judge(JOE)).toMatchObject({ state: 'stale' });
    expect(await judge(elsewhere)).toMatchObject({ state: 'held', holder: { session: 'live' } });
  });
});

describe('panes: one agent, several locks', () => {
  tmuxTest('locks in a worker and its parent for the same pane → one agent', async () => {
    const inner = 'gastown/polecats/toast/gastown';
    const outer = 'gastown/polecats/toast';
    const { town, startTmux, look } = setStage({ workers: [inner] });
    const pane = await sessionOf(await startTmux(), `${GT}-toast`, town.path(inner));
    town.lock(inner, { session_id: pane.paneId, acquired_at: now() });
    town.lock(outer, { session_id: pane.paneId, acquired_at: now(), pid: 4_194_306 });
    const report = await look();
    expect(report.summary).toMatchObject({ locks: 2, held: 2, collisions: 0 });
    expect(report.exitCode).toBe(0);
  });

  tmuxTest("a lock in the town's root by an agent that works below it → held, no collision", async () => {
    const { town, startTmux, look } = setStage();
    const pane = await sessionOf(await startTmux(), `${GT}-crew-ada`, town.path(ADA));
    town.lock('.', { session_id: pane.paneId, acquired_at: now() });
    town.lock(ADA, { session_id: pane.paneId, acquired_at: now(), pid: 4_194_306 });
    expect((await look()).summary).toMatchObject({ locks: 2, held: 2, collisions: 0 });
  });

  tmuxTest('a cross-rig worktree belongs to the crew member in its name', async () => {
    const worktree = 'gastown/crew/beads-wolf';
    const { town, startTmux, judge } = setStage({
      workers: [worktree, 'beads/crew/wolf'],
      rigs: { gastown: GT, beads: 'bd' },
    });
    const pane = await sessionOf(await startTmux(), 'bd-crew-wolf', town.path(worktree), {
      env: { GT_ROLE: 'beads/crew/wolf' },
    });
    town.lock(worktree, { session_id: pane.paneId, acquired_at: now() });
    expect(await judge(worktree)).toMatchObject({ state: 'held', holder: { session: 'live' } });
  });

  test('an agent outside tmux holds its worker, whatever pane the lock names', async () => {
    const { town, judge } = setStage();
    await fakeAgent('claude', { cwd: town.path(ADA) });
    town.lock(ADA, { session_id: '%3' });
    expect(await judge()).toMatchObject({ state: 'held', notes: ['drifted'] });
  });
});

const hasStrace = spawnSync('strace', ['-V']).status === 0;

(hasStrace ? linuxTmuxTest : test.skip)(
  'a pane whose process is a fork of the server still may become an agent → unsure (skipped without strace)',
  async () => {
    const { town, startTmux, ask, judge } = setStage();
    const server = await startTmux();
    server.newSession('other', { cwd: '/' });
    const agent = sleeperNamed('new-agent');
    // The fork waits before it starts this program, and the server and what else it starts do not.
    const delay = ['-P', agent, '-e', 'trace=execve', '-e', 'inject=execve:delay_enter=600000000'];
    const strace = await startProcess('strace', ['-f', '-qq', ...delay, '-p', String(server.pid)]);
    const isTraced = () => !readFileSync(`/proc/${server.pid}/status`, 'utf8').includes('TracerPid:\t0\n');
    await until(isTraced, 'strace');
    const pane = server.newSession('new', { cwd: town.path(ADA), command: [agent, '600'] });
    onCleanUp(() => void process.kill(pane.pid, 'SIGKILL'));
    const comm = () => readFileSync(`/proc/${pane.pid}/comm`, 'utf8');
    await until(() => readlinkSync(`/proc/${pane.pid}/cwd`) === town.path(ADA), 'the place of the fork');
    expect(comm()).toMatch(/^tmux/);
    expect((await ask()).results[0]).toMatchObject({ answer: 'unsure' });
    town.lock(ADA, { session_id: NO_PANE });
    expect(await judge()).toMatchObject({ state: 'unknown' });
    expect(comm()).toMatch(/^tmux/);
    await strace.stop();
  },
);
