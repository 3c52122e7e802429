/** Locks of a container that is gone, of another name of this machine, and of a time before this machine was started. */
import { spawnSync } from 'node:child_process';
import { hostname } from 'node:os';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Report } from '../../src/core/types/report.ts';
import { cleanUp, fakeAgent, startProcess } from '../support/index.ts';
import { ADA, askElsewhere, BOB, lockOf, setStage, textsOf } from './stage.ts';

afterEach(cleanUp);

/** A PID namespace of its own needs root. */
const canUnshare =
  process.platform === 'linux' && spawnSync('unshare', ['-pf', '--mount-proc', 'true']).status === 0;
const inNamespace = canUnshare ? test : test.skip;

/** A number that is in use here, by nobody's agent. */
const someNumber = async (): Promise<number> => (await startProcess('sleep', ['600'], { cwd: '/' })).pid;

describe('a lock of another host', () => {
  test('whose number is in use here → foreign with would-block, a warning that names formerHosts', async () => {
    const { town, look, fix } = setStage();
    town.lock(
      ADA,
      { pid: await someNumber(), hostname: '4e449adbac66', session_id: '%3' },
      { ageSeconds: 7200 },
    );
    const report = await look();
    expect(lockOf(report, ADA)).toMatchObject({ state: 'foreign', notes: ['would-block'] });
    expect(report.findings).toMatchObject([{ check: 'undecided-lock', severity: 'warning', doubt: false }]);
    expect(report.findings[0]?.fix?.text).toMatch(/container id.*"formerHosts"/);
    expect(report.exitCode).toBe(1);
    expect((await fix()).summary).toMatchObject({ fixed: 0, foreign: 1 });
  });

  test('whose number is nobody’s → information', async () => {
    const { town, look } = setStage();
    town.lock(ADA, { hostname: '4e449adbac66', session_id: '%3' });
    expect(await look()).toMatchObject({ exitCode: 0, findings: [{ severity: 'info' }] });
  });

  test('that the configuration calls a former one → stale, released; and held where its agent is at work', async () => {
    const { town, look, fix, ask } = setStage();
    town.write('lock-doctor.json', '{ "formerHosts": ["4E449ADBAC66"] }');
    town.lock(ADA, { pid: await someNumber(), hostname: '4e449adbac66' }, { ageSeconds: 7200 });
    town.lock(BOB, { pid: await someNumber(), hostname: '4e449adbac66' }, { ageSeconds: 7200 });
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

  test('that this question calls a former one → stale for this question', async () => {
    const { town, judge } = setStage();
    town.lock(ADA, { pid: await someNumber(), hostname: 'mac.lan' }, { ageSeconds: 7200 });
    expect(await judge(ADA, { formerHosts: ['mac.local'] })).toMatchObject({ state: 'stale' });
    expect(await judge()).toMatchObject({ state: 'foreign' });
  });
});

describe('in a PID namespace below this host (needs root; skipped otherwise)', () => {
  const behind = ['unshare', '-pf', '--mount-proc'];
  const YEAR = 365 * 24 * 3600;

  inNamespace('a lock from before this boot → stale, rebooted', async () => {
    const { town, env } = setStage();
    town.lock(ADA, {}, { ageSeconds: YEAR });
    const report = await askElsewhere<Report>({ town: town.root, options: { env } }, {}, behind);
    expect(lockOf(report, ADA)).toMatchObject({ state: 'stale', reasons: ['rebooted', 'session-unnamed'] });
  });

  inNamespace('an agent outside keeps its lock, which is older than the namespace', async () => {
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
