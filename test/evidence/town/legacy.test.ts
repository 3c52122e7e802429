import { mkdirSync, symlinkSync } from 'node:fs';
import { afterEach, expect, test } from '@jest/globals';
import { scanTown } from '../../../src/evidence/scan/scan.ts';
import { readLegacyItems } from '../../../src/evidence/town/legacy.ts';
import { cleanUp, makeTown } from '../../support/index.ts';

afterEach(cleanUp);

test('files in the old layout are listed with their new paths, and whether something is there already', async () => {
  const town = makeTown({ workers: ['gastown/crew/ada'] });
  for (const file of [
    '.gastown/keepalive.json',
    '.gastown/config.json',
    'gastown/.gastown/config.json',
    'gastown/.gastown/namepool.json',
    'gastown/.gastown/wisps/one.json',
    'gastown/settings/config.json',
    'gastown/crew/ada/.gastown/agent.lock',
    'gastown/crew/ada/.gastown/agent.lock.flock',
    'gastown/crew/ada/.gastown/agent.lock.tmp',
    'gastown/crew/ada/.gastown/session_id',
    'gastown/crew/ada/.runtime/session_id',
  ])
    town.write(file, '');
  const places = {
    rigs: ['gastown'],
    workers: ['.', 'gastown', 'gastown/crew/ada', 'gastown/crew/ada', 'gastown/crew/none'],
    oldHomes: null,
  };
  const item = (from: string, to: string, targetExists = false, isDirectory = false) => ({
    from,
    to,
    targetExists,
    isDirectory,
  });
  const items = [
    item('.gastown/config.json', 'mayor/config.json'),
    item('.gastown/keepalive.json', '.runtime/keepalive.json'),
    item('gastown/.gastown/config.json', 'gastown/settings/config.json', true),
    item('gastown/.gastown/namepool.json', 'gastown/.runtime/namepool-state.json'),
    item('gastown/.gastown/wisps', 'gastown/.runtime/wisps', false, true),
    item('gastown/crew/ada/.gastown/agent.lock', 'gastown/crew/ada/.runtime/agent.lock'),
    item('gastown/crew/ada/.gastown/session_id', 'gastown/crew/ada/.runtime/session_id', true),
  ];
  expect(readLegacyItems(town.root, places)).toEqual(items);
  const { seen } = await scanTown({ root: town.root, mode: 'default' });
  expect(readLegacyItems(town.root, { ...places, oldHomes: seen?.oldHomes ?? null })).toEqual(items);
});

test('a town without files in the old layout has no items', () => {
  const town = makeTown({ workers: ['gastown/crew/ada'] });
  expect(
    readLegacyItems(town.root, { rigs: ['gastown'], workers: ['gastown/crew/ada'], oldHomes: null }),
  ).toEqual([]);
});

test('a symlinked .gastown is not entered', () => {
  const town = makeTown({ workers: ['gastown/crew/ada'] });
  town.write('elsewhere/secret', '');
  symlinkSync(town.path('elsewhere'), town.path('gastown/crew/ada/.gastown'));
  expect(readLegacyItems(town.root, { rigs: [], workers: ['gastown/crew/ada'], oldHomes: null })).toEqual([]);
});

test('a dangling symlink at the target counts as existing', () => {
  const town = makeTown({ workers: ['gastown/crew/ada'] });
  town.write('gastown/.gastown/state', '');
  mkdirSync(town.path('gastown/.runtime'));
  symlinkSync('/nowhere', town.path('gastown/.runtime/state'));
  expect(readLegacyItems(town.root, { rigs: ['gastown'], workers: [], oldHomes: null })).toMatchObject([
    { targetExists: true },
  ]);
});

test('what a scan has seen of the town is not looked at again', () => {
  const town = makeTown({ workers: ['gastown/crew/ada'] });
  town.write('gastown/crew/ada/.gastown/session_id', '');
  const places = { rigs: ['gastown'], workers: ['gastown/crew/ada'] };
  expect(readLegacyItems(town.root, { ...places, oldHomes: new Set() })).toEqual([]);
  expect(readLegacyItems(town.root, { ...places, oldHomes: new Set([town.path('elsewhere')]) })).toEqual([]);
});
