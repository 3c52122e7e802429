import { describe, expect, test } from '@jest/globals';
import check from '../../checks/invalid-lock.ts';
import { examineSnapshot } from '../../src/core/judge/examine.ts';
import type { LockFile, LockProblem } from '../../src/core/types/evidence.ts';
import { aLock, aPane, aServer, aSnapshot, NOW, ROOT } from '../support/snapshot.ts';
import { runOn, TRACKED } from './run-on.ts';

const ADA = 'gastown/crew/ada';
const broken = (fields: Partial<LockFile> = {}, problem: LockProblem = 'empty'): LockFile =>
  aLock(ADA, {}, { content: { kind: 'invalid', problem, detail: 'the file is empty' }, ...fields });

describe('invalid-lock reports', () => {
  test('an old regular file that is not a record, with a release', () => {
    expect(runOn(check, { locks: [broken()] })).toEqual([
      {
        severity: 'warning',
        worker: ADA,
        lock: `agent:${ADA}`,
        message: 'not a valid lock: the file is empty; written 8 h ago',
        evidence: [{ source: 'lock', text: 'the file is empty' }],
        fix: { action: 'release', lock: `agent:${ADA}` },
      },
    ]);
  });

  test.each([
    ['directory', 'not a regular file', false],
    ['fifo', 'not a regular file', false],
    ['too-large', 'larger than any lock', true],
  ] as const)('a %s with advice to look, never with a release', (problem, said, isRegularFile) => {
    const [finding] = runOn(check, { locks: [broken({ isRegularFile, stamp: null }, problem)] });
    expect(finding?.fix).toEqual({
      action: 'advice',
      text: `${said}, so nothing is removed; find out what put it there`,
      commands: [['ls', '-la', `${ROOT}/${ADA}/.runtime/agent.lock`]],
    });
  });

  test.each([
    ['a file that was written just now', broken({ mtimeMs: NOW - 12_000 }), 18],
    ['a file whose age is not known', broken({ mtimeMs: null }), 30],
  ])('%s with a release that the verdict does not allow yet', (_, lock, retryInSeconds) => {
    const [finding] = runOn(check, { locks: [lock] });
    expect(finding?.fix).toMatchObject({ action: 'release' });
    const [verdict] = examineSnapshot(aSnapshot({ locks: [lock] })).verdicts;
    expect(verdict?.release).toEqual({ allowed: false, why: 'young', retryInSeconds });
  });

  test.each([
    ['a file that git tracks', broken({ git: TRACKED }), 'tracked by git'],
    [
      'a file about which git gave no answer',
      broken({ git: null }),
      'git could not say whether it tracks it',
    ],
  ])('%s with advice only', (_, lock, said) => {
    const [finding] = runOn(check, { locks: [lock] });
    expect(finding?.fix).toMatchObject({ action: 'advice', text: expect.stringContaining(said) });
  });

  test('a file in a directory where an agent works, with advice only', () => {
    const [finding] = runOn(check, { locks: [broken()], servers: [aServer([aPane()])] });
    expect(finding?.fix).toMatchObject({
      action: 'advice',
      text: expect.stringContaining('an agent is running here'),
    });
  });

  test('a file in a directory where agents could not be looked for, with advice only', () => {
    const tmux = { installed: false, enumerated: false, servers: [] };
    const [finding] = runOn(check, { locks: [broken()], over: { tmux } });
    expect(finding?.fix).toMatchObject({
      action: 'advice',
      text: expect.stringContaining('agents may be running unseen'),
    });
  });
});

describe('invalid-lock is silent about', () => {
  test.each([
    ['a stale lock', aLock(ADA)],
    [
      'the zero record, which is valid',
      aLock(ADA, { pid: 0, sessionId: '', acquiredAtMs: null, acquiredAt: '' }),
    ],
    [
      'a lock that could not be read',
      aLock(ADA, {}, { content: { kind: 'unread', why: 'permission denied' } }),
    ],
    ['a foreign lock', aLock(ADA, { hostname: 'elsewhere' })],
  ])('%s', (_, lock) => {
    expect(runOn(check, { locks: [lock] })).toEqual([]);
  });

  test('a town without locks', () => {
    expect(runOn(check, {})).toEqual([]);
  });
});
