/** A recorded PID that is in use: by the holder, or by another process as its place, owner and start time show. */
import { describe, expect, test } from '@jest/globals';
import { examineSnapshot } from '../../../src/core/judge/examine.ts';
import type { ProcessInfo, TmuxServer } from '../../../src/core/types/evidence.ts';
import type { Verdict } from '../../../src/core/types/judgement.ts';
import { aLock, aPane, aServer, aSnapshot, HOUR, NOW, present, ROOT } from '../../support/snapshot.ts';

const ADA = 'gastown/crew/ada';
const BOB = 'gastown/crew/bob';
const TAKEN = NOW - 60 * HOUR;

const at = (value: string): Pick<ProcessInfo, 'cwd'> => ({ cwd: { seen: true, value } });

/** Judges the lock of ada, taken 60 hours ago, whose PID now belongs to a process that started that much later. */
const judge = (
  minutesLater: number,
  process: Partial<ProcessInfo>,
  servers: readonly TmuxServer[] = [],
): Verdict => {
  const startedAtMs = TAKEN + minutesLater * 60_000;
  const record = { acquiredAt: new Date(TAKEN).toISOString(), acquiredAtMs: TAKEN, sessionId: '' };
  const lookups = [present(4242, { startedAtMs, names: ['my-agent'], ...process })];
  const [verdict] = examineSnapshot(aSnapshot({ locks: [aLock(ADA, record)], lookups, servers })).verdicts;
  if (verdict === undefined) throw new Error('no verdict');
  return verdict;
};

const texts = ({ facts }: Verdict): string => facts.map(({ text }) => text).join('\n');

describe('a process that is clearly elsewhere and over ten minutes younger than the lock is another one', () => {
  test.each<[string, Partial<ProcessInfo>, RegExp]>([
    [
      'at another worker',
      at(`${ROOT}/${BOB}`),
      /started 11 min after the lock was taken, and works in gastown\/crew\/bob/,
    ],
    ['outside the town', at('/home/user'), /works in \/home\/user, outside the town/],
    ['as another worker', { ...at(ROOT), environment: { GT_ROLE: BOB } }, /works as gastown\/crew\/bob/],
    ['in another town', { ...at(ROOT), environment: { GT_ROOT: '/elsewhere' } }, /belongs to another town/],
    ["as Gas Town's daemon", { ...at(ROOT), names: ['gt'] }, /stands in \/town/],
    ['as another user', { uid: 0, cwd: { seen: false, why: 'EACCES' }, environment: null }, /uid 0/],
  ])('%s', (_, process, says) => {
    const verdict = judge(11, process);
    expect([verdict.state, verdict.reasons]).toEqual(['stale', ['process-recycled', 'session-unnamed']]);
    expect(texts(verdict)).toMatch(says);
    expect(verdict.notes).toContain('would-block');
    // Within ten minutes the clock may have been set.
    const sooner = judge(9, process);
    expect(sooner.state).toBe('held');
    expect(texts(sooner)).toMatch(/: probably not its holder$/m);
  });

  test('in a pane of another worker', () => {
    const pane = aPane({
      sessionName: 'gt-crew-bob',
      path: '/home',
      pid: 4242,
      environment: { GT_ROLE: BOB },
    });
    expect(judge(11, at(ROOT), [aServer([pane])]).reasons).toContain('process-recycled');
  });
});

describe('a process tied to the worker is the holder, whatever its start time', () => {
  test.each<[string, Partial<ProcessInfo>]>([
    ['its working directory', at(`${ROOT}/${ADA}`)],
    ['a directory below it', at(`${ROOT}/${ADA}/src`)],
    ['its working directory, as another user', { ...at(`${ROOT}/${ADA}`), uid: 0 }],
    ['its role, whatever its working directory', { ...at(`${ROOT}/${BOB}`), environment: { GT_ROLE: ADA } }],
    [
      'a registry of live sessions',
      { ...at('/'), registered: { tool: 'claude', name: null, status: 'busy', cwd: `${ROOT}/${ADA}` } },
    ],
  ])('%s', (_, process) => {
    const verdict = judge(59 * 60, process);
    expect([verdict.state, verdict.holder?.process]).toEqual(['held', 'alive']);
    expect(texts(verdict)).not.toMatch(/probably not/);
  });
});

describe('a process that is neither here nor clearly elsewhere', () => {
  test.each<[string, Partial<ProcessInfo>]>([['an unknown program in the town, but at no worker', at(ROOT)]])(
    '%s: the holder for a day, then another process',
    (_, process) => {
      expect(judge(23 * 60, process).state).toBe('held');
      expect(texts(judge(23 * 60, process))).toMatch(/started 23 h after the lock: probably not its holder/);
      expect(judge(25 * 60, process).reasons).toContain('process-recycled');
    },
  );

  test.each<[string, Partial<ProcessInfo>]>([
    ['its working directory', { cwd: { seen: false, why: 'EACCES' } }],
    ['its environment', { ...at('/home/user'), environment: null }],
    ['its start', { ...at('/home/user'), startedAtMs: null }],
  ])('is the holder for ever if %s is hidden', (_, process) => {
    expect(judge(59 * 60, process).holder?.process).toBe('alive');
  });
});

test('an agent of another user that hides its place is the holder for ever, another program is not', () => {
  const hidden = { uid: 0, cwd: { seen: false, why: 'EACCES' }, environment: null } as const;
  const agent = judge(59 * 60, { ...hidden, names: ['claude'] });
  expect([agent.state, agent.holder?.process]).toEqual(['held', 'alive']);
  expect(texts(agent)).toMatch(/started 2 d after the lock: probably not its holder/);
  expect(judge(11, { ...hidden, names: ['crond'] }).reasons).toContain('process-recycled');
});

describe('a thread of the kernel, or the init of the machine, took no lock', () => {
  const ofSystem: Partial<ProcessInfo> = {
    names: ['kthreadd'],
    isOfSystem: true,
    ...at('/'),
    environment: {},
  };

  test('older than the lock: the number is from elsewhere → unknown', () => {
    const verdict = judge(-60, ofSystem);
    expect([verdict.state, verdict.reasons]).toEqual(['unknown', ['process-unknown', 'session-unnamed']]);
    expect(texts(verdict)).toMatch(/a thread of the kernel \(kthreadd\) and took no lock/);
  });

  test('much younger than the lock: the number was used again → stale', () => {
    expect(judge(11, ofSystem).reasons).toContain('process-recycled');
  });
});
