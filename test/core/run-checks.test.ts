import { describe, expect, test } from '@jest/globals';
import { builtInChecks } from '../../checks/index.ts';
import { advice, defineCheck, doubtOf, release, summary } from '../../src/check.ts';
import { examineSnapshot } from '../../src/core/judge/examine.ts';
import { runCheck, skippedCheck } from '../../src/core/run-checks.ts';
import type { Check } from '../../src/core/types/check.ts';
import { aLock, aServer, aSnapshot, present } from '../support/snapshot.ts';

const ADA = 'gastown/crew/ada';
const examination = examineSnapshot(aSnapshot({ locks: [aLock(ADA)] }));
const still = (): number => 0;
/** A check as a plug-in in JavaScript may write it: what it returns is not checked by a compiler. */
const check = (run: () => unknown, fields: Partial<Check> = {}): Check => ({
  id: 'mine/odd',
  title: 'Odd things',
  summary: 'Finds what is odd.',
  run: run as Check['run'],
  ...fields,
});
const outcomeOf = (returned: unknown) =>
  runCheck(
    check(() => returned),
    examination,
    still,
  );

describe('an incomplete finding', () => {
  test('gets defaults for the rest', () => {
    expect(outcomeOf([{ severity: 'info', message: 'odd' }])).toMatchObject({
      status: 'fail',
      error: null,
      findings: [{ severity: 'info', worker: null, lock: null, message: 'odd', evidence: [], fix: null }],
    });
  });

  test('gets the lock of its release', () => {
    const fix = { action: 'release', lock: `agent:${ADA}` };
    expect(outcomeOf([{ severity: 'info', message: 'odd', fix }]).findings).toMatchObject([
      { lock: `agent:${ADA}`, fix },
    ]);
  });

  test('may omit the commands of an advice', () => {
    const fix = { action: 'advice', text: 'look' };
    expect(outcomeOf([{ severity: 'info', message: 'odd', fix }]).findings).toMatchObject([
      { fix: { action: 'advice', text: 'look', commands: [] } },
    ]);
  });

  test('loses unknown properties', () => {
    const [finding] = outcomeOf([{ severity: 'info', message: 'odd', colour: 'red' }]).findings;
    expect(Object.keys(finding ?? {}).sort()).toEqual([
      'evidence',
      'fix',
      'lock',
      'message',
      'severity',
      'worker',
    ]);
  });
});

describe('a check has crashed if it returns', () => {
  const odd = { severity: 'warning', message: 'odd' };
  test.each<[string, unknown, string]>([
    ['nothing', undefined, 'no list of findings'],
    ['null', null, 'no list of findings'],
    ['a number', 7, 'no list of findings'],
    ['one finding instead of a list', odd, 'no list of findings'],
    ['a string', 'odd', 'no list of findings'],
    ['a list with null', [null], 'a finding that is not an object'],
    ['a list with a string', ['odd'], 'a finding that is not an object'],
    ['a finding without severity', [{ message: 'odd' }], 'without a severity'],
    ['an unknown severity', [{ ...odd, severity: 'fatal' }], 'without a severity'],
    ['a finding without message', [{ severity: 'info' }], 'without a message'],
    ['a message that is a number', [{ ...odd, message: 7 }], 'without a message'],
    ['a worker that is a number', [{ ...odd, worker: 7 }], 'a worker that is not a string'],
    ['workers that are a string', [{ ...odd, workers: ADA }], 'workers that are not a list'],
    ['a lock that is an object', [{ ...odd, lock: {} }], 'a lock that is not a string'],
    ['evidence that is a string', [{ ...odd, evidence: 'seen' }], 'evidence that is not a list'],
    ['evidence of strings', [{ ...odd, evidence: ['seen'] }], 'evidence that is not a list'],
    [
      'evidence of an unknown source',
      [{ ...odd, evidence: [{ source: 'gossip', text: 'x' }] }],
      'evidence that is not a list',
    ],
    ['a fix that is a function', [{ ...odd, fix: () => {} }], 'a fix that is not an object'],
    ['a fix of an unknown action', [{ ...odd, fix: { action: 'kill' } }], 'unknown action "kill"'],
    ['an advice without text', [{ ...odd, fix: { action: 'advice' } }], 'an advice without a text'],
    [
      'an advice with command lines as strings',
      [{ ...odd, fix: { action: 'advice', text: 'x', commands: ['rm -rf /'] } }],
      'not lists of words',
    ],
    ['a release without a lock', [{ ...odd, fix: { action: 'release' } }], 'not in the snapshot'],
    [
      'a release of a lock that is not in the snapshot',
      [{ ...odd, fix: { action: 'release', lock: 'agent:/etc/passwd' } }],
      'not in the snapshot',
    ],
  ])('%s', (_, returned, said) => {
    const outcome = outcomeOf(returned);
    expect(outcome).toMatchObject({ status: 'crashed', findings: [] });
    expect(outcome.error).toContain(said);
  });

  test('one bad finding among good ones, which are dropped too', () => {
    expect(outcomeOf([odd, null]).findings).toEqual([]);
  });

  test('a promise, which is not awaited and whose rejection is handled', async () => {
    const failures: unknown[] = [];
    const collect = (reason: unknown): void => {
      failures.push(reason);
    };
    process.on('unhandledRejection', collect);
    try {
      expect(outcomeOf(Promise.reject(new Error('later')))).toMatchObject({
        status: 'crashed',
        error: 'it returned a promise: checks are synchronous',
      });
      // Unhandled rejections are announced once the queue of microtasks is empty.
      await new Promise((resolve) => setImmediate(resolve));
      expect(failures).toEqual([]);
    } finally {
      process.off('unhandledRejection', collect);
    }
  });
});

describe('a check has crashed if it throws', () => {
  test.each<[string, unknown, string]>([
    ['an error', new TypeError('out of ideas'), 'out of ideas'],
    ['a string', 'no', 'no'],
    ['undefined', undefined, 'undefined'],
    ['a value that cannot be shown', Object.create(null), 'it threw a value that cannot be shown'],
  ])('%s', (_, thrown, said) => {
    const crashing = check(() => {
      throw thrown;
    });
    expect(runCheck(crashing, examination, still)).toMatchObject({
      status: 'crashed',
      error: said,
      findings: [],
    });
  });
});

describe('the status of a check', () => {
  test.each([
    ['no finding', [], {}, 'pass'],
    ['an info finding', [{ severity: 'info', message: 'x' }], {}, 'fail'],
    ['a warning', [{ severity: 'warning', message: 'x' }], {}, 'fail'],
    ['a doubt', [{ severity: 'warning', message: 'x' }], { reportsDoubt: true }, 'unknown'],
    [
      'an info finding of a check that reports doubt',
      [{ severity: 'info', message: 'x' }],
      { reportsDoubt: true },
      'fail',
    ],
  ])('with %s', (_, returned, fields, status) => {
    expect(
      runCheck(
        check(() => returned, fields),
        examination,
        still,
      ).status,
    ).toBe(status);
  });

  test('is skipped for a check that was not run', () => {
    expect(skippedCheck(check(() => []))).toMatchObject({ status: 'skipped', findings: [], durationMs: 0 });
  });

  test('comes with its duration in whole milliseconds', () => {
    const times = [100, 103.4];
    expect(
      runCheck(
        check(() => []),
        examination,
        () => times.shift() ?? 0,
      ).durationMs,
    ).toBe(3);
  });
});

describe('the functions for authors of checks', () => {
  const [verdict] = examination.verdicts;
  if (verdict === undefined) throw new Error('no verdict');

  test('declare, release, advise and summarize', () => {
    const mine = defineCheck(check(() => []));
    expect(mine.id).toBe('mine/odd');
    expect(release(verdict)).toEqual({ action: 'release', lock: `agent:${ADA}` });
    expect(advice('look')).toEqual({ action: 'advice', text: 'look', commands: [] });
    expect(summary(verdict)).toBe('its process (4242) and pane (%3) are gone; taken 8 h ago');
  });

  test('name the missing evidence', () => {
    const servers = [aServer([], { status: 'failed', reason: 'did not answer' })];
    const [doubtful] = examineSnapshot(aSnapshot({ locks: [aLock(ADA)], servers })).verdicts;
    expect(doubtful && doubtOf(doubtful)).toMatch(/was not reached: did not answer$/);
  });

  test.each([
    [
      'a session of Gas Town',
      { sessionId: 'gt-crew-ada' },
      'process 4242 is still running, but its session gt-crew-ada is gone; taken 8 h ago',
    ],
    ['no session', { sessionId: '' }, 'process 4242 (claude) is running; taken 8 h ago'],
    [
      'the zero time',
      { acquiredAtMs: null },
      'process 4242 is still running, but its pane %3 is gone; written 8 h ago',
    ],
    ['another host', { hostname: 'elsewhere' }, 'taken on another host, elsewhere, 8 h ago'],
  ])('summarize a lock with %s', (_, record, said) => {
    const seen = examineSnapshot(aSnapshot({ locks: [aLock(ADA, record)], lookups: [present(4242)] }));
    expect(seen.verdicts.map(summary)).toEqual([said]);
  });

  test('are enough for the built-in checks, none of which crashes', () => {
    for (const one of builtInChecks) expect(runCheck(one, examination, still).error).toBeNull();
  });
});
