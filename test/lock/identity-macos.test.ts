/**
 * The life of a holder as macOS tells it. A simulation: `process.platform` says so, and the ps of this machine answers, which
 * prints start times in the same form.
 */
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

  test('knows a living holder by its start time, and calls none dead for another one without knowing the boot', async () => {
    const { pid } = await fakeAgent();
    const token = await startTokenOf(pid);
    expect(token).toMatch(/^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$/);
    expect([lifeNow(holderNamed(pid, token)), mayLive(holderNamed(pid, token))]).toEqual(['alive', true]);
    const other = holderNamed(pid, 'Sun Nov 23 09:00:02 2025');
    // This machine has no sysctl that tells macOS's boots.
    expect([lifeNow(other), mayLive(other)]).toEqual(['unknown', true]);
  });

  test('tells start times that do not change with the zone of the one who asks', async () => {
    const { pid } = await fakeAgent();
    const token = await startTokenOf(pid);
    process.env.TZ = 'Asia/Tokyo';
    onCleanUp(() => {
      delete process.env.TZ;
    });
    expect(await startTokenOf(pid)).toBe(token);
  });

  test('calls dead what has ended, zombies too', async () => {
    expect(lifeNow(holderNamed(deadPid(), 'Sun Nov 23 09:00:02 2025'))).toBe('gone');
    expect(lifeNow(holderNamed(await startZombie(), 'Sun Nov 23 09:00:02 2025'))).toBe('gone');
  });

  test('without a start time only a number in use may be alive, and none of another boot', async () => {
    const { pid } = await fakeAgent();
    const unsure = holderNamed(pid, null);
    expect([lifeNow(unsure), mayLive(unsure)]).toEqual(['unknown', true]);
    expect(mayLive(holderNamed(deadPid(), null))).toBe(false);
    expect(mayLive({ ...unsure, pidNamespace: 'pid:[1]' })).toBe(false);
  });
});
