import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { cleanUp, hasTmux, isRunning, makeTown, startTmux, type TestTown, until } from '../support/index.ts';
import { buildCli } from './built-cli.ts';
import { ADA, readLock, startLasting } from './lasting.ts';

const cli = buildCli();
const tmuxTest = hasTmux ? test : test.skip;

const beside = (town: TestTown): readonly string[] => readdirSync(town.path(ADA, '.runtime')).sort();
const preflight = async (town: TestTown) => (await cli.run(['preflight', '--town', town.root, ADA])).code;
const lockPath = (town: TestTown): string => town.path(ADA, '.runtime/agent.lock');

/** What the start hook of an agent writes: the PID of a process that has ended, and the pane. */
const hookRecord = (sessionId: string): string => {
  const { pid } = spawnSync('true');
  return JSON.stringify(
    { pid, acquired_at: new Date().toISOString(), session_id: sessionId, hostname: hostname() },
    null,
    2,
  );
};

/** Like the original writer: truncates and writes in place. */
const overwriteInPlace = (town: TestTown, sessionId: string): void =>
  writeFileSync(lockPath(town), hookRecord(sessionId));

/** Like the newer writer: flock on the guard, a staged file, rename. */
const overwriteGuarded = (town: TestTown, sessionId: string): void => {
  const script = 'cat > agent.lock.tmp && mv agent.lock.tmp agent.lock';
  const { status } = spawnSync('flock', ['-x', '-w', '10', 'agent.lock.flock', 'sh', '-c', script], {
    cwd: town.path(ADA, '.runtime'),
    input: hookRecord(sessionId),
  });
  expect(status).toBe(0);
};

/** Makes the file older, which decides whether a lock of another tool is still left alone. */
const makeOlder = (town: TestTown): void => {
  const then = new Date(Date.now() - 120_000);
  utimesSync(lockPath(town), then, then);
};

afterAll(cli.remove);

describe('exec in a Gas Town', () => {
  afterEach(cleanUp);

  test('writes the PID of an ended helper, and the holder in extra fields and in a companion file', async () => {
    const town = makeTown();
    const running = await startLasting(cli, town);
    const { pid, holder_pid, holder_start } = readLock(town);
    expect(holder_pid).toBe(running.commandPid);
    expect(pid).not.toBe(running.commandPid);
    expect(isRunning(pid)).toBe(false);
    expect(readLock(town, 'agent.lock.holder')).toMatchObject({ holder_pid, holder_start });
    expect(await preflight(town)).toBe(20);
    running.child.kill('SIGTERM');
    await running.ended;
    expect(beside(town)).toEqual(['.gitignore', 'agent.lock.flock']);
  });

  test.each([
    [true, 'process'],
    [false, 'helper'],
  ] as const)('--record overrides the default of the town (marked: %s): %s', async (marked, record) => {
    const town = makeTown({ marked });
    const running = await startLasting(cli, town, 'exec sleep 600', { flags: ['--record', record] });
    const lock = readLock(town);
    expect(lock.holder_pid).toBe(running.commandPid);
    expect(lock.pid === running.commandPid).toBe(record === 'process');
    expect(existsSync(town.path(ADA, '.runtime/agent.lock.holder'))).toBe(record === 'helper');
  });

  /**
   * The original package takes a lock whose PID is its own or cannot be signalled, and refuses any other. Nobody knows its PID
   * before it starts, so one record says the same to the hook inside and to every other gt of this user.
   */
  test.each([
    ['helper', 'let in'],
    ['process', 'refused'],
  ])(
    'the PID of --record %s means the same to the hook inside and to others outside: %s',
    async (record, answer) => {
      const town = makeTown();
      const ask = `kill -0 "$(sed -n 's/^ *"pid": \\([0-9]*\\),$/\\1/p' "$LOCK")" 2>/dev/null && echo refused || echo 'let in'`;
      const env = { LOCK: lockPath(town) };
      const running = await startLasting(cli, town, 'exec sleep 600', {
        flags: ['--record', record],
        first: ask,
        env,
      });
      expect(running.said().split('\n')[0]).toBe(answer);
      const outside = spawnSync('sh', ['-c', ask], {
        ...cli.user,
        cwd: '/',
        env: { ...process.env, ...env },
        encoding: 'utf8',
      });
      expect(outside.stdout).toBe(`${answer}\n`);
    },
  );

  describe.each([
    ['in place', overwriteInPlace],
    ['under the guard', overwriteGuarded],
  ])('if a hook of the command overwrites the lock %s', (_name, overwrite) => {
    test('the worker stays held while the command runs, whatever the hook wrote', async () => {
      const town = makeTown();
      const running = await startLasting(cli, town);
      overwrite(town, '');
      makeOlder(town);
      expect(readLock(town)).not.toHaveProperty('holder_pid');
      expect(await preflight(town)).toBe(20);
      const fix = await cli.run(['--fix', '--town', town.root]);
      expect(fix.code).toBe(0);
      expect((await cli.run(['exec', '--town', town.root, ADA, '--', 'true'])).code).toBe(20);
      expect(existsSync(lockPath(town))).toBe(true);
      running.child.kill('SIGTERM');
      expect((await running.ended).code).toBe(143);
      expect(beside(town)).toEqual(['.gitignore', 'agent.lock.flock']);
      expect(await preflight(town)).toBe(0);
    });

    test('just before the command ends, the young lock stays, is reported, and is released later', async () => {
      const town = makeTown();
      const running = await startLasting(cli, town);
      overwrite(town, '%99');
      running.child.kill('SIGTERM');
      const { code, stderr } = await running.ended;
      expect(code).toBe(143);
      expect(stderr).toMatch(/^doctor: .*less than 30 s ago; try again in \d+ s/);
      expect(beside(town)).toEqual(['.gitignore', 'agent.lock', 'agent.lock.flock']);
      expect(await preflight(town)).toBe(22);
      makeOlder(town);
      expect(await preflight(town)).toBe(21);
      expect((await cli.run(['exec', '--town', town.root, ADA, '--', 'true'])).code).toBe(0);
    });

    test('and both doctor and command are killed, the next command takes the worker over', async () => {
      const town = makeTown();
      const running = await startLasting(cli, town);
      overwrite(town, '%99');
      makeOlder(town);
      running.child.kill('SIGKILL');
      await until(running.isOver, 'the end of the doctor');
      expect(await preflight(town)).toBe(20);
      process.kill(running.commandPid, 'SIGKILL');
      await until(() => !isRunning(running.commandPid), 'the end of the command');
      expect(await preflight(town)).toBe(21);
      expect((await cli.run(['exec', '--town', town.root, ADA, '--', 'true'])).code).toBe(0);
      expect(beside(town)).toEqual(['.gitignore', 'agent.lock.flock']);
    });
  });

  test("a hook's lock that names our own session is released at once, however young", async () => {
    const town = makeTown();
    const running = await startLasting(cli, town, 'exec sleep 600', { flags: ['--session', '%7'] });
    overwriteGuarded(town, '%7');
    running.child.kill('SIGTERM');
    expect(await running.ended).toMatchObject({ code: 143, stderr: '' });
    expect(beside(town)).toEqual(['.gitignore', 'agent.lock.flock']);
  });

  test('removing the lock meanwhile does not let a second command in', async () => {
    const town = makeTown();
    const running = await startLasting(cli, town);
    unlinkSync(lockPath(town));
    const second = await cli.run(['exec', '--town', town.root, ADA, '--', 'true']);
    expect(second.code).toBe(20);
    running.child.kill('SIGTERM');
    expect((await running.ended).code).toBe(143);
    expect(beside(town)).toEqual(['.gitignore', 'agent.lock.flock']);
  });

  test("another live agent's lock over ours is left alone when the command ends", async () => {
    const town = makeTown();
    const running = await startLasting(cli, town);
    const theirs = { pid: process.pid, acquired_at: new Date().toISOString(), hostname: hostname() };
    writeFileSync(lockPath(town), JSON.stringify(theirs));
    running.child.kill('SIGTERM');
    const { code, stderr } = await running.ended;
    expect(code).toBe(143);
    expect(stderr).toMatch(/^doctor: .*held by a live agent/);
    expect(JSON.parse(readFileSync(lockPath(town), 'utf8'))).toEqual(theirs);
  });

  tmuxTest("a hook's lock that names the asking pane does not block the worker for ever", async () => {
    const town = makeTown();
    const server = await startTmux();
    const pane = server.newSession('gt-crew-ada', {
      cwd: town.path(ADA),
      command: ['env', 'PS1=$ ', 'bash', '--norc', '--noprofile', '-i'],
      env: { TMUX_TMPDIR: server.tmuxTmpdir, GT_ROLE: ADA, GT_ROOT: town.root },
    });
    const hook = town.write(
      'hook.sh',
      `printf '%s' '${hookRecord(pane.paneId)}' > ${lockPath(town)}; echo worked\n`,
    );
    const start = cli.command.map((word) => `'${word}'`).join(' ');
    const line = `${start} exec --town '${town.root}' ${ADA} -- sh '${hook}'`;
    for (const turn of [1, 2]) {
      server.tmux('send-keys', '-t', pane.paneId, '-l', `${line}; echo "code ${turn} $?"`);
      server.tmux('send-keys', '-t', pane.paneId, 'Enter');
      const shown = new RegExp(`^code ${turn} (\\d+)$`, 'm');
      const code = await until(
        () => shown.exec(server.tmux('capture-pane', '-p', '-t', pane.paneId))?.[1],
        'its end',
      );
      expect([turn, code]).toEqual([turn, '0']);
    }
  });
});

test.each([
  ['gastown', /^doctor: gastown is a rig, not a worker\n/],
  ['gastown/crew', /^doctor: gastown\/crew is a directory of workers, not a worker\n/],
  ['gastown/polecats', /^doctor: gastown\/polecats is a directory of workers, not a worker\n/],
  ['deacon/dogs', /^doctor: deacon\/dogs is a directory of workers, not a worker\n/],
  ['.', /^doctor: \S+ is the town, not a worker\n/],
])(
  'nobody starts in %s, which only holds workers: exec and preflight say so in the same words',
  async (directory, words) => {
    const town = makeTown({ workers: [ADA, 'gastown/polecats/max', 'deacon/dogs/rex'] });
    const asked = await cli.run(['preflight', '--town', town.root, directory]);
    const started = await cli.run(['exec', '--town', town.root, directory, '--', 'sh', '-c', 'exit 7']);
    expect(asked).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(words) });
    expect(started).toMatchObject({ code: 2, stdout: '', stderr: asked.stderr });
    expect(existsSync(town.path(directory, '.runtime'))).toBe(false);
  },
);

test.each(['mayor', 'deacon', 'gastown/witness', 'gastown/refinery/rig'])(
  'an agent may start in %s',
  async (worker) => {
    const town = makeTown({ workers: [ADA, worker] });
    expect((await cli.run(['preflight', '--town', town.root, worker])).code).toBe(0);
    expect((await cli.run(['exec', '--town', town.root, worker, '--', 'sh', '-c', 'exit 7'])).code).toBe(7);
  },
);
