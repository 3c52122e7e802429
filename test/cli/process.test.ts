import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Report } from '../../src/core/types/report.ts';
import { cleanUp, hasTmux, makeTown, startTmux, type TestTown, until } from '../support/index.ts';
import { EXECUTABLE } from '../support/tested-program.ts';
import { bareEnvironment, COMMAND, doctor, documentOf, startDoctor } from './run-cli.ts';

afterEach(cleanUp);

const inTmux = hasTmux ? describe : describe.skip;

const unhealthyTown = (): TestTown => {
  const town = makeTown();
  town.lock('gastown/crew/ada', { session_id: '%55' });
  return town;
};

const shell = (script: string, town: TestTown, env: NodeJS.ProcessEnv = bareEnvironment()) =>
  spawnSync('bash', ['--norc', '-c', script, 'bash', ...COMMAND], {
    cwd: town.root,
    env,
    encoding: 'utf8',
  });

describe('output in a pipe', () => {
  test.each([
    [[]],
    [['-v']],
    [['locks']],
    [['checks']],
    [['explain', 'stale']],
    [['--help']],
    [['--fix', '--dry-run']],
    [['preflight', 'gastown/crew/ada']],
  ])('%j has no escape codes, and standard error is empty', (args) => {
    const { stdout, stderr } = doctor(args, {
      cwd: unhealthyTown().root,
      env: { TERM: 'xterm-256color', CI: '1' },
    });
    expect(stdout).not.toMatch(/(?!\n)\p{Cc}/u);
    expect(stdout).not.toBe('');
    expect(stderr).toBe('');
  });

  test('FORCE_COLOR colours a pipe, NO_COLOR and FORCE_COLOR=0 do not', () => {
    const { root } = unhealthyTown();
    const preflight = (env: Record<string, string>) =>
      doctor(['preflight', 'gastown/crew/ada'], { cwd: root, env }).stdout;
    expect(preflight({ FORCE_COLOR: '1' })).toContain('\u001b[33mrepairable');
    expect(preflight({ FORCE_COLOR: '1', NO_COLOR: '1' })).not.toContain('\u001b');
    expect(preflight({ FORCE_COLOR: '0' })).not.toContain('\u001b');
  });

  test('-q prints nothing when nothing is wrong', () => {
    expect(doctor(['-q'], { cwd: makeTown().root })).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  test('a reader that stops early is not an error', () => {
    const { stdout, stderr } = shell('"$@" -v | head -1', unhealthyTown());
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toBe('');
  });

  test('a slow reader gets everything', async () => {
    const town = makeTown();
    for (let index = 0; index < 500; index += 1) town.lock(`gastown/crew/ada${index}`, { session_id: '%55' });
    const child = startDoctor(['--json'], { cwd: town.root });
    const pieces: Buffer[] = [];
    const ended = once(child, 'close');
    for await (const piece of child.stdout ?? []) {
      pieces.push(piece as Buffer);
      if (pieces.length < 5) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await ended;
    const report = JSON.parse(Buffer.concat(pieces).toString('utf8')) as Report;
    expect(report.locks).toHaveLength(500);
    expect(child.exitCode).toBe(1);
  });

  test('a write error is reported in one sentence and fails the run', () => {
    const { status, stderr } = shell('"$@" checks > /dev/full', unhealthyTown());
    expect(stderr).toBe('doctor: the output cannot be written (ENOSPC)\n');
    expect(status).toBe(70);
  });

  test('so does a write error in a stream of events', () => {
    for (const args of ['--format ndjson', '--fix --format ndjson']) {
      const { status, stderr } = shell(`"$@" ${args} > /dev/full`, unhealthyTown());
      expect(stderr).toBe('doctor: the output cannot be written (ENOSPC)\n');
      expect(status).toBe(70);
    }
  });

  test('closed standard streams do not change the exit status', () => {
    expect(shell('"$@" <&- >&- 2>&-', unhealthyTown()).status).toBe(1);
  });

  test.each([[], ['preflight'], ['exec'], ['locks'], ['explain'], ['checks'], ['undo'], ['completion']])(
    'the prebuilt help of %s equals that of yargs',
    (...command) => {
      const kept = doctor([...command, '--help']);
      // With any other option yargs prints the help.
      expect(doctor([...command, '--help', '--no-color'])).toEqual(kept);
      expect(kept.stdout).toContain('--help');
    },
  );

  test('help shows arguments as they are typed, and each value beside its option', () => {
    const { stdout } = doctor(['exec', '--help']);
    expect(stdout.split('\n')[0]).toBe('doctor exec WORKER [options] -- CMD...');
    expect(stdout).toMatch(/^ {2}-S, --socket SOCKET {2,}also ask this tmux server/m);
    expect(stdout).toMatch(/^ {6}--wait SECONDS {2,}wait this long for a held lock \(default: 0\)$/m);
    const whole = doctor(['--help']).stdout;
    expect(whole).toMatch(/^ {2}doctor exec WORKER -- CMD\.\.\. +Run CMD in a worker/m);
    expect(whole).not.toMatch(/[<>]|\[string\]|\[default\]|undefined/);
    for (const line of whole.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  test('--version and --help answer without a town', () => {
    const env = { GT_TOWN_ROOT: '/no/such' };
    expect(doctor(['--version'], { env }).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(doctor(['preflight', '--version'], { env }).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    for (const args of [['--help'], ['help'], ['preflight', '--help'], ['exec', '-h'], ['help', 'locks']]) {
      const { status, stdout } = doctor(args, { env });
      expect(status).toBe(0);
      expect(stdout).toMatch(/^doctor /);
      expect(stdout).toContain('Exit codes:');
    }
  });
});

inTmux('interrupted while tmux does not answer (skipped without tmux)', () => {
  const waiting = async (args: readonly string[]) => {
    const town = unhealthyTown();
    const server = await startTmux();
    server.newSession('frozen', { cwd: town.root });
    server.freeze();
    const child = startDoctor(['--timeout', '20000', ...args], {
      cwd: town.root,
      env: { TMUX_TMPDIR: server.tmuxTmpdir },
    });
    let stdout = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    // It waits for tmux once it has a child process.
    await until(() => hasChild(child.pid ?? 0), 'the question to tmux');
    return { town, child, said: () => stdout };
  };
  const hasChild = (pid: number): boolean =>
    spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' }).stdout.trim() !== '';

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s ends the run at once, with one document', async (signal, code) => {
    const { child, said } = await waiting(['--json']);
    const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
    child.kill(signal);
    const [status, by] = await ended;
    // A shell treats both alike: an exit with that code, and death by that signal.
    expect(status ?? by).toBe(status === null ? signal : code);
    expect(documentOf<Report>(said())).toMatchObject({ exitCode: code, error: { code: 'E_INTERRUPTED' } });
  });

  test('kill -9 in the middle of --fix changes nothing', async () => {
    const { town, child } = await waiting(['--fix', '--yes']);
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    expect(readdirSync(town.path('gastown/crew/ada/.runtime'))).toEqual(['agent.lock']);
  });
});

describe('a repair that is interrupted', () => {
  test('ends after its current batch, reports what it did, and leaves the rest alone', async () => {
    const workers = Array.from({ length: 60 }, (_, index) => `gastown/crew/w${index}`);
    const town = makeTown({ workers });
    for (const worker of workers) town.lock(worker, { session_id: '%55', nonce: worker });
    // With so few descriptors it holds about ten guards at once and needs many batches.
    const openFiles = 120;
    const child = startDoctor(['--fix', '--yes', '--format', 'ndjson'], { cwd: town.root, openFiles });
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    const events = () =>
      text
        .split('\n')
        .filter((line) => line.endsWith('}'))
        .map(
          (line) =>
            JSON.parse(line) as {
              event: string;
              status?: string;
              exitCode?: number;
              error?: { code: string };
            },
        );
    const fixed = () => events().filter(({ event, status }) => event === 'fix' && status === 'fixed').length;
    await until(() => fixed() > 2, 'the first releases');
    const ended = once(child, 'close') as Promise<[number | null]>;
    child.kill('SIGINT');
    expect((await ended)[0]).toBe(130);
    expect(events().at(-1)).toMatchObject({
      event: 'summary',
      exitCode: 130,
      error: { code: 'E_INTERRUPTED' },
    });
    expect(fixed()).toBeLessThan(60);
    const left = doctor(['--json'], { cwd: town.root });
    expect(documentOf<Report>(left.stdout).summary).toMatchObject({
      locks: 60 - fixed(),
      stale: 60 - fixed(),
    });
    expect(doctor(['undo'], { cwd: town.root }).stdout.match(/^restored /gm)).toHaveLength(fixed());
  });
});

describe('a run that has printed everything', () => {
  test('waits for what a plug-in has started', () => {
    const town = unhealthyTown();
    const plugin = `import { writeFileSync } from 'node:fs';
      const later = () => setTimeout(() => writeFileSync('told', 'whole'), 300);
      export default { id: 'acme/late', title: 'Late', run: () => (later(), []) };`;
    writeFileSync(town.path('late.mjs'), plugin);
    writeFileSync(town.path('lock-doctor.json'), '{ "plugins": ["./late.mjs"] }');
    expect(doctor(['--json'], { cwd: town.root })).toMatchObject({ status: 1, stderr: '' });
    expect(readFileSync(town.path('told'), 'utf8')).toBe('whole');
  });

  // The executable ignores NODE_OPTIONS.
  (EXECUTABLE === null ? test : test.skip)('emits beforeExit for a preloaded module', () => {
    const town = unhealthyTown();
    const hook = `const { writeFileSync } = require('node:fs');
      process.once('beforeExit', () => writeFileSync('told', 'whole'));`;
    writeFileSync(town.path('hook.cjs'), hook);
    const env = { NODE_OPTIONS: `--require=${town.path('hook.cjs')}` };
    expect(doctor(['--json'], { cwd: town.root, env })).toMatchObject({ status: 1, stderr: '' });
    expect(readFileSync(town.path('told'), 'utf8')).toBe('whole');
  });
});

test('a diagnosis writes nothing', () => {
  const town = unhealthyTown();
  mkdirSync(town.path('gastown/crew/bob'));
  const before = spawnSync('find', ['.', '-printf', '%p %s %T@ %C@\n'], {
    cwd: town.root,
    encoding: 'utf8',
  }).stdout;
  for (const args of [
    [],
    ['--deep', '-v'],
    ['locks'],
    ['explain', 'gastown/crew/ada'],
    ['preflight', 'gastown/crew/ada'],
    ['--fix', '--dry-run'],
    ['checks'],
    ['undo'],
  ])
    doctor(args, { cwd: town.root });
  const after = spawnSync('find', ['.', '-printf', '%p %s %T@ %C@\n'], {
    cwd: town.root,
    encoding: 'utf8',
  }).stdout;
  expect(after).toBe(before);
});

describe('locks --watch in a pipe', () => {
  test('reports locks that appear, change and disappear, one JSON event per line', async () => {
    const town = unhealthyTown();
    const child = startDoctor(['locks', '--watch'], { cwd: town.root });
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    const events = () =>
      text
        .split('\n')
        .filter((line) => line !== '')
        .map(
          (line) =>
            JSON.parse(line) as { event: string; change?: string; lock?: { worker: string; state: string } },
        );
    const sees = (change: string, worker: string) =>
      until(
        () => events().some((event) => event.change === change && event.lock?.worker === worker),
        `${change} ${worker}`,
      );
    await sees('present', 'gastown/crew/ada');
    town.lock('gastown/crew/ada', 'broken');
    await sees('changed', 'gastown/crew/ada');
    rmSync(town.path('gastown/crew/ada/.runtime'), { recursive: true });
    await sees('gone', 'gastown/crew/ada');
    expect(events().map(({ event }) => event)[0]).toBe('start');
    const ended = once(child, 'exit') as Promise<[number | null]>;
    child.kill('SIGINT');
    expect((await ended)[0]).toBe(130);
  });
});
