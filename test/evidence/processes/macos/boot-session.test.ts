/**
 * The boot ID of macOS. The answers here follow the sources of XNU and of Apple's sysctl. The tests of the whole program are a
 * simulation: `process.platform` says macOS, and a script replaces sysctl.
 * Runs in a PID namespace: no test here needs a missing PID as proof.
 */
import { Buffer } from 'node:buffer';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import { formatLockRecord } from '../../../../src/core/record/lock-record.ts';
import type { TrueHolder } from '../../../../src/core/types/evidence.ts';
import type { Report } from '../../../../src/core/types/report.ts';
import { parseBootSession } from '../../../../src/evidence/processes/macos/boot-session.ts';
import type { CommandResult } from '../../../../src/io/programs/command.ts';
import { SYSTEM_DIRECTORIES } from '../../../../src/io/programs/find-program.ts';
import { bareEnvironment, PROGRAM } from '../../../cli/run-cli.ts';
import {
  canBecomeOthers,
  cleanUp,
  deadPid,
  makeTown,
  onCleanUp,
  startProcess,
} from '../../../support/index.ts';

afterEach(cleanUp);

const BEFORE = '40962879-B7EE-4F13-AF6E-E7266EF5E732';
const AFTER = '9C1D0C5A-2E1B-4D0C-8F57-6B2E0F3A7D11';

const printed = (text: string): CommandResult => ({ status: 'ok', stdout: Buffer.from(text), stderr: '' });

describe('the answer of sysctl', () => {
  test('is one UUID on one line, another for each boot', () => {
    expect(parseBootSession(printed(`${BEFORE}\n`))).toBe(BEFORE);
    expect(parseBootSession(printed(`${BEFORE.toLowerCase()}\n`))).toBe(BEFORE.toLowerCase());
    expect(parseBootSession(printed(`${AFTER}\n`))).not.toBe(parseBootSession(printed(`${BEFORE}\n`)));
  });

  test.each<[string, CommandResult]>([
    ['there is no sysctl', { status: 'missing' }],
    ['it may not be run', { status: 'refused', why: 'permission denied' }],
    ['it does not answer', { status: 'timeout', timeoutMs: 2000 }],
    [
      'the kernel does not know the name',
      {
        status: 'failed',
        code: 1,
        stdout: Buffer.from(''),
        stderr: "sysctl: unknown oid 'kern.bootsessionuuid'\n",
      },
    ],
    [
      'it fails after printing a UUID',
      { status: 'failed', code: 1, stdout: Buffer.from(`${BEFORE}\n`), stderr: '' },
    ],
    ['it prints nothing', printed('')],
    ['the kernel has no UUID yet', printed('\n')],
    ['the UUID is zero', printed('00000000-0000-0000-0000-000000000000\n')],
    ['the name precedes it', printed(`kern.bootsessionuuid: ${BEFORE}\n`)],
    ['it is a time', printed('{ sec = 1790421415, usec = 985376 } Sat Sep 26 06:16:55 2026\n')],
    ['it is truncated', printed(`${BEFORE.slice(0, -1)}\n`)],
    ['there are two UUIDs', printed(`${BEFORE}\n${AFTER}\n`)],
    ['it is not text', { status: 'ok', stdout: Buffer.from([0xff, 0xfe, 0x0a]), stderr: '' }],
    ['it is endless', printed('A'.repeat(100_000))],
  ])('gives no boot ID if %s', (_, answer) => {
    expect(parseBootSession(answer)).toBeNull();
  });
});

const canSimulate = canBecomeOthers && spawnSync('unshare', ['-m', 'true']).status === 0;

/** Runs Node with macOS as `process.platform` and this script as sysctl: in a mount namespace, because ours comes first in PATH. */
const onMac = (sysctl: string, args: readonly string[]) => {
  const folder = mkdtempSync(join(tmpdir(), 'mac-'));
  onCleanUp(() => rmSync(folder, { recursive: true }));
  const [hook, fake] = [join(folder, 'hook.cjs'), join(folder, 'sysctl')];
  writeFileSync(hook, "Object.defineProperty(process, 'platform', { value: 'darwin' });\n");
  writeFileSync(fake, `#!/bin/sh\n${sysctl}\n`, { mode: 0o755 });
  const places = SYSTEM_DIRECTORIES.map((directory) => `${directory}/sysctl`).filter((path) =>
    existsSync(path),
  );
  const mount = `for place; do mount --bind "$FAKE" "$place" || exit 99; done; exec "$NODE" --require "$HOOK" $ARGS`;
  const { status, stdout, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', mount, 'sh', ...places], {
    encoding: 'utf8',
    cwd: '/',
    env: {
      ...bareEnvironment({ HOOK: hook, FAKE: fake, NODE: process.execPath, ARGS: args.join(' ') }),
      PATH: `${folder}:${process.env.PATH}`,
    },
  });
  expect([status, stderr]).not.toEqual([99, stderr]);
  return { status, stdout, stderr };
};

/** A record with this holder, as the lock library writes it. */
const recordMadeOn = (sysctl: string, pid: number, startToken: string): string => {
  const identity = fileURLToPath(new URL('../../../../dist/src/lock/identity.js', import.meta.url));
  const script = join(mkdtempSync(join(tmpdir(), 'holder-')), 'describe.mjs');
  onCleanUp(() => rmSync(join(script, '..'), { recursive: true }));
  writeFileSync(
    script,
    `import { trueHolderOf } from '${identity}';
    console.log(JSON.stringify(trueHolderOf(${JSON.stringify({ pid, startToken })}, '0123456789abcdef')));`,
  );
  const { stdout } = onMac(sysctl, [script]);
  const holder = JSON.parse(stdout) as TrueHolder;
  return formatLockRecord({
    pid: deadPid(),
    acquiredAtNs: BigInt(Date.now() - 8 * 3_600_000) * 1_000_000n,
    sessionId: '',
    hostname: hostname(),
    holder,
  });
};

const inSimulation = canSimulate ? describe : describe.skip;

inSimulation('a simulated macOS (skipped without root and mount namespaces)', () => {
  const ADA = 'gastown/crew/ada';
  const RESTARTED = 'this machine was restarted';

  const ask = (record: string, sysctl: string) => {
    const town = makeTown();
    town.lock(ADA, record, { ageSeconds: 8 * 3600 });
    const { stdout } = onMac(sysctl, [PROGRAM, '--json', '--town', town.root]);
    const { locks } = JSON.parse(stdout) as Report;
    return locks[0];
  };

  test('writes the boot ID into the records of its locks if it is known', () => {
    const bootIdIn = (sysctl: string) => JSON.parse(recordMadeOn(sysctl, 1, 'x')).holder?.boot_id ?? null;
    expect(recordMadeOn(`echo ${BEFORE}`, 1, 'x')).toContain(BEFORE);
    expect(recordMadeOn('exit 1', 1, 'x')).not.toContain('boot_id":"');
    expect(bootIdIn('echo garbage')).toBeNull();
  });

  test('distinguishes two boots with equal clocks and PIDs: a PID in use is not the holder from another boot', async () => {
    const { pid } = await startProcess('sleep', ['600']);
    const start = 'Sun Nov 23 09:00:02 2025';
    const record = recordMadeOn(`echo ${BEFORE}`, pid, start);
    const after = ask(record, `echo ${AFTER}`);
    expect(after?.evidence.map(({ text }) => text).join()).toContain(RESTARTED);
    expect(after).toMatchObject({ reasons: expect.arrayContaining(['rebooted']) });
    const same = ask(record, `echo ${BEFORE}`);
    expect(same?.reasons).not.toContain('rebooted');
    expect(same?.reasons).toContain('process-recycled');
  });

  test.each(['exit 1', 'echo garbage', `echo ${AFTER}; exit 1`, 'true', `echo ${AFTER}; echo ${AFTER}`])(
    'does not take an unknown boot for another one (%s)',
    async (sysctl) => {
      const { pid } = await startProcess('sleep', ['600']);
      const record = recordMadeOn(`echo ${BEFORE}`, pid, 'Sun Nov 23 09:00:02 2025');
      const lock = ask(record, sysctl);
      expect(lock?.reasons).not.toContain('rebooted');
      expect(lock?.state).toBe('held');
    },
  );
});
