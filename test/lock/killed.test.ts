/**
 * Processes that kill themselves after one of their system calls on a lock, and the run that follows.
 * Runs beside others: those processes use one lock in memory, and its judge looks only for that lock's holder.
 */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { Lock } from '../../src/lock/agent-lock.ts';
import { makeRunId } from '../../src/lock/files/names.ts';
import { undoReleases } from '../../src/repair/undo.ts';
import { quickJudge as judge } from '../stress/quick-judge.ts';
import { cleanUp, startProcess, until } from '../support/index.ts';
import { FOREIGN, makeScene, type Scene } from './support/bench-scene.ts';
import { repair } from './support/operations.ts';
import { applyRelease } from './support/release.ts';
import { alone } from './support/tapped-calls.ts';

let out = '';

beforeAll(async () => {
  out = mkdtempSync(join(realpathSync(tmpdir()), 'dying-'));
  await build({
    entryPoints: [join(import.meta.dirname, 'support/dying.ts')],
    outfile: join(out, 'dying.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    external: ['execa'],
    logLevel: 'error',
  });
});

afterAll(async () => {
  await cleanUp();
  rmSync(out, { recursive: true, force: true });
});

/** True if it was killed, false if it ended first. */
const isKilled = async (scene: Scene, operation: string, at: number): Promise<boolean> => {
  const { child } = await startProcess(process.execPath, [
    join(out, 'dying.mjs'),
    scene.root,
    operation,
    String(at),
  ]);
  await until(() => child.exitCode !== null || child.signalCode !== null, 'the end of a process', 60_000);
  if (child.exitCode !== 0) expect([operation, at, child.signalCode]).toEqual([operation, at, 'SIGKILL']);
  return child.signalCode === 'SIGKILL';
};

const fixed = async (scene: Scene): Promise<void> => {
  const step = { lock: scene.lockFile(), state: 'stale' as const, force: false };
  const outcome = await applyRelease(step, makeRunId(Date.now()), 1, {
    townRoot: scene.root,
    calls: alone,
    judge,
  });
  expect(outcome.status).toBe('fixed');
};

/** Each operation runs in a process that is killed after system call 0, 1, 2 … until one ends unharmed. */
describe.each([
  { operation: 'acquire', begin: async () => undefined, atLeast: 20, from: 'no lock' },
  {
    operation: 'acquire',
    begin: async (scene: Scene) => scene.write(FOREIGN),
    atLeast: 25,
    from: 'a stale lock',
  },
  { operation: 'release', begin: async () => undefined, atLeast: 10, from: 'our own lock' },
  {
    operation: 'fix',
    begin: async (scene: Scene) => scene.write(FOREIGN),
    atLeast: 25,
    from: 'a stale lock',
  },
  {
    operation: 'undo',
    begin: async (scene: Scene) => {
      scene.write(FOREIGN);
      await fixed(scene);
    },
    atLeast: 25,
    from: 'a kept copy',
  },
])('$operation from $from', ({ operation, begin, atLeast }) => {
  test('loses nothing that the next run needs if it is killed after any system call', async () => {
    let at = 0;
    for (let ended = false; !ended; ) {
      const batch = await Promise.all(
        [0, 1, 2, 3].map((offset) => killAndRepair(operation, begin, at + offset)),
      );
      ended = batch.includes(false);
      at += batch.filter(Boolean).length;
    }
    expect(at).toBeGreaterThan(atLeast);
  }, 240_000);
});

const killAndRepair = async (
  operation: string,
  begin: (scene: Scene) => Promise<void>,
  at: number,
): Promise<boolean> => {
  const scene = makeScene();
  await begin(scene);
  const wasKilled = await isKilled(scene, operation, at);
  expect(await repair(scene, alone)).toBe('done');
  expect(scene.names().filter((name) => /\.(new|old|tmp)$/.test(name))).toEqual([]);
  if (operation === 'fix' || operation === 'undo') {
    // The lock is in its place or in a kept copy, which the journal can restore.
    if (scene.text() === null) await undoReleases(null, { townRoot: scene.root });
    expect(scene.text()).toBe(FOREIGN);
    await fixed(scene);
  }
  const lock = new Lock(scene.worker, { judge, guardTimeoutMs: 20_000 });
  await lock.acquire();
  await lock.release();
  expect(scene.names().every((name) => name.startsWith('agent.lock.released-'))).toBe(true);
  scene.remove();
  return wasKilled;
};
