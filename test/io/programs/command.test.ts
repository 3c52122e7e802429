import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { complaintOf, runCommand, runCommandNow } from '../../../src/io/programs/command.ts';
import { cleanUp, isRunning, onCleanUp, until } from '../../support/index.ts';

const env = { PATH: process.env.PATH };

describe.each([
  ['a command', undefined],
  ['a command of few that is waited for', 'waiting'],
  ['a command of few', 'listening'],
] as const)('%s', (_, few) => {
  const shell = (script: string, timeoutMs = 10_000) =>
    runCommand('/bin/sh', ['-c', script], { timeoutMs, env, few });
  afterEach(cleanUp);

  test('answers with exactly the bytes it wrote', async () => {
    const result = await shell("printf 'a\\377b\\n\\n'; printf warning >&2");
    expect(result).toMatchObject({ status: 'ok', stderr: 'warning' });
    expect(result.status === 'ok' && [...result.stdout]).toEqual([0x61, 0xff, 0x62, 0x0a, 0x0a]);
  });

  test('that ends with another code is a value, with what it said', async () => {
    const result = await shell('echo half; echo "no such thing" >&2; exit 3');
    expect(result).toMatchObject({ status: 'failed', code: 3, stderr: 'no such thing\n' });
    expect(result.status === 'failed' && result.stdout.toString()).toBe('half\n');
  });

  test('that ends by a signal has no code', async () => {
    expect(await shell('kill -TERM $$')).toMatchObject({ status: 'failed', code: null });
  });

  test('that does not end is killed at the deadline', async () => {
    const before = Date.now();
    expect(await runCommand('sleep', ['600'], { timeoutMs: 50, env, few })).toEqual({
      status: 'timeout',
      timeoutMs: 50,
    });
    expect(Date.now() - before).toBeLessThan(10_000);
  });

  test('whose child keeps the pipe open does not keep us waiting', async () => {
    const pidFile = join(scratch(), 'pid');
    const started = shell(`sleep 600 & echo $! > ${pidFile}; wait`, 1000);
    expect(await started).toEqual({ status: 'timeout', timeoutMs: 1000 });
    const child = Number(readFileSync(pidFile, 'utf8'));
    process.kill(child, 'SIGKILL');
    await until(() => !isRunning(child));
  });

  test('that is not there is missing', async () => {
    expect(await runCommand('no-such-program', [], { timeoutMs: 1000, env, few })).toEqual({
      status: 'missing',
    });
  });

  test('that may not be run is refused', async () => {
    const file = join(scratch(), 'plain');
    writeFileSync(file, 'text');
    chmodSync(file, 0o644);
    expect(await runCommand(file, [], { timeoutMs: 1000, env, few })).toMatchObject({
      status: 'refused',
      why: expect.stringContaining('EACCES'),
    });
  });

  test('that no program can be given as it is asked for is refused', async () => {
    const result = await runCommand('/bin/true', [], { timeoutMs: 1000, env: { HOME: 'a\0b' }, few });
    expect(result).toMatchObject({ status: 'refused', why: expect.stringContaining('could not be run') });
  });

  test('may be given a part of a millisecond', async () => {
    expect(await shell('true', 10_000.5)).toMatchObject({ status: 'ok' });
  });

  test('gets the given environment and nothing of ours', async () => {
    const result = await runCommand('/usr/bin/env', [], {
      timeoutMs: 10_000,
      env: { ONLY: 'this', GONE: undefined },
      few,
    });
    expect(result.status === 'ok' && result.stdout.toString()).toBe('ONLY=this\n');
  });

  test('reads the given input, or none', async () => {
    const args = { timeoutMs: 10_000, env, few };
    const fed = await runCommand('cat', [], { ...args, input: 'bread' });
    const hungry = await runCommand('cat', [], args);
    expect([fed, hungry].map((result) => result.status === 'ok' && result.stdout.toString())).toEqual([
      'bread',
      '',
    ]);
  });

  test('complains in one line', () => {
    const failed = { status: 'failed', code: 1, stdout: Buffer.alloc(0) } as const;
    expect(complaintOf({ ...failed, stderr: '\n  fatal: this\nand that\n' })).toBe('fatal: this');
    expect(complaintOf({ ...failed, stderr: '' })).toBe('ended with code 1');
    expect(complaintOf({ ...failed, code: null, stderr: '' })).toBe('was ended by a signal');
    expect(complaintOf({ status: 'timeout', timeoutMs: 2000 })).toBe('did not answer within 2000 ms');
    expect(complaintOf({ status: 'missing' })).toBe('is not installed');
  });
});

describe('a command that is waited for', () => {
  const node = process as unknown as { binding: (name: string) => unknown };
  const { binding } = node;
  afterEach(() => {
    node.binding = binding;
  });

  const answer = () => {
    const result = runCommandNow('/bin/sh', ['-c', 'echo this; exit 3'], { timeoutMs: 10_000, env });
    return result.status === 'failed' && [result.code, result.stdout.toString()];
  };

  test('is run by the call below Node’s own module', () => {
    const asked: string[] = [];
    node.binding = (name) => {
      asked.push(name);
      return binding.call(process, name);
    };
    expect(answer()).toEqual([3, 'this\n']);
    expect(asked).toEqual(['spawn_sync']);
  });

  test('is run by that module where the call cannot be had', () => {
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
