import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, renameSync, symlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import {
  canBecomeOthers,
  cleanUp,
  fakeAgent,
  makeTown,
  OTHER_UID,
  sleeperNamed,
  type TestTown,
} from '../support/index.ts';
import { buildCli } from './built-cli.ts';

const ADA = 'gastown/crew/ada';
const cli = buildCli();
const asRoot = canBecomeOthers ? test : test.skip;

const exec = (town: TestTown, command: readonly string[], ...options: string[]) =>
  cli.run(['exec', '--town', town.root, ...options, ADA, '--', ...command]);

/** The files beside the lock; if there is only the guard's, the lock is free. */
const beside = (town: TestTown): readonly string[] => readdirSync(town.path(ADA, '.runtime')).sort();

afterAll(cli.remove);

describe('the exit code of exec', () => {
  afterEach(cleanUp);

  test.each([0, 1, 2, 7, 20, 22, 125, 255])('is that of the command: %i', async (code) => {
    const town = makeTown();
    expect(await exec(town, ['sh', '-c', `exit ${code}`])).toEqual({
      code,
      signal: null,
      stdout: '',
      stderr: '',
    });
    expect(beside(town)).toEqual(['.gitignore', 'agent.lock.flock']);
  });

  test.each(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGSEGV'] as const)(
    'is 128+n if %s ended the command',
    async (signal) => {
      const town = makeTown();
      const { code } = await exec(town, ['sh', '-c', `kill -${signal.slice(3)} $$`]);
      expect(code).toBe(128 + constants.signals[signal]);
      expect(beside(town)).toEqual(['.gitignore', 'agent.lock.flock']);
    },
  );

  test('is 127 for a missing command, and 126 for one that cannot be executed', async () => {
    const town = makeTown();
    const plain = town.write('plain', 'text');
    chmodSync(plain, 0o644);
    const broken = town.write('broken', '#!/no/such/interpreter\n');
    chmodSync(broken, 0o755);
    const run = async (name: string) => (await exec(town, [name])).code;
    expect(await run('no-such-command')).toBe(127);
    expect(await run('./no-such-command')).toBe(127);
    expect(await run('')).toBe(127);
    expect(await run(broken)).toBe(127);
    expect(await run(plain)).toBe(126);
    expect(await run(town.root)).toBe(126);
    expect(beside(town)).toEqual(['.gitignore', 'agent.lock.flock']);
  });

  const HIDING_SH = ['-m', 'sh', '-c', 'mount --bind /dev/null "$(realpath /bin/sh)" && exec "$@"', 'sh'];
  const whereShHides = spawnSync('unshare', [...HIDING_SH, '/bin/true']).status === 0 ? test : test.skip;
  whereShHides('is 126 if /bin/sh cannot be executed (skipped if nothing can be mounted)', () => {
    const town = makeTown();
    const line = [...HIDING_SH, ...cli.command, 'exec', '--town', town.root, ADA, '--', '/bin/true'];
    const { status, stderr } = spawnSync('unshare', line, { encoding: 'utf8' });
    expect([status, stderr]).toEqual([126, expect.stringContaining('/bin/sh cannot be executed')]);
    expect(existsSync(town.path(ADA, '.runtime'))).toBe(false);
  });

  test('is 127 with --json too, and the document says that the command was not found', async () => {
    const { code, stdout, stderr } = await exec(makeTown(), ['no-such-command'], '--json');
    expect({ code, stderr }).toEqual({ code: 127, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      command: 'exec',
      exitCode: 127,
      results: [],
      error: { message: 'command not found: no-such-command' },
    });
  });

  test.each([
    ['no worker', ['exec']],
    ['no command', ['exec', ADA]],
    ['nothing after --', ['exec', ADA, '--']],
    ['no -- before the command', ['exec', ADA, 'true']],
    ['an unknown option', ['exec', ADA, '--wiat', '3', '--', 'true']],
    ['a wait that is not a number', ['exec', ADA, '--wait', 'long', '--', 'true']],
    ['an unknown --record', ['exec', ADA, '--record', 'pid', '--', 'true']],
    ['a worker that does not exist', ['exec', 'gastown/crew/eve', '--', 'true']],
    ['a relative worker outside the town', ['exec', '../ada', '--', 'true']],
  ])('is 2 for %s, with one sentence or one JSON document', async (_name, args) => {
    const town = makeTown();
    const line = [args[0] ?? '', '--town', town.root, ...args.slice(1)];
    const text = await cli.run(line);
    expect(text).toMatchObject({ code: 2, stdout: '' });
    expect(text.stderr).toMatch(/^doctor: \S.*\n/);
    const json = await cli.run(['exec', '--json', ...line.slice(1)]);
    expect(json).toMatchObject({ code: 2, stderr: '' });
    expect(JSON.parse(json.stdout)).toMatchObject({ exitCode: 2, error: { code: 'E_USAGE' } });
    expect(existsSync(town.path(ADA, '.runtime'))).toBe(false);
  });

  test('works with an absolute path outside the town, and with a symlink, which is resolved', async () => {
    const town = makeTown();
    const other = makeTown({ marked: false, workers: ['w'] });
    const aside = await cli.run(['exec', '--town', town.root, other.path('w'), '--', 'sh', '-c', 'exit 3']);
    expect(aside.code).toBe(3);
    expect(readdirSync(other.path('w', '.runtime')).sort()).toEqual(['.gitignore', 'agent.lock.flock']);
    const link = `${town.root}/gastown/crew/link`;
    symlinkSync(town.path(ADA), link);
    const show = ['sh', '-c', `cat ${town.path(ADA, '.runtime/agent.lock')}`];
    const through = await cli.run(['exec', '--town', town.root, 'gastown/crew/link', '--', ...show]);
    expect(through.code).toBe(0);
    expect(JSON.parse(through.stdout)).toHaveProperty('holder_pid');
  });

  test('is 2 if the worker is a file', async () => {
    const town = makeTown({ workers: [] });
    town.write(ADA, 'no directory');
    expect(await exec(town, ['true'])).toMatchObject({ code: 2 });
  });

  asRoot('is 22 with the reason if the worker cannot be written to, and nothing runs', async () => {
    const town = makeTown();
    chmodSync(town.root, 0o755);
    chownSync(town.root, OTHER_UID, OTHER_UID); // so that root's tmux servers do not count
    const args = ['exec', '--town', town.root, ADA, '--', 'touch', town.path('it-ran')];
    const { code, stdout, stderr } = await cli.run(args, { uid: OTHER_UID, gid: OTHER_UID, cwd: '/' });
    expect({ code, stdout }).toEqual({ code: 22, stdout: '' });
    expect(stderr).toMatch(/EACCES|permission denied|not permitted/i);
    expect(existsSync(town.path(ADA, '.runtime'))).toBe(false);
    expect(existsSync(town.path('it-ran'))).toBe(false);
  });
});

describe('exec refuses with', () => {
  afterEach(cleanUp);

  const refused = async (town: TestTown, ...options: string[]) => {
    const mark = town.path('it-ran');
    const answer = await exec(town, ['touch', mark], ...options);
    expect(existsSync(mark)).toBe(false);
    return answer;
  };

  test('20: a worker whose lock a live process holds, with its PID', async () => {
    const town = makeTown();
    town.lock(ADA, { pid: process.pid, session_id: '' }, { ageSeconds: 0 });
    const answer = await refused(town);
    expect(answer).toMatchObject({ code: 20, stdout: '' });
    expect(answer.stderr).toMatch(new RegExp(`^held gastown/crew/ada: process ${process.pid} .*\n$`));
    const json = await refused(town, '--json');
    expect(json).toMatchObject({ code: 20, stderr: '' });
    expect(JSON.parse(json.stdout)).toMatchObject({
      schemaVersion: 1,
      command: 'exec',
      exitCode: 20,
      town: { root: town.root },
      results: [{ worker: ADA, answer: 'held', state: 'held' }],
      error: null,
    });
    expect(beside(town)).toEqual(['agent.lock']);
  });

  test('20: a worker with an agent but no lock', async () => {
    const town = makeTown();
    const agent = await fakeAgent('claude', { cwd: town.path(ADA), ...cli.user });
    const answer = await refused(town);
    expect(answer.code).toBe(20);
    expect(answer.stderr).toContain(`process ${agent.pid}`);
    expect(existsSync(town.path(ADA, '.runtime'))).toBe(false);
  });

  test.each([
    ['text that is not a record', 'no lock at all', 3600],
    ['an empty file', '', 3600],
    ['a young broken record', '{"pid": ', 1],
  ])('22: an invalid lock (%s), which stays unchanged', async (_name, text, ageSeconds) => {
    const town = makeTown();
    town.lock(ADA, text, { ageSeconds });
    const answer = await refused(town);
    expect(answer).toMatchObject({ code: 22, stdout: '' });
    expect(answer.stderr).toMatch(/^unsure gastown\/crew\/ada: .*invalid/);
    expect(beside(town)).toEqual(['agent.lock']);
  });

  test('22: a directory in place of the lock', async () => {
    const town = makeTown();
    mkdirSync(town.path(ADA, '.runtime/agent.lock'), { recursive: true });
    expect((await refused(town)).code).toBe(22);
  });

  test("22: another writer's stale lock that is still fresh, with the seconds to wait", async () => {
    const town = makeTown();
    town.lock(ADA, { session_id: '' }, { ageSeconds: 3 });
    const answer = await refused(town);
    expect(answer.code).toBe(22);
    expect(answer.stderr).toMatch(/retry in \d+ s/);
    const json = JSON.parse((await refused(town, '--json')).stdout);
    expect(json.results[0].retryInSeconds).toBeGreaterThan(0);
    expect(json.results[0].retryInSeconds).toBeLessThanOrEqual(30);
  });

  test('22: a lock of another host', async () => {
    const town = makeTown();
    town.lock(ADA, { session_id: '', hostname: 'elsewhere' });
    expect((await refused(town)).code).toBe(22);
  });

  test('22: a symlink in place of .runtime, through which nothing is written', async () => {
    const town = makeTown();
    const elsewhere = town.worker('elsewhere');
    symlinkSync(elsewhere, town.path(ADA, '.runtime'));
    expect((await refused(town)).code).toBe(22);
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  test('nothing if the lock is proven stale: it is taken over', async () => {
    const town = makeTown();
    const path = town.lock(ADA, { session_id: '' });
    const { code, stdout } = await exec(town, ['cat', path]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toHaveProperty('holder_pid');
    expect(beside(town)).toEqual(['agent.lock.flock']);
  });

  describe('a lock that a killed run had moved aside, after it is restored:', () => {
    const ASIDE = '.runtime/agent.lock.e156d65fcabc6227.old';
    const townWithAside = (lock: Parameters<TestTown['lock']>[1], ageSeconds: number) => {
      const town = makeTown();
      renameSync(town.lock(ADA, lock, { ageSeconds }), town.path(ADA, ASIDE));
      return town;
    };

    test('nothing if its holder is dead: the command runs', async () => {
      const town = townWithAside({ session_id: '' }, 3600);
      expect(await exec(town, ['echo', 'ran'])).toMatchObject({ code: 0, stdout: 'ran\n', stderr: '' });
      expect(beside(town)).toEqual(['agent.lock.flock']);
    });

    test('20 if its holder lives', async () => {
      const town = townWithAside({ pid: process.pid, session_id: '' }, 0);
      const answer = await refused(town);
      expect(answer.code).toBe(20);
      expect(answer.stderr).toContain(`process ${process.pid}`);
      expect(beside(town)).toEqual(['agent.lock', 'agent.lock.flock']);
    });

    test('22 if it cannot be restored, and it stays', async () => {
      const town = townWithAside({ session_id: '' }, 3600);
      symlinkSync('/etc/hostname', town.path(ADA, '.runtime/agent.lock.flock'));
      const answer = await refused(town);
      expect(answer.code).toBe(22);
      expect(answer.stderr).toContain('agent.lock.e156d65fcabc6227.old');
      expect(existsSync(town.path(ADA, ASIDE))).toBe(true);
    });
  });

  test('nothing with --wait once the worker is free: the command runs', async () => {
    const town = makeTown();
    const agent = await fakeAgent('claude', { cwd: town.path(ADA), ...cli.user });
    const waiting = cli.start(['exec', '--town', town.root, '--wait', '60', ADA, '--', 'echo', 'my turn']);
    const refusedFirst = await refused(town, '--wait', '0.3');
    expect(refusedFirst.code).toBe(20);
    expect(waiting.isOver()).toBe(false);
    await agent.stop();
    expect(await waiting.ended).toMatchObject({ code: 0, stdout: 'my turn\n' });
  });

  test('22: a guard that stayed busy', async () => {
    const town = makeTown();
    const guard = town.write(`${ADA}/.runtime/agent.lock.flock`, '');
    const holder = spawn('flock', ['-F', '-x', guard, 'sh', '-c', 'echo held; exec sleep 600'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await new Promise((settle) => holder.stdout.once('data', settle));
    try {
      const answer = await refused(town);
      expect(answer.code).toBe(22);
      expect(answer.stderr).toMatch(/somebody else is changing the lock/i);
      expect(beside(town)).toEqual(['agent.lock.flock']);
    } finally {
      holder.kill('SIGKILL');
    }
  });

  test('20 all rivals but one: a rival command that waits does not count as an agent', async () => {
    const town = makeTown();
    const agent = sleeperNamed('claude');
    const args = ['exec', '--town', town.root, ADA, '--', agent, '0.2'];
    const both = () => Promise.all([1, 2, 3, 4].map(() => cli.run(args, { cwd: town.path(ADA) })));
    for (let round = 0; round < 3; round += 1) {
      const answers = (await both()).map(({ code, stderr }) => `${code} ${stderr}`);
      expect(answers).toContain('0 ');
      // Nor is a guard that a slow rival holds for seconds an agent.
      const others = answers.filter((answer) => !/^(0|20) |somebody else is changing the lock/i.test(answer));
      expect(others).toEqual([]);
    }
  });
});
