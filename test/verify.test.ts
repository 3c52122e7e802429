/** Parts of `npm test` that decide something: how npm's answer is read, and which tests run in parallel. */
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { PROJECT, readSources } from './support/source-files.ts';

const module = async (name: string) => (await import(join(PROJECT, 'scripts/verify', name))) as unknown;

describe('npm pack --json', () => {
  const packed = {
    name: 'lock-doctor',
    filename: 'lock-doctor-0.1.0.tgz',
    files: [{ path: 'README.md', size: 1 }],
  };

  test.each([
    ['up to npm 11', [packed]],
    ['npm 12', { 'lock-doctor': packed }],
  ])('from %s is read', async (_, answer) => {
    const { readPacked } = (await module('pack.mjs')) as { readPacked: (text: string) => unknown };
    expect(readPacked(JSON.stringify(answer))).toEqual({ filename: packed.filename, files: ['README.md'] });
  });
});

test('tests that declare `Runs beside others:` start no doctor, no agent and no tmux server', async () => {
  const { saysItRunsBesideOthers } = (await module('lanes.mjs')) as {
    saysItRunsBesideOthers: (file: string) => boolean;
  };
  const says = readSources('test').filter(({ path }) => saysItRunsBesideOthers(join(PROJECT, path)));
  expect(says.length).toBeGreaterThan(0);
  for (const { path, text, imports } of says) {
    expect([path, text.match(/\b(?:fakeAgent|startTmux|sleeperNamed|detached)\b/)]).toEqual([path, null]);
    const doctors = imports.filter((each) =>
      /run-cli|built-cli|situations\/|evidence\/(?:gather|processes|tmux)|src\/(?:diagnose|heal|look|town-locks)/.test(
        each,
      ),
    );
    expect([path, doctors]).toEqual([path, []]);
  }
});

test('tests that import a file that starts processes, directly or not, run one at a time', async () => {
  const { runsBesideOthers } = (await module('lanes.mjs')) as { runsBesideOthers: (file: string) => boolean };
  const beside = (file: string) => runsBesideOthers(join(PROJECT, 'test', file));
  expect([beside('core/plan.test.ts'), beside('support/snapshot.ts')]).toEqual([true, true]);
  expect([beside('support/index.ts'), beside('exec/crowd.test.ts'), beside('cli/loaded.test.ts')]).toEqual([
    false,
    false,
    false,
  ]);
});
