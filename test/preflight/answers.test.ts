import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { buildCli, type RunOptions } from '../exec/built-cli.ts';
import { cleanUp, fakeAgent, makeTown, onCleanUp, type TestTown } from '../support/index.ts';

const ADA = 'gastown/crew/ada';
const BOB = 'gastown/crew/bob';
const CLEO = 'gastown/crew/cleo';
const DORA = 'gastown/crew/dora';
const cli = buildCli();

const ask = (town: TestTown, workers: readonly string[], options: RunOptions = {}, ...flags: string[]) =>
  cli.run(['preflight', '--town', town.root, ...flags, ...workers], options);

const NO_SESSION = { session_id: '' };
const isHeld = (town: TestTown, worker: string) =>
  town.lock(worker, { pid: process.pid, ...NO_SESSION }, { ageSeconds: 0 });
const isStale = (town: TestTown, worker: string) => town.lock(worker, NO_SESSION);
const isForeign = (town: TestTown, worker: string) =>
  town.lock(worker, { ...NO_SESSION, hostname: 'elsewhere' });

afterAll(cli.remove);

describe('preflight answers', () => {
  afterEach(cleanUp);

  test('0 free: no lock and nobody at work', async () => {
    expect(await ask(makeTown(), [ADA])).toEqual({
      code: 0,
      signal: null,
      stdout: 'free gastown/crew/ada: no lock, no agent running\n',
      stderr: '',
    });
  });

  test('0 free: a worker that does not exist yet, where one may be made', async () => {
    const town = makeTown();
    for (const worker of ['gastown/crew/new', 'gastown/polecats/x/gastown', town.path('gastown/crew/other')])
      expect(await ask(town, [worker])).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('the directory does not exist yet; no lock, no agent running'),
      });
    const plain = makeTown({ marked: false, workers: ['wt/one'] });
    mkdirSync(plain.path('wt/one/.git'));
    expect((await ask(plain, ['wt/two'])).code).toBe(0);
  });

  test('2: a name that is more likely a mistake, with the worker that was probably meant', async () => {
    const town = makeTown({ workers: [ADA, BOB] });
    await fakeAgent('claude', { cwd: town.path(ADA), ...cli.user });
    const names = [
      ['ada', `Did you mean ${ADA}?`],
      ['gastown/crew/Ada', `Did you mean ${ADA}?`],
      ['nope/crew/x', '--new'],
      ['gastown/crew/ada/sub/deep', '--new'],
      ['gastown', 'See: doctor locks'],
    ] as const;
    for (const [name, hint] of names) {
      const { code, stdout, stderr } = await ask(town, [name]);
      expect([name, code, stdout]).toEqual([name, 2, '']);
      expect(stderr).toContain(hint);
    }
    expect(await ask(town, ['--new', 'nope/crew/x'])).toMatchObject({ code: 0, stderr: '' });
  });

  test('2: a slip of the pen beside the worker that was meant, and not another number or name', async () => {
    const town = makeTown({ marked: false, workers: ['feature-1', 'release', 'ada'] });
    for (const worker of ['feature-1', 'release', 'ada']) mkdirSync(town.path(worker, '.git'));
    for (const name of ['featur-1', 'featture-1', 'faeture-1', 'releases']) {
      const { code, stderr } = await ask(town, [name]);
      expect([name, code, stderr]).toEqual([
        name,
        2,
        expect.stringMatching(
          /^doctor: no worker ".*" in .*\nDid you mean (feature-1|release)\? If it is yet to be made, say so with --new\.\n$/,
        ),
      ]);
      expect((await ask(town, ['--new', name])).code).toBe(0);
    }
    for (const name of ['feature-2', 'feature-11', 'feature-a', 'adam', 'other'])
      expect([name, (await ask(town, [name])).code]).toEqual([name, 0]);
    const { stderr } = await cli.run(['exec', '--town', town.root, 'featur-1', '--', 'true']);
    expect(stderr).toContain('Did you mean feature-1?');
    const far = await cli.run(['exec', '--town', town.root, 'some thing', '--', 'true']);
    expect(far.stderr).toContain(`mkdir -p '${town.path('some thing')}'`);
  });

  test('for another working tree of the same repository, named from where one stands', async () => {
    const town = makeTown({ marked: false, workers: [] });
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.c', ...args], {
        cwd: town.path('main'),
      });
    mkdirSync(town.path('main'));
    git('init', '-q', '.');
    git('commit', '-q', '--allow-empty', '-m', 'x');
    git('worktree', 'add', '-q', town.path('feature'));
    await fakeAgent('claude', { cwd: town.path('feature'), ...cli.user });
    const asked = await cli.run(['preflight', '../feature'], { cwd: town.path('main') });
    expect(asked).toMatchObject({ code: 20, stderr: '' });
  });

  test('20 held: a live process behind the lock; an agent at work without one', async () => {
    const town = makeTown({ workers: [ADA, BOB] });
    isHeld(town, ADA);
    await fakeAgent('claude', { cwd: town.path(BOB), ...cli.user });
    expect((await ask(town, [ADA])).code).toBe(20);
    expect((await ask(town, [BOB])).code).toBe(20);
  });

  test('20 held: two agents at once are contested, whatever the lock says', async () => {
    const town = makeTown();
    isStale(town, ADA);
    await fakeAgent('claude', { cwd: town.path(ADA), ...cli.user });
    await fakeAgent('codex', { cwd: town.path(ADA), ...cli.user });
    const { code, stdout } = await ask(town, [ADA]);
    expect(code).toBe(20);
    expect(stdout).toMatch(/^held gastown\/crew\/ada: 2 agents are running there: /);
  });

  test('21 repair: a stale lock and an old invalid one, with the command that releases it', async () => {
    const town = makeTown({ workers: [ADA, BOB] });
    isStale(town, ADA);
    town.lock(BOB, 'nonsense');
    for (const worker of [ADA, BOB]) {
      const { code, stdout } = await ask(town, [worker]);
      expect(code).toBe(21);
      expect(stdout).toContain(`doctor preflight --fix ${worker} --town ${town.root}`);
    }
  });

  test.each([
    ['a lock of another host', (town: TestTown) => isForeign(town, ADA)],
    ["another writer's fresh stale lock", (town: TestTown) => town.lock(ADA, NO_SESSION, { ageSeconds: 2 })],
    ['a young invalid lock', (town: TestTown) => town.lock(ADA, '{', { ageSeconds: 2 })],
    [
      'a symlink in the place of the lock',
      (town: TestTown) => {
        town.write(`${ADA}/.runtime/x`, '');
        symlinkSync('/etc/hostname', town.path(ADA, '.runtime/agent.lock'));
      },
    ],
  ])('22 unsure: %s', async (_name, arrange) => {
    const town = makeTown();
    arrange(town);
    const { code, stdout } = await ask(town, [ADA]);
    expect(code).toBe(22);
    expect(stdout).toMatch(/^unsure gastown\/crew\/ada: /);
  });

  describe('22 unsure: a lock that a killed run had moved aside, and no lock', () => {
    const ASIDE = '.runtime/agent.lock.e156d65fcabc6227.old';
    const moveAside = (town: TestTown) =>
      renameSync(town.path(ADA, '.runtime/agent.lock'), town.path(ADA, ASIDE));

    test('with the command that puts it back; then the lock answers: a live one holds', async () => {
      const town = makeTown();
      isHeld(town, ADA);
      moveAside(town);
      const first = await ask(town, [ADA]);
      expect(first.code).toBe(22);
      expect(first.stdout).toMatch(/^unsure gastown\/crew\/ada: .*agent\.lock\.e156d65fcabc6227\.old/);
      expect(first.stdout).toContain(`doctor preflight --fix ${ADA} --town ${town.root}`);
      const fixed = await ask(town, [ADA], {}, '--fix');
      expect(fixed.code).toBe(20);
      expect(fixed.stdout).toContain('put back');
      expect(existsSync(town.path(ADA, '.runtime/agent.lock'))).toBe(true);
      expect(existsSync(town.path(ADA, ASIDE))).toBe(false);
    });

    test('a dead one is put back, judged and released', async () => {
      const town = makeTown();
      isStale(town, ADA);
      moveAside(town);
      expect((await ask(town, [ADA])).code).toBe(22);
      const fixed = await ask(town, [ADA], {}, '--fix');
      expect(fixed.code).toBe(0);
      expect(fixed.stdout).toMatch(/put back; a dead lock was released \(doctor undo /);
      expect(existsSync(town.path(ADA, '.runtime/agent.lock'))).toBe(false);
    });

    test('where it cannot be put back the answer stays, and says so', async () => {
      const town = makeTown();
      isStale(town, ADA);
      moveAside(town);
      symlinkSync('/etc/hostname', town.path(ADA, '.runtime/agent.lock.flock'));
      const { code, stdout } = await ask(town, [ADA], {}, '--fix');
      expect(code).toBe(22);
      expect(stdout).toContain('it was not put back');
    });

    test('doctor does not call that healthy', async () => {
      const town = makeTown();
      isHeld(town, ADA);
      moveAside(town);
      const { code, stdout } = await cli.run(['--town', town.root]);
      expect(code).toBe(1);
      expect(stdout).toContain('agent.lock.e156d65fcabc6227.old');
    });

    test('an agent at work answers first, and a file of another name is nobody', async () => {
      const town = makeTown({ workers: [ADA, BOB] });
      isHeld(town, ADA);
      moveAside(town);
      await fakeAgent('claude', { cwd: town.path(ADA), ...cli.user });
      expect((await ask(town, [ADA])).code).toBe(20);
      town.write(`${BOB}/.runtime/agent.lock.backup.old`, '');
      expect((await ask(town, [BOB])).code).toBe(0);
    });
  });

  test('for several workers each, and exits with the worst: 22 before 20 before 21 before 0', async () => {
    const town = makeTown({ workers: [ADA, BOB, CLEO, DORA] });
    isHeld(town, BOB);
    isStale(town, CLEO);
    isForeign(town, DORA);
    const all = await ask(town, [ADA, BOB, CLEO, DORA]);
    expect(all.code).toBe(22);
    expect(all.stdout.split('\n').map((line) => line.split(':')[0])).toEqual([
      `free ${ADA}`,
      `held ${BOB}`,
      `repairable ${CLEO}`,
      `unsure ${DORA}`,
      '',
    ]);
    expect((await ask(town, [CLEO, ADA, BOB])).code).toBe(20);
    expect((await ask(town, [ADA, CLEO])).code).toBe(21);
    expect((await ask(town, [CLEO, ADA])).code).toBe(21);
    const quiet = await ask(town, [ADA, CLEO], {}, '-q');
    expect(quiet.stdout).toMatch(/^repairable [^\n]*\n$/);
    const json = JSON.parse((await ask(town, [ADA, BOB, CLEO, DORA], {}, '--json')).stdout);
    expect(json).toMatchObject({
      schemaVersion: 1,
      command: 'preflight',
      exitCode: 22,
      results: [
        { worker: ADA, answer: 'free', state: null },
        { worker: BOB, answer: 'held', state: 'held' },
        { worker: CLEO, answer: 'repair', state: 'stale' },
        { worker: DORA, answer: 'unsure', state: 'foreign' },
      ],
      error: null,
    });
  });

  test('2: no worker, an unknown option, a relative worker outside the town, a town that does not exist', async () => {
    const town = makeTown();
    const lines = [
      ['--town', town.root],
      ['--town', town.root, ADA, '--jsn'],
      ['--town', town.root, '../elsewhere'],
      ['--town', town.path('missing'), ADA],
    ];
    for (const line of lines) {
      expect(await cli.run(['preflight', ...line])).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringMatching(/^doctor: \S/),
      });
      const json = await cli.run(['preflight', '--json', ...line]);
      expect(json).toMatchObject({ code: 2, stderr: '' });
      expect(JSON.parse(json.stdout)).toMatchObject({
        command: 'preflight',
        results: [],
        error: { code: 'E_USAGE' },
      });
    }
  });

  test('for a worker outside the town where its path is absolute, and through symlinks', async () => {
    const town = makeTown();
    const other = makeTown({ marked: false, workers: ['w'] });
    isStale(other, 'w');
    expect(await ask(town, [other.path('w')])).toMatchObject({ code: 21, stderr: '' });
    isStale(town, ADA);
    symlinkSync(town.path(ADA), town.path('gastown/crew/link'));
    expect((await ask(town, ['gastown/crew/link'])).code).toBe(21);
    const alias = join(mkdtempSync(join(tmpdir(), 'alias-')), 'town');
    onCleanUp(() => rmSync(join(alias, '..'), { recursive: true, force: true }));
    chmodSync(join(alias, '..'), 0o755);
    symlinkSync(town.root, alias);
    expect((await cli.run(['preflight', '--town', alias, ADA])).code).toBe(21);
    expect((await cli.run(['preflight', '.'], { cwd: town.path(ADA) })).code).toBe(21);
  });

  test('where tmux is not in PATH: never 0 for a lock that names a pane', async () => {
    const town = makeTown({ workers: [ADA, BOB, CLEO] });
    const bin = mkdtempSync(join(tmpdir(), 'bin-'));
    chmodSync(bin, 0o755);
    onCleanUp(() => rmSync(bin, { recursive: true, force: true }));
    const options = { env: { PATH: bin } };
    isHeld(town, ADA);
    town.lock(BOB, { session_id: '%4' });
    expect((await ask(town, [ADA], options)).code).toBe(20);
    // Whether a tmux server of this user runs somewhere on this machine decides the rest.
    expect([21, 22]).toContain((await ask(town, [BOB], options)).code);
    expect([0, 22]).toContain((await ask(town, [CLEO], options)).code);
  });
});
