/** What is a collision, and what is not. */
import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect } from '@jest/globals';
import type { Report } from '../../src/core/types/report.ts';
import { examine } from '../../src/diagnose.ts';
import { doctor, PROGRAM } from '../cli/run-cli.ts';
import {
  cleanUp,
  deadPid,
  fakeAgent,
  onCleanUp,
  sleeperNamed,
  startProcess,
  until,
} from '../support/index.ts';
import {
  ADA,
  BOB,
  GT,
  hostTest,
  lockOf,
  NO_PANE,
  now,
  sessionOf,
  setStage,
  settled,
  shellSessionOf,
  tmuxTest,
} from './stage.ts';

afterEach(cleanUp);

const collisionsOf = (report: Report) =>
  report.findings
    .filter(({ check }) => check === 'collision')
    .map(({ worker, evidence }) => ({ worker, claims: evidence.length }));

describe('collisions that are reported', () => {
  tmuxTest('one identity alive on two sockets → collision', async () => {
    const { town, startTmux, look, ask } = setStage();
    const [one, two] = [await startTmux({ name: 'one' }), await startTmux({ name: 'two' })];
    const pane = await sessionOf(one, `${GT}-crew-ada`, town.path(ADA));
    await sessionOf(two, `${GT}-crew-ada`, town.path(ADA));
    town.lock(ADA, { session_id: 'gastown/ada', acquired_at: now() }, { ageSeconds: 3600 });
    const report = await look();
    expect(lockOf(report, ADA).state).toBe('held');
    expect(collisionsOf(report)).toEqual([{ worker: ADA, claims: 2 }]);
    expect(report).toMatchObject({ exitCode: 1, summary: { collisions: 1, fixable: 0 } });
    expect(report.findings[0]).toMatchObject({ severity: 'error', fix: { action: 'advice' } });
    const texts = JSON.stringify(report.findings[0]?.evidence);
    for (const { socket } of [one, two]) expect(texts).toContain(socket);
    expect(await ask()).toMatchObject({ exitCode: 20, results: [{ answer: 'held' }] });
    expect(pane.paneId).toBe('%0');
  });

  tmuxTest('two agents in two panes of one server, without a lock → collision', async () => {
    const { town, startTmux, look } = setStage();
    const server = await startTmux();
    await sessionOf(server, `${GT}-crew-ada`, town.path(ADA));
    await sessionOf(server, 'scratch', town.path(ADA));
    const report = await look();
    expect(collisionsOf(report)).toEqual([{ worker: ADA, claims: 2 }]);
    expect(report.exitCode).toBe(1);
  });

  tmuxTest('two agents in two windows of one session → collision; in one window → a team', async () => {
    const { town, startTmux, look } = setStage();
    const server = await startTmux();
    await sessionOf(server, `${GT}-crew-ada`, town.path(ADA));
    const other = await settled(
      server.splitWindow(`${GT}-crew-ada`, { cwd: town.path(ADA), command: [sleeperNamed('codex'), '600'] }),
      'codex',
    );
    expect(collisionsOf(await look())).toEqual([]);
    server.tmux('break-pane', '-d', '-s', other.paneId);
    expect(collisionsOf(await look())).toEqual([{ worker: ADA, claims: 2 }]);
  });

  tmuxTest('an agent in its pane and another one outside tmux → collision', async () => {
    const { town, startTmux, look } = setStage();
    const pane = await sessionOf(await startTmux(), `${GT}-crew-ada`, town.path(ADA));
    await fakeAgent('codex', { cwd: town.path(ADA) });
    town.lock(ADA, { session_id: pane.paneId, acquired_at: now() }, { ageSeconds: 3600 });
    expect(collisionsOf(await look())).toEqual([{ worker: ADA, claims: 2 }]);
  });

  hostTest('two agents outside tmux → collision', async () => {
    const { town, look } = setStage();
    await fakeAgent('codex', { cwd: town.path(ADA) });
    await fakeAgent('claude', { cwd: town.path(ADA) });
    expect(collisionsOf(await look())).toEqual([{ worker: ADA, claims: 2 }]);
  });

  tmuxTest('one live pane that the locks of several workers claim → collision', async () => {
    const { town, startTmux, look } = setStage();
    const pane = await sessionOf(await startTmux(), 'scratch', town.root);
    town.lock(ADA, { session_id: pane.paneId, acquired_at: now() }, { ageSeconds: 3600 });
    town.lock(BOB, { session_id: pane.paneId, acquired_at: now(), pid: deadPid() + 1 }, { ageSeconds: 3600 });
    const report = await look();
    expect(report.summary).toMatchObject({ held: 2, collisions: 1 });
    expect(collisionsOf(report)).toEqual([{ worker: ADA, claims: 2 }]);
  });

  hostTest('one live process that the locks of several workers claim → collision', async () => {
    const { town, look } = setStage();
    const { pid } = await fakeAgent('claude', { cwd: '/' });
    town.lock(ADA, { pid, acquired_at: now() }, { ageSeconds: 3600 });
    town.lock(BOB, { pid, acquired_at: new Date(Date.now() + 5).toISOString() }, { ageSeconds: 3600 });
    const report = await look();
    expect(collisionsOf(report)).toEqual([{ worker: ADA, claims: 2 }]);
    expect(report.findings.find(({ check }) => check === 'collision')?.message).toContain(BOB);
  });
});

/** A repository outside any town, with a linked working tree at `at`. */
const makeTrees = (at: string) => {
  const stage = setStage({ marked: false, workers: [] });
  const git = (...words: string[]): void => {
    execFileSync('git', ['-C', stage.town.root, '-c', 'user.name=t', '-c', 'user.email=t@t', ...words]);
  };
  git('init', '-q');
  git('commit', '-q', '--allow-empty', '-m', 'begin');
  git('worktree', 'add', '-q', at);
  return stage;
};

describe('collisions without a town', () => {
  tmuxTest('two agents in one linked working tree → collision, which explain reports', async () => {
    const { town, startTmux, look, ask, env } = makeTrees('feature-3');
    const server = await startTmux();
    for (const name of ['a', 'b']) await sessionOf(server, name, town.path('feature-3'));
    const report = await look();
    expect(collisionsOf(report)).toEqual([{ worker: 'feature-3', claims: 2 }]);
    expect(report).toMatchObject({ exitCode: 1, summary: { collisions: 1 } });
    expect(report.findings[0]).toMatchObject({ severity: 'error', id: 'collision:feature-3', lock: null });
    expect(collisionsOf(await look({ scan: 'deep' }))).toHaveLength(1);
    expect(collisionsOf(await look({ scan: 'quick' }))).toHaveLength(1);
    expect(await ask('feature-3')).toMatchObject({ exitCode: 20, results: [{ answer: 'held' }] });
    expect(await ask('.')).toMatchObject({ results: [{ answer: 'free' }] });
    const inside = await examine(town.path('feature-3'), { env, cwd: '/' });
    expect(collisionsOf(inside)).toEqual([{ worker: '.', claims: 2 }]);
    const explained = doctor(['explain', 'feature-3', '--town', town.root], { env });
    expect(explained.stdout).toMatch(/: collision\n[\s\S]*2 live agents share this worker/);
  });

  tmuxTest('explain says how to look at each agent, in its pane or among the processes', async () => {
    const { town, startTmux, env } = makeTrees('feature-3');
    const server = await startTmux();
    const place = town.path('feature-3');
    const { paneId, pid: panePid } = await sessionOf(server, 'a', place);
    const other = await fakeAgent('codex', { cwd: place });
    const { stdout } = doctor(['explain', 'feature-3', '--town', town.root], { env });
    for (const pid of [panePid, other.pid]) expect(stdout).toContain(`process ${pid}`);
    const commands = stdout.split('\n').filter((line) => /^ *(tmux|ps) /.test(line));
    expect(commands.map((line) => line.trim())).toEqual([
      `tmux -S ${server.socket} attach-session -t '${paneId}'`,
      `ps -fp ${other.pid}`,
    ]);
    // In its own server the command would nest; that its target is there is what it needs.
    expect(server.tmux('display-message', '-p', '-t', paneId, '#{pane_pid}').trim()).toBe(`${panePid}`);
    expect(stdout).not.toMatch(/\bkill\b|kill-/);
  });

  describe('exec from the root of a repository, in a pane', () => {
    const underLock = (): readonly string[] => [
      process.execPath,
      PROGRAM,
      'exec',
      'feature-3',
      '--',
      sleeperNamed('claude'),
      '600',
    ];
    const workersOf = ({ agents }: Report) => agents.map(({ worker }) => worker);

    tmuxTest('its agent counts once, in the directory where it was started', async () => {
      const { town, startTmux, look, ask } = makeTrees('feature-3');
      const server = await startTmux();
      const { paneId } = server.newSession('work', { cwd: town.root, command: underLock() });
      await until(async () => workersOf(await look()).includes('feature-3'), 'the agent under exec');
      const report = await look();
      expect(report).toMatchObject({ exitCode: 0, agents: [{ worker: 'feature-3', pane: { id: paneId } }] });
      expect(report.agents).toHaveLength(1);
      expect(await ask('.')).toMatchObject({ results: [{ answer: 'free' }] });
      expect(await ask('feature-3')).toMatchObject({ exitCode: 20 });
      server.splitWindow('work', { cwd: town.root, command: [sleeperNamed('codex'), '600'] });
      await until(async () => workersOf(await look()).length === 2, 'the agent at the root');
      expect(workersOf(await look())).toEqual(['feature-3', '.']);
      expect(await ask('.')).toMatchObject({ exitCode: 20 });
    });

    tmuxTest('another agent started by the same shell is seen at the root', async () => {
      const { town, startTmux, look, ask, judge } = makeTrees('feature-3');
      const [node, ...args] = underLock();
      const script = `codex="$1"; shift; "$codex" 600 & "$@"`;
      const command = ['sh', '-c', script, 'sh', sleeperNamed('codex'), node ?? '', ...args];
      (await startTmux()).newSession('work', { cwd: town.root, command });
      await until(async () => (await judge('feature-3').catch(() => null))?.state === 'held', 'the lock');
      await until(async () => workersOf(await look()).includes('.'), 'the agent at the root');
      expect((await look()).agents).toMatchObject([{ worker: '.', command: 'codex' }]);
      expect(await ask('.')).toMatchObject({ exitCode: 20 });
    });

    tmuxTest('an unknown program is in doubt where it was started, and nowhere else', async () => {
      const { town, startTmux, ask, judge } = makeTrees('feature-3');
      const command = [...underLock().slice(0, 5), sleeperNamed('my-robot'), '600'];
      (await startTmux()).newSession('work', { cwd: town.root, command });
      await until(async () => (await judge('feature-3').catch(() => null))?.state === 'held', 'the lock');
      expect(await ask('.')).toMatchObject({ results: [{ answer: 'free' }] });
      expect(await ask('feature-3')).toMatchObject({ exitCode: 20 });
    });
  });

  hostTest('two agents in one plain directory, and two in one below it → two collisions', async () => {
    const { town, look } = setStage({ marked: false, workers: [] });
    for (const place of ['notes', 'notes/old'])
      for (const name of ['claude', 'codex']) await fakeAgent(name, { cwd: town.worker(place) });
    expect(collisionsOf(await look())).toEqual([
      { worker: 'notes', claims: 2 },
      { worker: 'notes/old', claims: 2 },
    ]);
  });

  hostTest('an agent in a subdirectory belongs to its working tree → collision there', async () => {
    const { town, look } = makeTrees('feature-3');
    await fakeAgent('claude', { cwd: town.worker('feature-3/src/deep') });
    await fakeAgent('codex', { cwd: town.path('feature-3') });
    expect(collisionsOf(await look())).toEqual([{ worker: 'feature-3', claims: 2 }]);
  });

  hostTest('agents in the main working tree and in one nested in it → no collision', async () => {
    const { town, look, ask } = makeTrees('.claude/worktrees/x');
    await fakeAgent('claude', { cwd: town.path('.claude/worktrees/x') });
    town.lock('.');
    const report = await look();
    expect(report.locks[0]).toMatchObject({ worker: '.', state: 'stale' });
    expect(await ask('.')).toMatchObject({ results: [{ answer: 'repair' }] });
    await fakeAgent('codex', { cwd: town.worker('src') });
    const both = await look();
    expect(both.locks[0]).toMatchObject({
      worker: '.',
      state: 'held',
      reasons: expect.arrayContaining(['occupied']),
    });
    expect(collisionsOf(both)).toEqual([]);
  });

  hostTest('an agent in a submodule holds the lock of the tree around it', async () => {
    const { town, look } = makeTrees('feature-3');
    town.write('feature-3/vendor/lib/.git', 'gitdir: ../../../.git/modules/vendor/lib\n');
    await fakeAgent('claude', { cwd: town.path('feature-3/vendor/lib') });
    town.lock('feature-3');
    expect((await look()).locks[0]).toMatchObject({ worker: 'feature-3', state: 'held' });
  });

  hostTest('one agent in a directory and one below it, without a repository → no collision', async () => {
    const { town, look } = setStage({ marked: false, workers: [] });
    await fakeAgent('claude', { cwd: town.root });
    await fakeAgent('codex', { cwd: town.worker('notes') });
    expect(collisionsOf(await look())).toEqual([]);
  });

  hostTest('agents in a subdirectory hold the lock of the directory above', async () => {
    const { town, look } = setStage({ marked: false, workers: [] });
    await fakeAgent('claude', { cwd: town.worker('jobs/build') });
    town.lock('jobs');
    expect((await look()).locks[0]).toMatchObject({ worker: 'jobs', state: 'held' });
  });

  tmuxTest('an agent and its teammate → one party, no collision', async () => {
    const { town, startTmux, look } = makeTrees('feature-3');
    const server = await startTmux();
    await sessionOf(server, 'a', town.path('feature-3'));
    await settled(
      server.splitWindow('a', { cwd: town.path('feature-3'), command: [sleeperNamed('codex'), '600'] }),
      'codex',
    );
    expect(collisionsOf(await look())).toEqual([]);
  });

  hostTest("two agents in a town's directory that belongs to no worker → collision", async () => {
    const { town, look } = setStage();
    for (const name of ['claude', 'codex']) await fakeAgent(name, { cwd: town.worker('scratch') });
    expect(collisionsOf(await look())).toEqual([{ worker: 'scratch', claims: 2 }]);
  });
});

describe('collisions that are not reported', () => {
  tmuxTest('grouped session → no collision', async () => {
    const { town, startTmux, look } = setStage();
    const server = await startTmux();
    const pane = await sessionOf(server, `${GT}-crew-ada`, town.path(ADA));
    server.tmux('new-session', '-d', '-t', `${GT}-crew-ada`, '-s', 'viewer');
    expect(server.panes().map(({ paneId }) => paneId)).toEqual([pane.paneId, pane.paneId]);
    town.lock(ADA, { session_id: pane.paneId, acquired_at: now() }, { ageSeconds: 3600 });
    const report = await look();
    expect(collisionsOf(report)).toEqual([]);
    expect(report.exitCode).toBe(0);
  });

  tmuxTest('a window linked into another session → no collision', async () => {
    const { town, startTmux, look } = setStage();
    const server = await startTmux();
    const pane = await sessionOf(server, `${GT}-crew-ada`, town.path(ADA));
    server.newSession('viewer', { cwd: '/' });
    server.tmux('link-window', '-s', `${GT}-crew-ada:0`, '-t', 'viewer:5');
    town.lock(ADA, { session_id: pane.paneId, acquired_at: now() }, { ageSeconds: 3600 });
    const report = await look();
    expect(collisionsOf(report)).toEqual([]);
    expect(report.exitCode).toBe(0);
  });

  tmuxTest('extra shells, an editor and a dev server → no collision', async () => {
    const { town, startTmux, look } = setStage();
    const server = await startTmux();
    const pane = await sessionOf(server, `${GT}-crew-ada`, town.path(ADA));
    await shellSessionOf(server, `${GT}-crew-ada-2`, town.path(ADA), { GT_ROLE: 'gastown/crew/ada' });
    for (const command of [
      ['sh', '-c', 'read never; exit'],
      [sleeperNamed('vim'), '600'],
      [sleeperNamed('vite'), '600'],
    ])
      await settled(server.splitWindow(`${GT}-crew-ada`, { cwd: town.path(ADA), command }), command[0] ?? '');
    town.lock(ADA, { session_id: pane.paneId, acquired_at: now() }, { ageSeconds: 3600 });
    const report = await look();
    expect(collisionsOf(report)).toEqual([]);
    expect(report.exitCode).toBe(0);
  });

  tmuxTest('subagent processes of one agent → no collision', async () => {
    const { town, startTmux, look } = setStage();
    const server = await startTmux();
    const [claude, codex] = [sleeperNamed('claude'), sleeperNamed('codex')];
    const pane = server.newSession(`${GT}-crew-ada`, {
      cwd: town.path(ADA),
      command: ['sh', '-c', `'${claude}' 600 & '${codex}' 600 & '${claude}' 600; exit`],
    });
    town.lock(ADA, { session_id: pane.paneId, acquired_at: now() }, { ageSeconds: 3600 });
    await until(async () => (await look()).locks[0]?.reasons.includes('occupied'), 'the agents');
    expect(collisionsOf(await look())).toEqual([]);
  });

  hostTest('subagents of an agent outside tmux → no collision', async () => {
    const { town, look } = setStage();
    const script = town.write(
      'node_modules/claude-code/cli.js',
      `require('node:child_process').spawn('${sleeperNamed('codex')}', ['600'], { cwd: '${town.path(ADA)}' });
       setInterval(() => {}, 1000); process.on('SIGTERM', () => process.exit());`,
    );
    const outer = await startProcess(process.execPath, [script], { cwd: town.path(ADA), detached: true });
    onCleanUp(() => {
      try {
        process.kill(-outer.pid, 'SIGKILL');
      } catch {
        // Both ended already.
      }
    });
    town.lock(ADA);
    await until(async () => (await look()).locks[0]?.state === 'held', 'the agents');
    expect(collisionsOf(await look())).toEqual([]);
  });

  hostTest('two dead locks with the same PID, and two with a reused PID → no collision', async () => {
    const { town, look } = setStage();
    const { pid } = await fakeAgent('chrome', { cwd: '/' });
    for (const shared of [deadPid(), pid]) {
      town.lock(ADA, { pid: shared, session_id: NO_PANE });
      town.lock(BOB, { pid: shared, session_id: NO_PANE, acquired_at: '2026-01-01T00:00:00Z' });
      await until(async () => (await look()).summary?.stale === 2, 'two stale locks');
      expect(collisionsOf(await look())).toEqual([]);
    }
  });

  tmuxTest('the recorded helper still runs beside the agent in its pane → one agent', async () => {
    const { town, startTmux, look } = setStage();
    const pane = await sessionOf(await startTmux(), `${GT}-crew-ada`, town.path(ADA));
    const helper = await fakeAgent('gt', { cwd: town.path(ADA) });
    town.lock(ADA, { pid: helper.pid, session_id: pane.paneId, acquired_at: now() });
    const report = await look();
    expect(lockOf(report, ADA)).toMatchObject({ state: 'held' });
    expect(collisionsOf(report)).toEqual([]);
  });

  tmuxTest('a crew member and a polecat of the same name, both alive → no collision', async () => {
    const [crew, polecat] = ['gastown/crew/joe', 'gastown/polecats/joe'];
    const { town, startTmux, look } = setStage({ workers: [crew, polecat] });
    const server = await startTmux();
    await sessionOf(server, `${GT}-crew-joe`, town.path(crew));
    await sessionOf(server, `${GT}-joe`, town.path(polecat));
    town.lock(crew, { session_id: 'gastown/joe', acquired_at: now() });
    town.lock(polecat, { session_id: 'gastown/joe', acquired_at: now(), pid: deadPid() + 1 });
    const report = await look();
    expect(report.summary).toMatchObject({ held: 2, collisions: 0 });
    for (const worker of [crew, polecat]) expect(lockOf(report, worker).holder?.session).toBe('live');
  });

  tmuxTest("an agent that visits another worker's directory → no collision there", async () => {
    const { town, startTmux, look } = setStage();
    const server = await startTmux();
    const ada = await sessionOf(server, `${GT}-crew-ada`, town.path(ADA));
    const bob = await sessionOf(server, `${GT}-crew-bob`, town.path(ADA));
    town.lock(ADA, { session_id: ada.paneId, acquired_at: now() }, { ageSeconds: 3600 });
    town.lock(BOB, { session_id: bob.paneId, acquired_at: now(), pid: deadPid() + 1 }, { ageSeconds: 3600 });
    const report = await look();
    expect(report.summary).toMatchObject({ held: 2, collisions: 0 });
  });

  tmuxTest('an agent and its teammate in panes of one window → held, note team, no collision', async () => {
    const { town, startTmux, look } = setStage();
    const server = await startTmux();
    const lead = await sessionOf(server, `${GT}-crew-ada`, town.path(ADA));
    const [node, script] = [process.execPath, town.write('.bin/claude', 'setTimeout(() => {}, 600_000);')];
    const beside = server.splitWindow(`${GT}-crew-ada`, {
      cwd: town.path(ADA),
      command: [node, script, '--agent-id', 'one@t', '--team-name', 't'],
    });
    await settled(beside, node);
    town.lock(ADA, { session_id: lead.paneId, acquired_at: now() });
    const report = await look();
    expect(lockOf(report, ADA)).toMatchObject({ state: 'held', notes: ['team'] });
    expect([report.summary?.collisions, report.exitCode]).toEqual([0, 0]);
  });

  tmuxTest('a teammate in another window → one party; a second leader → collision', async () => {
    const { town, startTmux, look } = setStage();
    const server = await startTmux();
    const lead = await sessionOf(server, `${GT}-crew-ada`, town.path(ADA));
    const script = town.write('.bin/claude', 'setTimeout(() => {}, 600_000);');
    const start = async (name: string, ...more: string[]): Promise<void> => {
      const pane = server.newSession(name, {
        cwd: town.path(ADA),
        command: [process.execPath, script, ...more],
      });
      await settled(pane, process.execPath);
    };
    town.lock(ADA, { session_id: lead.paneId, acquired_at: now() });
    await start('mate', '--parent-session-id=1234');
    expect(lockOf(await look(), ADA)).toMatchObject({ state: 'held', notes: ['team'] });
    await start('rival');
    expect((await look()).summary?.collisions).toBe(1);
  });
});
