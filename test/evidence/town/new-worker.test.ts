/** The names of missing directories: whether a worker may be made there, or another one was meant. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { readTownLayout } from '../../../src/evidence/town/layout.ts';
import { judgeNewWorker } from '../../../src/evidence/town/new-worker.ts';
import { cleanUp, makeTown } from '../../support/index.ts';

afterEach(cleanUp);

const WORKERS = [
  'mayor/rig',
  'deacon/dogs/rex/gastown',
  'gastown/crew/ada',
  'gastown/polecats/max/gastown',
  'gastown/polecats/nux',
  'gastown/witness/rig',
  'gastown/refinery/rig',
  'gastown/mayor/rig',
  'beads/crew/bob',
  // A rig whose name is a part of other paths.
  'polecats/crew/eve',
  'dogs/crew/kim',
];

const withLastChanged = (path: string, change: (name: string) => string): string =>
  path.replace(/[^/]+$/, change);

test('what is not read of the layout changes no answer', () => {
  const { root } = makeTown({ workers: WORKERS });
  for (const directory of ['Gastown/crew', 'GASTOWN/polecats'])
    mkdirSync(join(root, directory), { recursive: true });
  const names = WORKERS.flatMap((worker) => {
    const parts = worker.split('/');
    const endings = parts.map((_, at) => parts.slice(at).join('/'));
    return endings.flatMap((ending) => [
      ending,
      ending.toUpperCase(),
      withLastChanged(ending, (name) => name.toUpperCase()),
      withLastChanged(ending, (name) => `${name}x`),
      withLastChanged(ending, () => 'new'),
      `${ending}/deeper`,
      `Gastown/${ending}`,
      `nowhere/${ending}`,
    ]);
  });
  const missing = [...new Set(names)].filter((name) => !existsSync(join(root, name)));
  const layout = readTownLayout(root);
  const answers = missing.map((name) => [name, judgeNewWorker(name, root)] as const);
  expect(answers).toEqual(missing.map((name) => [name, judgeNewWorker(name, root, layout)]));
  expect(Object.fromEntries(answers)).toMatchObject({
    'gastown/crew/new': { kind: 'plausible' },
    'gastown/crew/ADA': { kind: 'mistake', near: 'gastown/crew/ada' },
    'Gastown/crew/ada': { kind: 'mistake', near: 'gastown/crew/ada' },
    'polecats/max/gastown': { kind: 'mistake', near: 'gastown/polecats/max/gastown' },
    'dogs/rex/gastown': { kind: 'mistake', near: 'deacon/dogs/rex/gastown' },
  });
});
