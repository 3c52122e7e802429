/**
 * A lock that claims no worker changes nothing for agents: it is not a home, copy or rival, and does not answer preflight.
 * The second kind exists only in the snapshots of this test.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { examineSnapshot } from '../../src/core/judge/examine.ts';
import { planRepair } from '../../src/core/plan.ts';
import { answerPreflight } from '../../src/core/preflight/with-locks.ts';
import { refusalOf } from '../../src/core/report/refusals.ts';
import type { NumberClaim } from '../../src/core/types/claim.ts';
import type {
  KindRules,
  LockFile,
  LockRecord,
  PidLookup,
  ProcessInfo,
  Snapshot,
} from '../../src/core/types/evidence.ts';
import type { Examination } from '../../src/core/types/judgement.ts';
import {
  absent,
  aLock,
  aProcess,
  aSnapshot,
  HOUR,
  NOW,
  present,
  ROOT,
  withMachine,
} from '../support/snapshot.ts';
import { PROJECT } from '../support/source-files.ts';

const ADA = 'gastown/crew/ada';
const BOB = 'gastown/crew/bob';
const RULES: KindRules = { claims: null, witnesses: ['process'], freshMs: 60_000 };

/** The same bytes, as a lock of the second kind. */
const asNote = (lock: LockFile, worker = lock.worker): LockFile => ({
  ...lock,
  id: `note:${worker}`,
  kind: 'note',
  worker,
  path: `${ROOT}/${worker}/build.pid`,
  rules: RULES,
});

const aNote = (worker: string, record: Partial<LockRecord> = {}, fields: Partial<LockFile> = {}): LockFile =>
  asNote(aLock(worker, record, fields));

const inNoTown = { ...aSnapshot().town, marked: false, rigs: [], workers: [] };
const at = (path: string) => ({ cwd: { seen: true as const, value: `${ROOT}/${path}` } });

const verdictOn = (id: string, snapshot: Snapshot) =>
  examineSnapshot(snapshot).verdicts.find(({ lock }) => lock.id === id);

describe('a lock that claims no worker', () => {
  test('is not a home: an agent beside it works for the worker above', () => {
    const snapshot = aSnapshot({
      locks: [aLock('.'), aNote('jobs/build')],
      processes: [aProcess(800, at('jobs/build'))],
      over: { town: inNoTown },
    });
    expect(verdictOn('agent:.', snapshot)?.state).toBe('held');
  });

  test('is not an original: a lock with the same bytes is not a copy of it', () => {
    const lock = aLock(BOB, { sessionId: '' });
    const snapshot = aSnapshot({
      locks: [asNote(lock, ADA), lock],
      lookups: [present(4242, { names: ['node'], ...at(ADA) })],
    });
    const verdict = verdictOn(`agent:${BOB}`, snapshot);
    expect(verdict?.state).toBe('held');
    expect(verdict?.reasons).toContain('process-alive');
  });

  test('is not a copy either', () => {
    const lock = aLock(BOB, { sessionId: '' });
    const snapshot = aSnapshot({
      locks: [lock, asNote(lock, 'jobs')],
      lookups: [present(4242, { names: ['node'], ...at(BOB) })],
    });
    expect(verdictOn('note:jobs', snapshot)?.state).toBe('held');
  });

  test('is not a rival claim', () => {
    const snapshot = aSnapshot({
      locks: [aLock(ADA, { sessionId: '' }), aNote('jobs', { sessionId: '' })],
      lookups: [present(4242, { names: ['node'] })],
    });
    const { collisions, verdicts } = examineSnapshot(snapshot);
    expect(verdicts.map(({ state }) => state)).toEqual(['held', 'held']);
    expect(verdicts[0]?.holder?.claimedBy).toBeNull();
    expect(collisions).toEqual([]);
  });

  test('does not add to the agents of a worker', () => {
    const holder = { pid: 500, startToken: '5000', bootId: null, pidNamespace: null, nonce: null };
    const snapshot = aSnapshot({
      locks: [aLock(ADA), aNote(ADA, { pid: 500, holder, sessionId: '' })],
      lookups: [present(4242), present(500, { names: ['node'] })],
      processes: [aProcess(4242, at(ADA))],
    });
    expect(examineSnapshot(snapshot).collisions).toEqual([]);
  });

  test('does not answer preflight', () => {
    const stale = aNote(ADA);
    const asked = { scan: 'worker' as const, asked: [ADA] };
    expect(verdictOn(stale.id, aSnapshot({ locks: [stale], over: asked }))?.state).toBe('stale');
    expect(answerPreflight(aSnapshot({ locks: [stale], over: asked }))[0]?.answer).toBe('free');
    const held = aLock(ADA, { pid: 500, sessionId: '' });
    const both = aSnapshot({
      locks: [held, stale],
      lookups: [present(500, at(ADA)), ...aSnapshot().machine.processes.lookups],
      over: asked,
    });
    expect(answerPreflight(both)[0]).toMatchObject({ answer: 'held', state: 'held' });
  });

  test('is not selected by `--force --worker`', () => {
    const held = aNote(ADA, { pid: 500, sessionId: '' });
    const examination = examineSnapshot(
      aSnapshot({ locks: [aLock(ADA), held], lookups: [present(500, at(ADA))] }),
    );
    const plan = planRepair({ examination, outcomes: [], workers: [ADA], force: true });
    expect(plan.steps.map(({ verdict }) => verdict.lock.id)).toEqual([`agent:${ADA}`]);
  });
});

describe('a kind’s rules', () => {
  const dead = aNote(ADA, { sessionId: 'nobody-knows' });

  test('decide which witnesses count, and no others do', () => {
    const processes = [aProcess(800, at(ADA))];
    const verdict = verdictOn(dead.id, aSnapshot({ locks: [dead], processes }));
    expect(verdict).toMatchObject({ state: 'stale', occupants: [] });
    expect(verdict?.reasons).toEqual(['process-gone', 'session-unnamed']);
    const rules: KindRules = { ...RULES, witnesses: ['process', 'agents'] };
    expect(verdictOn(dead.id, aSnapshot({ locks: [{ ...dead, rules }], processes }))?.state).toBe('held');
  });

  test('without a witness of death give unknown', () => {
    const rules: KindRules = { ...RULES, witnesses: ['agents'] };
    expect(verdictOn(dead.id, aSnapshot({ locks: [{ ...dead, rules }] }))?.state).toBe('unknown');
  });

  test('say how long a lock is too fresh to be released', () => {
    const young = { ...dead, mtimeMs: aSnapshot().takenAtMs - 45_000 };
    expect(verdictOn(dead.id, aSnapshot({ locks: [young] }))?.release).toEqual({
      allowed: false,
      why: 'fresh',
      retryInSeconds: 15,
    });
    const unread = verdictOn(
      dead.id,
      aSnapshot({ locks: [{ ...young, content: { kind: 'invalid', problem: 'empty', detail: '' } }] }),
    );
    expect(unread?.state).toBe('invalid');
    expect(unread === undefined ? null : refusalOf(unread)).toBe(
      'written less than 60 s ago; try again in 15 s',
    );
    const { rules: _, ...agents } = { ...young, kind: 'agent' };
    expect(verdictOn(dead.id, aSnapshot({ locks: [agents] }))?.release.allowed).toBe(true);
  });
});

const TOWNS = join(PROJECT, 'fixtures/towns');

test.each(readdirSync(TOWNS))('%s has the same verdicts, whatever other locks are beside its own', (town) => {
  const snapshot = JSON.parse(readFileSync(join(TOWNS, town, 'snapshot.json'), 'utf8')) as Snapshot;
  const notes = snapshot.locks.flatMap((lock) => [
    asNote(lock),
    asNote(lock, lock.worker === '.' ? 'sub' : `${lock.worker}/sub`),
    asNote(lock, 'elsewhere'),
  ]);
  const crowded = { ...snapshot, locks: [...notes, ...snapshot.locks, ...notes] };
  const [before, after] = [examineSnapshot(snapshot), examineSnapshot(crowded)];
  const agents = ({ verdicts }: Examination) => verdicts.filter(({ lock }) => lock.kind === 'agent');
  expect(agents(after)).toEqual(agents(before));
  expect(after.collisions).toEqual(before.collisions);
  const asked = { asked: snapshot.town.workers };
  expect(answerPreflight({ ...crowded, ...asked })).toEqual(answerPreflight({ ...snapshot, ...asked }));
});

describe('a number that a lock notes as the start of its process', () => {
  const HOUR_TICKS = 360_000;
  /** Ticks of nearly a year: seconds since 1970 may be ticks on such a machine. */
  const LONG_UP = 3_000_000_000;
  const BOOTED_AT_MS = NOW - 10 * HOUR;

  const stateOf = (start: number, process: Partial<ProcessInfo>, mtimeMs = NOW - 7 * HOUR) => {
    const claim: NumberClaim = {
      ...{ by: 'number', pid: 4242, start: `${start}`, hostname: '' },
      ...{ since: null, name: null, isShared: false },
    };
    const lock = { ...aNote(ADA), mtimeMs, content: { kind: 'claim' as const, claim } };
    const snapshot = aSnapshot({ locks: [lock], lookups: [present(4242, process)] });
    const host = { ...snapshot.machine.host, bootedAtMs: BOOTED_AT_MS };
    return verdictOn(lock.id, withMachine(snapshot, { host }))?.state;
  };

  test.each([
    ['less than its process', LONG_UP - 1],
    ['more than its process, but not than now', LONG_UP + 9 * HOUR_TICKS],
  ])('is that of another process, if it has %s', (_, start) => {
    expect(stateOf(start, { startToken: `${LONG_UP}` })).toBe('stale');
  });

  test.each([
    ['0', 0],
    ['more ticks than there were since the kernel started', LONG_UP + 10 * HOUR_TICKS],
    ['seconds since 1970', NOW / 1000 - 3600],
    ['milliseconds since 1970', NOW - 3_600_000],
  ])('proves nothing, if it is %s', (_, start) => {
    expect(stateOf(start, { startToken: `${LONG_UP}` })).toBe('held');
  });

  test('proves nothing where nobody knows how many ticks there were', () => {
    expect(stateOf(4000, { startedAtMs: null })).toBe('held');
  });

  test('is that of another process in a file from before the kernel started, whatever it counts', () => {
    expect(stateOf(9_000_000_000, {}, BOOTED_AT_MS - 2 * HOUR)).toBe('stale');
  });
});

describe('a process of another system that shares the directory', () => {
  const stateOn = (platform: string, start: string, process: PidLookup, isStartNative = true) => {
    const claim: NumberClaim = {
      by: 'number',
      pid: 4242,
      start,
      ...(isStartNative ? { isStartNative: true as const } : {}),
      hostname: '',
      since: null,
      name: null,
      isShared: false,
    };
    const lock = { ...aNote(ADA), content: { kind: 'claim' as const, claim } };
    const snapshot = aSnapshot({ locks: [lock], lookups: [process] });
    const { machine } = snapshot;
    const there = withMachine(snapshot, { host: { ...machine.host, platform } });
    return verdictOn(lock.id, there)?.state;
  };
  const DATE = 'Sun Nov 22 15:10:55 2026';
  const FILETIME = '134012345678901234';

  test.each([
    ['linux', DATE],
    ['linux', FILETIME],
    ['darwin', '18273645'],
    ['darwin', FILETIME],
  ])(
    'is recognized on %s by a start like %s, and is not called gone because it is missing here',
    (platform, start) => {
      expect(stateOn(platform, start, absent(4242))).toBe('unknown');
      const other = present(4242, { names: ['postgres'], startedAtMs: NOW });
      expect(stateOn(platform, start, other)).not.toBe('stale');
    },
  );

  test('is not assumed for a start in the format of this system, nor for one in a format of no system', () => {
    expect(stateOn('linux', '18273645', absent(4242))).toBe('stale');
    expect(stateOn('darwin', DATE, absent(4242))).toBe('stale');
    expect(stateOn('linux', DATE, absent(4242), false)).toBe('stale');
  });
});
