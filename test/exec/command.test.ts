/**
 * What `exec` gives its command: arguments, directory, environment and streams.
 * Runs in a PID namespace: no test here needs a missing PID as proof.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { cleanUp, makeTown, type TestTown } from '../support/index.ts';
import { buildCli, type RunOptions } from './built-cli.ts';
import { ADA, readLock, startLasting } from './lasting.ts';

const cli = buildCli();
const exec = (town: TestTown, command: readonly string[], options?: RunOptions, ...flags: string[]) =>
  cli.run(['exec', '--town', town.root, ...flags, ADA, '--', ...command], options);
const linuxTest = process.platform === 'linux' ? test : test.skip;

afterAll(cli.remove);

describe('the command under exec', () => {
  afterEach(cleanUp);

  test('gets its arguments unchanged', async () => {
    const words = ['a b', '', '*', '$HOME', '--json', '--', "it's", '`id`', 'new\nline', '-q'];
    const { stdout } = await exec(makeTown(), ['printf', '<%s>', ...words]);
    expect(stdout).toBe(words.map((word) => `<${word}>`).join(''));
  });

  test('reads all of the doctor’s standard input', async () => {
    const input = 'line of input\n'.repeat(20_000);
    const { stdout } = await exec(makeTown(), ['cat'], { input });
    expect(stdout === input).toBe(true);
  });

  test('may write more than a pipe holds', async () => {
    const script = 'head -c 3000000 /dev/zero | tr "\\0" x; echo done >&2';
    const { code, stdout, stderr } = await exec(makeTown(), ['sh', '-c', script]);
    expect({ code, stderr, length: stdout.length }).toEqual({ code: 0, stderr: 'done\n', length: 3_000_000 });
  });

  test("runs in the worker's directory, or with --no-cd in the caller's", async () => {
    const town = makeTown();
    mkdirSync(town.path('here'));
    const options = { cwd: town.path('here'), env: { PWD: town.path('here') } };
    const where = ['sh', '-c', 'pwd -P; printenv PWD'];
    expect((await exec(town, where, options)).stdout).toBe(`${town.path(ADA)}\n`.repeat(2));
    expect((await exec(town, where, options, '--no-cd')).stdout).toBe(`${town.path('here')}\n`.repeat(2));
  });

  test('is looked up in the directory where it will run', async () => {
    const town = makeTown();
    const script = town.write(`${ADA}/start`, '#!/bin/sh\necho started\n');
    chmodSync(script, 0o755);
    expect(await exec(town, ['./start'], { cwd: town.root })).toMatchObject({ code: 0, stdout: 'started\n' });
    expect((await exec(town, ['./start'], { cwd: town.root }, '--no-cd')).code).toBe(127);
  });

  test('makes git below it record who holds its locks, unless the caller has set that', async () => {
    const town = makeTown();
    const env = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'user.name', GIT_CONFIG_VALUE_0: 'ada' };
    const ask = ['sh', '-c', 'git config core.lockfilePid; git config user.name'];
    expect((await exec(town, ask, { env })).stdout).toBe('true\nada\n');
    const own = { ...env, GIT_CONFIG_KEY_0: 'Core.LockFilePid', GIT_CONFIG_VALUE_0: 'false' };
    expect((await exec(town, ['git', 'config', 'core.lockfilePid'], { env: own })).stdout).toBe('false\n');
    const damaged = { GIT_CONFIG_COUNT: 'x' };
    expect((await exec(town, ['printenv', 'GIT_CONFIG_COUNT'], { env: damaged })).stdout).toBe('x\n');
  });

  test.each([
    ['an ordinary environment', {}],
    ['no PWD and SHLVL', { PWD: undefined, SHLVL: undefined }],
    [
      'names that a shell does not allow',
      { 'a.b': '1 2\'3"', 'npm_config_//host/:_token': 'x', 'BASH_FUNC_f%%': '() { :; }' },
    ],
    [
      'variables that a shell sets itself',
      { IFS: ':', OPTIND: '7', PPID: '1', LINENO: '9', PWD: '/elsewhere' },
    ],
    [
      'values with newlines and quotes, and an empty one',
      { A: 'x\ny\n', 'B-C': '\n', D: '', E: '$(id) `id` "\'' },
    ],
  ])('has exactly the environment of the caller and our marks: %s', async (_name, env) => {
    const town = makeTown();
    const script = 'process.stdout.write(JSON.stringify(Object.entries(process.env).sort()))';
    const command = [process.execPath, '-e', script];
    const direct = await exec(town, command, { env }, '--no-cd');
    expect(direct.code).toBe(0);
    const seen = new Map<string, string>(JSON.parse(direct.stdout));
    for (const [name, value] of Object.entries(env)) expect([name, seen.get(name)]).toEqual([name, value]);
    expect([...seen.keys()].filter((name) => name.startsWith('LOCK_DOCTOR'))).toEqual(['LOCK_DOCTOR_HOLD']);
    expect(seen.get('LOCK_DOCTOR_HOLD')).toMatch(/^[0-9a-f]{16}$/);
    const added = [
      'TMUX_TMPDIR',
      'LOCK_DOCTOR_HOLD',
      'GIT_CONFIG_COUNT',
      'GIT_CONFIG_KEY_0',
      'GIT_CONFIG_VALUE_0',
    ];
    const expected = new Set([...Object.keys(process.env), ...Object.keys(env), ...added]);
    expect([...seen.keys()].filter((name) => !expected.has(name))).toEqual([]);
  });

  test('leaves a working tree that git removes without --force', async () => {
    const town = makeTown({ marked: false });
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'safe.directory=*', '-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
        cwd: town.path(ADA),
        stdio: 'pipe',
      });
    git('init', '--quiet');
    git('commit', '--quiet', '--allow-empty', '--message', 'first');
    git('worktree', 'add', '--quiet', town.path('tree'));
    expect((await cli.run(['exec', '--town', town.root, 'tree', '--', 'true'])).code).toBe(0);
    git('worktree', 'remove', town.path('tree'));
    expect(existsSync(town.path('tree'))).toBe(false);
  });

  test('does not change an existing .runtime', async () => {
    const town = makeTown();
    mkdirSync(town.path(ADA, '.runtime'));
    expect((await exec(town, ['true'])).code).toBe(0);
    expect(readdirSync(town.path(ADA, '.runtime'))).toEqual(['agent.lock.flock']);
  });

  linuxTest('inherits none of our descriptors beyond the three streams', async () => {
    const script = 'ls /proc/$$/fd; for f in /proc/$$/fd/*; do readlink $f; done';
    const { stdout } = await exec(makeTown(), ['sh', '-c', script]);
    // Descriptors from 10 on may be leaked by the test runner.
    const numbers = stdout.split('\n').filter((line) => /^\d+$/.test(line) && Number(line) < 10);
    expect(numbers).toEqual(['0', '1', '2']);
    expect(stdout).not.toContain('agent.lock');
  });

  test('is the process that the lock names, by PID and start time', async () => {
    const town = makeTown({ marked: false });
    const running = await startLasting(cli, town, 'exec sleep 600', { flags: ['--session', '%77'] });
    const lock = readLock(town);
    expect(lock).toMatchObject({
      pid: running.commandPid,
      holder_pid: running.commandPid,
      session_id: '%77',
    });
    expect(lock.nonce).toMatch(/^[0-9a-f]{16}$/);
    const report = JSON.parse((await cli.run(['--json', '--town', town.root])).stdout);
    expect(report.locks).toMatchObject([
      { worker: ADA, state: 'held', holder: { truePid: running.commandPid } },
    ]);
  });

  test('has the caller’s pane as its session by default', async () => {
    const town = makeTown({ marked: false });
    await startLasting(cli, town, 'exec sleep 600', { env: { TMUX_PANE: '%5' } });
    expect(readLock(town).session_id).toBe('%5');
  });
});
