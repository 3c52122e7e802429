/** Moving a lock of git aside and restoring it, with a fault at every system call and a crash after every one. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type { LockFile } from '../../src/core/types/evidence.ts';
import type { SystemCalls } from '../../src/io/disk/system-calls.ts';
import { makeRunId } from '../../src/lock/files/names.ts';
import { readStamp } from '../../src/lock/files/read-record.ts';
import { repairLeftovers } from '../../src/repair/leftovers.ts';
import { undoReleases } from '../../src/repair/undo.ts';
import { judging, lockFileAt } from '../lock/support/bench-scene.ts';
import { applyRelease } from '../lock/support/release.ts';
import { alone, crashing, FAULTS, failing, listCalls } from '../lock/support/tapped-calls.ts';
import { cleanUp, onCleanUp } from '../support/clean-up.ts';

// Hundreds of runs, on busy machines too.
jest.setTimeout(240_000);

afterEach(cleanUp);

/** Larger than any agent's lock. */
const TEXT = `DIRC${'x'.repeat(100_000)}`;

const BASE = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

interface Scene {
  readonly root: string;
  readonly lock: string;
  /** The names in the directory of the lock. */
  readonly names: () => readonly string[];
}

const makeScene = (name: string): Scene => {
  const root = mkdtempSync(join(BASE, 'git-scene-'));
  onCleanUp(() => rmSync(root, { recursive: true, force: true }));
  const lock = join(root, '.git', name);
  const directory = lock.slice(0, lock.lastIndexOf('/'));
  mkdirSync(directory, { recursive: true });
  writeFileSync(lock, TEXT);
  return { root, lock, names: () => readdirSync(directory) };
};

const gitLockAt = (path: string): LockFile => {
  const seen = readStamp(alone, path);
  return {
    ...lockFileAt(path),
    id: 'git-lock:x',
    kind: 'git-lock',
    worker: '.',
    isRegularFile: true,
    stamp: seen.kind === 'file' ? seen.stamp : null,
    content: { kind: 'claim', claim: { by: 'open-file' } },
    rules: { claims: null, witnesses: ['open-file', 'git'], freshMs: 60_000 },
  };
};

const fix = async ({ root, lock }: Scene, calls: SystemCalls): Promise<string> => {
  const stale = judging(() => 'stale');
  const { status } = await applyRelease(
    { lock: gitLockAt(lock), state: 'stale', force: false },
    makeRunId(Date.now()),
    1,
    {
      townRoot: root,
      calls,
      guardTimeoutMs: 0,
      judge: async (asked) => {
        const verdict = await stale(asked);
        return verdict === null ? null : { ...verdict, lock: gitLockAt(lock) };
      },
    },
  );
  return status;
};

const undo = async ({ root }: Scene, calls: SystemCalls): Promise<string> => {
  const { outcomes } = await undoReleases(null, { townRoot: root, calls, guardTimeoutMs: 0 });
  return outcomes[0]?.status ?? 'nothing';
};

const tidy = async ({ root, lock }: Scene): Promise<void> => {
  const { status } = await repairLeftovers(lock, { townRoot: root, calls: alone, guardTimeoutMs: 0 });
  expect(status).toBe('done');
};

/** The bytes are in the lock's place or in its one kept copy, and git ignores every file left among refs. */
const isWhole = ({ lock, names }: Scene, where: string): void => {
  const kept = names().filter((name) => name.includes('.released-'));
  const directory = lock.slice(0, lock.lastIndexOf('/'));
  const texts = [lock, ...kept.map((name) => `${directory}/${name}`)]
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'utf8'));
  expect([where, texts.length > 0, texts.every((text) => text === TEXT)]).toEqual([where, true, true]);
  if (lock.includes('/refs/'))
    expect([where, names().filter((name) => !name.endsWith('.lock'))]).toEqual([where, []]);
  expect([where, names().filter((name) => /\.old/.test(name))]).toEqual([where, []]);
};

describe.each(['index.lock', 'refs/heads/main.lock'])('%s', (name) => {
  const operations = [
    { what: 'fix', begin: async () => makeScene(name), run: fix },
    {
      what: 'undo',
      begin: async () => {
        const scene = makeScene(name);
        expect(await fix(scene, alone)).toBe('fixed');
        expect(existsSync(scene.lock)).toBe(false);
        return scene;
      },
      run: undo,
    },
  ];

  test.each(operations)('$what loses nothing, whichever call fails', async ({ begin, run }) => {
    const rehearsal = await begin();
    const calls = await listCalls((tapped) => run(rehearsal, tapped));
    expect(calls.length).toBeGreaterThan(10);
    for (const [at, call] of calls.entries())
      for (const fault of FAULTS) {
        if (fault === 'short' && call !== 'write') continue;
        const scene = await begin();
        await run(scene, failing(at, fault)).catch(() => 'failed');
        await tidy(scene);
        isWhole(scene, `${fault} at ${call} (call ${at})`);
        rmSync(scene.root, { recursive: true });
      }
  });

  test.each(operations)(
    '$what loses nothing if it dies after any call, and the next run completes it',
    async ({ what, begin, run }) => {
      const rehearsal = await begin();
      const calls = await listCalls((tapped) => run(rehearsal, tapped));
      for (const [at, call] of calls.entries()) {
        const where = `dead after ${call} (call ${at})`;
        const scene = await begin();
        await run(scene, crashing(at)).catch(() => 'died');
        await tidy(scene);
        isWhole(scene, where);
        if (what === 'undo' || !existsSync(scene.lock))
          expect([where, ['restored', 'already'].includes(await undo(scene, alone))]).toEqual([where, true]);
        expect([where, readFileSync(scene.lock, 'utf8') === TEXT]).toEqual([where, true]);
        rmSync(scene.root, { recursive: true });
      }
    },
  );
});
