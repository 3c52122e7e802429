/**
 * The boot id of macOS. Its answers are written down here as the sources of XNU and of Apple's sysctl define them. The tests of
 * the whole are a simulation: `process.platform` says macOS, and another program stands in the place of sysctl.
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

const said = (text: string): CommandResult => ({ status: 'ok', stdout: Buffer.from(text), stderr: '' });

describe('what sysctl answers', () => {
  test('is one UUID on one line, and two boots have two', () => {
    expect(parseBootSession(said(`${BEFORE}\n`))).toBe(BEFORE);
    expect(parseBootSession(said(`${BEFORE.toLowerCase()}\n`))).toBe(BEFORE.toLowerCase());
    expect(parseBootSession(said(`${AFTER}\n`))).not.toBe(parseBootSession(said(`${BEFORE}\n`)));
  });

  test.each<[string, CommandResult]>([
    ['there is no sysctl', { status: 'missing' }],
    ['it may not be run', { status: 'refused', why: 'permission denied' }],
    ['it does not answer', { status: 'timeout', timeoutMs: 2000 }],
    [
      'its kernel does not know the name',
      {
        status: 'failed',
        code: 1,
        stdout: Buffer.from(''),
        stderr: "sysctl: unknown oid 'kern.bootsessionuuid'\n",
      },
    ],
    [
      'it fails after it has said something',
      { status: 'failed', code: 1, stdout: Buffer.from(`${BEFORE}\n`), stderr: '' },
    ],
    ['it says nothing', said('')],
    ['the kernel has made none yet', said('\n')],
    ["it is nobody's", said('00000000-0000-0000-0000-000000000000\n')],
    ['the name stands before it', said(`kern.bootsessionuuid: ${BEFORE}\n`)],
    ['it is a time', said('{ sec = 1790421415, usec = 985376 } Sat Sep 26 06:16:55 2026\n')],
    ['it is cut off', said(`${BEFORE.slice(0, -1)}\n`)],
    ['there are two', said(`${BEFORE}\n${AFTER}\n`)],
    ['it is no text', { status: 'ok', stdout: Buffer.from([0xff, 0xfe, 0x0a]), stderr: '' }],
    ['it is endless', said('A'.repeat(100_000))],
  ])('is no boot where %s', (_, answer) => {
    expect(parseBootSession(answer)).toBeNull();
  });
});

const canSimulate = canBecomeOthers && spawnSync('unshare', ['-m', 'true']).status === 0;

/** Runs Node where `process.platform` says macOS and this script is sysctl: in a mount namespace, as our own sysctl comes first. */
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

/** What the lock library writes down of a holder, as a lock says it. */
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

  test('writes the boot into the records of its locks, and none that it could not tell', () => {
    const bootIdIn = (sysctl: string) => JSON.parse(recordMadeOn(sysctl, 1, 'x')).holder?.boot_id ?? null;
    expect(recordMadeOn(`echo ${BEFORE}`, 1, 'x')).toContain(BEFORE);
    expect(recordMadeOn('exit 1', 1, 'x')).not.toContain('boot_id":"');
    expect(bootIdIn('echo garbage')).toBeNull();
  });

  test('tells two boots apart whose clock and numbers agree: a number in use is no holder of another boot', async () => {
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
    'does not take a boot that cannot be told for another one (%s)',
    async (sysctl) => {
      const { pid } = await startProcess('sleep', ['600']);
      const record = recordMadeOn(`echo ${BEFORE}`, pid, 'Sun Nov 23 09:00:02 2025');
      const lock = ask(record, sysctl);
      expect(lock?.reasons).not.toContain('rebooted');
      expect(lock?.state).toBe('held');
    },
  );
});
