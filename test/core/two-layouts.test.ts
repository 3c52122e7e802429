/** A worker with a lock at the old place and one at the new: a dead one must not hide a live one. */
import { expect, test } from '@jest/globals';
import { clear } from '../../src/core/clear-to-start.ts';
import { absent, aLock, aSnapshot, present } from '../support/snapshot.ts';

const ADA = 'gastown/crew/ada';

test('a holder who lives behind the lock at the old place forbids a start', () => {
  const legacy = aLock(ADA, { pid: 4243, sessionId: '' }, { id: `agent:${ADA}#legacy`, layout: 'legacy' });
  const locks = [aLock(ADA, { sessionId: '' }), legacy];
  const askWith = (lookups: ReturnType<typeof absent>[]): string | undefined =>
    clear(aSnapshot({ locks, lookups, over: { asked: [ADA], scan: 'worker' } }))[0]?.answer;
  expect(askWith([absent(4242), present(4243)])).toBe('held');
  expect(askWith([present(4242), absent(4243)])).toBe('held');
  expect(askWith([absent(4242), absent(4243)])).toBe('repair');
});
