/**
 * Locks outside the directories of agents' locks: beside a tree, in git directories, and where the configuration says.
 * Runs in a PID namespace: no test here needs a missing PID as proof.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { compileTable, mayLieAt } from '../../../src/evidence/locks/lock-table.ts';
import { scanTown } from '../../../src/evidence/scan/scan.ts';
import { type Disk, realDisk, untyped } from '../../../src/io/disk/disk.ts';
import { displayPath } from '../../../src/io/disk/disk-path.ts';
import { defineKind, type Kind, type Where } from '../../../src/kind.ts';
import { cleanUp, makeTown } from '../../support/index.ts';

afterEach(cleanUp);

const kindAt = (id: string, where: Where): Kind =>
  defineKind({
    id,
    title: 'Test',
    summary: 'A kind of this test alone.',
    where,
    claims: null,
    witnesses: ['process'],
    freshMs: 1000,
    read: () => ({ kind: 'claim', claim: { by: 'open-file' } }),
    letGo: 'move-aside',
  });

const plant = (root: string, ...paths: readonly string[]): void => {
  for (const path of paths) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), '');
  }
};

const newRoot = (): string => makeTown({ marked: false, workers: [] }).root;

/** `kind path (place)`, all relative to the root. */
const found = async (
  root: string,
  kinds: readonly Kind[],
  mode: 'default' | 'deep' = 'default',
  disk: Disk = realDisk,
) => {
  const { locks, leftovers, gaps } = await scanTown({ root, mode, table: compileTable(kinds), disk });
  const short = (path: string): string => relative(root, path) || '.';
  return {
    locks: locks
      .map(({ kind, path, place }) => `${kind.id} ${short(displayPath(path))} (${short(displayPath(place))})`)
      .sort(),
    leftovers: leftovers.map(({ path, kind }) => `${kind} ${short(displayPath(path))}`).sort(),
    gaps,
  };
};

describe('locks beside a tree', () => {
  const tools = kindAt('tools', {
    beside: { '.gsd': ['auto*.lock'], daemon: ['daemon.pid'], '.dolt/noms': ['LOCK'] },
  });

  test('are found in directories of that name, whatever else is in them', async () => {
    const root = newRoot();
    plant(
      root,
      ...['a/.gsd/auto.lock', 'a/.gsd/auto 2.lock', 'a/.gsd/other.lock', 'a/.gsd/x/auto.lock'],
      ...['daemon/daemon.pid', 'b/daemon/sub/daemon.pid', 'c/.dolt/noms/LOCK', 'noms/LOCK', 'auto.lock'],
    );
    expect((await found(root, [tools])).locks).toEqual([
      'tools a/.gsd/auto 2.lock (a)',
      'tools a/.gsd/auto.lock (a)',
      'tools c/.dolt/noms/LOCK (c)',
      'tools daemon/daemon.pid (.)',
    ]);
  });

  test('may be directories themselves, of names in any script', async () => {
    const root = newRoot();
    const names = ['łock', 'œuvre.lock', '鎖'];
    for (const name of [...names, 'łack', 'lock']) mkdirSync(join(root, 'a', name), { recursive: true });
    expect((await found(root, [kindAt('tools', { beside: {}, directories: names })])).locks).toEqual(
      names.map((name) => `tools a/${name} (a)`).sort(),
    );
  });

  test('have leftovers of a killed repair that are recognized by the name of the lock', async () => {
    const root = newRoot();
    const names = ['0123456789abcdef.old', 'released-20260811T070000Z-1f3a5c-1', 'backup'];
    plant(root, ...names.map((name) => `.gsd/auto.lock.${name}`));
    const { locks, leftovers } = await found(root, [tools]);
    expect(locks).toEqual([]);
    expect(leftovers).toEqual([
      'old .gsd/auto.lock.0123456789abcdef.old',
      'released .gsd/auto.lock.released-20260811T070000Z-1f3a5c-1',
    ]);
  });

  test('are not looked for behind a symlink, which is not a gap: no worker is claimed there', async () => {
    const root = newRoot();
    plant(root, 'real/auto.lock');
    symlinkSync(join(root, 'real'), join(root, '.gsd'));
    expect(await found(root, [tools])).toEqual({ locks: [], leftovers: [], gaps: [] });
  });
});

describe('working trees in a directory of them', () => {
  const git = kindAt('git', { inGitDir: { main: ['index.lock'], linked: ['index.lock'] } });
  const agents = kindAt('tools', { beside: { '.gsd': ['auto.lock'] } });

  test.each([
    ['the first', ['a']],
    ['the last', ['c']],
    ['none', []],
    ['all', ['a', 'b', 'c']],
  ])('are all looked into where of three %s has sub-directories', async (_, withSome) => {
    const root = newRoot();
    for (const name of ['a', 'b', 'c']) {
      plant(root, `main/.claude/worktrees/${name}/file`);
      writeFileSync(
        join(root, `main/.claude/worktrees/${name}/.git`),
        `gitdir: ${root}/gone/worktrees/${name}\n`,
      );
      if (withSome.includes(name)) plant(root, `main/.claude/worktrees/${name}/src/.gsd/auto.lock`);
    }
    const { locks, gaps } = await found(root, [git, agents]);
    expect(gaps.map(({ what }) => what)).toEqual(
      ['a', 'b', 'c'].map((name) => `directory:${root}/main/.claude/worktrees/${name}/.git`),
    );
    expect(locks).toEqual(
      withSome.map((name) => {
        const place = `main/.claude/worktrees/${name}/src`;
        return `tools ${place}/.gsd/auto.lock (${place})`;
      }),
    );
  });

  test('are not looked into where the directory is a bare repository, whatever its name', async () => {
    const root = newRoot();
    plant(root, 'worktrees/HEAD', 'worktrees/refs/heads/main', 'worktrees/index.lock');
    plant(root, 'worktrees/objects/ab/.gsd/auto.lock', 'worktrees/hooks/.gsd/auto.lock');
    expect((await found(root, [git, agents])).locks).toEqual(['git worktrees/index.lock (worktrees)']);
    expect((await found(root, [git, agents], 'deep')).locks).toHaveLength(3);
  });
});

describe('locks in git directories', () => {
  const git = kindAt('git', {
    inGitDir: {
      main: ['index.lock', 'refs/**/*.lock', 'objects/maintenance.lock'],
      linked: ['index.lock', 'locked'],
    },
  });

  const newRepository = (): string => {
    const root = newRoot();
    const run = (...args: readonly string[]): void => {
      execFileSync('git', args, { cwd: root, stdio: 'ignore' });
    };
    run('init', '-q', '-b', 'main', 'main');
    const as = ['-c', 'user.name=a', '-c', 'user.email=a@example.org'];
    run('-C', 'main', ...as, 'commit', '-q', '--allow-empty', '-m', 'first');
    run('-C', 'main', 'worktree', 'add', '-q', '--detach', 'linked');
    run('clone', '-q', '--bare', 'main', 'plain-bare');
    return root;
  };

  test.each(['default', 'deep'] as const)(
    'of a clone, a worktree, a submodule and a bare repository are found (%s)',
    async (mode) => {
      const root = newRepository();
      execFileSync('git', ['clone', '-q', '--bare', 'main', 'main/.git/modules/lib/inner'], {
        cwd: root,
        stdio: 'ignore',
      });
      const planted = [
        'main/.git/index.lock',
        'main/.git/refs/heads/a/b.lock',
        'main/.git/objects/maintenance.lock',
        'main/.git/worktrees/linked/locked',
        'main/.git/worktrees/linked/index.lock',
        'main/.git/modules/lib/inner/index.lock',
        'plain-bare/refs/x.lock',
      ];
      plant(root, ...planted, 'main/.git/objects/aa/index.lock', 'main/.git/locked', 'main/.git/other.lock');
      const { locks } = await found(root, [git], mode);
      expect(locks.map((line) => line.replace(/ \(.*/, ''))).toEqual(
        planted.map((path) => `git ${path}`).sort(),
      );
      expect(locks).toContain('git main/.git/index.lock (main)');
      expect(locks).toContain('git plain-bare/refs/x.lock (plain-bare)');
    },
  );

  test('are found among 10,000 loose refs, without following symlinks', async () => {
    const root = newRepository();
    const refs = Array.from({ length: 10_000 }, (_, index) => `main/.git/refs/heads/r${index}`);
    plant(root, ...refs, 'away/left.lock', 'main/.git/refs/heads/last.lock');
    symlinkSync(join(root, 'away'), join(root, 'main/.git/refs/heads/link'));
    expect(await found(root, [git])).toMatchObject({
      locks: ['git main/.git/refs/heads/last.lock (main)'],
      gaps: [],
    });
  });
});

describe('a repository with more loose refs than the limit', () => {
  const git = kindAt('git', { inGitDir: { main: ['index.lock', 'refs/**/*.lock'], linked: ['locked'] } });

  /** A disk on which every directory in `refs/heads` seems to have that size and that many names, the last of them a lock. */
  const crowded = (names: number, size: number): Disk => {
    const isCrowded = (path: unknown): boolean => /\/refs\/heads\/./.test(String(path));
    const crowd = (most: number) =>
      Array.from({ length: Math.min(names, most) }, (_, at) => ({
        ...untyped(at < names - 1 ? `r${at}` : 'x.lock'),
        isFile: () => true,
      }));
    return {
      ...realDisk,
      list: (path) => (isCrowded(path) ? crowd(names) : realDisk.list(path)),
      listFirst: (path, most) => (isCrowded(path) ? crowd(most) : realDisk.listFirst(path, most)),
      lstat: (path) => {
        const look = realDisk.lstat(path);
        return look === undefined || !isCrowded(path) ? look : Object.assign(look, { size });
      },
    };
  };

  const repository = (...directories: readonly string[]): string => {
    const root = newRoot();
    execFileSync('git', ['init', '-q', '-b', 'main', root], { stdio: 'ignore' });
    for (const name of directories) mkdirSync(join(root, '.git/refs/heads', name));
    plant(root, '.git/index.lock', '.git/worktrees/a/locked');
    return root;
  };

  const gap = {
    what: expect.stringMatching(/^directory:.*\/\.git\/refs$/),
    why: expect.stringMatching(/not all/),
  };

  test('in one directory is searched up to the limit, and the rest is a gap', async () => {
    const root = repository('one');
    const disk = crowded(400_000, 20_000_000);
    expect(await found(root, [git], 'default', disk)).toMatchObject({
      locks: ['git .git/index.lock (.)', 'git .git/worktrees/a/locked (.)'],
      gaps: [gap],
    });
  });

  test('in many directories is searched up to the limit, and the rest is a gap', async () => {
    const root = repository('a', 'b', 'c', 'd');
    const { locks, gaps } = await found(root, [git], 'default', crowded(100_000, 4096));
    expect(gaps).toMatchObject([gap]);
    expect(locks).toContain('git .git/index.lock (.)');
    expect(locks).toContain('git .git/worktrees/a/locked (.)');
    expect(locks).toHaveLength(5);
  });

  test.each([4096, 20_000_000])(
    'is searched completely just below the limit, in a directory of %d bytes',
    async (size) => {
      const root = repository('one');
      expect(await found(root, [git], 'default', crowded(240_000, size))).toMatchObject({
        locks: [
          'git .git/index.lock (.)',
          'git .git/refs/heads/one/x.lock (.)',
          'git .git/worktrees/a/locked (.)',
        ],
        gaps: [],
      });
    },
  );
});

test('a large directory is listed only as far as requested', () => {
  const root = newRoot();
  plant(root, ...Array.from({ length: 50 }, (_, index) => `many/file-${index}`));
  const names = (path: string | Buffer, most: number): readonly string[] =>
    realDisk.listFirst(path, most).map(({ name }) => name);
  expect(names(join(root, 'many'), 20)).toHaveLength(20);
  expect(names(Buffer.from(join(root, 'many')), 1000).length).toBe(50);
  expect([...names(join(root, 'many'), 1000)].sort()).toEqual(
    realDisk
      .list(join(root, 'many'))
      .map(({ name }) => name)
      .sort(),
  );
});

describe('locks at configured paths', () => {
  test('are found by the whole path, even in leaf directories', async () => {
    const root = newRoot();
    plant(root, 'run/web.pid', 'run/deep/web.pid', 'a/b/c/x.state', 'a/x.state', 'web.pid', 'a/run/web.pid');
    const kind = kindAt('pids', { files: ['run/*.pid', 'a/**/*.state'] });
    expect((await found(root, [kind])).locks).toEqual([
      'pids a/b/c/x.state (a/b/c)',
      'pids a/x.state (a)',
      'pids run/web.pid (run)',
    ]);
  });
});

test.each([
  [{ beside: { 'a/../c': ['x'] } }],
  [{ beside: { '..': ['x'] } }],
  [{ beside: { '.claude': ['*.*'] } }],
  [{ beside: { '.claude': ['../x'] } }],
  [{ files: ['run/*.*.pid'] }],
  [{ files: ['./run/*.pid'] }],
  [{ files: ['/run/*.pid'] }],
  [{ files: ['../run/*.pid'] }],
  [{ files: ['run//*.pid'] }],
  [{ homes: { runtime: 'runtime' }, name: 'x' }],
] as readonly [Where][])('refuses a path that no walk would look at: %j', (where) => {
  expect(() => compileTable([kindAt('odd', where)])).toThrow(
    /kind odd|not a file name|not a path relative to the root/,
  );
});

test('a journal may name a lock only where its kind has locks', () => {
  const kind = kindAt('git', { inGitDir: { linked: ['locked'], main: ['refs/**/*.lock'] } });
  expect(mayLieAt(kind, '.git/worktrees/a/locked')).toBe(true);
  expect(mayLieAt(kind, '.git/refs/heads/a/b.lock')).toBe(true);
  expect(mayLieAt(kind, 'src/main.ts')).toBe(false);
  const beside = kindAt('claude', { beside: { '.claude': ['scheduled_tasks.lock'] } });
  expect(mayLieAt(beside, 'a/.claude/scheduled_tasks.lock')).toBe(true);
  expect(mayLieAt(beside, 'a/.claude/settings.json')).toBe(false);
});
