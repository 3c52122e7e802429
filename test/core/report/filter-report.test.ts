import { describe, expect, test } from '@jest/globals';
import { filterReport, type ReportFilter } from '../../../src/core/report/filter-report.ts';
import type { Report } from '../../../src/core/types/report.ts';
import { summarize } from '../../../src/reporters/screen/summary.ts';
import { reportOf } from '../../reporters/reports.ts';
import { aLock, aPane, aServer, HOUR, NOW } from '../../support/snapshot.ts';

const ALL: ReportFilter = { states: [], kinds: [], places: [], sinceMs: null, beforeMs: null };

/** Held, stale and invalid in two rigs, and two agents without a lock. */
const mixed = (): Report =>
  reportOf({
    locks: [
      aLock('gastown/crew/ada'),
      aLock('gastown/crew/bob', {
        sessionId: '%55',
        acquiredAtMs: NOW - HOUR,
        acquiredAt: '2026-11-23T02:00:00Z',
      }),
      aLock(
        'gastown/crew/joe',
        {},
        { content: { kind: 'invalid', problem: 'empty', detail: 'the file is empty' } },
      ),
      aLock('gastown-two/crew/eve', { sessionId: '%56', pid: 4243 }),
    ],
    servers: [
      aServer([
        aPane(),
        aPane({ id: '%4', sessionId: '$2', sessionName: 'x', pid: 701, path: '/town/gastown/witness' }),
        aPane({ id: '%5', sessionId: '$3', sessionName: 'y', pid: 702, path: '/town/gastown/witness' }),
      ]),
    ],
  });

const shown = (filter: Partial<ReportFilter>) => {
  const { locks, agents, findings, collisions } = filterReport(mixed(), { ...ALL, ...filter });
  return {
    locks: locks.map(({ worker }) => worker.split('/').at(-1)),
    agents: agents.map(({ worker }) => worker.split('/').at(-1)),
    findings: findings.map(({ check, worker }) => `${check} ${worker?.split('/').at(-1)}`),
    collisions: collisions.length,
  };
};

describe('a filtered report', () => {
  test('is the whole report without a filter', () => {
    const report = mixed();
    expect(filterReport(report, ALL)).toBe(report);
    expect(report.collisions).toHaveLength(1);
  });

  test.each([
    { states: ['stale'] },
    { kinds: ['git-lock'] },
    { places: ['gastown'] },
  ] satisfies readonly Partial<ReportFilter>[])('by %j still counts what the whole town has', (filter) => {
    const whole = summarize(mixed()).headline;
    expect(whole).toBe(
      '4 locks: 1 held, 1 stale, 1 invalid, 1 unknown; 1 collision; 2 agents without a lock.',
    );
    expect(summarize(filterReport(mixed(), { ...ALL, ...filter })).headline).toBe(whole);
  });

  test('by state or kind has the matching locks, their findings, and no agents without a lock', () => {
    expect(shown({ states: ['stale'] })).toMatchObject({
      locks: ['bob'],
      agents: [],
      collisions: 0,
    });
    expect(shown({ states: ['held', 'invalid'] })).toEqual({
      locks: ['ada', 'joe'],
      agents: ['ada'],
      findings: ['invalid-lock joe'],
      collisions: 0,
    });
    expect(shown({ kinds: ['agent'] }).locks).toHaveLength(4);
    expect(shown({ kinds: ['other'] })).toEqual({ locks: [], agents: [], findings: [], collisions: 0 });
  });

  test('by place has everything at and below it, but not what only shares a prefix', () => {
    expect(shown({ places: ['gastown'] })).toMatchObject({ locks: ['ada', 'bob', 'joe'], collisions: 1 });
    expect(shown({ places: ['gastown'] }).agents).toEqual(['ada', 'witness', 'witness']);
    expect(shown({ places: ['gastown/crew/bob', 'gastown-two'] }).locks).toEqual(['bob', 'eve']);
    expect(shown({ places: ['gastown/witness'] }).findings).toEqual(['collision witness']);
  });

  test('by age has the locks taken or, where they do not say, written in that time, and none whose time is unknown', () => {
    expect(shown({ sinceMs: NOW - 2 * HOUR }).locks).toEqual(['bob']);
    expect(shown({ beforeMs: NOW - 2 * HOUR }).locks).toEqual(['ada', 'joe', 'eve']);
    expect(shown({ sinceMs: NOW - 9 * HOUR, beforeMs: NOW - 2 * HOUR, places: ['gastown'] }).locks).toEqual([
      'ada',
      'joe',
    ]);
    const report = reportOf({
      locks: [aLock('gastown/crew/zoe', { acquiredAt: '', acquiredAtMs: null }, { mtimeMs: null })],
    });
    for (const part of [{ sinceMs: 0 }, { beforeMs: NOW }])
      expect(filterReport(report, { ...ALL, ...part }).locks).toEqual([]);
  });

  test('keeps the exit code, the counts and the gaps of the whole report', () => {
    const { exitCode, summary, gaps, ok } = mixed();
    expect(filterReport(mixed(), { ...ALL, states: ['held'] })).toMatchObject({
      exitCode,
      summary,
      gaps,
      ok,
    });
  });
});
