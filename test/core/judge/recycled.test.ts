/** A recorded number whose process runs: the holder's, or another one's by place, owner and wide margins of time. */
import { describe, expect, test } from '@jest/globals';
import { examineSnapshot } from '../../../src/core/judge/examine.ts';
import type { ProcessInfo, TmuxServer } from '../../../src/core/types/evidence.ts';
import type { Verdict } from '../../../src/core/types/judgement.ts';
import { aLock, aPane, aServer, aSnapshot, HOUR, NOW, present, ROOT } from '../../support/snapshot.ts';

const ADA = 'gastown/crew/ada';
const BOB = 'gastown/crew/bob';
const TAKEN = NOW - 60 * HOUR;

const at = (value: string): Pick<ProcessInfo, 'cwd'> => ({ cwd: { seen: true, value } });

/** Judges the lock of ada, taken 60 hours ago, whose number is a process that started so many minutes later. */
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

describe('plainly elsewhere and more than ten minutes younger than the lock: another process', () => {
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
    // The clock may have stepped by some minutes.
    const sooner = judge(9, process);
    expect(sooner.state).toBe('held');
    expect(texts(sooner)).toMatch(/: probably not its holder$/m);
  });

  test('below a pane of another worker', () => {
    const pane = aPane({
      sessionName: 'gt-crew-bob',
      path: '/home',
      pid: 4242,
      environment: { GT_ROLE: BOB },
    });
    expect(judge(11, at(ROOT), [aServer([pane])]).reasons).toContain('process-recycled');
  });
});

describe('what ties it to the worker keeps it alive, whatever the clocks say', () => {
  test.each<[string, Partial<ProcessInfo>]>([
    ['its working directory', at(`${ROOT}/${ADA}`)],
    ['a directory below it', at(`${ROOT}/${ADA}/src`)],
    ['its working directory, as another user', { ...at(`${ROOT}/${ADA}`), uid: 0 }],
    ['its role, wherever it looks', { ...at(`${ROOT}/${BOB}`), environment: { GT_ROLE: ADA } }],
    [
      'a registry of live sessions',
      { ...at('/'), registered: { tool: 'claude', name: null, status: 'busy', cwd: `${ROOT}/${ADA}` } },
    ],
  ])('%s', (_, process) => {
    const verdict = judge(59 * 60, process);
    expect([verdict.state, verdict.holder?.process]).toEqual(['held', 'alive']);
    expect(texts(verdict)).not.toMatch(/most likely/);
  });
});

describe('neither here nor elsewhere', () => {
  test.each<[string, Partial<ProcessInfo>]>([
    ['a program nobody knows in the town, but at no worker', at(ROOT)],
  ])('%s: alive for a day, then another process', (_, process) => {
    expect(judge(23 * 60, process).state).toBe('held');
    expect(texts(judge(23 * 60, process))).toMatch(/started 23 h after the lock: probably not its holder/);
    expect(judge(25 * 60, process).reasons).toContain('process-recycled');
  });

  test.each<[string, Partial<ProcessInfo>]>([
    ['its working directory', { cwd: { seen: false, why: 'EACCES' } }],
    ['its environment', { ...at('/home/user'), environment: null }],
    ['its start', { ...at('/home/user'), startedAtMs: null }],
  ])('what hides %s is alive for ever', (_, process) => {
    expect(judge(59 * 60, process).holder?.process).toBe('alive');
  });
});
