import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  realpathSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { TmuxEvidence, TmuxServer } from '../../../src/core/types/evidence.ts';
import { processEvidence, readProcessTable } from '../../../src/evidence/processes/processes.ts';
import { askTmux, type TmuxQuestion } from '../../../src/evidence/tmux/tmux.ts';
import {
  asOtherUser,
  canBecomeOthers,
  cleanUp,
  hasTmux,
  isRunning,
  makeTmuxTmpdir,
  makeTown,
  OTHER_UID,
  onCleanUp,
  sleeperNamed,
  startTmux,
  until,
} from '../../support/index.ts';

const { PATH } = process.env;
const uid = process.getuid?.() ?? 0;
const onLinux = process.platform === 'linux' ? test : test.skip;

const ask = async (question: Partial<TmuxQuestion> & { env: TmuxQuestion['env'] }): Promise<TmuxEvidence> =>
  askTmux({
    ...{ uids: [uid], root: '/no/such/town', aliases: [], sockets: [], timeoutMs: 10_000 },
    sessionsIn: [],
    table: await readProcessTable(),
    ...question,
  });

const at = ({ servers }: TmuxEvidence, socket: string): TmuxServer | undefined =>
  servers.find((server) => server.socket === socket);

const ofProcess = ({ servers }: TmuxEvidence, pid: number): TmuxServer | undefined =>
  servers.find((server) => server.pid === pid);

/** Network namespaces need root, or users who may create namespaces. */
const canUnshare = spawnSync('unshare', ['-n', 'true']).status === 0;

(hasTmux && canUnshare ? test : test.skip)(
  'a server in another network namespace is asked beside sockets on which nobody listens (skipped without root)',
  async () => {
    const tmuxTmpdir = makeTmuxTmpdir();
    onCleanUp(() => rmSync(tmuxTmpdir, { recursive: true, force: true }));
    const socket = join(tmuxTmpdir, `tmux-${uid}`, 'apart');
    mkdirSync(dirname(socket), { mode: 0o700 });
    const tmux = ['tmux', '-f', '/dev/null', '-S', socket];
    execFileSync('unshare', ['-n', ...tmux, 'new-session', '-d', '-s', 'far', '-c', '/', 'sleep 600']);
    onCleanUp(() => {
      spawnSync('tmux', ['-S', socket, 'kill-server']);
    });
    const gone = `require('node:net').createServer()
      .listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
    const dead = ['left1', 'left2', 'left3'].map((name) => join(dirname(socket), name));
    for (const left of dead) spawnSync(process.execPath, ['-e', gone, left]);
    // As where its process cannot be seen: each socket is tried before a client is started for it.
    const { details, ...table } = await readProcessTable();
    const rows = new Map([...table.rows].filter(([, { comm }]) => comm !== 'tmux: server'));
    const evidence = await ask({
      env: { PATH, TMUX_TMPDIR: tmuxTmpdir },
      table: { ...table, rows, details },
    });
    expect(at(evidence, realpathSync(socket))).toMatchObject({ status: 'ok', sessions: 1 });
    for (const left of dead)
      expect(at(evidence, realpathSync(left))).toMatchObject({
        status: 'absent',
        reason: 'no server runs there',
      });
  },
);

describe('without a tmux server', () => {
  afterEach(cleanUp);

  const NOBODY = 4_000_000;

  const fakeTmux = (script: string) => {
    const town = makeTown();
    chmodSync(town.write('bin/tmux', `#!/bin/sh\necho called >> '${town.path('calls')}'\n${script}`), 0o755);
    return { PATH: `${town.path('bin')}:${PATH}`, wasCalled: () => existsSync(town.path('calls')) };
  };

  const listenAs = async (name: string): Promise<{ base: string; socket: string }> => {
    const base = makeTmuxTmpdir();
    const socket = join(base, `tmux-${NOBODY}`, name);
    mkdirSync(dirname(socket));
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(socket, resolve);
    });
    onCleanUp(() => {
      server.close();
    });
    return { base, socket };
  };

  test('nothing is run and nothing is created while there is neither a socket nor a server', async () => {
    const fake = fakeTmux('exit 1');
    const base = makeTmuxTmpdir();
    const evidence = await ask({ env: { PATH: fake.PATH, TMUX_TMPDIR: base }, uids: [NOBODY] });
    expect(evidence).toEqual({ installed: true, servers: [], enumerated: true });
    expect(fake.wasCalled()).toBe(false);
    expect(existsSync(join(base, `tmux-${NOBODY}`))).toBe(false);
  });

  test('a named socket that does not exist is absent', async () => {
    const env = { PATH, TMUX_TMPDIR: makeTmuxTmpdir() };
    const { servers } = await ask({ env, uids: [NOBODY], sockets: ['mine'] });
    expect(servers).toMatchObject([
      { origin: 'flag', status: 'absent', reason: 'no such socket', pid: null },
    ]);
  });

  test('a socket that cannot be queried without tmux is a failure, not an absence', async () => {
    const { base, socket } = await listenAs('default');
    const evidence = await ask({ env: { PATH: '/nowhere', TMUX_TMPDIR: base }, uids: [NOBODY] });
    expect(evidence).toMatchObject({ installed: false, enumerated: true });
    expect(at(evidence, socket)).toMatchObject({ status: 'failed', reason: 'tmux is not installed' });
  });

  test.each([
    ['exit 0', 'unexpected answer'],
    ['echo "garbage"; exit 0', 'unexpected answer'],
    [
      'echo "protocol version mismatch (client 8, server 7)" >&2; exit 1',
      'protocol version mismatch (client 8, server 7)',
    ],
    [
      'echo "error connecting to x (Permission denied)" >&2; exit 1',
      'error connecting to x (Permission denied)',
    ],
    [
      'echo "error connecting to x (File name too long)" >&2; exit 1',
      'error connecting to x (File name too long)',
    ],
    ['echo "no current target" >&2; exit 1', 'unexpected answer'],
    ['echo "lost server" >&2; exit 1', 'lost server'],
    ['exit 3', 'ended with code 3'],
  ])('a socket for which tmux runs `%s` is a failure: %s', async (script, reason) => {
    const { base, socket } = await listenAs('default');
    const env = { PATH: fakeTmux(script).PATH, TMUX_TMPDIR: base };
    expect(at(await ask({ env, uids: [NOBODY] }), socket)).toMatchObject({
      status: 'failed',
      reason,
      panes: [],
    });
  });

  test.each(['no server running on x', 'error connecting to x (No such file or directory)'])(
    'a socket for which tmux prints `%s` is absent',
    async (message) => {
      const { base, socket } = await listenAs('default');
      const env = { PATH: fakeTmux(`echo "${message}" >&2; exit 1`).PATH, TMUX_TMPDIR: base };
      expect(at(await ask({ env, uids: [NOBODY] }), socket)).toMatchObject({ status: 'absent' });
    },
  );

  test('a socket that never answers is a failure after the timeout', async () => {
    const { base, socket } = await listenAs('default');
    const env = { PATH: fakeTmux('exec sleep 600').PATH, TMUX_TMPDIR: base };
    expect(at(await ask({ env, uids: [NOBODY], timeoutMs: 200 }), socket)).toMatchObject({
      status: 'failed',
      reason: 'did not answer within 200 ms',
    });
  });

  (canBecomeOthers ? test : test.skip)(
    "another user's closed socket directory is a failure only while that user runs a server (skipped without root)",
    async () => {
      const base = makeTmuxTmpdir();
      chmodSync(base, 0o755);
      mkdirSync(join(base, `tmux-${NOBODY}`), { mode: 0o700 });
      const env = { PATH, TMUX_TMPDIR: base };
      const asked = await asOtherUser(() => ask({ env, uids: [OTHER_UID, NOBODY] }));
      const unlisted = { ...(await readProcessTable()), listing: { seen: true, value: 'own' } as const };
      const hidden = await asOtherUser(() => ask({ env, uids: [OTHER_UID, NOBODY], table: unlisted }));
      expect(asked.servers).toEqual([]);
      expect(hidden.servers).toMatchObject([{ status: 'failed', reason: 'permission denied (EACCES)' }]);
    },
  );
});

(hasTmux ? describe : describe.skip)('a tmux server (skipped without tmux)', () => {
  afterEach(cleanUp);

  const bare = (tmuxTmpdir: string) => ({ PATH, TMUX_TMPDIR: tmuxTmpdir });

  test('reports its sessions and panes, with pane numbers distinct from session numbers', async () => {
    const town = makeTown();
    const cwd = town.worker('gastown/crew/ada');
    const server = await startTmux();
    const ada = server.newSession('gt-crew-ada', { cwd, command: [sleeperNamed('claude'), '600'] });
    const split = server.splitWindow('gt-crew-ada', { cwd });
    const joe = server.newSession('gt-joe', { cwd: town.root, env: { GT_ROLE: 'gastown/polecats/joe' } });
    expect([split.paneId, joe.sessionId, joe.paneId]).toEqual(['%1', '$1', '%2']);

    const evidence = await ask({ env: bare(server.tmuxTmpdir), root: town.root });
    expect(evidence).toMatchObject({ installed: true, enumerated: true });
    const found = at(evidence, server.socket);
    expect(found).toMatchObject({
      origin: 'default',
      status: 'ok',
      reason: null,
      pid: server.pid,
      sessions: 2,
    });
    expect(found?.startedAtMs).toBeLessThanOrEqual(Date.now());
    expect(found?.panes).toMatchObject([
      { id: '%0', sessionId: '$0', sessionName: 'gt-crew-ada', pid: ada.pid, command: 'claude', path: cwd },
      { id: '%1', sessionId: '$0', sessionName: 'gt-crew-ada', pid: split.pid, command: 'sleep', path: cwd },
      {
        id: '%2',
        sessionId: '$1',
        sessionName: 'gt-joe',
        pid: joe.pid,
        environment: { GT_ROLE: 'gastown/polecats/joe' },
      },
    ]);
    expect(found?.panes.map(({ dead, otherTown, sessionGroup }) => [dead, otherTown, sessionGroup])).toEqual(
      Array(3).fill([false, null, null]),
    );
  });

  test('reports a pane of grouped sessions under each of them', async () => {
    const server = await startTmux();
    server.newSession('gt-joe');
    server.tmux('new-session', '-d', '-t', 'gt-joe', '-s', 'viewer');
    const panes = at(await ask({ env: bare(server.tmuxTmpdir) }), server.socket)?.panes;
    expect(panes?.map(({ id, sessionName, sessionGroup }) => [id, sessionName, sessionGroup])).toEqual([
      ['%0', 'gt-joe', 'gt-joe'],
      ['%0', 'viewer', 'gt-joe'],
    ]);
  });

  test('without sessions has answered', async () => {
    const server = await startTmux();
    expect(at(await ask({ env: bare(server.tmuxTmpdir) }), server.socket)).toMatchObject({
      ...{ status: 'ok', pid: server.pid, sessions: 0, panes: [] },
    });
  });

  test('that is stopped has failed, and does not delay the others', async () => {
    const frozen = await startTmux({ name: 'frozen' });
    const other = await startTmux({ name: 'other', tmuxTmpdir: frozen.tmuxTmpdir });
    other.newSession('alive');
    frozen.freeze();
    const evidence = await ask({ env: bare(frozen.tmuxTmpdir), timeoutMs: 2000 });
    expect(at(evidence, frozen.socket)).toMatchObject({
      ...{ origin: 'directory', status: 'failed', reason: 'did not answer within 2000 ms' },
      ...{ outsideTown: false, pid: process.platform === 'linux' ? frozen.pid : null },
    });
    expect(at(evidence, other.socket)).toMatchObject({ status: 'ok', sessions: 1 });
    expect(evidence.servers.filter(({ pid }) => pid === frozen.pid).length).toBeLessThanOrEqual(1);
  });

  test('that died and left its socket is absent', async () => {
    const server = await startTmux();
    process.kill(server.pid, 'SIGKILL');
    await until(() => !isRunning(server.pid));
    expect(existsSync(server.socket)).toBe(true);
    const evidence = await ask({ env: bare(server.tmuxTmpdir) });
    expect(at(evidence, server.socket)).toMatchObject({ status: 'absent', pid: null });
    expect(ofProcess(evidence, server.pid)).toBeUndefined();
  });

  onLinux(
    'whose socket was removed has failed, and counts as outside the town only if all its panes are',
    async () => {
      const town = makeTown();
      const server = await startTmux();
      server.newSession('away', { cwd: '/' });
      const inside = server.newSession('home', { cwd: town.worker('gastown/crew/ada') });
      const env = bare(server.tmuxTmpdir);
      rmSync(server.socket);
      const lost = ofProcess(await ask({ env, root: town.root }), server.pid);
      expect(lost).toMatchObject({
        ...{ socket: server.socket, origin: 'process', status: 'failed' },
        outsideTown: false,
      });
      expect(lost?.reason).toBe(`its socket was removed (kill -USR1 ${server.pid} makes it again)`);

      process.kill(inside.pid, 'SIGKILL');
      await until(() => !isRunning(inside.pid));
      expect(ofProcess(await ask({ env, root: town.root }), server.pid)).toMatchObject({
        ...{ status: 'failed', outsideTown: true },
      });

      // The hint must work as printed.
      process.kill(server.pid, 'SIGUSR1');
      await until(() => existsSync(server.socket), 'the socket');
      expect(at(await ask({ env, root: town.root }), server.socket)).toMatchObject({
        status: 'ok',
        pid: server.pid,
      });
    },
  );

  onLinux('whose socket was replaced by another server has failed', async () => {
    const first = await startTmux();
    rmSync(first.socket);
    const second = await startTmux({ tmuxTmpdir: first.tmuxTmpdir });
    const evidence = await ask({ env: bare(first.tmuxTmpdir) });
    expect(ofProcess(evidence, second.pid)).toMatchObject({ status: 'ok', origin: 'default' });
    expect(ofProcess(evidence, first.pid)).toMatchObject({
      ...{ status: 'failed', origin: 'process' },
      reason: `another server (process ${second.pid}) took its socket's place`,
    });
  });

  onLinux('at another path is found by its process, even with spaces in the path', async () => {
    const socket = join(makeTmuxTmpdir(), 'my place', 'a socket');
    const server = await startTmux({ socket });
    server.newSession('hidden');
    const evidence = await ask({ env: bare(makeTmuxTmpdir()) });
    expect(at(evidence, socket)).toMatchObject({
      origin: 'process',
      status: 'ok',
      pid: server.pid,
      sessions: 1,
    });
  });

  onLinux('counts even if others were requested', async () => {
    const asked = await startTmux({ name: 'asked' });
    const other = await startTmux({ name: 'other', tmuxTmpdir: asked.tmuxTmpdir });
    const evidence = await ask({ env: bare(asked.tmuxTmpdir), sockets: ['asked'] });
    expect(at(evidence, asked.socket)).toMatchObject({ origin: 'flag', status: 'ok' });
    expect(at(evidence, other.socket)).toMatchObject({ origin: 'process', status: 'ok' });
  });

  test('that ends during the look holds nothing', async () => {
    const server = await startTmux();
    server.newSession('short');
    const table = await readProcessTable();
    await server.stop();
    const evidence = await ask({ env: bare(server.tmuxTmpdir), table });
    expect(evidence.servers.filter(({ pid, status }) => pid === server.pid && status !== 'absent')).toEqual(
      [],
    );
  });

  onLinux('is queried with its own program if there is no tmux in PATH', async () => {
    const tmuxTmpdir = makeTmuxTmpdir();
    const hidden = await startTmux({ socket: join(makeTmuxTmpdir(), 's') });
    const usual = await startTmux({ tmuxTmpdir });
    const evidence = await ask({ env: { PATH: '/nowhere', TMUX_TMPDIR: tmuxTmpdir } });
    expect(evidence.installed).toBe(true);
    for (const { pid } of [hidden, usual]) expect(ofProcess(evidence, pid)).toMatchObject({ status: 'ok' });
  });

  const confining = canBecomeOthers && process.platform === 'linux' ? test : test.skip;

  confining(
    'in a container or sandbox with fewer rights than ours is not queried (skipped without root)',
    async () => {
      const socket = join(makeTmuxTmpdir(), 's');
      const start = ['tmux', '-f', '/dev/null', '-S', socket, 'new-session', '-d', 'sleep 600'];
      execFileSync('setpriv', ['--bounding-set=-sys_admin', ...start]);
      const pid = Number(
        execFileSync('tmux', ['-S', socket, 'display-message', '-p', '#{pid}'], { encoding: 'utf8' }),
      );
      onCleanUp(() => void process.kill(pid, 'SIGKILL'));
      const evidence = await ask({ env: { PATH } });
      expect(ofProcess(evidence, pid)).toMatchObject({
        status: 'failed',
        reason: expect.stringContaining('is confined'),
      });
    },
  );

  onLinux('of another version is queried with its own program, even if that was removed', async () => {
    const folder = makeTmuxTmpdir();
    const [its, ours] = [join(folder, 'its'), join(folder, 'ours')];
    for (const directory of [its, ours]) mkdirSync(directory);
    copyFileSync(
      realpathSync(execFileSync('which', ['tmux'], { encoding: 'utf8' }).trim()),
      join(its, 'tmux'),
    );
    const tmuxTmpdir = makeTmuxTmpdir();
    const socket = join(tmuxTmpdir, `tmux-${process.getuid?.() ?? 0}`, 'default');
    mkdirSync(dirname(socket), { mode: 0o700 });
    execFileSync(join(its, 'tmux'), ['-f', '/dev/null', '-S', socket, 'new-session', '-d', 'sleep 600']);
    const pid = Number(
      execFileSync('tmux', ['-S', socket, 'display-message', '-p', '#{pid}'], { encoding: 'utf8' }),
    );
    onCleanUp(() => void process.kill(pid, 'SIGKILL'));
    unlinkSync(join(its, 'tmux'));
    for (const complaint of ['echo server exited unexpectedly >&2; exit 1', 'echo odd', 'sleep 30']) {
      writeFileSync(join(ours, 'tmux'), `#!/bin/sh\n${complaint}\n`, { mode: 0o755 });
      const env = { PATH: `${ours}:/usr/bin:/bin`, TMUX_TMPDIR: tmuxTmpdir };
      expect(ofProcess(await ask({ env, timeoutMs: 1000 }), pid)).toMatchObject({
        status: 'ok',
        sessions: 1,
      });
    }
  });

  test("is understood in cron's locale: names and paths beyond ASCII, spaces, line breaks", async () => {
    const town = makeTown();
    const cwd = town.worker('gastown/crew/ada lace\n"町" \\n #{pid}');
    const server = await startTmux();
    server.newSession('gt-crew-町 "x" #1', { cwd });
    for (const locale of [{}, { LC_ALL: 'C' }, { LC_ALL: 'C', LANG: 'C' }]) {
      const [pane] =
        at(await ask({ env: { ...bare(server.tmuxTmpdir), ...locale } }), server.socket)?.panes ?? [];
      expect(pane).toMatchObject({ sessionName: 'gt-crew-町 "x" #1', path: cwd });
    }
  });

  test('is queried through the socket in TMUX as well', async () => {
    const server = await startTmux({ socket: join(makeTmuxTmpdir(), 'inside') });
    const env = { PATH, TMUX: `${server.socket},${server.pid},0`, TMUX_PANE: '%0' };
    expect(at(await ask({ env }), server.socket)).toMatchObject({ origin: 'env', status: 'ok' });
  });

  test('reports a pane that remains after its process has ended', async () => {
    const server = await startTmux();
    server.newSession('done');
    server.tmux(
      'set-option',
      '-p',
      '-t',
      'done',
      'remain-on-exit',
      'on',
      ';',
      'respawn-pane',
      '-k',
      '-t',
      'done',
      'true',
    );
    const pane = await until(async () => {
      const panes = at(await ask({ env: bare(server.tmuxTmpdir) }), server.socket)?.panes ?? [];
      return panes.find(({ dead }) => dead);
    });
    expect(pane).toMatchObject({ id: '%0', sessionName: 'done', path: null });
  });

  test("does not pass its own agent's variables to panes, but keeps what a session sets itself", async () => {
    const outer = { GT_ROLE: 'gastown/crew/outer', GT_RIG: 'gastown' };
    const server = await startTmux({ env: outer });
    const plain = server.newSession('plain');
    const other = server.newSession('other', { env: { GT_ROLE: 'gastown/crew/ada' } });
    const same = server.newSession('same', { env: { GT_ROLE: 'gastown/crew/outer' } });
    const panes = at(await ask({ env: bare(server.tmuxTmpdir) }), server.socket)?.panes ?? [];
    expect(new Map(panes.map(({ sessionName, environment }) => [sessionName, environment]))).toEqual(
      new Map([
        ['plain', {}],
        ['other', { GT_ROLE: 'gastown/crew/ada' }],
        ['same', { GT_ROLE: 'gastown/crew/outer' }],
      ]),
    );
    if (process.platform !== 'linux') return;
    const pids = [plain, other, same].map(({ pid }) => pid);
    const { list } = await processEvidence(await readProcessTable(), {
      ...{ pids: [], panePids: pids, agents: [], root: '/no/such/town', asker: { pids: [], pane: null } },
    });
    const environments = pids.map((pid) => list.find((info) => info.pid === pid)?.environment);
    expect(environments).toEqual([{}, { GT_ROLE: 'gastown/crew/ada' }, {}]);
  });

  test('that was restarted is younger, and begins again with %0', async () => {
    const first = await startTmux();
    const before = first.newSession('one');
    const started = at(await ask({ env: bare(first.tmuxTmpdir) }), first.socket)?.startedAtMs ?? 0;
    await first.stop();
    const second = await startTmux({ tmuxTmpdir: first.tmuxTmpdir });
    const after = second.newSession('other');
    const found = at(await ask({ env: bare(first.tmuxTmpdir) }), second.socket);
    expect([before.paneId, after.paneId, found?.pid]).toEqual(['%0', '%0', second.pid]);
    expect(found?.startedAtMs).toBeGreaterThanOrEqual(started);
  });

  test('keeps the pane number when a pane is respawned', async () => {
    const server = await startTmux();
    const { pid } = server.newSession('one');
    server.tmux('respawn-pane', '-k', '-t', 'one', 'sleep', '600');
    const [pane] = at(await ask({ env: bare(server.tmuxTmpdir) }), server.socket)?.panes ?? [];
    expect(pane?.id).toBe('%0');
    expect(pane?.pid).not.toBe(pid);
  });

  test('reports panes of another town as such, by their directory', async () => {
    const ours = makeTown();
    const theirs = makeTown();
    const server = await startTmux();
    server.newSession('theirs', { cwd: theirs.worker('gastown/crew/ada') });
    server.newSession('ours', { cwd: ours.worker('gastown/crew/ada') });
    const panes = at(await ask({ env: bare(server.tmuxTmpdir), root: ours.root }), server.socket)?.panes;
    expect(panes?.map(({ sessionName, otherTown }) => [sessionName, otherTown])).toEqual([
      ['ours', null],
      ['theirs', theirs.root],
    ]);
  });

  (canBecomeOthers ? test : test.skip)(
    'of another user is not queried, which is a failure (skipped without root)',
    async () => {
      const base = makeTmuxTmpdir();
      const server = await startTmux({ socket: join(base, 'private') });
      chmodSync(base, 0o755);
      const env = { PATH, TMUX: `${server.socket},${server.pid},0` };
      const evidence = await asOtherUser(() => ask({ env, uids: [OTHER_UID] }));
      expect(at(evidence, server.socket)).toMatchObject({ origin: 'env', status: 'failed' });
      expect(at(evidence, server.socket)?.reason).toBe('belongs to user 0: not asked');
    },
  );

  (canBecomeOthers ? test : test.skip)(
    "of the town's owner answers root (skipped without root)",
    async () => {
      const server = await startTmux({ uid: OTHER_UID });
      server.newSession('theirs', { cwd: '/' });
      const evidence = await ask({ env: bare(server.tmuxTmpdir), uids: [uid, OTHER_UID] });
      expect(at(evidence, server.socket)).toMatchObject({ origin: 'default', status: 'ok', sessions: 1 });
      expect(ofProcess(await ask({ env: bare(server.tmuxTmpdir), uids: [uid] }), server.pid)).toBeUndefined();
    },
  );

  test('is neither started nor changed by a query', async () => {
    const server = await startTmux();
    server.newSession('one');
    const state = (): string =>
      server.tmux('list-sessions', '-F', '#{session_id} #{session_attached} #{session_activity}');
    const before = state();
    await ask({ env: bare(server.tmuxTmpdir) });
    expect(state()).toBe(before);
    await server.stop();
    await ask({ env: bare(server.tmuxTmpdir) });
    expect(() => execFileSync('tmux', ['-S', server.socket, 'list-sessions'], { stdio: 'pipe' })).toThrow(
      /no server running/,
    );
  });
});
