/** Where `.runtime` is no directory a live lock may lie behind it all the same: that is doubt, and never "free". */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { examineTown, preflight } from '../../src/index.ts';
import { doctor, documentOf } from '../cli/run-cli.ts';
import { cleanUp, makeTown, onCleanUp, type TestTown } from '../support/index.ts';

afterEach(cleanUp);

const WORKER = 'gastown/crew/ada';

const SYMLINK = 'it is a symbolic link and is not followed';
const OTHER = 'something else than a directory stands there';

/** Makes what stands in the place of the directory. */
const KINDS: readonly [what: string, why: string, make: (path: string) => unknown][] = [
  ['a symlink to a live lock', SYMLINK, liveLockBehind],
  ['a dangling symlink', SYMLINK, (path) => symlinkSync('/no/such/place', path)],
  ['a file', OTHER, (path) => writeFileSync(path, '')],
  ['a FIFO', OTHER, (path) => execFileSync('mkfifo', [path])],
  ['a socket', OTHER, listenAt],
];

function liveLockBehind(path: string): void {
  const elsewhere = mkdtempSync(join(tmpdir(), 'runtime-'));
  onCleanUp(() => rmSync(elsewhere, { recursive: true }));
  const record = { pid: process.pid, acquired_at: new Date().toISOString() };
  writeFileSync(join(elsewhere, 'agent.lock'), JSON.stringify(record));
  symlinkSync(elsewhere, path);
}

function listenAt(path: string): Promise<void> {
  const server = createServer();
  onCleanUp(() => void server.close());
  return new Promise((resolve) => server.listen(path, resolve));
}

const gapsOf = async (town: TestTown, scan: 'default' | 'deep' | 'quick') =>
  (await examineTown(town.root, { scan })).snapshot.gaps.filter(({ what }) => what.startsWith('directory:'));

describe.each(['.runtime', '.gastown'])('%s', (home) => {
  test.each(KINDS)(
    'that is %s: preflight is unsure, and every scan of the town has a gap',
    async (_what, why, make) => {
      const town = makeTown();
      const path = town.path(WORKER, home);
      await make(path);
      const { exitCode, results } = await preflight(town.root, [WORKER]);
      expect(exitCode).toBe(22);
      expect(results).toMatchObject([{ answer: 'unsure', reasons: ['unreadable'] }]);
      expect(results[0]?.message).toBe(`no lock was seen, but ${path} is closed to us: ${why}`);
      const gap = { what: `directory:${path}`, why };
      // Once, whether the walk met it or not: one that trusts link counts does not list this directory.
      for (const scan of ['default', 'deep', 'quick'] as const)
        expect(await gapsOf(town, scan)).toEqual([gap]);
      mkdirSync(town.path(WORKER, 'src'));
      for (const scan of ['default', 'deep'] as const) expect(await gapsOf(town, scan)).toEqual([gap]);
    },
  );
});

test('in a directory that is no canonical worker it is seen too', async () => {
  const town = makeTown();
  mkdirSync(town.path('odd/place/src'), { recursive: true });
  symlinkSync('/tmp', town.path('odd/place/.runtime'));
  expect(await gapsOf(town, 'default')).toEqual([
    { what: `directory:${town.path('odd/place/.runtime')}`, why: SYMLINK },
  ]);
});

test('the commands end with 22, and say which place it is', () => {
  const town = makeTown();
  liveLockBehind(town.path(WORKER, '.runtime'));
  for (const command of [[], ['preflight', WORKER]]) {
    const { status, stdout } = doctor([...command, '--town', town.root]);
    expect([command, status]).toEqual([command, 22]);
    expect(stdout).toContain(town.path(WORKER, '.runtime'));
  }
  const { status, stdout } = doctor(['locks', '--json', '--town', town.root]);
  expect(status).toBe(22);
  expect(documentOf(stdout)).toMatchObject({
    complete: false,
    gaps: [{ what: `directory:${town.path(WORKER, '.runtime')}`, why: SYMLINK }],
  });
});

test('a plain directory there, with and without a lock, is no gap', async () => {
  const town = makeTown({ workers: [WORKER, 'gastown/crew/bob'] });
  town.lock(WORKER);
  mkdirSync(town.path('gastown/crew/bob/.runtime'));
  mkdirSync(town.path('gastown/crew/bob/.gastown'));
  for (const scan of ['default', 'deep', 'quick'] as const) expect(await gapsOf(town, scan)).toEqual([]);
  renameSync(town.path(WORKER, '.runtime'), town.path(WORKER, 'gone'));
  expect(await gapsOf(town, 'default')).toEqual([]);
});
