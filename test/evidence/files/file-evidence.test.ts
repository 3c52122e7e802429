/** Which processes use the files of locks: open files, flock(2) holders and git processes, with real processes. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { parseFlocks, readFlocks } from '../../../src/evidence/files/flocks.ts';
import { readGitUses } from '../../../src/evidence/files/git-programs.ts';
import { readOpenFiles } from '../../../src/evidence/files/open-files.ts';
import { readProcessTable } from '../../../src/evidence/processes/processes.ts';
import {
  canBecomeOthers,
  cleanUp,
  makeTown,
  onCleanUp,
  sleeperNamed,
  startProcess,
  until,
} from '../../support/index.ts';

afterEach(cleanUp);

const linuxTest = process.platform === 'linux' ? test : test.skip;

/** Mounts in a namespace of its own, so that nothing is left of them. */
const MOUNT_OVERLAY =
  'mount -t tmpfs none /tmp && cd /tmp && mkdir lower upper work all && mount -t overlay none -o lowerdir=lower,upperdir=upper,workdir=work all';
const canMountOverlay =
  canBecomeOthers && spawnSync('unshare', ['-m', 'sh', '-c', MOUNT_OVERLAY]).status === 0;

const ME = new Set([process.getuid?.() ?? -1]);

describe('open files', () => {
  linuxTest('are reported with the process that has them open, and no others are', async () => {
    const town = makeTown({ marked: false, workers: [] });
    const [held, left] = [town.write('held.lock', ''), town.write('left.lock', '')];
    const descriptor = openSync(held, 'r');
    try {
      const { uses } = readOpenFiles([held, left], await readProcessTable(), ME);
      expect(uses.map(({ path, pid }) => [path, pid])).toEqual([[held, process.pid]]);
    } finally {
      closeSync(descriptor);
    }
    expect(readOpenFiles([held, left], await readProcessTable(), ME).uses).toEqual([]);
  });

  linuxTest('that cannot be listed prove nothing', async () => {
    const table = await readProcessTable();
    const closed = { ...table, listing: { seen: false as const, why: 'no /proc' } };
    expect(readOpenFiles(['/x'], closed, ME).hidden).toContain('no /proc');
    expect((await readGitUses(closed)).hidden).toContain('no /proc');
  });
});

describe('flock(2) holders', () => {
  const asked = async (paths: readonly string[], listsAll = true) =>
    readFlocks(paths, await readProcessTable(), listsAll).uses;

  linuxTest('are reported for a locked file, and for no other', async () => {
    const town = makeTown({ marked: false, workers: [] });
    const [held, free] = [town.write('held', ''), town.write('free', '')];
    const ready = join(town.root, 'ready');
    const { pid } = await startProcess('flock', [held, 'sh', '-c', `touch ${ready}; exec sleep 600`]);
    await until(async () => (await asked([held])).length === 1);
    expect(await asked([held, free])).toEqual([{ path: held, pid, command: 'flock' }]);
  });

  linuxTest(
    'are reported if the process that took the lock has ended and its child still has it',
    async () => {
      const town = makeTown({ marked: false, workers: [] });
      const held = town.write('held', '');
      const child = join(town.root, 'child');
      const taker = await startProcess('flock', [held, 'sh', '-c', `echo $$ > ${child}; exec sleep 600`]);
      await until(() => spawnSync('test', ['-s', child]).status === 0);
      const pid = Number(readFileSync(child, 'utf8'));
      onCleanUp(() => void process.kill(pid, 'SIGKILL'));
      await taker.stop();
      // Outside the first PID namespace the kernel lists no lock whose taker has ended.
      for (const listsAll of [true, false])
        expect(await asked([held], listsAll)).toEqual([{ path: held, pid, command: 'sleep' }]);
    },
  );

  linuxTest(
    'are absent for an open file without a lock if the kernel lists all locks, and possible otherwise',
    async () => {
      const town = makeTown({ marked: false, workers: [] });
      const path = town.write('open', '');
      const descriptor = openSync(path, 'r');
      try {
        expect(await asked([path])).toEqual([]);
        expect(await asked([path], false)).toMatchObject([{ path, pid: process.pid, mayHold: true }]);
      } finally {
        closeSync(descriptor);
      }
      expect(await asked([path], false)).toEqual([]);
    },
  );

  (canMountOverlay ? test : test.skip)(
    'are reported on an overlay, whose files have other device numbers than the kernel lists (skipped if none can be mounted)',
    async () => {
      const town = makeTown({ marked: false, workers: [] });
      const lower = town.write('lower/held', '');
      for (const name of ['upper', 'all']) mkdirSync(town.path(name));
      const mount = (...args: string[]): number | null => spawnSync('mount', args).status;
      const unmount = (path: string): void => onCleanUp(() => void spawnSync('umount', ['-l', path]));
      expect(mount('-t', 'tmpfs', 'none', town.path('upper'))).toBe(0);
      unmount(town.path('upper'));
      for (const name of ['upper/u', 'upper/w']) mkdirSync(town.path(name));
      const layers = `lowerdir=${lower.replace(/\/held$/, '')},upperdir=${town.path('upper/u')},workdir=${town.path('upper/w')}`;
      expect(mount('-t', 'overlay', 'none', '-o', layers, town.path('all'))).toBe(0);
      unmount(town.path('all'));
      const held = town.path('all/held');
      const { pid, stop } = await startProcess('flock', ['-F', held, 'sleep', '600']);
      await until(async () => (await asked([held])).length === 1);
      expect(await asked([held])).toEqual([{ path: held, pid, command: 'sleep' }]);
      await stop();
      expect(await asked([held])).toEqual([]);
    },
  );

  test('are parsed from /proc/locks, where device numbers are hexadecimal and fcntl locks are listed too', () => {
    const text = [
      '1: FLOCK  ADVISORY  WRITE 4711 fe:01:131 0 EOF',
      '2: POSIX  ADVISORY  READ 9 00:2f:77 128 128',
      '2: -> FLOCK  ADVISORY  WRITE 12 fe:01:131 0 EOF',
      'noise',
    ].join('\n');
    expect([...parseFlocks(text)]).toEqual([
      ['254:1:131', 4711],
      ['131', 4711],
    ]);
  });
});

describe('git processes', () => {
  linuxTest('are reported with their working directory, arguments and variables', async () => {
    const town = makeTown({ marked: false, workers: [] });
    const { pid } = await startProcess(sleeperNamed('git'), ['600'], {
      cwd: town.root,
      env: { ...process.env, GIT_DIR: 'inner/.git' },
    });
    await until(async () =>
      (await readGitUses(await readProcessTable())).uses.some((use) => use.pid === pid),
    );
    const { uses } = await readGitUses(await readProcessTable());
    expect(uses.find((use) => use.pid === pid)?.places).toEqual([town.root, join(town.root, 'inner/.git')]);
  });
});
