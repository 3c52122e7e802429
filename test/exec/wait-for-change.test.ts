/**
 * Waiting for a change in a worker’s directory.
 * Runs in a PID namespace: no test here needs a missing PID as proof.
 */
import { rmSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { watchWorker } from '../../src/exec/wait-for-change.ts';
import { cleanUp, makeTown } from '../support/index.ts';
import { ADA } from './lasting.ts';

/** The time that the next answer takes, in milliseconds. */
const timed = async (change: () => Promise<void>): Promise<number> => {
  const startedAt = performance.now();
  await change();
  return performance.now() - startedAt;
};

describe('waiting for a worker', () => {
  afterEach(cleanUp);

  test('asks less and less often while nothing changes', async () => {
    const town = makeTown();
    town.lock(ADA, { pid: process.pid });
    const change = watchWorker(town.path(ADA), performance.now() + 60_000);
    expect(await timed(change)).toBeGreaterThanOrEqual(249);
    expect(await timed(change)).toBeGreaterThanOrEqual(499);
    expect(await timed(change)).toBeGreaterThanOrEqual(999);
  });

  test('asks again when the lock has changed, even before the wait began', async () => {
    const town = makeTown();
    const lock = town.lock(ADA, { pid: process.pid });
    const change = watchWorker(town.path(ADA), performance.now() + 60_000);
    await change();
    await change();
    await change();
    rmSync(lock);
    // Without the change the wait would take two seconds.
    expect(await timed(change)).toBeLessThan(1900);
  });

  test('ends at the deadline', async () => {
    const town = makeTown();
    const change = watchWorker(town.path(ADA), performance.now() + 20);
    await change();
    expect(await timed(change)).toBeLessThan(1900);
  });
});
