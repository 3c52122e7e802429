/** Who uses the files of locks: open files, flock(2) holders and gits, with real processes. */
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { parseFlocks, readFlocks } from '../../../src/evidence/files/flocks.ts';
import { readGitUses } from '../../../src/evidence/files/git-programs.ts';
import { readOpenFiles } from '../../../src/evidence/files/open-files.ts';
import { readProcessTable } from '../../../src/evidence/processes/processes.ts';
import { cleanUp, makeTown, sleeperNamed, startProcess, until } from '../../support/index.ts';

afterEach(cleanUp);

const linuxTest = process.platform === 'linux' ? test : test.skip;

const ME = new Set([process.getuid?.() ?? -1]);

describe('open files', () => {
  linuxTest('are told with the process that has one open, and nobody else is', async () => {
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
  linuxTest('are told of a file that somebody has locked, and of no other', async () => {
    const town = makeTown({ marked: false, workers: [] });
    const [held, free] = [town.write('held', ''), town.write('free', '')];
    const ready = join(town.root, 'ready');
    const { pid } = await startProcess('flock', [held, 'sh', '-c', `touch ${ready}; exec sleep 600`]);
    await until(async () => readFlocks([ready], await readProcessTable()).hidden === null);
    await until(async () => readFlocks([held], await readProcessTable()).uses.length === 1);
    const { uses } = readFlocks([held, free], await readProcessTable());
    expect(uses).toEqual([{ path: held, pid, command: 'flock' }]);
  });

  test('are read out of the list of the kernel, where device numbers are hexadecimal, and locks of another sort (fcntl) stand as well', () => {
    const text = [
      '1: FLOCK  ADVISORY  WRITE 4711 fe:01:131 0 EOF',
      '2: POSIX  ADVISORY  READ 9 00:2f:77 128 128',
      '2: -> FLOCK  ADVISORY  WRITE 12 fe:01:131 0 EOF',
      'noise',
    ].join('\n');
    expect([...parseFlocks(text)]).toEqual([['254:1:131', 4711]]);
  });
});

describe('gits at work', () => {
  linuxTest('are told by their working directory, their arguments and their variables', async () => {
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
