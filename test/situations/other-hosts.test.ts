/** Locks of a container that is gone, of a former name of this machine, and from before the last boot. */
import { spawnSync } from 'node:child_process';
import { hostname } from 'node:os';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Report } from '../../src/core/types/report.ts';
import { cleanUp, fakeAgent, startProcess } from '../support/index.ts';
import { ADA, askElsewhere, BOB, lockOf, setStage, textsOf } from './stage.ts';

afterEach(cleanUp);

/** A new PID namespace requires root. */
const canUnshare =
  process.platform === 'linux' && spawnSync('unshare', ['-pf', '--mount-proc', 'true']).status === 0;
const inNamespace = canUnshare ? test : test.skip;

/** A PID that is in use, but not by an agent. */
const somePid = async (): Promise<number> => (await startProcess('sleep', ['600'], { cwd: '/' })).pid;

describe('a lock of another host', () => {
  test('whose PID is in use here → foreign with would-block, and a warning that names formerHosts', async () => {
    const { town, look, fix } = setStage();
    town.lock(
      ADA,
      { pid: await somePid(), hostname: '4e449adbac66', session_id: '%3' },
      { ageSeconds: 7200 },
    );
    const report = await look();
    expect(lockOf(report, ADA)).toMatchObject({ state: 'foreign', notes: ['would-block'] });
    expect(report.findings).toMatchObject([{ check: 'undecided-lock', severity: 'warning', doubt: false }]);
    expect(report.findings[0]?.fix?.text).toMatch(/container id.*"formerHosts"/);
    expect(report.exitCode).toBe(1);
    expect((await fix()).summary).toMatchObject({ fixed: 0, foreign: 1 });
  });

  test('whose PID is not in use → information', async () => {
    const { town, look } = setStage();
    town.lock(ADA, { hostname: '4e449adbac66', session_id: '%3' });
    expect(await look()).toMatchObject({ exitCode: 0, findings: [{ severity: 'info' }] });
  });

  test('that is configured as a former host → stale and released, but held if its agent is at work', async () => {
    const { town, look, fix, ask } = setStage();
    town.write('lock-doctor.json', '{ "formerHosts": ["4E449ADBAC66"] }');
    town.lock(ADA, { pid: await somePid(), hostname: '4e449adbac66' }, { ageSeconds: 7200 });
    town.lock(BOB, { pid: await somePid(), hostname: '4e449adbac66' }, { ageSeconds: 7200 });
    await fakeAgent('claude', { cwd: town.path(BOB) });
    const report = await look();
    expect(lockOf(report, ADA)).toMatchObject({
      state: 'stale',
      reasons: ['former-host', 'session-unnamed'],
    });
    expect(lockOf(report, BOB).state).toBe('held');
    expect((await ask()).exitCode).toBe(21);
    expect((await fix()).summary).toMatchObject({ fixed: 1, held: 1 });
    expect((await ask()).exitCode).toBe(0);
  });

  test('that is a former host for one question only → stale for that question', async () => {
    const { town, judge } = setStage();
    town.lock(ADA, { pid: await somePid(), hostname: 'mac.lan' }, { ageSeconds: 7200 });
    expect(await judge(ADA, { formerHosts: ['mac.local'] })).toMatchObject({ state: 'stale' });
    expect(await judge()).toMatchObject({ state: 'foreign' });
  });
});

describe('in a PID namespace below this host (skipped without root)', () => {
  const behind = ['unshare', '-pf', '--mount-proc'];
  const YEAR = 365 * 24 * 3600;

  inNamespace(
    'a lock from before this boot → unknown, rebooted: who works outside cannot be seen',
    async () => {
      const { town, env } = setStage();
      town.lock(ADA, {}, { ageSeconds: YEAR });
      const report = await askElsewhere<Report>({ town: town.root, options: { env } }, {}, behind);
      expect(lockOf(report, ADA)).toMatchObject({
        state: 'unknown',
        reasons: expect.arrayContaining(['rebooted']),
      });
    },
  );

  inNamespace('the lock of an agent outside, which is older than the namespace, is unknown', async () => {
    const { town, env } = setStage();
    const { pid } = await fakeAgent('claude', { cwd: town.path(ADA) });
    town.lock(ADA, { pid }, { ageSeconds: 7200 });
    const report = await askElsewhere<Report>({ town: town.root, options: { env } }, {}, behind);
    const lock = lockOf(report, ADA);
    expect(lock.state).toBe('unknown');
    expect(textsOf(lock)).toMatch(/the holder may have been numbered outside it/);
    expect(lock.holder?.hostname).toBe(hostname());
  });
});
