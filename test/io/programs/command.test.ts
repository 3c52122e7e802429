/**
 * Programs that the doctor runs: what they answer, and how long they may take.
 * Runs in a PID namespace: no test here needs a missing PID as proof.
 */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { complaintOf, runCommand, runCommandNow } from '../../../src/io/programs/command.ts';
import { cleanUp, isRunning, onCleanUp, until } from '../../support/index.ts';

const env = { PATH: process.env.PATH };

describe.each([
  ['a command', undefined],
  ['a command, few: waiting', 'waiting'],
  ['a command, few: listening', 'listening'],
] as const)('%s', (_, few) => {
  const shell = (script: string, timeoutMs = 10_000) =>
    runCommand('/bin/sh', ['-c', script], { timeoutMs, env, few });
  afterEach(cleanUp);

  test('returns exactly the bytes that it wrote', async () => {
    const result = await shell("printf 'a\\377b\\n\\n'; printf warning >&2");
    expect(result).toMatchObject({ status: 'ok', stderr: 'warning' });
    expect(result.status === 'ok' && [...result.stdout]).toEqual([0x61, 0xff, 0x62, 0x0a, 0x0a]);
  });

  test('returns its exit code and output as a value if the code is not 0', async () => {
    const result = await shell('echo half; echo "no such thing" >&2; exit 3');
    expect(result).toMatchObject({ status: 'failed', code: 3, stderr: 'no such thing\n' });
    expect(result.status === 'failed' && result.stdout.toString()).toBe('half\n');
  });

  test('has no exit code if a signal ended it', async () => {
    expect(await shell('kill -TERM $$')).toMatchObject({ status: 'failed', code: null });
  });

  test('is killed at the deadline if it has not ended', async () => {
    expect(await runCommand('sleep', ['600'], { timeoutMs: 50, env, few })).toEqual({
      status: 'timeout',
      timeoutMs: 50,
    });
  });

  test('does not block us if its child keeps the pipe open', async () => {
    const pidFile = join(scratch(), 'pid');
    const started = shell(`sleep 600 & echo $! > ${pidFile}; wait`, 1000);
    expect(await started).toEqual({ status: 'timeout', timeoutMs: 1000 });
    const child = Number(readFileSync(pidFile, 'utf8'));
    process.kill(child, 'SIGKILL');
    await until(() => !isRunning(child));
  });

  test('is missing if there is no such program', async () => {
    expect(await runCommand('no-such-program', [], { timeoutMs: 1000, env, few })).toEqual({
      status: 'missing',
    });
  });

  test('is refused if it is not executable', async () => {
    const file = join(scratch(), 'plain');
    writeFileSync(file, 'text');
    chmodSync(file, 0o644);
    expect(await runCommand(file, [], { timeoutMs: 1000, env, few })).toMatchObject({
      status: 'refused',
      why: expect.stringContaining('EACCES'),
    });
  });

  test('is refused if an environment variable contains a NUL byte', async () => {
    const result = await runCommand('/bin/true', [], { timeoutMs: 1000, env: { HOME: 'a\0b' }, few });
    expect(result).toMatchObject({ status: 'refused', why: expect.stringContaining('could not be run') });
  });

  test('accepts a fraction of a millisecond as its timeout', async () => {
    expect(await shell('true', 10_000.5)).toMatchObject({ status: 'ok' });
  });

  test('gets the given environment and nothing from ours', async () => {
    const result = await runCommand('/usr/bin/env', [], {
      timeoutMs: 10_000,
      env: { ONLY: 'this', GONE: undefined },
      few,
    });
    expect(result.status === 'ok' && result.stdout.toString()).toBe('ONLY=this\n');
  });

  test('reads the given input, or an empty one', async () => {
    const args = { timeoutMs: 10_000, env, few };
    const fed = await runCommand('cat', [], { ...args, input: 'bread' });
    const hungry = await runCommand('cat', [], args);
    expect([fed, hungry].map((result) => result.status === 'ok' && result.stdout.toString())).toEqual([
      'bread',
      '',
    ]);
  });

  test('has its failure described in one line', () => {
    const failed = { status: 'failed', code: 1, stdout: Buffer.alloc(0) } as const;
    expect(complaintOf({ ...failed, stderr: '\n  fatal: this\nand that\n' })).toBe('fatal: this');
    expect(complaintOf({ ...failed, stderr: '' })).toBe('ended with code 1');
    expect(complaintOf({ ...failed, code: null, stderr: '' })).toBe('was ended by a signal');
    expect(complaintOf({ status: 'timeout', timeoutMs: 2000 })).toBe('did not answer within 2000 ms');
    expect(complaintOf({ status: 'missing' })).toBe('is not installed');
  });
});

describe('a synchronous command', () => {
  const node = process as unknown as { binding: (name: string) => unknown };
  const { binding } = node;
  afterEach(() => {
    node.binding = binding;
  });

  const answer = () => {
    const result = runCommandNow('/bin/sh', ['-c', 'echo this; exit 3'], { timeoutMs: 10_000, env });
    return result.status === 'failed' && [result.code, result.stdout.toString()];
  };

  // With `bun test` by Bun's own call.
  (process.versions.bun === undefined ? test : test.skip)(
    "is run through the binding below Node's own module",
    () => {
      const asked: string[] = [];
      node.binding = (name) => {
        asked.push(name);
        return binding.call(process, name);
      };
      expect(answer()).toEqual([3, 'this\n']);
      expect(asked).toEqual(['spawn_sync']);
    },
  );

  test("is run through Node's own module if the binding is not available", () => {
    node.binding = () => {
      throw new Error('No such module: spawn_sync');
    };
    expect(answer()).toEqual([3, 'this\n']);
  });
});

const scratch = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'command-'));
  onCleanUp(() => rmSync(path, { recursive: true, force: true }));
  return path;
};
