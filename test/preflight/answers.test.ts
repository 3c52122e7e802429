import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
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

describe('preflight', () => {
  afterEach(cleanUp);

  test('exits with 0 if there is neither a lock nor an agent', async () => {
    expect(await ask(makeTown(), [ADA])).toEqual({
      code: 0,
      signal: null,
      stdout: 'free gastown/crew/ada: no lock, no agent running\n',
      stderr: '',
    });
  });

  test('exits with 0 for a worker that does not exist yet but could be created', async () => {
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

  test('exits with 2 for a name that looks like a mistake, and suggests the intended worker', async () => {
    const town = makeTown({ workers: [ADA, BOB, 'gastown/polecats/max/gastown'] });
    mkdirSync(town.path('Gastown/crew'), { recursive: true });
    await fakeAgent('claude', { cwd: town.path(ADA), ...cli.user });
    const names = [
      ['ada', `Did you mean ${ADA}?`],
      ['gastown/crew/Ada', `Did you mean ${ADA}?`],
      ['Gastown/crew/ada', `Did you mean ${ADA}?`],
      ['gastwn/crew/ada', `Did you mean ${ADA}?`],
      ['polecats/max/gastown', 'Did you mean gastown/polecats/max/gastown?'],
      ['max/gastown', 'Did you mean gastown/polecats/max/gastown?'],
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
    const plain = makeTown({ marked: false, workers: ['notes/x'] });
    const meant = { code: 2, stderr: expect.stringContaining('Did you mean notes/x?') };
    expect(await ask(plain, ['notes/X'])).toMatchObject(meant);
  });

  test("exits with 2 for a typo in a worker's name, but not for another number or name", async () => {
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

  test('says of a missing directory what exec says, by whatever path: none yet, or a mistake', async () => {
    const town = makeTown({ marked: false, workers: ['app'] });
    const app = town.path('app');
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.c', ...args], { cwd: app });
    git('init', '-q', '.');
    git('commit', '-q', '--allow-empty', '-m', 'x');
    for (const tree of ['.claude/worktrees/checkout', '../feature-1']) git('worktree', 'add', '-q', tree);
    const run = (...args: string[]) => cli.run(args, { cwd: app });
    const [inside, beside] = ['.claude/worktrees/other', '../feature-99'];
    for (const name of [inside, join(app, inside), beside, join(app, beside)]) {
      const path = resolve(app, name);
      const asked = await run('preflight', name);
      expect([name, asked.code, asked.stdout]).toEqual([
        name,
        0,
        expect.stringMatching(/^free \S+: the directory does not exist yet; no lock, no agent running\n$/),
      ]);
      expect(await run('exec', name, '--', 'true')).toMatchObject({
        code: 2,
        stderr: `doctor: the directory ${path} does not exist yet\nTry: mkdir -p ${path}\n`,
      });
    }
    for (const [name, near] of [
      ['.claude/worktrees/chekout', '.claude/worktrees/checkout'],
      ['../featur-1', town.path('feature-1')],
      [town.path('featur-1'), town.path('feature-1')],
    ] as const) {
      const saysExec = (await run('exec', name, '--', 'true')).stderr;
      const [first] = saysExec.split(' Try:');
      expect(first).toMatch(/^doctor: no worker ".*" in \S+\nDid you mean /);
      expect(first?.endsWith(`Did you mean ${near}?`)).toBe(true);
      const asked = await run('preflight', name);
      expect([name, asked.code, asked.stderr]).toEqual([
        name,
        2,
        `${first} If it is yet to be made, say so with --new.\n`,
      ]);
      expect((await run('preflight', '--new', name)).code).toBe(0);
    }
    expect((await run('preflight', '../../elsewhere')).stderr).toContain('is outside the town');
    expect((await run('preflight', '--new', '../../elsewhere')).code).toBe(0);
  });

  test('accepts a relative path to another working tree of the same repository', async () => {
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

  test('exits with 20 if a live process holds the lock, or an agent runs without one', async () => {
    const town = makeTown({ workers: [ADA, BOB] });
    isHeld(town, ADA);
    await fakeAgent('claude', { cwd: town.path(BOB), ...cli.user });
    expect((await ask(town, [ADA])).code).toBe(20);
    expect((await ask(town, [BOB])).code).toBe(20);
  });

  test('exits with 20 if two agents are running, whatever the lock says', async () => {
    const town = makeTown();
    isStale(town, ADA);
    await fakeAgent('claude', { cwd: town.path(ADA), ...cli.user });
    await fakeAgent('codex', { cwd: town.path(ADA), ...cli.user });
    const { code, stdout } = await ask(town, [ADA]);
    expect(code).toBe(20);
    expect(stdout).toMatch(/^held gastown\/crew\/ada: 2 agents are running there: /);
  });

  test('for a prompt, the lock of the agent that asks does not count, and any other does', async () => {
    const town = makeTown({ marked: false, workers: [ADA, BOB] });
    // In the town, as the user who asks has to be able to run it.
    const claude = town.path('claude');
    copyFileSync('/bin/bash', claude);
    chmodSync(claude, 0o755);
    const askFrom = (worker: string, ...args: readonly string[]) => {
      const script = '"$@"; exit $?';
      const question = [...cli.command, 'preflight', ...args, '--town', town.root, worker];
      const agent = [claude, '--norc', '-c', script, 'claude', ...question];
      return cli.run(['exec', '--town', town.root, ADA, '--', ...agent]);
    };
    // Who starts agents may hold the worker's lock itself: for a start, its own lock counts.
    expect(await askFrom(ADA)).toMatchObject({ code: 20 });
    expect(await askFrom(ADA, '--for', 'prompt')).toMatchObject({
      code: 0,
      stdout: `free ${ADA}: no other lock, no agent running\n`,
    });
    const { pid } = await fakeAgent('codex', { cwd: '/', ...cli.user });
    town.lock(BOB, { pid, ...NO_SESSION }, { ageSeconds: 0 });
    expect(await askFrom(BOB, '--for', 'prompt')).toMatchObject({ code: 20 });
  });

  test('exits with 21 for a stale lock and an old invalid one, with the command that releases it', async () => {
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
  ])('exits with 22 for %s', async (_name, arrange) => {
    const town = makeTown();
    arrange(town);
    const { code, stdout } = await ask(town, [ADA]);
    expect(code).toBe(22);
    expect(stdout).toMatch(/^unsure gastown\/crew\/ada: /);
  });

  describe('exits with 22 if a killed run moved the lock aside:', () => {
    const ASIDE = '.runtime/agent.lock.e156d65fcabc6227.old';
    const moveAside = (town: TestTown) =>
      renameSync(town.path(ADA, '.runtime/agent.lock'), town.path(ADA, ASIDE));

    test('--fix restores a live lock, and then reports it as held', async () => {
      const town = makeTown();
      isHeld(town, ADA);
      moveAside(town);
      const first = await ask(town, [ADA]);
      expect(first.code).toBe(22);
      expect(first.stdout).toMatch(/^unsure gastown\/crew\/ada: .*agent\.lock\.e156d65fcabc6227\.old/);
      expect(first.stdout).toContain(`doctor preflight --fix ${ADA} --town ${town.root}`);
      const fixed = await ask(town, [ADA], {}, '--fix');
      expect(fixed.code).toBe(20);
      expect(fixed.stdout).toContain('was restored');
      expect(existsSync(town.path(ADA, '.runtime/agent.lock'))).toBe(true);
      expect(existsSync(town.path(ADA, ASIDE))).toBe(false);
    });

    test('--fix restores, judges and releases a dead lock', async () => {
      const town = makeTown();
      isStale(town, ADA);
      moveAside(town);
      expect((await ask(town, [ADA])).code).toBe(22);
      const fixed = await ask(town, [ADA], {}, '--fix');
      expect(fixed.code).toBe(0);
      expect(fixed.stdout).toMatch(/restored; a dead lock was released \(doctor undo /);
      expect(existsSync(town.path(ADA, '.runtime/agent.lock'))).toBe(false);
    });

    test('--fix says so if the lock cannot be restored', async () => {
      const town = makeTown();
      isStale(town, ADA);
      moveAside(town);
      symlinkSync('/etc/hostname', town.path(ADA, '.runtime/agent.lock.flock'));
      const { code, stdout } = await ask(town, [ADA], {}, '--fix');
      expect(code).toBe(22);
      expect(stdout).toContain('it was not restored');
    });

    test('doctor does not report that as healthy', async () => {
      const town = makeTown();
      isHeld(town, ADA);
      moveAside(town);
      const { code, stdout } = await cli.run(['--town', town.root]);
      expect(code).toBe(1);
      expect(stdout).toContain('agent.lock.e156d65fcabc6227.old');
    });

    test('a running agent counts first, and a file of another name does not count', async () => {
      const town = makeTown({ workers: [ADA, BOB] });
      isHeld(town, ADA);
      moveAside(town);
      await fakeAgent('claude', { cwd: town.path(ADA), ...cli.user });
      expect((await ask(town, [ADA])).code).toBe(20);
      town.write(`${BOB}/.runtime/agent.lock.backup.old`, '');
      expect((await ask(town, [BOB])).code).toBe(0);
    });
  });

  test('answers for each of several workers, and exits with the worst: 22, then 20, 21, 0', async () => {
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

  test('exits with 2 without a worker, for an unknown option, for a relative path outside the town and for a missing town', async () => {
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

  test('accepts a worker outside the town by its absolute path, and through symlinks', async () => {
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

  test('never exits with 0 for a lock that names a pane if tmux is not in PATH', async () => {
    const town = makeTown({ workers: [ADA, BOB, CLEO] });
    const bin = mkdtempSync(join(tmpdir(), 'bin-'));
    chmodSync(bin, 0o755);
    onCleanUp(() => rmSync(bin, { recursive: true, force: true }));
    const options = { env: { PATH: bin } };
    isHeld(town, ADA);
    town.lock(BOB, { session_id: '%4' });
    expect((await ask(town, [ADA], options)).code).toBe(20);
    // The rest depends on whether this user runs a tmux server on this machine.
    expect([21, 22]).toContain((await ask(town, [BOB], options)).code);
    expect([0, 22]).toContain((await ask(town, [CLEO], options)).code);
  });
});
