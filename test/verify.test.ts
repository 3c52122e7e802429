/** The steps of `npm test` that decide something: what npm says it packed, and which tests run beside others. */
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { PROJECT } from './support/source-files.ts';

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
  ])('of %s is read', async (_, answer) => {
    const { readPacked } = (await module('pack.mjs')) as { readPacked: (text: string) => unknown };
    expect(readPacked(JSON.stringify(answer))).toEqual({ filename: packed.filename, files: ['README.md'] });
  });
});

test('tests that reach what starts processes, in however many steps, do not run beside others', async () => {
  const { runsBesideOthers } = (await module('lanes.mjs')) as { runsBesideOthers: (file: string) => boolean };
  const beside = (file: string) => runsBesideOthers(join(PROJECT, 'test', file));
  expect([beside('core/plan.test.ts'), beside('support/snapshot.ts')]).toEqual([true, true]);
  expect([beside('support/index.ts'), beside('exec/crowd.test.ts'), beside('cli/loaded.test.ts')]).toEqual([
    false,
    false,
    false,
  ]);
});
