/**
 * Which locks are found, in all kinds of trees.
 * Runs beside others: what it starts makes or walks trees, and nothing here lists processes.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { agentTable } from '../../../src/evidence/locks/lock-table.ts';
import type { Home } from '../../../src/evidence/scan/homes.ts';
import { trustedDevice } from '../../../src/evidence/scan/leaf-rule.ts';
import { PRUNED, type ScanResult, scanPlaces, scanTown } from '../../../src/evidence/scan/scan.ts';
import { type Disk, type EntryStat, realDisk, untyped } from '../../../src/io/disk/disk.ts';
import { displayPath, fromLatin1 } from '../../../src/io/disk/disk-path.ts';
import { cleanUp, onCleanUp } from '../../support/index.ts';
import { growTree } from './random-tree.ts';
import { bundleScanner, scanInProcess } from './scanner-process.ts';

afterEach(cleanUp);

const TMPFS = 0x01021994;
const EXT4 = 0xef53;
const OVERLAY = 0x794c7630;

const newRoot = (parent = tmpdir()): string => {
  const root = realpathSync(mkdtempSync(join(parent, 'scan-')));
  onCleanUp(() => rmSync(root, { recursive: true, force: true }));
  return root;
};

const addLock = (worker: string, home = '.runtime'): string => {
  mkdirSync(join(worker, home), { recursive: true });
  writeFileSync(join(worker, home, 'agent.lock'), '{}');
  return join(worker, home, 'agent.lock');
};

/** Paths as base64: the only form in which all names can be compared. */
const found = (result: ScanResult): string[] =>
  result.locks.map(({ path }) => Buffer.from(path as string).toString('base64')).sort();

const shown = (result: ScanResult): string[] => result.locks.map(({ path }) => displayPath(path)).sort();

const runFind = (root: string, ...expression: string[]): string[] =>
  execFileSync('find', [root, ...expression, '-print0'], {
    env: { ...process.env, LC_ALL: 'C' },
    maxBuffer: 1e8,
  })
    .toString('latin1')
    .split('\0')
    .filter((path) => path !== '')
    .map((path) => Buffer.from(path, 'latin1').toString('base64'))
    .sort();

const LOCKS = ['(', '-path', '*/.runtime/agent.lock', '-o', '-path', '*/.gastown/agent.lock', ')'];
const PRUNE = [
  '(',
  ...[...PRUNED].flatMap((name, index) => [...(index > 0 ? ['-o'] : []), '-name', name]),
  ')',
];
const PRUNED_LOCKS = [...PRUNE, '-type', 'd', '-prune', '-o', ...LOCKS];

const HOMES = ['(', '-name', '.runtime', '-o', '-name', '.gastown', ')'];

/** Everything except directories at the names where locks are kept, as gaps report it, apart from the contents of leaves. */
const closedHomes = (root: string): string[] =>
  runFind(root, ...HOMES, '!', '-type', 'd')
    .map((path) => fromLatin1(Buffer.from(path, 'base64').toString('latin1')))
    .filter((path) => {
      const bytes = Buffer.from(path);
      const above = bytes.subarray(0, bytes.lastIndexOf('/'));
      // A directory of locks is always listed.
      const isHome = /\/\.(runtime|gastown)$/.test(above.toString('latin1'));
      return isHome || trustedDevice(realDisk, root) === null || lstatSync(above).nlink > 2;
    })
    .map((path) => `directory:${displayPath(path)}`)
    .sort();

/** A directory on each file system that is available: that of temporary files, and memory. */
const fileSystems = [
  ['the temporary directory', tmpdir()],
  ...(existsSync('/dev/shm') && statfsSync('/dev/shm').type === TMPFS ? [['tmpfs', '/dev/shm']] : []),
] as [string, string][];

describe.each(fileSystems)('scanning in %s', (_name, parent) => {
  test.each([1, 2, 3, 4, 5, 6])('finds exactly what find finds in generated tree %i', async (seed) => {
    const root = newRoot(parent);
    growTree(root, seed);

    const deep = await scanTown({ root, mode: 'deep' });
    expect(found(deep)).toEqual(runFind(root, ...LOCKS));
    expect(found(deep).length).toBeGreaterThan(5);
    expect(deep.directories).toBe(runFind(root, '-type', 'd').length);
    const closed = closedHomes(root);
    expect(deep.gaps.map(({ what }) => what).sort()).toEqual(closed);

    const pruned = await scanTown({ root, mode: 'default' });
    expect(found(pruned)).toEqual(runFind(root, ...PRUNED_LOCKS));
    for (const { what } of pruned.gaps) expect(closed).toContain(what);
  });

  test.each([1, 2, 3])(
    'knows which places of locks and their ancestors have .git or .gastown, in generated tree %i',
    async (seed) => {
      const root = newRoot(parent);
      growTree(root, seed);
      // What is not followed is a gap, and a scan with gaps has not seen everything.
      execFileSync('find', [root, ...HOMES, '!', '-type', 'd', '-delete']);
      addLock(join(root, 'clone'));
      addLock(join(root, 'clone/inner'));
      mkdirSync(join(root, 'clone/.git'));
      writeFileSync(join(root, 'clone/inner/.git'), 'gitdir: elsewhere');
      addLock(join(root, 'old'), '.gastown');
      symlinkSync('nowhere', join(root, 'old/.git'));
      const { locks, seen } = await scanTown({ root, mode: 'default' });
      const places = new Set<string>();
      for (const { place } of locks)
        for (let at = String(place); typeof place === 'string' && at.startsWith(root); at = dirname(at))
          places.add(at);
      const having = (entry: string, isCounted: (path: string) => boolean): string[] =>
        [...places].filter((place) => isCounted(join(place, entry))).sort();
      const among = (known: ReadonlySet<string> | undefined): string[] =>
        [...places].filter((place) => known?.has(place)).sort();
      const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;
      const isDirectory = (path: string): boolean =>
        lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
      expect(among(seen?.repositories)).toEqual(having('.git', isThere));
      expect(among(seen?.repositories).length).toBeGreaterThan(2);
      expect(among(seen?.oldHomes)).toEqual(having('.gastown', isDirectory));
      expect(among(seen?.oldHomes).length).toBeGreaterThan(0);
      expect((await scanTown({ root, mode: 'quick' })).seen).toBeNull();
    },
  );

  test('finds the same when every directory is listed', async () => {
    const root = newRoot(parent);
    growTree(root, 7);
    const plain: Disk = { ...realDisk, fileSystemType: () => OVERLAY };
    expect(found(await scanTown({ root, mode: 'deep', disk: plain }))).toEqual(runFind(root, ...LOCKS));
  });
});

describe('the leaf rule', () => {
  const counting = (changes: Partial<Disk> = {}): { disk: Disk; listed: string[] } => {
    const listed: string[] = [];
    const disk = {
      ...realDisk,
      ...changes,
      list: (path: string) => {
        listed.push(path);
        return realDisk.list(path);
      },
    };
    return { disk, listed };
  };
  const withLeaf = (): { root: string; leaf: string; lock: string } => {
    const root = newRoot();
    const leaf = join(root, 'leaf');
    mkdirSync(leaf);
    return { root, leaf, lock: addLock(join(root, 'worker')) };
  };
  const withLinks = (look: EntryStat, nlink: number, dev = look.dev): EntryStat => ({
    dev,
    mode: look.mode,
    uid: look.uid,
    nlink,
    size: look.size,
    isDirectory: () => look.isDirectory(),
    isSymbolicLink: () => look.isSymbolicLink(),
  });
  const linkCount = (nlink: number) => (path: string | Buffer) => {
    const look = realDisk.lstat(path);
    return look && withLinks(look, nlink);
  };

  test.each([
    ['ext4', EXT4],
    ['xfs', 0x58465342],
    ['tmpfs', TMPFS],
    ['f2fs', 0xf2f52010],
    ['f2fs as a signed number', 0xf2f52010 | 0],
  ])('on %s a directory without subdirectories is not listed', async (_name, type) => {
    const { root, leaf, lock } = withLeaf();
    const { disk, listed } = counting({
      fileSystemType: () => type,
      // What the file system of this machine counts is the subject of another test.
      lstat: (path) => linkCount(2 + readdirSync(path).filter((name) => name !== 'agent.lock').length)(path),
    });
    expect(shown(await scanTown({ root, mode: 'default', disk }))).toEqual([lock]);
    expect(listed).not.toContain(leaf);
  });

  test.each([
    ['overlayfs', OVERLAY, 2],
    ['btrfs, where every count is 1', 0x9123683e, 1],
    ['nfs', 0x6969, 2],
    ['fuse', 0x65735546, 2],
    ['9p', 0x01021997, 2],
    ['an unknown file system', 1, 2],
  ])('on %s every directory is listed, whatever its link count', async (_name, type, nlink) => {
    const { root, leaf, lock } = withLeaf();
    const { disk, listed } = counting({ fileSystemType: () => type, lstat: linkCount(nlink) });
    expect(shown(await scanTown({ root, mode: 'default', disk }))).toEqual([lock]);
    expect(listed).toContain(leaf);
  });

  test('is off if the type of the file system is unknown', async () => {
    const { root, leaf, lock } = withLeaf();
    const fail = (): never => {
      throw Object.assign(new Error('no statfs here'), { code: 'ENOSYS' });
    };
    const { disk, listed } = counting({ fileSystemType: fail, lstat: linkCount(2) });
    expect(shown(await scanTown({ root, mode: 'default', disk }))).toEqual([lock]);
    expect(listed).toContain(leaf);
  });

  test('stops at another device', async () => {
    const root = newRoot();
    const lock = addLock(join(root, 'mounted/deep/down/worker'));
    const onOther: Disk['lstat'] = (path) => {
      const look = realDisk.lstat(path);
      const isOther = String(path).includes('/mounted');
      return look && withLinks(look, isOther ? 2 : look.nlink, look.dev + (isOther ? 1 : 0));
    };
    const { disk } = counting({ fileSystemType: () => EXT4, lstat: onOther });
    expect(shown(await scanTown({ root, mode: 'default', disk }))).toEqual([lock]);
  });

  test('a directory whose link count overflowed to 1 is listed', async () => {
    const root = newRoot();
    const lock = addLock(join(root, 'crowded/worker'));
    const { disk } = counting({ fileSystemType: () => EXT4, lstat: linkCount(1) });
    expect(shown(await scanTown({ root, mode: 'default', disk }))).toEqual([lock]);
  });
});

describe('a directory that is incomplete or changes', () => {
  test('its entries without a type are looked up one by one', async () => {
    const root = newRoot();
    growTree(root, 8);
    const silent: Disk = {
      ...realDisk,
      list: (path) => realDisk.list(path).map(({ name }) => untyped(name)),
    };
    expect(found(await scanTown({ root, mode: 'deep', disk: silent }))).toEqual(runFind(root, ...LOCKS));
  });

  test.each(['default', 'deep'] as const)('is not a gap if it vanishes during a %s scan', async (mode) => {
    const root = newRoot();
    const lock = addLock(join(root, 'stays'));
    for (const name of ['goes', 'goes-too']) addLock(join(root, name, 'inner'));
    const vanishing: Disk = {
      ...realDisk,
      list: (path) => {
        const entries = realDisk.list(path);
        if (path === root) rmSync(join(root, 'goes'), { recursive: true });
        if (path === join(root, 'goes-too')) rmSync(path, { recursive: true });
        return entries;
      },
    };
    const result = await scanTown({ root, mode, disk: vanishing });
    expect(shown(result)).toEqual([lock]);
    expect(result.gaps).toEqual([]);
    expect(readdirSync(root)).toEqual(['stays']);
  });

  test('is neither a gap nor followed if it becomes a file or a symlink during the scan', async () => {
    const root = newRoot();
    const outside = newRoot();
    addLock(outside);
    addLock(join(root, 'file/worker'));
    addLock(join(root, 'link/worker'));
    const swapping: Disk = {
      ...realDisk,
      fileSystemType: () => EXT4,
      list: (path) => {
        const entries = realDisk.list(path);
        for (const name of ['file', 'link']) rmSync(join(root, name), { recursive: true, force: true });
        writeFileSync(join(root, 'file'), '');
        symlinkSync(outside, join(root, 'link'));
        return entries;
      },
    };
    const result = await scanTown({ root, mode: 'deep', disk: swapping });
    expect(result.locks).toEqual([]);
    expect(result.gaps).toEqual([]);
  });

  test('is a gap with the reason if its listing fails, and the rest is found', async () => {
    const root = newRoot();
    const lock = addLock(join(root, 'fine'));
    addLock(join(root, 'broken/worker'));
    const failing: Disk = {
      ...realDisk,
      list: (path) => {
        if (path.endsWith('/broken')) throw Object.assign(new Error('disk'), { code: 'EIO' });
        return realDisk.list(path);
      },
    };
    const result = await scanTown({ root, mode: 'default', disk: failing });
    expect(shown(result)).toEqual([lock]);
    expect(result.gaps).toEqual([{ what: `directory:${root}/broken`, why: 'i/o error (EIO)' }]);
    expect(result.seen).toBeNull();
  });
});

describe('symlinks and mounts', () => {
  test('a symlinked root is scanned, with paths below the real one', async () => {
    const root = newRoot();
    const lock = addLock(join(root, 'worker'));
    const link = join(newRoot(), 'link');
    symlinkSync(root, link);
    for (const mode of ['default', 'deep', 'quick'] as const)
      expect(shown(await scanTown({ root: link, mode, places: [join(root, 'worker')] }))).toEqual([lock]);
  });

  test('symlinked directories are not entered, but a symlinked lock and a symlinked directory of locks are reported', async () => {
    const root = newRoot();
    const outside = newRoot();
    addLock(join(outside, 'worker'));
    mkdirSync(join(root, 'rig/crew/ada/src'), { recursive: true });
    symlinkSync(outside, join(root, 'rig/crew/linked'));
    symlinkSync(join(outside, 'worker/.runtime'), join(root, 'rig/crew/ada/.runtime'));
    symlinkSync(root, join(root, 'rig/loop'));
    mkdirSync(join(root, 'rig/crew/joe/.runtime'), { recursive: true });
    symlinkSync('/nowhere', join(root, 'rig/crew/joe/.runtime/agent.lock'));
    for (const mode of ['default', 'deep', 'quick'] as const) {
      const result = await scanTown({ root, mode, places: [join(root, 'rig/crew/linked/worker')] });
      expect(shown(result)).toEqual([join(root, 'rig/crew/joe/.runtime/agent.lock')]);
      expect(result.gaps).toEqual([
        {
          what: `directory:${join(root, 'rig/crew/ada/.runtime')}`,
          why: 'it is a symbolic link and is not followed',
          home: 'symlink',
        },
      ]);
    }
  });

  const canMount = spawnSync('unshare', ['-m', 'true']).status === 0;
  const mountTest = canMount ? test : test.skip;
  mountTest(
    `a mounted directory is entered${canMount ? '' : ' (skipped: unshare -m is not permitted here)'}`,
    () => {
      const root = newRoot();
      for (const each of ['leafless', 'rig/worker/.runtime', 'rig/plain/inner'])
        mkdirSync(join(root, each), { recursive: true });
      const script = [
        'mount -t tmpfs none "$1/rig/worker/.runtime"',
        'echo "{}" > "$1/rig/worker/.runtime/agent.lock"',
        'mount -t tmpfs none "$1/leafless"',
        'mkdir -p "$1/leafless/a/b/.runtime"',
        'echo "{}" > "$1/leafless/a/b/.runtime/agent.lock"',
        'exec "$2" "$3" "$1" default',
      ].join(' && ');
      const output = execFileSync('unshare', [
        '-m',
        'sh',
        '-c',
        script,
        'sh',
        root,
        process.execPath,
        bundleScanner(),
      ]);
      const paths = (JSON.parse(output.toString()).paths as string[]).map((path) =>
        Buffer.from(path, 'base64').toString(),
      );
      expect(paths.sort()).toEqual([
        `${root}/leafless/a/b/.runtime/agent.lock`,
        `${root}/rig/worker/.runtime/agent.lock`,
      ]);
    },
  );
});

describe('unreadable directories', () => {
  const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

  test('are gaps with the reason, even empty ones, and the rest is found', () => {
    const root = newRoot();
    chmodSync(root, 0o755);
    const lock = addLock(join(root, 'rig/crew/open'));
    for (const name of ['closed', 'empty']) mkdirSync(join(root, 'rig/crew', name), { recursive: true });
    addLock(join(root, 'rig/crew/closed'));
    addLock(join(root, 'rig/crew/half'));
    const closed = ['rig/crew/closed', 'rig/crew/empty', 'rig/crew/half/.runtime'];
    for (const each of closed) chmodSync(join(root, each), 0o000);
    onCleanUp(() => {
      for (const each of closed) chmodSync(join(root, each), 0o755);
    });

    for (const mode of ['default', 'deep'] as const) {
      const { paths, gaps } = scanInProcess(root, mode, nobody);
      expect(paths.map((path) => Buffer.from(path, 'base64').toString())).toEqual([lock]);
      expect(gaps.map(({ what }) => what).sort()).toEqual(closed.map((each) => `directory:${root}/${each}`));
      expect(new Set(gaps.map(({ why }) => why))).toEqual(new Set(['permission denied (EACCES)']));
    }
    const quick = scanInProcess(root, 'quick', nobody);
    expect(quick.paths).toHaveLength(1);
    expect(quick.gaps.map(({ what }) => what)).toContain(`directory:${root}/rig/crew/half/.runtime`);
  });

  test('cause no gap for lost+found', () => {
    const root = newRoot();
    chmodSync(root, 0o755);
    mkdirSync(join(root, 'lost+found'), { mode: 0o000 });
    onCleanUp(() => chmodSync(join(root, 'lost+found'), 0o755));
    expect(scanInProcess(root, 'default', nobody).gaps).toEqual([]);
  });

  test('are not mistaken for a missing root, which throws', async () => {
    await expect(scanTown({ root: '/nowhere/at/all', mode: 'default' })).rejects.toThrow('ENOENT');
  });
});

describe('deep trees', () => {
  test('are searched down to a path of 4,000 characters', async () => {
    const root = newRoot();
    let worker = root;
    while (worker.length < 3_900) worker += `/${'long-name-'.repeat(5)}`;
    worker += `/${'x'.repeat(4_000 - worker.length - '/.runtime/agent.lock'.length - 1)}`;
    const lock = addLock(worker);
    expect(lock.length).toBe(4_000);
    expect(shown(await scanTown({ root, mode: 'default' }))).toEqual([lock]);
  });

  test('are searched down two thousand levels', async () => {
    const root = newRoot();
    const lock = addLock(root + '/d'.repeat(1_950));
    expect(shown(await scanTown({ root, mode: 'default' }))).toEqual([lock]);
  });

  test('have a gap beyond the longest path of the system', async () => {
    const root = newRoot();
    // Created step by step from inside: no system call takes a path of this length.
    const made = spawnSync('sh', [
      '-c',
      'cd "$1" && for i in $(seq 25); do mkdir "$2" && cd -P "$2" || exit 1; done',
      'sh',
      root,
      'n'.repeat(200),
    ]);
    expect(made.status).toBe(0);
    onCleanUp(() => void spawnSync('rm', ['-rf', root]));
    const { gaps } = await scanTown({ root, mode: 'default' });
    expect(gaps).toHaveLength(1);
    expect(gaps[0]?.why).toBe('name too long (ENAMETOOLONG)');
  });
});

describe('a quick scan', () => {
  test('looks where workers are known to be', async () => {
    const root = newRoot();
    const places = [
      '.',
      'mayor',
      'mayor/rig',
      'deacon',
      'deacon/dogs/rex',
      'deacon/dogs/rex/gastown',
      'gastown',
      'gastown/mayor/rig',
      'gastown/refinery',
      'gastown/refinery/rig',
      'gastown/witness',
      'gastown/witness/rig',
      'gastown/crew/ada',
      'gastown/crew/Zoë Ü',
      'gastown/polecats/max',
      'gastown/polecats/max/gastown',
    ];
    const locks = places.map((place) => addLock(join(root, place)));
    const legacy = addLock(join(root, 'gastown/crew/ada'), '.gastown');
    addLock(join(root, 'gastown/crew/ada/packages/ui'));
    addLock(join(root, '.git/crew/ghost'));
    const quick = await scanTown({ root, mode: 'quick' });
    expect(shown(quick)).toEqual([...locks, legacy].sort());
    expect(quick.gaps).toEqual([]);
  });

  test('finds a worker whose name is not UTF-8', async () => {
    const root = newRoot();
    const worker = Buffer.concat([Buffer.from(`${root}/gastown/crew/caf`), Buffer.from([0xe9])]);
    mkdirSync(join(root, 'gastown/crew'), { recursive: true });
    mkdirSync(worker);
    mkdirSync(Buffer.concat([worker, Buffer.from('/.runtime')]));
    writeFileSync(Buffer.concat([worker, Buffer.from('/.runtime/agent.lock')]), '{}');
    expect(shown(await scanTown({ root, mode: 'quick' }))).toEqual([
      `${root}/gastown/crew/caf\\xE9/.runtime/agent.lock`,
    ]);
  });

  test('looks at every ancestor of a place in the town, and at no place outside', async () => {
    const root = newRoot();
    const outside = newRoot();
    addLock(outside);
    const inner = addLock(join(root, 'gastown/crew/ada/packages/ui'));
    const middle = addLock(join(root, 'gastown/crew/ada/packages'));
    const places = [
      join(root, 'gastown/crew/ada/packages/ui/src/deep'),
      outside,
      `${root}-beside`,
      '/',
      'relative',
    ];
    mkdirSync(join(root, 'gastown/crew/ada/packages/ui/src/deep'), { recursive: true });
    expect(shown(await scanTown({ root, mode: 'quick' }))).toEqual([]);
    expect(shown(await scanTown({ root, mode: 'quick', places }))).toEqual([middle, inner]);
  });

  test('does not read the working trees, however large', async () => {
    const root = newRoot();
    growTree(join(root, 'gastown/crew/ada/src'), 9);
    addLock(join(root, 'gastown/crew/ada'));
    expect((await scanTown({ root, mode: 'quick' })).directories).toBeLessThan(10);
  });
});

describe('a look at single places', () => {
  test('sees their locks but not those below, and nothing at a missing place', () => {
    const root = newRoot();
    const lock = addLock(join(root, 'a'));
    addLock(join(root, 'a/b'));
    const result = scanPlaces([join(root, 'a'), join(root, 'missing')]);
    expect(shown(result)).toEqual([lock]);
    expect(result.gaps).toEqual([]);
  });
});

describe('files beside locks', () => {
  test('are classified as leftovers by name, with or without a lock, except the guard', async () => {
    const root = newRoot();
    const home = join(root, 'worker/.runtime');
    mkdirSync(home, { recursive: true });
    const names = [
      'agent.lock.flock',
      'agent.lock.holder',
      'agent.lock.tmp',
      'agent.lock.backup.old',
      'agent.lock.released-mine',
      'agent.lock.0123456789abcdef.new',
      'agent.lock.0123456789abcdef.old',
      'agent.lock.released-20260401T120000Z-00000a-1',
      'agent.locket',
      'session_id',
    ];
    for (const name of names) writeFileSync(join(home, name), '');
    const { locks, leftovers } = await scanTown({ root, mode: 'default' });
    expect(locks).toEqual([]);
    expect(leftovers.map(({ kind, path }) => [kind, displayPath(path)]).sort()).toEqual([
      ['new', `${home}/agent.lock.0123456789abcdef.new`],
      ['old', `${home}/agent.lock.0123456789abcdef.old`],
      ['released', `${home}/agent.lock.released-20260401T120000Z-00000a-1`],
      ['tmp', `${home}/agent.lock.tmp`],
    ]);
  });

  test('include a companion record and a twin in the old layout', async () => {
    const root = newRoot();
    addLock(join(root, 'both'));
    addLock(join(root, 'both'), '.gastown');
    addLock(join(root, 'old'), '.gastown');
    writeFileSync(join(root, 'both/.runtime/agent.lock.holder'), '{}');
    const { locks } = await scanTown({ root, mode: 'default' });
    const facts = locks.map(({ path, layout, hasTwin, companion }) => [
      displayPath(path),
      layout,
      hasTwin,
      companion,
    ]);
    expect(facts.sort()).toEqual([
      [`${root}/both/.gastown/agent.lock`, 'legacy', true, null],
      [`${root}/both/.runtime/agent.lock`, 'runtime', false, `${root}/both/.runtime/agent.lock.holder`],
      [`${root}/old/.gastown/agent.lock`, 'legacy', false, null],
    ]);
  });

  test('include locks inside a directory of locks and inside a directory named agent.lock', async () => {
    const root = newRoot();
    const locks = [addLock(join(root, '.runtime/nested')), addLock(join(root, '.runtime'))];
    mkdirSync(join(root, 'odd/.runtime/agent.lock'), { recursive: true });
    locks.push(join(root, 'odd/.runtime/agent.lock'), addLock(join(root, 'odd/.runtime/agent.lock')));
    expect(shown(await scanTown({ root, mode: 'default' }))).toEqual(locks.sort());
  });
});

test('the names of homes are gone through once, and not in each of hundreds of subtrees', async () => {
  const root = newRoot();
  for (let number = 0; number < 300; number += 1) mkdirSync(join(root, `d${number}/e`), { recursive: true });
  let times = 0;
  const homes = new (class extends Map<string, Home> {
    override keys() {
      times += 1;
      return super.keys();
    }
  })(agentTable.homes);
  const { directories } = await scanTown({
    root,
    mode: 'default',
    threads: 'auto',
    table: { ...agentTable, homes },
  });
  expect(directories).toBeGreaterThan(600);
  expect(times).toBe(1);
});

test('progress is reported during the scan', async () => {
  const root = newRoot();
  for (let index = 0; index < 5_000; index++) mkdirSync(join(root, `d${index}`));
  const seen: number[] = [];
  await scanTown({ root, mode: 'default', onProgress: (directories) => seen.push(directories) });
  expect(seen.length).toBeGreaterThan(1);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
});
