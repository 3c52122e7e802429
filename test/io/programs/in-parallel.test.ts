import { describe, expect, test } from '@jest/globals';
import { inParallel } from '../../../src/io/programs/in-parallel.ts';

describe('inParallel', () => {
  test('keeps the order of the items and never runs more at once than allowed', async () => {
    let atWork = 0;
    let most = 0;
    const results = await inParallel([5, 1, 4, 2, 3], 2, async (item) => {
      atWork += 1;
      most = Math.max(most, atWork);
      for (let turn = 0; turn < item; turn += 1) await Promise.resolve();
      atWork -= 1;
      return item * 10;
    });
    expect(results).toEqual([50, 10, 40, 20, 30]);
    expect(most).toBe(2);
  });

  test('passes a failure on', async () => {
    const fail = inParallel([1], 3, async () => Promise.reject(new Error('broken')));
    await expect(fail).rejects.toThrow('broken');
    expect(await inParallel([], 3, async () => 1)).toEqual([]);
  });
});
