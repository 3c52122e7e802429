import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { readTownLayout } from '../../../src/evidence/town/layout.ts';
import { cleanUp, makeTown } from '../../support/index.ts';

afterEach(cleanUp);

test('rigs come from rigs.json with their prefixes, workers from the disk', () => {
  const town = makeTown({
    rigs: { gastown: 'gt', beads: 'bd', bare: null },
    workers: [
      'gastown/crew/ada',
      'gastown/polecats/max/gastown',
      'gastown/polecats/max/gastown/src',
      'gastown/witness',
      'gastown/refinery/rig',
      'beads/crew/gastown-ada',
      'deacon/dogs/rex/gastown',
      'settings/crew',
    ],
  });
  expect(readTownLayout(town.root)).toEqual({
    marked: true,
    rigs: [
      { name: 'bare', prefix: null },
      { name: 'beads', prefix: 'bd' },
      { name: 'gastown', prefix: 'gt' },
    ],
    workers: [
      'beads/crew/gastown-ada',
      'deacon',
      'deacon/dogs/rex',
      'deacon/dogs/rex/gastown',
      'gastown/crew/ada',
      'gastown/polecats/max',
      'gastown/polecats/max/gastown',
      'gastown/refinery',
      'gastown/refinery/rig',
      'gastown/witness',
      'mayor',
    ],
    gaps: [],
  });
});

test('without rigs.json rigs are the directories that look like rigs, and that is not a gap', () => {
  const town = makeTown({
    workers: ['gastown/crew/ada', 'beads/polecats/max', 'logs/old', 'plain/src', 'mayor/rig'],
  });
  rmSync(town.path('mayor/rigs.json'));
  expect(readTownLayout(town.root)).toMatchObject({
    marked: true,
    rigs: [
      { name: 'beads', prefix: null },
      { name: 'gastown', prefix: null },
    ],
    gaps: [],
  });
});

describe('a damaged rigs.json is a gap, and the directories are used', () => {
  test.each([
    ['invalid JSON', (path: string, write: (text: string) => void) => write(`{"rigs": {${path}`)],
    ['an array', (_path: string, write: (text: string) => void) => write('{"rigs": []}')],
    ['another document', (_path: string, write: (text: string) => void) => write('null')],
    ['a directory', (path: string) => mkdirSync(path)],
    ['a FIFO', (path: string) => execFileSync('mkfifo', [path])],
  ])('%s', (_name, make) => {
    const town = makeTown({ workers: ['gastown/crew/ada'] });
    rmSync(town.path('mayor/rigs.json'));
    make(town.path('mayor/rigs.json'), (text) => town.write('mayor/rigs.json', text));
    const layout = readTownLayout(town.root);
    expect(layout.rigs).toEqual([{ name: 'gastown', prefix: null }]);
    expect(layout.gaps).toEqual([{ what: 'rigs', why: expect.stringContaining('mayor/rigs.json') }]);
  });
});

test('a rig named like a property of every object has no prefix of its own', () => {
  const town = makeTown();
  town.write(
    'mayor/rigs.json',
    '{"rigs": {"constructor": {}, "__proto__": {"beads": {"prefix": "pp"}}, "x": {"beads": {"prefix": 7}}}}',
  );
  expect(readTownLayout(town.root).rigs).toEqual([
    { name: '__proto__', prefix: 'pp' },
    { name: 'constructor', prefix: null },
    { name: 'x', prefix: null },
  ]);
});

test('any directory is a town without a marker', () => {
  const town = makeTown({ marked: false, workers: [] });
  expect(readTownLayout(town.root)).toEqual({ marked: false, rigs: [], workers: [], gaps: [] });
});

test('symlinked directories are not workers', () => {
  const town = makeTown({ workers: ['gastown/crew/ada'] });
  symlinkSync(town.path('gastown/crew/ada'), town.path('gastown/crew/link'));
  expect(readTownLayout(town.root).workers).toEqual(['gastown/crew/ada', 'mayor']);
});
