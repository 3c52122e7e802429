/** A worker with a lock in the old layout and one in the current layout: a dead one must not hide a live one. */
import { describe, expect, test } from '@jest/globals';
import { builtInChecks } from '../../checks/index.ts';
import { examineSnapshot } from '../../src/core/judge/examine.ts';
import { answerPreflight } from '../../src/core/preflight/with-locks.ts';
import { buildReport } from '../../src/core/report/report.ts';
import { runCheck } from '../../src/core/run-checks.ts';
import type { LockFile, PidLookup } from '../../src/core/types/evidence.ts';
import type { Report } from '../../src/core/types/report.ts';
import {
  absent,
  aLock,
  aProcess,
  aSnapshot,
  BOOT,
  HOUR,
  INITIAL_NAMESPACE,
  NOW,
  present,
} from '../support/snapshot.ts';

const ADA = 'gastown/crew/ada';

test('a live holder of the lock in the old layout forbids a start', () => {
  const legacy = aLock(ADA, { pid: 4243, sessionId: '' }, { id: `agent:${ADA}#legacy`, layout: 'legacy' });
  const locks = [aLock(ADA, { sessionId: '' }), legacy];
  const askWith = (lookups: ReturnType<typeof absent>[]): string | undefined =>
    answerPreflight(aSnapshot({ locks, lookups, over: { asked: [ADA], scan: 'worker' } }))[0]?.answer;
  expect(askWith([absent(4242), present(4243)])).toBe('held');
  expect(askWith([present(4242), absent(4243)])).toBe('held');
  expect(askWith([absent(4242), absent(4243)])).toBe('repair');
});

describe('the findings about locks in both layouts', () => {
  const legacy = aLock(ADA, { pid: 4243, sessionId: '' }, { id: `agent:${ADA}#legacy`, layout: 'legacy' });
  const report = (locks: readonly LockFile[], lookups = [absent(4242), absent(4243)]): Report => {
    const examination = examineSnapshot(aSnapshot({ locks, lookups }));
    const outcomes = builtInChecks.map((check) => runCheck(check, examination, () => 0));
    const rest = {
      command: 'doctor',
      tool: { name: 'lock-doctor', version: '0' },
      durationMs: 0,
      failOn: 'warning',
      workers: null,
    } as const;
    return buildReport({ examination, outcomes, ...rest });
  };
  const staleIds = (locks: readonly LockFile[], lookups?: readonly PidLookup[]): readonly string[] =>
    report(locks, lookups as PidLookup[] | undefined)
      .findings.filter(({ check }) => check === 'stale-lock')
      .map(({ id }) => id);

  test('have the lock in their IDs, however many there are and in any order', () => {
    const here = aLock(ADA, { sessionId: '' });
    const both = [`stale-lock:${ADA}`, `stale-lock:${ADA}#legacy`];
    expect(staleIds([here, legacy])).toEqual(both);
    expect(staleIds([legacy, here])).toEqual([...both].reverse());
    expect(staleIds([here, legacy], [present(4242), absent(4243)])).toEqual([`stale-lock:${ADA}#legacy`]);
    expect(staleIds([aLock(ADA, { sessionId: '' })])).toEqual([`stale-lock:${ADA}`]);
  });
});

describe('collisions of locks in both layouts', () => {
  const token = (pid: number, startToken: string) => ({
    pid,
    holder: { pid, startToken, bootId: BOOT, pidNamespace: INITIAL_NAMESPACE, nonce: `n${pid}` },
    sessionId: '',
  });
  const old = (fields: Parameters<typeof aLock>[1]): LockFile =>
    aLock(ADA, fields, { id: `agent:${ADA}#legacy`, layout: 'legacy' });
  const collisionsOf = (snapshot: Parameters<typeof aSnapshot>[0]) =>
    examineSnapshot(aSnapshot(snapshot)).collisions.map(({ kind, facts }) => [kind, facts.length]);
  const alive = (pid: number, startToken: string) => present(pid, { names: ['work'], startToken });
  const listed = (pid: number, startToken: string) => aProcess(pid, { names: ['sleep'], startToken });

  test('count the holders of both locks, in any order', () => {
    const locks = [old(token(4243, '7')), aLock(ADA, token(4242, '5'))];
    const lookups = [alive(4242, '5'), alive(4243, '7')];
    const processes = [listed(4242, '5'), listed(4243, '7')];
    expect(collisionsOf({ locks, lookups, processes })).toEqual([['agents', 2]]);
    expect(collisionsOf({ locks: [...locks].reverse(), lookups, processes })).toEqual([['agents', 2]]);
    const asked = { asked: [ADA], scan: 'worker' } as const;
    expect(answerPreflight(aSnapshot({ locks, lookups, processes, over: asked }))[0]).toMatchObject({
      answer: 'held',
      message: '2 agents are running there: process 4242 holds the lock; process 4243 holds the lock',
    });
  });

  test('count one holder of both locks once', () => {
    const locks = [old(token(4242, '5')), aLock(ADA, token(4242, '5'))];
    expect(collisionsOf({ locks, lookups: [alive(4242, '5')], processes: [listed(4242, '5')] })).toEqual([]);
  });

  test('name each worker that claims an agent once, however many locks it has', () => {
    const named = (fields: Parameters<typeof aLock>[1]) => ({ ...fields, sessionId: '' });
    const locks = [
      old(named({ pid: 4242 })),
      aLock(ADA, named({ pid: 4242, acquiredAtMs: NOW - HOUR })),
      aLock('gastown/crew/bob', named({ pid: 4242, acquiredAtMs: NOW - 2 * HOUR })),
    ];
    const { collisions } = examineSnapshot(
      aSnapshot({ locks, lookups: [present(4242, { names: ['work'] })] }),
    );
    expect(collisions.map(({ kind, workers }) => [kind, workers])).toEqual([
      ['claims', [ADA, 'gastown/crew/bob']],
    ]);
  });
});
