/** Names and directories of locks come only from the kinds: a second kind, made here, is found on the same walk, and again by its path. */
import { Buffer } from 'node:buffer';
import { afterEach, expect, test } from '@jest/globals';
import agent from '../../../kinds/agent.ts';
import type { LockFile } from '../../../src/core/types/evidence.ts';
import { findAgain } from '../../../src/evidence/locks/find-again.ts';
import { compileTable } from '../../../src/evidence/locks/lock-table.ts';
import { readLocks } from '../../../src/evidence/locks/read-locks.ts';
import { scanTown } from '../../../src/evidence/scan/scan.ts';
import { defineKind } from '../../../src/kind.ts';
import { look, townOf } from '../../../src/look.ts';
import { cleanUp, makeTown } from '../../support/index.ts';

afterEach(cleanUp);

const note = defineKind({
  id: 'note',
  title: 'Notes',
  summary: 'A kind that only this test knows.',
  where: { homes: { '.notes': 'runtime', '.runtime': 'runtime' }, name: 'build.pid' },
  claims: null,
  witnesses: ['process'],
  freshMs: 60_000,
  read: (bytes) => ({ kind: 'invalid', problem: 'not-json', detail: Buffer.from(bytes).toString() }),
  letGo: 'move-aside',
});

const table = compileTable([agent, note]);

test('each kind is found in its own directories, by its own name, and read by its own reader', async () => {
  const town = makeTown();
  town.lock('a');
  town.write('a/.runtime/build.pid', 'beside an agent’s lock');
  town.write('a/.notes/build.pid', 'elsewhere');
  town.write('a/.notes/agent.lock', 'at no place of agents');
  town.write('a/build.pid', 'in no home');
  const { locks } = await scanTown({ root: town.root, mode: 'default', threads: 1, table });
  const read = readLocks(locks, town.root);
  expect(read.map(({ id, path, content }) => [id, path.slice(town.root.length), content.kind])).toEqual([
    ['note:a/.notes/build.pid', '/a/.notes/build.pid', 'invalid'],
    ['agent:a', '/a/.runtime/agent.lock', 'record'],
    ['note:a/.runtime/build.pid', '/a/.runtime/build.pid', 'invalid'],
  ]);
  expect(read[0]?.rules).toEqual({ claims: null, witnesses: ['process'], freshMs: 60_000 });
  expect(read[1]).not.toHaveProperty('rules');
  expect(
    (await scanTown({ root: town.root, mode: 'quick', places: [town.path('a')], table })).locks,
  ).toHaveLength(3);
});

test('a lock is found again by its path, wherever its kind keeps it', async () => {
  const town = makeTown();
  town.write('a/.notes/build.pid', '1');
  const [lock] = readLocks((await scanTown({ root: town.root, mode: 'default', table })).locks, town.root);
  if (lock === undefined) throw new Error('it was not found at all');
  const again = findAgain(lock, town.root, table);
  expect(again === null ? [] : readLocks([again], town.root)).toEqual([lock]);
  expect(findAgain(lock, town.root)).toBeNull();
});

test('a second look finds exactly the locks that it is given, even where no walk looks', async () => {
  const town = makeTown();
  const path = town.lock('a', {}, { at: 'odd/agent.lock' });
  const [seen] = readLocks(
    [
      {
        kind: agent,
        path,
        place: town.path('a'),
        layout: 'runtime',
        companion: null,
        hasTwin: false,
        linkedGitDir: null,
        gitDir: null,
      },
    ],
    town.root,
  );
  const pathsSeen = async (locks: readonly LockFile[]) =>
    (await look(townOf(town.root, {}), 'worker', ['a'], { locks })).locks.map((one) => one.path);
  expect(await pathsSeen([])).toEqual([]);
  expect(await pathsSeen(seen === undefined ? [] : [seen])).toEqual([path]);
});

test('a kind with a directory that no walk would look up is refused', () => {
  const lost = { ...note, where: { homes: { daemon: 'runtime' as const }, name: 'daemon.pid' } };
  expect(() => compileTable([lost])).toThrow('kind note: daemon is not a name that begins with a dot');
});
