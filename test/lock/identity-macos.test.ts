/** Whether a holder is alive on macOS. Simulated with `process.platform` and this machine's ps, whose start times look the same. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { lifeNow, mayLive, startTokenOf, trueHolderOf } from '../../src/lock/identity.ts';
import { cleanUp, deadPid, fakeAgent, onCleanUp, startZombie } from '../support/index.ts';

const NONCE = '0123456789abcdef';

describe('a simulated macOS', () => {
  beforeEach(() => {
    const { platform } = process;
    Object.defineProperty(process, 'platform', { value: 'darwin' });
    onCleanUp(() => {
      Object.defineProperty(process, 'platform', { value: platform });
    });
  });
  afterEach(cleanUp);

  const holderNamed = (pid: number, startToken: string | null) => trueHolderOf({ pid, startToken }, NONCE);

  test('recognizes a live holder by its start time, and calls no other one dead without knowing the boot', async () => {
    const { pid } = await fakeAgent();
    const token = await startTokenOf(pid);
    expect(token).toMatch(/^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$/);
    expect([lifeNow(holderNamed(pid, token)), mayLive(holderNamed(pid, token))]).toEqual(['alive', true]);
    const other = holderNamed(pid, 'Sun Nov 23 09:00:02 2025');
    // This machine does not have the sysctl for the boot of macOS.
    expect([lifeNow(other), mayLive(other)]).toEqual(['unknown', true]);
  });

  test('reports start times that do not depend on the time zone of the caller', async () => {
    const { pid } = await fakeAgent();
    const token = await startTokenOf(pid);
    process.env.TZ = 'Asia/Tokyo';
    onCleanUp(() => {
      delete process.env.TZ;
    });
    expect(await startTokenOf(pid)).toBe(token);
  });

  test('calls ended processes dead, zombies too', async () => {
    expect(lifeNow(holderNamed(deadPid(), 'Sun Nov 23 09:00:02 2025'))).toBe('gone');
    expect(lifeNow(holderNamed(await startZombie(), 'Sun Nov 23 09:00:02 2025'))).toBe('gone');
  });

  test('considers a holder without a start time possibly alive only if its PID is in use and from this boot', async () => {
    const { pid } = await fakeAgent();
    const unsure = holderNamed(pid, null);
    expect([lifeNow(unsure), mayLive(unsure)]).toEqual(['unknown', true]);
    expect(mayLive(holderNamed(deadPid(), null))).toBe(false);
    expect(mayLive({ ...unsure, pidNamespace: 'pid:[1]' })).toBe(false);
  });
});
