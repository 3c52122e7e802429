/** What another user of the machine, or an agent in its worker, can make a doctor do: nothing. Each of these attacks once succeeded. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  canBecomeOthers,
  cleanUp,
  fakeAgent,
  hasTmux,
  makeTown,
  onCleanUp,
  startTmux,
  type TestTmux,
  type TestTown,
} from '../support/index.ts';
import { bareEnvironment, COMMAND, doctor } from './run-cli.ts';

afterEach(cleanUp);

const ADA = 'gastown/crew/ada';

/** No other test starts tmux servers as this user, because some tests count theirs. */
const ATTACKER = 64_918;

/** An account that every system has: tmux grants access only to a named user. */
const DAEMON = 1;

/** Skipped where the tests may not start processes as other users. */
const asRootWithTmux = canBecomeOthers && hasTmux ? test : test.skip;

/** Every way to ask about Ada, and to act on her lock. */
const WAYS: readonly (readonly string[])[] = [
  [],
  ['locks'],
  ['explain', ADA],
  ['preflight', ADA],
  ['exec', ADA, '--', 'true'],
  ['--fix', '--dry-run'],
  ['--fix', '--yes'],
  ['undo'],
];

/** A directory of one user that no other user can read. */
const privateDirectory = (uid: number): string => {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'private-')));
  onCleanUp(() => rmSync(path, { recursive: true, force: true }));
  chownSync(path, uid, -1);
  return path;
};

/** A server of that user that answers every query by having the client write a file. */
const hostileServer = async (uid: number, target: string): Promise<TestTmux> => {
  const server = await startTmux({ uid });
  server.newSession('main', { cwd: '/' });
  server.tmux('set-buffer', '-b', 'b0', 'from the attacker');
  const write = `save-buffer -b b0 ${join(target, 'written')}`;
  for (const [at, name] of ['list-sessions', 'list-panes', 'show-environment', 'display-message'].entries())
    server.tmux('set-option', '-s', `command-alias[${50 + at}]`, `${name}=${write} ; ${name}`);
  return server;
};

const ask = (town: TestTown, tmuxTmpdir: string, more: readonly string[] = []) =>
  WAYS.map((way) => {
    const place =
      way[0] === 'exec'
        ? ['exec', '--town', town.root, ...more, ...way.slice(1)]
        : [...way, '--town', town.root, ...more];
    return doctor(place, { env: { TMUX_TMPDIR: tmuxTmpdir } });
  });

describe("another user's tmux server (skipped without root and tmux)", () => {
  asRootWithTmux('cannot make root write if its owner owns a lock of the town', async () => {
    const target = privateDirectory(0);
    const { tmuxTmpdir } = await hostileServer(ATTACKER, target);
    const town = makeTown({ workers: [ADA] });
    chmodSync(town.root, 0o755);
    const lock = town.lock(ADA, { session_id: '%0' });
    chownSync(lock, ATTACKER, ATTACKER);
    ask(town, tmuxTmpdir);
    expect(readdirSync(target)).toEqual([]);
  });

  asRootWithTmux('cannot make root write if its owner owns the town', async () => {
    const target = privateDirectory(0);
    const { tmuxTmpdir } = await hostileServer(ATTACKER, target);
    const town = makeTown({ workers: [ADA] });
    town.lock(ADA, { session_id: '%0' });
    execFileSync('chown', ['-R', `${ATTACKER}`, town.root]);
    ask(town, tmuxTmpdir);
    expect(readdirSync(target)).toEqual([]);
  });

  asRootWithTmux('is not queried by root, even if named, if its owner owns nothing in the town', async () => {
    const target = privateDirectory(0);
    const server = await hostileServer(ATTACKER, target);
    const town = makeTown({ workers: [ADA] });
    town.lock(ADA, { session_id: '%0' });
    const answers = ask(town, server.tmuxTmpdir, ['--socket', server.socket]);
    expect(readdirSync(target)).toEqual([]);
    expect(answers[0]?.stdout).toContain(`belongs to user ${ATTACKER}`);
    expect(answers.slice(3, 5).map(({ status }) => status)).toEqual([22, 22]);
  });

  asRootWithTmux('is not queried by an ordinary user, even if it lets everybody in', async () => {
    const target = privateDirectory(DAEMON);
    const server = await hostileServer(ATTACKER, target);
    chmodSync(join(server.tmuxTmpdir, `tmux-${ATTACKER}`), 0o755);
    chmodSync(server.socket, 0o777);
    spawnSync('tmux', ['-S', server.socket, 'server-access', '-a', 'daemon'], { uid: ATTACKER });
    const town = makeTown({ workers: [ADA] });
    chmodSync(town.root, 0o755);
    const lock = town.lock(ADA, { session_id: '%0' });
    chownSync(lock, ATTACKER, -1);
    const run = (...args: string[]) =>
      spawnSync(COMMAND[0], [...COMMAND.slice(1), ...args], {
        ...{ uid: DAEMON, gid: DAEMON, cwd: '/', encoding: 'utf8' },
        env: bareEnvironment({ TMUX_TMPDIR: server.tmuxTmpdir }),
      });
    for (const way of WAYS.slice(0, 4)) run(...way, '--town', town.root);
    const { stdout, status } = run('preflight', ADA, '--town', town.root, '--json');
    expect(readdirSync(target)).toEqual([]);
    expect(stdout).toContain(`belongs to user ${ATTACKER}: not asked`);
    expect(status).toBe(22);
  });

  asRootWithTmux('cannot replace another socket in a directory that others can write to', async () => {
    const server = await startTmux();
    chmodSync(join(server.tmuxTmpdir, 'tmux-0'), 0o777);
    const town = makeTown({ workers: [ADA] });
    town.lock(ADA, { session_id: '%0' });
    const { stdout, status } = doctor(['preflight', ADA, '--town', town.root, '--json'], {
      env: { TMUX_TMPDIR: server.tmuxTmpdir },
    });
    expect(stdout).toContain('everybody can write to');
    expect(status).toBe(22);
  });
});

/** A plug-in that leaves a file in `target` when it is loaded. */
const plugin = (target: string): string =>
  `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(join(target, 'ran'))}, '');
   export default { id: 'x/y', title: 't', run: () => [] };`;

/** Writes a configuration that loads the plug-in into a directory. */
const plantPlugin = (directory: string, target: string, uid: number): void => {
  writeFileSync(join(directory, 'lock-doctor.json'), '{"plugins": ["./evil.mjs"], "sockets": ["nowhere"]}');
  writeFileSync(join(directory, 'evil.mjs'), plugin(target));
  for (const name of ['lock-doctor.json', 'evil.mjs']) chownSync(join(directory, name), uid, uid);
};

const READING: readonly (readonly string[])[] = [
  [],
  ['locks'],
  ['checks'],
  ['explain', ADA],
  ['--fix', '--dry-run'],
  ['--fix', '--yes'],
];

describe("another user's files (skipped without root)", () => {
  const asRoot = canBecomeOthers ? test : test.skip;

  /** A directory like /tmp that another user has marked as a town. */
  const sharedPlace = (target: string): string => {
    const shared = privateDirectory(0);
    chmodSync(shared, 0o1777);
    mkdirSync(join(shared, 'mayor'));
    writeFileSync(join(shared, 'mayor/town.json'), '{}');
    for (const path of ['mayor', 'mayor/town.json']) chownSync(join(shared, path), ATTACKER, ATTACKER);
    plantPlugin(shared, target, ATTACKER);
    return shared;
  };

  asRoot('do not turn the directory around our town into a town, and nothing of them runs', () => {
    const target = privateDirectory(0);
    const shared = sharedPlace(target);
    const town = makeTown({ root: join(shared, 'gt'), workers: [ADA] });
    town.lock(ADA);
    for (const way of READING) doctor(way, { cwd: town.root });
    expect(readdirSync(target)).toEqual([]);
    const { stdout, stderr } = doctor(['--json'], { cwd: town.root });
    expect(JSON.parse(stdout)).toMatchObject({ town: { root: town.root, source: 'marker' } });
    expect(stderr).toContain(`${shared}/mayor belongs to user ${ATTACKER}`);
  });

  asRoot('do not turn the directory around an unmarked one into a town either', () => {
    const target = privateDirectory(0);
    const cwd = join(sharedPlace(target), 'tree');
    mkdirSync(cwd);
    const { stdout, stderr } = doctor(['--json'], { cwd });
    expect(JSON.parse(stdout)).toMatchObject({ town: { root: cwd, source: 'cwd' } });
    expect(stderr).toContain('not used as the town');
    expect(readdirSync(target)).toEqual([]);
  });

  asRoot('are a town only for a user who names it, and then they are read but nothing of them runs', () => {
    const target = privateDirectory(0);
    const town = makeTown({ root: join(sharedPlace(target), 'gt'), workers: [ADA] });
    town.lock(ADA);
    plantPlugin(town.root, target, ATTACKER);
    execFileSync('chown', ['-R', String(ATTACKER), town.root]);
    for (const way of READING) {
      const { status, stderr } = doctor(way, { cwd: town.path(ADA) });
      expect(status).toBe(2);
      expect(stderr).toContain(`doctor --town ${town.root}`);
      expect(stderr).toContain(`${town.root} belongs to user ${ATTACKER}`);
    }
    const { stdout } = doctor(['--json', town.root]);
    expect(JSON.parse(stdout)).toMatchObject({
      locks: [{ worker: ADA }],
      gaps: expect.arrayContaining([
        {
          what: `config:${town.path('lock-doctor.json')}`,
          why: expect.stringContaining('only its "agents" count'),
        },
      ]),
    });
    for (const way of READING) doctor([...way, '--town', town.root], { cwd: town.path(ADA) });
    expect(readdirSync(target)).toEqual([]);
  });

  asRoot('are read under sudo, but nothing of them runs', () => {
    const target = privateDirectory(0);
    const town = makeTown({ workers: [ADA] });
    town.lock(ADA);
    plantPlugin(town.root, target, ATTACKER);
    execFileSync('chown', ['-R', String(ATTACKER), town.root]);
    const { stdout } = doctor(['--json'], { cwd: town.path(ADA), env: { SUDO_UID: String(ATTACKER) } });
    expect(JSON.parse(stdout)).toMatchObject({ town: { root: town.root, source: 'marker' } });
    expect(readdirSync(target)).toEqual([]);
  });

  asRoot('may name agents, because more names only add caution', async () => {
    const town = makeTown({ workers: [ADA] });
    town.lock(ADA);
    town.write('lock-doctor.json', '{"agents": ["unheard-of"]}');
    chownSync(town.path('lock-doctor.json'), ATTACKER, -1);
    await fakeAgent('unheard-of', { cwd: town.path(ADA) });
    const { stdout } = doctor(['--json', town.root]);
    expect(JSON.parse(stdout)).toMatchObject({ locks: [{ state: 'held' }], gaps: [] });
  });

  asRoot('are not loaded as plug-ins, even if our own configuration names them', () => {
    const target = privateDirectory(0);
    const town = makeTown({ workers: [ADA] });
    plantPlugin(town.root, target, 0);
    chownSync(town.path('evil.mjs'), ATTACKER, -1);
    const { status, stdout } = doctor(['--json', town.root]);
    expect(status).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'E_CONFIG', message: expect.stringContaining('belongs to user') },
    });
    expect(readdirSync(target)).toEqual([]);
  });

  asRoot('are not loaded as plug-ins through a directory that another user can replace', () => {
    const target = privateDirectory(0);
    const town = makeTown({ workers: [ADA] });
    plantPlugin(town.root, target, 0);
    mkdirSync(town.path('shared/inner'), { recursive: true });
    renameSync(town.path('evil.mjs'), town.path('shared/inner/evil.mjs'));
    town.write('lock-doctor.json', '{"plugins": ["./shared/inner/evil.mjs"]}');
    chownSync(town.path('shared'), ATTACKER, -1);
    expect(doctor(['--json', town.root])).toMatchObject({
      status: 2,
      stdout: expect.stringContaining(`shared belongs to user ${ATTACKER}`),
    });
    expect(readdirSync(target)).toEqual([]);
  });
});

describe('files that an agent can leave in its worker', () => {
  test('do not load plug-ins from a directory that was not named as the town', () => {
    const target = privateDirectory(process.getuid?.() ?? 0);
    const town = makeTown({ marked: false, workers: [ADA] });
    town.lock(ADA);
    plantPlugin(town.path(ADA), target, process.getuid?.() ?? 0);
    for (const way of [
      [],
      ['locks'],
      ['checks'],
      ['--fix', '--dry-run'],
      ['--fix', '--yes'],
      ['explain', '.'],
    ])
      doctor(way, { cwd: town.path(ADA) });
    expect(readdirSync(target)).toEqual([]);
    const { stdout } = doctor(['--json'], { cwd: town.path(ADA) });
    expect(stdout).toContain('its plug-ins were not loaded');
    // A directory that was named is trusted.
    doctor(['--town', town.path(ADA)]);
    expect(readdirSync(target)).toEqual(['ran']);
  });

  test.each(['.:', ':', 'bin:'])('are not run as programs from a relative element of PATH: %s', (begin) => {
    const target = privateDirectory(process.getuid?.() ?? 0);
    const town = makeTown({ workers: [ADA] });
    town.lock(ADA, { session_id: '%0' });
    for (const name of ['tmux', 'git', 'ps', 'lsof', 'flock', 'env', 'id', 'perl', 'busybox'])
      for (const folder of ['', 'bin/']) {
        const script = `#!/bin/sh\ntouch ${join(target, name)}\n`;
        chmodSync(town.write(`${ADA}/${folder}${name}`, script), 0o755);
      }
    const cwd = town.path(ADA);
    for (const way of WAYS)
      doctor(way, { cwd, env: { PATH: `${begin}${process.env.PATH}`, 'ODD-NAME': 'x' } });
    expect(readdirSync(target)).toEqual([]);
  });
});
