/** Situations that depend on which tmux servers were reached. All servers are real and private. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { townSocketNames } from '../../src/evidence/tmux/tmux.ts';
import { doctor } from '../cli/run-cli.ts';
import {
  canBecomeOthers,
  cleanUp,
  fakeAgent,
  isRunning,
  makeTmuxTmpdir,
  OTHER_UID,
  until,
} from '../support/index.ts';
import {
  ADA,
  askElsewhere,
  BOB,
  bareEnvironment,
  fillPanes,
  GT,
  hostTest,
  linuxTest,
  linuxTmuxTest,
  lockOf,
  NO_PANE,
  now,
  sessionOf,
  setStage,
  textsOf,
  tmuxTest,
} from './stage.ts';

afterEach(cleanUp);

/** Enough for a healthy answer on a busy machine; no server in these stories answers late. */
const SHORT_MS = 250;

/** What a report in doubt must contain. */
const releasesNothing = { summary: { fixable: 0 } };

/** A PATH in which `tmux` is this script. */
const pathWithTmux = (script: string): string => {
  const directory = makeTmuxTmpdir();
  writeFileSync(join(directory, 'tmux'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return `${directory}:/usr/bin:/bin`;
};

/**
 * A PATH with a tmux that behaves like 2.7, which does not know `q:` in a format and replaces such a variable with nothing
 * (`format_replace` in its sources). Everything else is done by the real tmux.
 */
const pathWithTmux27 = (): string => {
  const real = execFileSync('/bin/sh', ['-c', 'command -v tmux'], { encoding: 'utf8' }).trim();
  const directory = makeTmuxTmpdir();
  const script = `#!${process.execPath}
    const { spawnSync } = require('node:child_process');
    const asOld = (word) => word.replace(/#\\{q:[^}]*\\}/g, '').replaceAll('#{version}', '2.7');
    process.exit(spawnSync('${real}', process.argv.slice(2).map(asOld), { stdio: 'inherit' }).status ?? 1);
  `.trim();
  writeFileSync(join(directory, 'tmux'), script, { mode: 0o755 });
  return `${directory}:/usr/bin:/bin`;
};

describe('servers: none is running', () => {
  hostTest('no tmux server at all, PID dead → stale', async () => {
    const { town, look, judge } = setStage();
    town.lock(ADA, { session_id: NO_PANE });
    expect(await judge()).toMatchObject({ state: 'stale', reasons: ['process-gone', 'pane-gone'] });
    expect(await look()).toMatchObject({ exitCode: 1, complete: true, summary: { stale: 1, fixable: 1 } });
  });

  hostTest('a question creates no socket directory and starts no server', async () => {
    const { town, tmuxTmpdir, look, ask } = setStage();
    town.lock(ADA, { session_id: NO_PANE });
    await look({ sockets: ['default', 'other'] });
    await ask();
    expect(readdirSync(tmuxTmpdir)).toEqual([]);
  });

  tmuxTest('tmux 2.7 (RHEL 8), which cannot quote: its sessions are still read → held', async () => {
    const { town, startTmux, env, judge, fix } = setStage();
    const server = await startTmux();
    await sessionOf(server, 'odd "na me', town.path(ADA), { command: 'some-program' });
    const path = town.lock(ADA, { session_id: 'odd "na me', acquired_at: now() });
    const old = { env: { ...env, PATH: pathWithTmux27() } };
    expect(await judge(ADA, old)).toMatchObject({ state: 'held', holder: { session: 'live' } });
    expect(await fix(old)).toMatchObject({ summary: { fixed: 0 } });
    expect(existsSync(path)).toBe(true);
    server.tmux('kill-session', '-t', 'odd "na me');
    server.newSession('elsewhere', { cwd: '/' });
    expect(await judge(ADA, old)).toMatchObject({
      state: 'stale',
      reasons: ['process-gone', 'session-gone'],
    });
  });

  tmuxTest('a server without sessions → stale', async () => {
    const { town, startTmux, look, judge } = setStage();
    const server = await startTmux();
    town.lock(ADA, { session_id: NO_PANE, acquired_at: now() });
    expect(await judge()).toMatchObject({ state: 'stale', reasons: ['process-gone', 'pane-gone'] });
    const { tmux } = await look();
    expect(tmux?.status).toBe('ok');
    expect(tmux?.servers[0]).toMatchObject({
      ...{ socket: server.socket, status: 'ok', pid: server.pid },
      ...{ sessions: 0, panes: 0, reason: null },
    });
  });

  tmuxTest('a server killed with -9 leaves its socket file: absent, not unknown → stale', async () => {
    const { town, startTmux, look, judge } = setStage();
    const server = await startTmux();
    process.kill(server.pid, 'SIGKILL');
    await until(() => !isRunning(server.pid), 'the end of the server');
    expect(existsSync(server.socket)).toBe(true);
    await startTmux({ name: 'another' });
    town.lock(ADA, { session_id: NO_PANE });
    expect(await judge()).toMatchObject({ state: 'stale' });
    expect((await look()).tmux?.servers).toContainEqual(
      expect.objectContaining({ socket: server.socket, status: 'absent' }),
    );
  });

  tmuxTest('a file, a directory and a dangling symlink in the socket directory are not servers', async () => {
    const { town, startTmux, judge } = setStage();
    const { socket } = await startTmux();
    const directory = join(socket, '..');
    writeFileSync(join(directory, 'plain'), '');
    mkdirSync(join(directory, 'folder'));
    symlinkSync('/nowhere', join(directory, 'link'));
    town.lock(ADA, { session_id: NO_PANE });
    expect(await judge()).toMatchObject({ state: 'stale' });
  });
});

describe('servers: one was not reached', () => {
  tmuxTest('a SIGSTOPped server → unknown, --fix refuses', async () => {
    const { town, startTmux, look, judge, fix } = setStage();
    const server = await startTmux();
    server.newSession('elsewhere', { cwd: '/' });
    const path = town.lock(ADA, { session_id: NO_PANE });
    expect(await judge()).toMatchObject({ state: 'stale' });
    server.freeze();
    const report = await look({ timeoutMs: SHORT_MS });
    expect(lockOf(report, ADA)).toMatchObject({
      state: 'unknown',
      reasons: ['process-gone', 'session-unknown', 'occupants-unknown'],
      holder: { session: 'unknown' },
    });
    expect(report).toMatchObject({
      exitCode: 22,
      complete: false,
      tmux: { status: 'unknown' },
      ...releasesNothing,
    });
    expect(report.findings[0]).toMatchObject({
      fix: { text: expect.stringContaining('kill -CONT') },
      next: [['ps', '-o', 'pid,stat,user,command', '-p', `${server.pid}`]],
    });
    expect(report.gaps).toEqual([
      { what: `tmux:${server.socket}`, why: `did not answer within ${SHORT_MS} ms` },
    ]);
    expect((await fix({ timeoutMs: SHORT_MS })).summary).toMatchObject({ unknown: 1, fixed: 0 });
    expect(existsSync(path)).toBe(true);
    server.thaw();
    expect(await judge()).toMatchObject({ state: 'stale' });
    expect(await fix()).toMatchObject({ exitCode: 0, summary: { locks: 0, fixed: 1 } });
    expect(existsSync(path)).toBe(false);
  });

  tmuxTest('a SIGSTOPped server → a mistyped name is still one, and a new worker is in doubt', async () => {
    const { town, startTmux, ask } = setStage();
    (await startTmux()).freeze();
    const options = { timeoutMs: SHORT_MS };
    await expect(ask('gastown/crew/Ada', options)).rejects.toMatchObject({
      code: 'E_USAGE',
      hint: expect.stringContaining(`Did you mean ${ADA}?`),
    });
    await expect(ask('gastown', options)).rejects.toMatchObject({ hint: 'See: doctor locks' });
    expect(await ask('gastown/crew/new', options)).toMatchObject({
      exitCode: 22,
      results: [
        {
          message: expect.stringMatching(/^the directory does not exist yet; no lock, but agents may be/),
          next: [['doctor', '--town', town.root]],
        },
      ],
    });
  });

  tmuxTest('a SIGSTOPped server → explain, preflight and exec refuse a rig in the same words', async () => {
    const { town, startTmux } = setStage();
    const server = await startTmux();
    server.freeze();
    const ask = (command: string, ...more: readonly string[]) => {
      const args = [command, '--town', town.root, '--socket', server.socket, 'gastown', ...more];
      const { status, stdout, stderr } = doctor(args);
      return { status, stdout, stderr };
    };
    const refused = {
      status: 2,
      stdout: '',
      stderr: 'doctor: gastown is a rig, not a worker\nSee: doctor locks\n',
    };
    expect(ask('preflight')).toEqual(refused);
    expect(ask('explain')).toEqual(refused);
    expect(ask('exec', '--', 'true')).toEqual(refused);
  });

  tmuxTest('a SIGSTOPped server beside one that shows the agent → held', async () => {
    const { town, startTmux, judge } = setStage();
    const good = await startTmux({ name: 'good' });
    const pane = await sessionOf(good, `${GT}-crew-ada`, town.path(ADA));
    const bad = await startTmux({ name: 'bad' });
    town.lock(ADA, { session_id: pane.paneId, acquired_at: now() });
    bad.freeze();
    expect(await judge(ADA, { timeoutMs: SHORT_MS })).toMatchObject({
      state: 'held',
      holder: { session: 'live' },
    });
  });

  tmuxTest('a SIGSTOPped server, and a lock that names no session → not stale either', async () => {
    const { town, startTmux, judge } = setStage();
    const server = await startTmux();
    town.lock(ADA);
    server.freeze();
    expect(await judge(ADA, { timeoutMs: SHORT_MS })).toMatchObject({
      state: 'unknown',
      reasons: ['process-gone', 'session-unnamed', 'occupants-unknown'],
    });
  });

  tmuxTest('tmux is not in PATH while a server runs → unknown, --fix refuses', async () => {
    const { town, startTmux, look, fix, env } = setStage();
    const { socket, freeze } = await startTmux();
    // The doctor could ask it with its own executable, so it must not answer.
    freeze();
    const blind = { env: { ...env, PATH: '/nowhere' }, timeoutMs: SHORT_MS };
    const path = town.lock(ADA, { session_id: NO_PANE });
    const report = await look(blind);
    expect(lockOf(report, ADA)).toMatchObject({ state: 'unknown', holder: { session: 'unknown' } });
    expect(report).toMatchObject({ exitCode: 22, complete: false, ...releasesNothing });
    expect(report.gaps).toContainEqual({ what: `tmux:${socket}`, why: 'tmux is not installed' });
    expect(await fix(blind)).toMatchObject({
      exitCode: 22,
      summary: { fixed: 0 },
    });
    expect(existsSync(path)).toBe(true);
  });

  tmuxTest('tmux is not in PATH while a server runs: a live process still holds its lock', async () => {
    const { town, startTmux, judge, env } = setStage();
    const server = await startTmux();
    await sessionOf(server, `${GT}-crew-ada`, town.path(ADA), { command: 'mystery' });
    town.lock(ADA, { session_id: '%0', acquired_at: now() });
    // The doctor could ask it with its own executable, so it must not answer.
    server.freeze();
    const blind = { env: { ...env, PATH: '/nowhere' }, timeoutMs: SHORT_MS };
    expect(await judge(ADA, blind)).toMatchObject({ state: 'unknown' });
    town.lock(ADA, { session_id: '%0', pid: server.pid, acquired_at: now() }, { ageSeconds: 3600 });
    expect(await judge(ADA, blind)).toMatchObject({ state: 'held', holder: { process: 'alive' } });
  });

  const oddities: readonly (readonly [string, string])[] = [
    ['prints nothing', 'exit 0'],
    ['prints one line that is not an answer', 'echo "gt-crew-ada: 1 windows"'],
    ['is refused', 'echo "error connecting to $3 (Permission denied)" >&2; exit 1'],
    ['gets a path that is too long', 'echo "error connecting to $3 (File name too long)" >&2; exit 1'],
    ['is killed by a signal', 'kill -9 $$'],
    ['exits with an unknown code', 'exit 42'],
    ['never ends', 'sleep 30'],
  ];
  tmuxTest.each(oddities)('a client that %s → unknown, never stale', async (_what, script) => {
    const { town, startTmux, look, env } = setStage();
    // Otherwise the doctor would get an answer with the server's own executable.
    (await startTmux()).freeze();
    town.lock(ADA, { session_id: NO_PANE });
    const report = await look({ env: { ...env, PATH: pathWithTmux(script) }, timeoutMs: SHORT_MS });
    expect(lockOf(report, ADA)).toMatchObject({ state: 'unknown' });
    expect(report).toMatchObject({ exitCode: 22, ...releasesNothing });
  });

  (canBecomeOthers ? tmuxTest : test.skip)("another user's socket → unknown, --fix refuses", async () => {
    const { town, startTmux, env, tmuxTmpdir } = setStage();
    const server = await startTmux();
    const directory = join(tmuxTmpdir, `tmux-${OTHER_UID}`);
    mkdirSync(directory, { mode: 0o755 });
    symlinkSync(server.socket, join(directory, 'default'));
    for (const path of [tmuxTmpdir, join(server.socket, '..'), town.root]) chmodSync(path, 0o755);
    chmodSync(server.socket, 0o700);
    town.lock(ADA, { session_id: NO_PANE });
    const report = await askElsewhere(
      { town: town.root, options: { env } },
      { uid: OTHER_UID, gid: OTHER_UID },
    );
    expect(lockOf(report, ADA)).toMatchObject({ state: 'unknown', holder: { session: 'unknown' } });
    expect(report).toMatchObject({ exitCode: 22, complete: false, ...releasesNothing });
    expect(JSON.stringify(report.gaps)).toContain('belongs to user 0: not asked');
  });

  (canBecomeOthers ? tmuxTest : test.skip)('a closed socket directory → unknown', async () => {
    const { town, startTmux, env, tmuxTmpdir } = setStage();
    const { socket } = await startTmux();
    chmodSync(tmuxTmpdir, 0o755);
    chmodSync(town.root, 0o755);
    town.lock(ADA, { session_id: NO_PANE });
    const report = await askElsewhere(
      { town: town.root, options: { env: { ...env, GT_TMUX_SOCKET: socket } } },
      { uid: OTHER_UID, gid: OTHER_UID },
    );
    expect(lockOf(report, ADA)).toMatchObject({ state: 'unknown' });
    expect(report.exitCode).toBe(22);
  });
});

describe('servers: where they are found', () => {
  const socketNames = (root: string): Record<string, string> => {
    const [town = { name: '' }, legacy = { name: '' }] = townSocketNames(root);
    return { town: town.name, legacy: legacy.name };
  };

  tmuxTest.each([
    ["the town's computed socket", 'town'],
    ['a legacy socket (the base name)', 'legacy'],
    ['the default socket', 'default'],
    ['a foreign-named socket', 'somebody-elses'],
  ])('agents on %s → held', async (_what, which) => {
    const { town, startTmux, judge } = setStage();
    const name = socketNames(town.root)[which] ?? which;
    const server = await startTmux({ name });
    const pane = await sessionOf(server, 'scratch', town.path(ADA));
    town.lock(ADA, { session_id: pane.paneId, acquired_at: now() });
    expect(await judge()).toMatchObject({
      state: 'held',
      holder: { session: 'live', pane: { socket: server.socket } },
    });
  });

  test('the socket names are those that Gas Town computes', () => {
    const first = (root: string): string | undefined => townSocketNames(root)[0]?.name;
    expect(first('/home/ubuntu/gt')).toBe('gt-ae82a2');
    expect(first('/root/gt')).toBe('gt-7c82dd');
    expect(first('/tmp/fixture/My Town')).toBe('my-town-658301');
    expect(first('/srv/GasTown_2')).toBe('gastown-2-eb14b0');
    expect(first('/home/u/町')).toBe('default-735bbf');
  });

  tmuxTest('GT_TMUX_SOCKET by name and by path, the socket in TMUX and --socket are asked', async () => {
    const { town, startTmux, look, env } = setStage();
    const far = await startTmux({ socket: join(makeTmuxTmpdir(), 'far') });
    const named = await startTmux({ name: 'named' });
    town.lock(ADA, { session_id: NO_PANE });
    const asked = async (
      more: Record<string, string>,
      sockets?: readonly string[],
    ): Promise<readonly string[]> => {
      const report = await look({ env: { ...env, ...more }, sockets });
      return (report.tmux?.servers ?? []).map(({ socket, status }) => `${status} ${socket}`);
    };
    expect((await asked({ GT_TMUX_SOCKET: 'named' }))[0]).toBe(`ok ${named.socket}`);
    expect((await asked({ GT_TMUX_SOCKET: far.socket }))[0]).toBe(`ok ${far.socket}`);
    expect((await asked({ TMUX: `${far.socket},${far.pid},0` }))[0]).toBe(`ok ${far.socket}`);
    expect((await asked({}, [far.socket]))[0]).toBe(`ok ${far.socket}`);
    expect((await asked({}, ['named', far.socket])).slice(0, 2)).toEqual([
      `ok ${named.socket}`,
      `ok ${far.socket}`,
    ]);
    expect((await asked({}, ['missing']))[0]).toBe(`absent ${join(named.socket, '..', 'missing')}`);
  });

  tmuxTest.each(['', 'default', 'auto'])('GT_TMUX_SOCKET=%j is not an override', async (value) => {
    const { town, startTmux, look, env } = setStage();
    const server = await startTmux({ name: 'named' });
    town.lock(ADA);
    const { tmux } = await look({ env: { ...env, GT_TMUX_SOCKET: value } });
    expect(tmux?.servers.filter(({ status }) => status === 'absent')).toEqual([]);
    expect(tmux?.servers.map(({ socket }) => socket)).toContain(server.socket);
  });

  linuxTmuxTest('--socket with the wrong server does not hide the right one → held', async () => {
    const { town, startTmux, judge } = setStage();
    await startTmux({ name: 'wrong' });
    const pane = await sessionOf(await startTmux({ name: 'right' }), 'scratch', town.path(ADA));
    town.lock(ADA, { session_id: pane.paneId, acquired_at: now() });
    expect(await judge(ADA, { sockets: ['wrong'] })).toMatchObject({ state: 'held' });
  });

  linuxTmuxTest(
    'without TMUX_TMPDIR, as under cron, the server is found through its process → held',
    async () => {
      const { town, startTmux, look } = setStage();
      const server = await startTmux();
      const pane = await sessionOf(server, `${GT}-crew-ada`, town.path(ADA), { command: 'mystery' });
      town.lock(ADA, { session_id: pane.paneId, acquired_at: now() });
      const report = await look({ env: { PATH: process.env.PATH } });
      expect(lockOf(report, ADA)).toMatchObject({
        state: 'held',
        holder: { session: 'live', pane: { socket: server.socket } },
      });
      expect(report.tmux?.servers).toContainEqual(
        expect.objectContaining({ socket: server.socket, status: 'ok', pid: server.pid }),
      );
    },
  );

  linuxTmuxTest(
    'a socket outside every known directory (tmux -S) is found through its process → held',
    async () => {
      const { town, startTmux, judge } = setStage();
      const server = await startTmux({ socket: join(makeTmuxTmpdir(), 'some where') });
      const pane = await sessionOf(server, 'scratch', town.path(ADA));
      town.lock(ADA, { session_id: pane.paneId, acquired_at: now() });
      expect(await judge()).toMatchObject({ state: 'held', holder: { session: 'live' } });
    },
  );

  // The kernel's name of such a server is `tmux-3.5a:`, that of the next `my-tmux: server`.
  linuxTmuxTest.each(['tmux-3.5a', 'my-tmux'])(
    'a server whose program is called %s is found through its process → held',
    async (programName) => {
      const { town, startTmux, look } = setStage();
      const server = await startTmux({ socket: join(makeTmuxTmpdir(), 'socket'), programName });
      const pane = server.newSession(`${GT}-crew-ada`, { cwd: town.path(ADA), command: ['sh'] });
      town.lock(ADA, { session_id: pane.paneId, acquired_at: now() });
      const report = await look();
      expect(lockOf(report, ADA)).toMatchObject({ state: 'held', holder: { session: 'live' } });
      expect(report.tmux?.servers).toContainEqual(
        expect.objectContaining({ socket: server.socket, status: 'ok', pid: server.pid }),
      );
    },
  );

  linuxTmuxTest('a live server whose socket was deleted makes a session unknown, never gone', async () => {
    const { town, startTmux, look } = setStage();
    const server = await startTmux();
    const pane = await sessionOf(server, `${GT}-crew-ada`, town.path(ADA), { command: 'mystery' });
    town.lock(ADA, { session_id: pane.paneId, acquired_at: now() }, { ageSeconds: 3600 });
    town.lock(BOB, { session_id: `${GT}-crew-bob` }, { ageSeconds: 3600 });
    unlinkSync(server.socket);
    try {
      const report = await look();
      expect(lockOf(report, ADA)).toMatchObject({ state: 'unknown', holder: { session: 'unknown' } });
      expect(report).toMatchObject({ exitCode: 22, complete: false, ...releasesNothing });
      expect(JSON.stringify(report.gaps)).toMatch(new RegExp(`kill -USR1 ${server.pid}`));
      expect(report.findings.find(({ worker }) => worker === BOB)?.next).toEqual([
        ['kill', '-USR1', `${server.pid}`],
      ]);
    } finally {
      process.kill(server.pid, 'SIGUSR1');
      await until(() => existsSync(server.socket), 'the new socket');
    }
    expect(lockOf(await look(), ADA)).toMatchObject({ state: 'held' });
    expect(lockOf(await look(), BOB)).toMatchObject({ state: 'stale' });
  });

  linuxTmuxTest('a deleted socket is irrelevant if all its panes are outside the town → stale', async () => {
    const { town, startTmux, look } = setStage();
    const server = await startTmux();
    await sessionOf(server, 'elsewhere', '/');
    town.lock(ADA, { session_id: '%0', acquired_at: now() }, { ageSeconds: 3600 });
    unlinkSync(server.socket);
    try {
      const report = await look();
      expect(lockOf(report, ADA)).toMatchObject({ state: 'stale' });
      expect(report.complete).toBe(true);
    } finally {
      process.kill(server.pid, 'SIGUSR1');
      await until(() => existsSync(server.socket), 'the new socket');
    }
  });

  linuxTmuxTest('a stopped server found through its process counts only if it is in the town', async () => {
    const { town, startTmux, judge } = setStage();
    const far = await startTmux({ socket: join(makeTmuxTmpdir(), 'far') });
    far.newSession('elsewhere', { cwd: '/' });
    town.lock(ADA, { session_id: NO_PANE });
    far.freeze();
    expect(await judge(ADA, { timeoutMs: SHORT_MS })).toMatchObject({ state: 'stale' });
    far.thaw();
    await sessionOf(far, 'near', town.path('gastown'), { command: 'mystery' });
    far.freeze();
    expect(await judge(ADA, { timeoutMs: SHORT_MS })).toMatchObject({ state: 'unknown' });
  });

  linuxTmuxTest('a second server took over a socket, so the first one is not reached → unknown', async () => {
    const { town, startTmux, judge } = setStage();
    const first = await startTmux();
    await sessionOf(first, `${GT}-crew-ada`, town.path(ADA), { command: 'mystery' });
    rmSync(first.socket);
    await startTmux();
    town.lock(ADA, { session_id: '%0', acquired_at: now() }, { ageSeconds: 3600 });
    try {
      expect(await judge()).toMatchObject({ state: 'unknown' });
    } finally {
      process.kill(first.pid, 'SIGKILL');
    }
  });

  tmuxTest('an agent that outlives its server, killed with -9, is an occupant → held', async () => {
    const { town, startTmux, judge } = setStage();
    const server = await startTmux();
    const agent = await fakeAgent('claude', { cwd: town.path(ADA), detached: true });
    fillPanes(server, 1);
    process.kill(server.pid, 'SIGKILL');
    await until(() => !isRunning(server.pid), 'the end of the server');
    town.lock(ADA, { session_id: NO_PANE, acquired_at: now() });
    expect(await judge()).toMatchObject({
      state: 'held',
      reasons: ['process-gone', 'pane-gone', 'occupied'],
    });
    await agent.stop();
    expect(await judge()).toMatchObject({ state: 'stale' });
  });
});

describe('servers of other users', () => {
  (canBecomeOthers ? linuxTest : test.skip)('do not hide the evidence about this user', async () => {
    const { town, startTmux } = setStage();
    await startTmux();
    chmodSync(town.root, 0o755);
    town.lock(ADA, { session_id: NO_PANE });
    execFileSync('chown', ['-R', `${OTHER_UID}`, town.root]);
    const home = makeTmuxTmpdir();
    chmodSync(home, 0o777);
    const report = await askElsewhere(
      { town: town.root, options: { env: bareEnvironment(home) } },
      { uid: OTHER_UID, gid: OTHER_UID },
    );
    expect(lockOf(report, ADA)).toMatchObject({ state: 'stale' });
    expect(basename(report.town?.root ?? '')).toBe(basename(town.root));
    expect(textsOf(lockOf(report, ADA))).toMatch(/no tmux server is running/);
  });
});
