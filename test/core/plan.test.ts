import { describe, expect, test } from '@jest/globals';
import { builtInChecks } from '../../checks/index.ts';
import { examineSnapshot } from '../../src/core/judge/examine.ts';
import { type Plan, type PlanRequest, planRepair } from '../../src/core/plan.ts';
import { runCheck } from '../../src/core/run-checks.ts';
import type { Check } from '../../src/core/types/check.ts';
import type { Leftover, LockFile } from '../../src/core/types/evidence.ts';
import { gitFacts, TRACKED } from '../checks/run-on.ts';
import {
  absent,
  aLock,
  aPane,
  aServer,
  aSnapshot,
  HOUR,
  NOW,
  present,
  ROOT,
  type SnapshotParts,
} from '../support/snapshot.ts';

const ADA = 'gastown/crew/ada';
const BOB = 'gastown/crew/bob';

const plan = (
  parts: SnapshotParts,
  request: Partial<Pick<PlanRequest, 'workers' | 'force'>> = {},
  checks: readonly Check[] = builtInChecks,
): Plan => {
  const examination = examineSnapshot(aSnapshot(parts));
  const outcomes = checks.map((check) => runCheck(check, examination, () => 0));
  return planRepair({ examination, outcomes, workers: null, force: false, ...request });
};
const stepsOf = ({ steps }: Plan): readonly string[] => steps.map(({ verdict }) => verdict.lock.worker);
const leftOf = ({ left }: Plan): readonly string[] =>
  left.map(({ verdict, why }) => `${verdict.lock.worker}: ${why}`);
const broken = (worker: string, fields: Partial<LockFile> = {}): LockFile =>
  aLock(
    worker,
    {},
    { content: { kind: 'invalid', problem: 'empty', detail: 'the file is empty' }, ...fields },
  );

describe('a plan without force', () => {
  test('releases stale and invalid locks', () => {
    const planned = plan({ locks: [aLock(ADA), broken(BOB)] });
    expect(stepsOf(planned)).toEqual([ADA, BOB]);
    expect(planned.steps.every(({ force }) => !force)).toBe(true);
    expect(planned.left).toEqual([]);
  });

  test.each([
    ['held', { locks: [aLock(ADA)], servers: [aServer([aPane()])] }],
    ['orphaned', { locks: [aLock(ADA)], lookups: [present(4242)] }],
    ['foreign', { locks: [aLock(ADA, { hostname: 'elsewhere' })] }],
    ['unknown', { locks: [aLock(ADA)], servers: [aServer([], { status: 'failed', reason: 'x' })] }],
  ])('touches no %s lock', (_, parts) => {
    expect(plan(parts)).toEqual({ steps: [], left: [], leftovers: [] });
  });

  test.each([
    ['fresh', aLock(ADA, {}, { mtimeMs: NOW - 10_000 }), 'written less than 30 s ago; try again in 20 s'],
    ['tracked', aLock(ADA, {}, { git: TRACKED }), 'tracked by git'],
  ])('leaves a %s lock and says why', (_, lock, why) => {
    const planned = plan({ locks: [lock] });
    expect(planned.steps).toEqual([]);
    expect(leftOf(planned)).toEqual([`${ADA}: ${why}`]);
  });

  test('releases only what the checks that ran propose', () => {
    const none = builtInChecks.filter(({ id }) => id !== 'stale-lock');
    expect(stepsOf(plan({ locks: [aLock(ADA), broken(BOB)] }, {}, none))).toEqual([BOB]);
  });

  test('removes backups after a week, and not before', () => {
    const copy = (worker: string, day: string) => ({
      worker,
      path: `${ROOT}/${worker}/.runtime/agent.lock.released-${day}T030000Z-1f3a5c-1`,
      kind: 'released' as const,
      mtimeMs: NOW - 100 * 24 * HOUR,
    });
    const leftovers = [copy(ADA, '20261115'), copy(BOB, '20261117')];
    expect(plan({ over: { leftovers } }).leftovers).toEqual([ADA]);
  });

  test("never follows a plug-in's proposal against the verdict", () => {
    const zealot: Check = {
      id: 'zealot/all',
      title: 'All',
      summary: 'Everything must go.',
      run: ({ verdicts }) =>
        verdicts.map(({ lock }) => ({
          severity: 'error',
          worker: lock.worker,
          lock: lock.id,
          message: 'go',
          evidence: [],
          fix: { action: 'release', lock: lock.id },
        })),
    };
    const planned = plan({ locks: [aLock(ADA)], servers: [aServer([aPane()])] }, {}, [zealot]);
    expect(planned.steps).toEqual([]);
    expect(leftOf(planned)).toEqual([`${ADA}: only a person releases it, by name`]);
  });

  test('releases only locks of the requested workers', () => {
    const locks = [aLock(ADA), aLock(BOB, { pid: 4243 })];
    expect(stepsOf(plan({ locks, lookups: [absent(4242), absent(4243)] }, { workers: [BOB] }))).toEqual([
      BOB,
    ]);
  });
});

describe('a plan with force', () => {
  test.each([
    ['held', { locks: [aLock(ADA)], servers: [aServer([aPane()])] }],
    ['orphaned', { locks: [aLock(ADA)], lookups: [present(4242)] }],
    ['foreign', { locks: [aLock(ADA, { hostname: 'elsewhere' })] }],
    ['unknown', { locks: [aLock(ADA)], servers: [aServer([], { status: 'failed', reason: 'x' })] }],
    ['fresh', { locks: [aLock(ADA, {}, { mtimeMs: NOW - 10_000 })] }],
    ['invalid and young', { locks: [broken(ADA, { mtimeMs: NOW - 1000 })] }],
    ['invalid and occupied', { locks: [broken(ADA)], servers: [aServer([aPane()])] }],
  ])('releases a %s lock of the named worker', (_, parts) => {
    const planned = plan(parts, { workers: [ADA], force: true });
    expect(stepsOf(planned)).toEqual([ADA]);
    expect(planned.steps[0]?.force).toBe(true);
  });

  test.each([
    ['that git tracks', aLock(ADA, {}, { git: TRACKED }), 'tracked by git'],
    [
      'about which git gives no answer',
      aLock(ADA, {}, { git: gitFacts({ tracked: { seen: false, why: 'x' } }) }),
      'git could not say whether it tracks it',
    ],
    [
      'that is a directory',
      broken(ADA, { isRegularFile: false, stamp: null }),
      "it is not a readable regular file of a lock's size",
    ],
    [
      'that is larger than any lock',
      broken(ADA, { stamp: null }),
      "it is not a readable regular file of a lock's size",
    ],
  ])('leaves a lock %s', (_, lock, why) => {
    const planned = plan({ locks: [lock] }, { workers: [ADA], force: true });
    expect(planned.steps).toEqual([]);
    expect(leftOf(planned)).toEqual([`${ADA}: ${why}`]);
  });

  test('leaves a held lock that git tracks', () => {
    const parts = { locks: [aLock(ADA, {}, { git: TRACKED })], servers: [aServer([aPane()])] };
    expect(plan(parts, { workers: [ADA], force: true }).steps).toEqual([]);
  });

  test('leaves a held lock about which git gives no answer', () => {
    const git = gitFacts({ tracked: { seen: false, why: 'x' } });
    const parts = { locks: [aLock(ADA, {}, { git })], servers: [aServer([aPane()])] };
    expect(plan(parts, { workers: [ADA], force: true }).steps).toEqual([]);
  });

  test('forces nothing without a named worker', () => {
    const planned = plan({ locks: [aLock(ADA)], servers: [aServer([aPane()])] }, { force: true });
    expect(planned.steps).toEqual([]);
  });

  test('forces only locks of the named worker', () => {
    const locks = [aLock(ADA), aLock(BOB, { pid: 4243 })];
    const planned = plan({ locks, lookups: [present(4242), present(4243)] }, { workers: [ADA], force: true });
    expect(stepsOf(planned)).toEqual([ADA]);
  });
});

describe('leftovers', () => {
  const beside = (worker: string, kind: Leftover['kind']): Leftover => ({
    worker,
    path: `${ROOT}/${worker}/.runtime/agent.lock.x.${kind}`,
    kind,
    mtimeMs: NOW - 90_000,
  });

  test('are cleaned up once per worker, but backups are left', () => {
    const leftovers = [
      beside(BOB, 'old'),
      beside(ADA, 'new'),
      beside(ADA, 'tmp'),
      beside('gastown/crew/joe', 'released'),
    ];
    expect(plan({ over: { leftovers } }).leftovers).toEqual([ADA, BOB]);
    expect(plan({ over: { leftovers } }, { workers: [BOB] }).leftovers).toEqual([BOB]);
  });
});
