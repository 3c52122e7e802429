/**
 * The harness of `npm run stress`, in its short form.
 * Runs beside others: its processes fight for locks of their own, and one that doubts because of others only waits its turn.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const run = (...args: string[]): Record<string, unknown> => {
  const script = join(import.meta.dirname, 'run.mjs');
  const { stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  const line = stdout.trim().split('\n').at(-1) ?? '';
  if (!line.startsWith('{')) throw new Error(`the harness failed: ${stderr}`);
  return JSON.parse(line) as Record<string, unknown>;
};

/** The long form is `npm run stress`: a minute, and the bar of 300 kills and 300 stops. */
describe('eight processes that are killed and stopped at random', () => {
  test('never hold a lock together, lose none and leave nothing behind', () => {
    const result = run('--seconds', '10', '--at-most', '90');
    expect(result).toMatchObject({ overlaps: 0, lost: 0, error: 0, leftovers: 0, takable: 3, ok: true });
    expect(Number(result.kills)).toBeGreaterThan(20);
    expect(Number(result.stops)).toBeGreaterThan(20);
    expect(Number(result.acquired)).toBeGreaterThan(0);
    expect(Number(result.batches)).toBeGreaterThan(0);
  }, 120_000);

  test('neither do four foreign writers that use flock beside them', () => {
    const result = run('--seconds', '5', '--at-most', '60', '--foreign', '4');
    expect(result).toMatchObject({ overlaps: 0, lost: 0, error: 0, leftovers: 0, takable: 3, ok: true });
  }, 120_000);

  test('are caught in the act by the same harness when they follow the original protocol', () => {
    const result = run('--seconds', '0', '--at-most', '60', '--protocol', 'naive');
    expect(result.ok).toBe(false);
    expect(Number(result.overlaps) + Number(result.lost)).toBeGreaterThan(0);
  }, 120_000);
});
