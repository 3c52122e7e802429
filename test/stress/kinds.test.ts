/**
 * Real gits and doctors that are killed at random; the long form is `npm run stress -- --kinds`.
 * Runs in a PID namespace: no test here needs a missing PID as proof.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const run = (...args: string[]): Record<string, unknown> => {
  const script = join(import.meta.dirname, 'run.mjs');
  const { stdout, stderr } = spawnSync(process.execPath, [script, '--kinds', ...args], { encoding: 'utf8' });
  if (!stdout.startsWith('{')) throw new Error(`the harness failed: ${stderr}`);
  return JSON.parse(stdout) as Record<string, unknown>;
};

// Another user's git, which only root can examine, would be in doubt during the whole run.
const rootTest =
  process.platform === 'linux' && process.getuid?.() === 0 && spawnSync('git', ['--version']).status === 0
    ? test
    : test.skip;

rootTest(
  'no live git loses a lock, and the repository stays intact',
  () => {
    expect(run('--seconds', '10')).toMatchObject({ losses: [], ok: true });
  },
  120_000,
);

rootTest(
  'a repair that only checks the age of a lock is caught',
  () => {
    const { lost, ok } = run('--seconds', '60', '--naive');
    expect({ ok, isCaught: Number(lost) > 0 }).toEqual({ ok: false, isCaught: true });
  },
  120_000,
);
