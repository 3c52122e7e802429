/** Real gits and doctors that are killed beside each other; the long form is `npm run stress -- --kinds`. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const run = (...args: string[]): Record<string, unknown> => {
  const script = join(import.meta.dirname, 'run.mjs');
  const { stdout, stderr } = spawnSync(process.execPath, [script, '--kinds', ...args], { encoding: 'utf8' });
  if (!stdout.startsWith('{')) throw new Error(`the harness failed: ${stderr}`);
  return JSON.parse(stdout) as Record<string, unknown>;
};

// A git of another user, whom only root may look at, would be doubt for the whole run.
const rootTest =
  process.platform === 'linux' && process.getuid?.() === 0 && spawnSync('git', ['--version']).status === 0
    ? test
    : test.skip;

rootTest(
  'no living git loses a lock, and the repository stays whole',
  () => {
    expect(run('--seconds', '15')).toMatchObject({ losses: [], ok: true });
  },
  120_000,
);

rootTest(
  'a repair that goes by age is caught',
  () => {
    const { lost, ok } = run('--seconds', '6', '--naive');
    expect({ ok, isCaught: Number(lost) > 0 }).toEqual({ ok: false, isCaught: true });
  },
  120_000,
);
