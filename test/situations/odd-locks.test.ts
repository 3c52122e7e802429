/** Locks of other tools that are never released (flock(2), directories, files without a holder), and files that only look like locks. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, utimesSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { lock } from 'proper-lockfile';
import { examine } from '../../src/diagnose.ts';
import { heal } from '../../src/heal.ts';
import {
  canBecomeOthers,
  cleanUp,
  makeTmuxTmpdir,
  makeTown,
  OTHER_UID,
  onCleanUp,
  startProcess,
  until,
} from '../support/index.ts';
import { askElsewhere, bareEnvironment, hostTest, linuxTest } from './stage.ts';

afterEach(cleanUp);

const HOUR_S = 3600;

const aged = (path: string, seconds = HOUR_S): void => {
  const then = Date.now() / 1000 - seconds;
  utimesSync(path, then, then);
};

const makeRoot = (config: unknown = { kinds: { openclaw: true, codex: true } }) => {
  const town = makeTown({ marked: false, workers: [], rigs: {} });
  const env = bareEnvironment(makeTmuxTmpdir());
  town.write('lock-doctor.json', JSON.stringify(config));
  return {
    town,
    env,
    look: () => examine(town.root, { env }),
    fix: () => heal(town.root, { env, dryRun: false }),
  };
};

const ended = (): number => spawnSync('true').pid;

const FLOCKED = [
  'daemon/shutdown.lock',
  'daemon/daemon.lock',
  '.runtime/locks/deep/merge.lock',
  '.beads/daemon.lock',
  '.beads/embeddeddolt/.lock',
  'db/.dolt/noms/LOCK',
  'thread-writer-locks/019ff9ab.lock',
  'app-server-daemon/app-server.pid.lock',
];

describe.each(FLOCKED)('%s', (name) => {
  linuxTest('is not a finding while free, names its holder otherwise, and is never removed', async () => {
    const { town, look, fix } = makeRoot();
    const path = town.write(name, '{"pid":1}');
    aged(path);
    expect(await look()).toMatchObject({ locks: [], findings: [] });
    const holder = spawn('flock', ['-F', path, 'sh', '-c', 'echo; exec sleep 600'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    onCleanUp(() => {
      holder.kill('SIGKILL');
    });
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    const { locks } = await look();
    expect(locks).toMatchObject([{ state: 'held', reasons: ['flock-held'] }]);
    expect(locks[0]?.evidence.map(({ text }) => text).join()).toContain(`${holder.pid}`);
    expect((await fix()).summary?.fixed).toBe(0);
    expect(existsSync(path)).toBe(true);
  });
});

describe('a flock in another PID namespace', () => {
  const sandboxTest = canBecomeOthers ? linuxTest : test.skip;

  sandboxTest(
    'whose taker has ended is held by the child that inherited it, and free once that has ended',
    async () => {
      const { town, env } = makeRoot();
      const path = town.write('daemon/shutdown.lock', '');
      aged(path);
      const script = (left: string) =>
        `flock ${path} sh -c 'echo $$ > ${town.root}/child; exec sleep 600' & taker=$!
       until [ -s ${town.root}/child ]; do sleep 0.05; done
       kill -9 $taker; wait $taker 2>/dev/null; ${left}; exec "$@"`;
      const ask = (left: string) =>
        askElsewhere({ town: town.root, options: { env } }, {}, [
          ...['unshare', '-p', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', script(left), 'sh'],
        ]);
      expect((await ask(':')).locks).toMatchObject([
        { id: 'daemon:daemon/shutdown.lock', state: 'held', reasons: ['flock-held'] },
      ]);
      const endChild = `kill -9 $(cat ${town.root}/child); until flock -n ${path} true; do sleep 0.05; done`;
      expect((await ask(endChild)).locks).toEqual([]);
    },
  );
});

describe('in a container in which the processes of other users are hidden', () => {
  (canBecomeOthers ? linuxTest : test.skip)('a file that looks free is reported as undecided', async () => {
    const { town, env } = makeRoot();
    for (const name of ['daemon/daemon.lock', 'daemon/shutdown.lock']) aged(town.write(name, ''));
    chmodSync(town.root, 0o755);
    const ask = (as: string) =>
      askElsewhere({ town: town.root, options: { env } }, {}, [
        ...['unshare', '-p', '--fork', '--kill-child', '--mount-proc', 'sh', '-c'],
        `sleep 600 >/dev/null 2>&1 & exec ${as} "$@"`,
        'sh',
      ]);
    expect(await ask(`setpriv --reuid=${OTHER_UID} --clear-groups`)).toMatchObject({
      locks: [],
      findings: [
        {
          check: 'undecided-lock',
          severity: 'info',
          message: expect.stringMatching(/cannot tell whether anybody holds daemon\/\w+\.lock and 1 more/),
          evidence: [{ text: expect.stringContaining('cannot be read') }],
        },
      ],
    });
    // The directory is not the container's own: somebody outside may hold the file, whom nobody in it sees.
    const holder = await startProcess('flock', ['-F', town.path('daemon/daemon.lock'), 'sleep', '600']);
    await until(() => holds(town.path('daemon/daemon.lock')), 'a held file');
    expect(await ask('')).toMatchObject({
      locks: [],
      findings: [
        {
          check: 'undecided-lock',
          severity: 'info',
          evidence: [{ text: expect.stringContaining('outside of this container') }],
        },
      ],
    });
    await holder.stop();
  });
});

const holds = (path: string): boolean => spawnSync('flock', ['-n', path, 'true']).status !== 0;

describe('files that do not name a holder', () => {
  test.each(['', '-1', '0', '2147483648', '1e3', '12abc', '\0\u0001', '{"pid":1}', '9'.repeat(40)])(
    '%j in a PID file is reported, but never released',
    async (text) => {
      const { town, look, fix } = makeRoot();
      const path = town.write('daemon/daemon.pid', text);
      aged(path);
      expect(await look()).toMatchObject({
        locks: [{ state: 'invalid' }],
        findings: [{ check: 'invalid-lock', fix: { action: 'advice' } }],
      });
      expect((await fix()).summary?.fixed).toBe(0);
      expect(readFileSync(path, 'utf8')).toBe(text);
    },
  );

  test('an empty file that is new is still being written', async () => {
    const { town, look } = makeRoot();
    town.write('agents/a/sessions/b.jsonl.lock', '');
    expect(await look()).toMatchObject({ locks: [{ state: 'invalid' }], findings: [], exitCode: 0 });
  });

  test('a pipe, a symlink, a directory and a huge file are not opened, followed or removed', async () => {
    const { town, look, fix } = makeRoot();
    town.write('.beads/dolt-server.pid', '1'.repeat(100_000));
    town.write('daemon/target', `${ended()}`);
    symlinkSync('target', town.path('daemon/daemon.pid'));
    mkdirSync(town.path('a/.gsd/auto.lock'), { recursive: true });
    mkdirSync(town.path('.claude'));
    execFileSync('mkfifo', [town.path('.claude/scheduled_tasks.lock')]);
    const { locks } = await look();
    const states = Object.fromEntries(locks.map(({ id, reasons }) => [id.replace(/.*\//, ''), reasons[0]]));
    expect(states).toEqual({
      'dolt-server.pid': 'too-large',
      'daemon.pid': 'symlink',
      'auto.lock': 'refreshed',
      'scheduled_tasks.lock': 'fifo',
    });
    expect((await fix()).summary?.fixed).toBe(0);
    for (const name of ['.beads/dolt-server.pid', 'daemon/daemon.pid', 'daemon/target', 'a/.gsd/auto.lock'])
      expect(lstatSync(town.path(name), { throwIfNoEntry: false })).toBeDefined();
  });

  test("a tool's directory that is a symlink or a file causes no doubt", async () => {
    const { town, look } = makeRoot();
    mkdirSync(town.path('elsewhere'));
    town.write('elsewhere/scheduled_tasks.lock', '{"pid":1}');
    symlinkSync('elsewhere', town.path('.claude'));
    town.write('daemon', 'a program');
    chmodSync(town.path('daemon'), 0o755);
    expect(await look()).toMatchObject({ locks: [], findings: [] });
  });
});

describe('a directory as a lock', () => {
  test('of GSD is held while it is touched, then unknown, and never removed', async () => {
    const { town, look, fix } = makeRoot();
    const path = town.path('app/.gsd.lock');
    mkdirSync(path, { recursive: true });
    expect(await look()).toMatchObject({
      locks: [{ id: 'gsd:app/.gsd.lock', worker: 'app', state: 'held', reasons: ['refreshed'] }],
    });
    aged(path);
    expect(await look()).toMatchObject({
      locks: [{ state: 'unknown', reasons: ['not-refreshed'] }],
      findings: [{ check: 'undecided-lock', next: [['ls', '-l', path]] }],
    });
    expect((await fix()).summary?.fixed).toBe(0);
    expect(existsSync(path)).toBe(true);
  });

  test('of proper-lockfile is found where it is configured, unlike a file of such a name', async () => {
    const { town, look, fix } = makeRoot({ kinds: { 'proper-lockfile': { files: ['state/*.lock'] } } });
    town.write('state/yarn.lock', '# yarn lockfile v1\n');
    const release = await lock(town.write('state/db', ''), { update: 1000 });
    onCleanUp(() => release().catch(() => {}));
    expect(await look()).toMatchObject({
      locks: [{ id: 'proper-lockfile:state/db.lock', state: 'held', reasons: ['refreshed'] }],
      findings: [],
    });
    await release();
    expect((await look()).locks).toEqual([]);
    const path = town.path('state/left.lock');
    mkdirSync(path);
    aged(path);
    expect((await look()).locks).toMatchObject([{ state: 'unknown', reasons: ['not-refreshed'] }]);
    await fix();
    expect(existsSync(path)).toBe(true);
  });
});

describe('locks with more than a PID', () => {
  hostTest('a live gateway that has held a session for too long may have forgotten it', async () => {
    const { pid } = await startProcess('sleep', ['600'], { cwd: '/' });
    const { town, look, fix } = makeRoot();
    const createdAt = new Date(Date.now() - 8 * 60_000).toISOString();
    const path = town.write('agents/a/sessions/b.jsonl.lock', JSON.stringify({ pid, createdAt }));
    aged(path, 8 * 60);
    expect(await look()).toMatchObject({ locks: [{ state: 'unknown', reasons: ['process-shared'] }] });
    expect((await fix()).summary?.fixed).toBe(0);
    expect(existsSync(path)).toBe(true);
  });

  linuxTest('a start time in ticks decides, but a date that differs proves nothing', async () => {
    const { pid } = await startProcess('sleep', ['600'], { cwd: '/' });
    const start =
      readFileSync(`/proc/${pid}/stat`, 'latin1')
        .replace(/^.*\) /s, '')
        .split(' ')[19] ?? '';
    const stateWith = async (procStart: string) => {
      const { town, look } = makeRoot();
      const acquiredAt = Date.now() - 5 * 60_000;
      const text = JSON.stringify({ sessionId: 'a', pid, procStart, acquiredAt });
      aged(town.write('.claude/scheduled_tasks.lock', text));
      return (await look()).locks[0]?.state;
    };
    expect(await stateWith(start)).toBe('held');
    expect(await stateWith('17')).toBe('stale');
    expect(await stateWith('Mon May  4 10:06:07 2026')).toBe('held');
  });

  hostTest('a lock that git tracks is reported and stays', async () => {
    const { town, look, fix } = makeRoot();
    const git = (...args: string[]) => execFileSync('git', ['-C', town.root, ...args], { stdio: 'ignore' });
    git('init', '-q');
    const path = town.write('.claude/scheduled_tasks.lock', `{"sessionId":"a","pid":${ended()}}`);
    aged(path);
    git('add', '.');
    const { findings } = await look();
    expect(findings.map(({ check }) => check)).toEqual(
      expect.arrayContaining(['stale-lock', 'tracked-lock']),
    );
    expect((await fix()).summary?.fixed).toBe(0);
    expect(existsSync(path)).toBe(true);
  });
});
