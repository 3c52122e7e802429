import { describe, expect, test } from '@jest/globals';
import check from '../../checks/stale-lock.ts';
import type { LockFile } from '../../src/core/types/evidence.ts';
import { aLock, aPane, aServer, NOW, present, ROOT } from '../support/snapshot.ts';
import { gitFacts, runOn, TRACKED } from './run-on.ts';

const ADA = 'gastown/crew/ada';
const RELEASE = { action: 'release', lock: `agent:${ADA}` };

describe('stale-lock reports', () => {
  test('a lock whose process and pane are gone, with a release', () => {
    const [finding, ...more] = runOn(check, { locks: [aLock(ADA)] });
    expect(more).toEqual([]);
    expect(finding).toMatchObject({
      severity: 'warning',
      worker: ADA,
      lock: `agent:${ADA}`,
      message: 'its process (4242) and pane (%3) are gone; taken 8 h ago',
      fix: RELEASE,
    });
    expect(finding?.evidence.map(({ text }) => text)).toEqual([
      'no process 4242',
      'pane %3 is gone: no tmux server is running',
    ]);
  });

  test('the dead PID of the holder in our own record, not the PID kept for other readers', () => {
    const holder = { pid: 5151, startToken: '5000', bootId: null, pidNamespace: null, nonce: null };
    const lookups = [{ ...present(5151), answer: 'absent' as const, process: null, signalable: false }];
    expect(runOn(check, { locks: [aLock(ADA, { holder, sessionId: '' })], lookups })[0]?.message).toBe(
      'its process (5151) is gone; taken 8 h ago',
    );
  });

  test('a fresh or tracked file with a release, which the repair then refuses', () => {
    for (const lock of [aLock(ADA, {}, { mtimeMs: NOW - 5000 }), aLock(ADA, {}, { git: TRACKED })])
      expect(runOn(check, { locks: [lock] })[0]?.fix).toEqual(RELEASE);
  });

  test('a file about which git gave no answer, with advice to make git answer', () => {
    const git = gitFacts({ tracked: { seen: false, why: 'dubious ownership' } });
    expect(runOn(check, { locks: [aLock(ADA, {}, { git })] })[0]?.fix).toMatchObject({
      action: 'advice',
      commands: [['git', '-C', `${ROOT}/${ADA}`, 'status']],
    });
  });

  test('such a file of another tool, with a git command for the directory that contains it', () => {
    const git = gitFacts({ tracked: { seen: false, why: 'dubious ownership' } });
    const lock: LockFile = {
      ...aLock('app', { sessionId: '' }, { git }),
      id: 'gsd:app/.gsd/auto.lock',
      kind: 'gsd',
      path: `${ROOT}/app/.gsd/auto.lock`,
      rules: { claims: null, witnesses: ['process'], freshMs: 60_000 },
    };
    expect(runOn(check, { locks: [lock] })[0]?.fix).toMatchObject({
      commands: [['git', '-C', `${ROOT}/app/.gsd`, 'status']],
    });
  });
});

describe('stale-lock is silent about', () => {
  test('a dead helper whose agent works in its pane', () => {
    expect(runOn(check, { locks: [aLock(ADA)], servers: [aServer([aPane()])] })).toEqual([]);
  });

  test('a live process', () => {
    expect(runOn(check, { locks: [aLock(ADA)], lookups: [present(4242)] })).toEqual([]);
  });

  test('a lock whose tmux server did not answer', () => {
    const servers = [aServer([], { status: 'failed', reason: 'did not answer' })];
    expect(runOn(check, { locks: [aLock(ADA)], servers })).toEqual([]);
  });

  test('a lock of another host', () => {
    expect(runOn(check, { locks: [aLock(ADA, { hostname: 'elsewhere' })] })).toEqual([]);
  });
});
