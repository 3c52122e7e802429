/** Full disks and disks without hard links: no lock is lost, and none is claimed. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Lock } from '../../src/lock/agent-lock.ts';
import { cleanUp, onCleanUp } from '../support/index.ts';
import { FOREIGN, makeScene } from './support/bench-scene.ts';
import { fix, judge, undo } from './support/operations.ts';
import { withoutLinks } from './support/tapped-calls.ts';

afterEach(cleanUp);

/** A file system of 64 KiB in memory, or null if we cannot mount one. */
const smallDisk = (): string | null => {
  const path = mkdtempSync(join(tmpdir(), 'small-'));
  onCleanUp(() => rmSync(path, { recursive: true, force: true }));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', path]).status === 0;
  if (!mounted) return null;
  onCleanUp(() => void spawnSync('umount', [path]));
  return path;
};

const canMount = process.platform === 'linux' && smallDisk() !== null;
await cleanUp();

(canMount ? test : test.skip)(
  'a stale lock that cannot be replaced stays on a full disk (skipped where nothing can be mounted)',
  async () => {
    const disk = smallDisk() ?? '';
    const directory = join(disk, 'w/.runtime');
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'agent.lock'), FOREIGN);
    writeFileSync(join(directory, 'agent.lock.flock'), '');
    fill(join(disk, 'filler'));
    const refused = new Lock(join(disk, 'w'), { judge }).acquire({ companion: true });
    await expect(refused).rejects.toMatchObject({ code: 'E_LOCK_IO', errno: 'ENOSPC' });
    expect(readFileSync(join(directory, 'agent.lock'), 'utf8')).toBe(FOREIGN);
    expect(readdirSync(directory).sort()).toEqual(['agent.lock', 'agent.lock.flock']);
  },
);

/** Writes until the disk is full. */
const fill = (path: string): void => {
  for (let size = 4096; size >= 1; size = Math.floor(size / 2)) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(size), { flag: 'a' });
    } catch {
      // A smaller piece may still fit.
    }
  }
};

describe.each(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'])('if link(2) fails with %s (injected)', (code) => {
  const calls = withoutLinks(code);

  test('a lock is taken, excludes others, is taken over and given back', async () => {
    const scene = makeScene();
    const lock = new Lock(scene.worker, { calls, judge });
    expect(await lock.acquire()).toMatchObject({ how: 'taken', guarded: true });
    await expect(new Lock(scene.worker, { calls, judge }).acquire()).rejects.toMatchObject({ state: 'held' });
    await lock.release();
    scene.write(FOREIGN);
    expect(await lock.acquire()).toMatchObject({ how: 'taken-over' });
    await lock.release();
    expect(scene.names()).toEqual([]);
  });

  test('a release is undone, but never over a newer lock', async () => {
    const scene = makeScene();
    scene.write(FOREIGN);
    expect(await fix(scene, calls)).toBe('done');
    const newer = new Lock(scene.worker, { calls, judge });
    await newer.acquire();
    expect(await undo(scene, calls)).toContain('newer lock');
    await newer.release();
    expect(await undo(scene, calls)).toBe('done');
    expect([scene.text(), scene.names()]).toEqual([FOREIGN, ['agent.lock']]);
  });

  test('a lock is refused without a guard, and the reason is given', async () => {
    const scene = makeScene();
    const lock = new Lock(scene.worker, { calls, judge, flockTools: [] });
    await expect(lock.acquire()).rejects.toThrow('no hard links');
    expect(scene.names()).toEqual([]);
  });
});
