/**
 * The short form of `npm run stress`.
 * Runs beside others: its processes compete for their own locks, and a doubt caused by other processes only delays them.
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

/** The long form is `npm run stress`: a minute with at least 300 kills and 300 stops. */
describe('eight processes that are killed and stopped at random', () => {
  test('never hold a lock at the same time, lose none and leave nothing behind', () => {
    const result = run('--seconds', '10', '--at-most', '90');
    expect(result).toMatchObject({ overlaps: 0, lost: 0, error: 0, leftovers: 0, takable: 3, ok: true });
    expect(Number(result.kills)).toBeGreaterThan(20);
    expect(Number(result.stops)).toBeGreaterThan(20);
    expect(Number(result.acquired)).toBeGreaterThan(0);
    expect(Number(result.batches)).toBeGreaterThan(0);
  }, 120_000);

  test('exclude four foreign writers that use flock', () => {
    const result = run('--seconds', '5', '--at-most', '60', '--foreign', '4');
    expect(result).toMatchObject({ overlaps: 0, lost: 0, error: 0, leftovers: 0, takable: 3, ok: true });
  }, 120_000);

  test('are caught by the same harness if they use the original protocol', () => {
    const result = run('--seconds', '0', '--at-most', '60', '--protocol', 'naive');
    expect(result.ok).toBe(false);
    expect(Number(result.overlaps) + Number(result.lost)).toBeGreaterThan(0);
  }, 120_000);
});
