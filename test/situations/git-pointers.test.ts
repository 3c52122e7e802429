/** Working trees whose `.git` is a file: locks where it leads are told and never written to, and one that leads nowhere is told as well. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Report } from '../../src/core/types/report.ts';
import {
  asOtherUser,
  canBecomeOthers,
  cleanUp,
  makeTmuxTmpdir,
  makeTown,
  OTHER_UID,
  onCleanUp,
  sleeperNamed,
  startProcess,
} from '../support/index.ts';
import { aged, git, gitTest, makeRepository } from './repository.ts';
import { bareEnvironment, linuxTest } from './stage.ts';
import { examine, heal } from './undisturbed.ts';

afterEach(cleanUp);

const leave = (path: string): string => {
  writeFileSync(path, '');
  aged(path);
  return path;
};

const idsOf = ({ locks }: Report): readonly string[] => locks.map(({ id }) => id);

/** Every name in a directory, whatever its depth. */
const namesIn = (directory: string): readonly string[] =>
  readdirSync(directory, { recursive: true }).map(String).sort();

describe('a root whose git directory lies elsewhere', () => {
  gitTest("a .git that ends as Windows's lines do leads where it says, as it does for git", async () => {
    const { root, worktree } = makeRepository();
    const tree = worktree('tree');
    makeTown({ root: tree, marked: false, workers: [], rigs: {} }).lock('.', {}, { ageSeconds: 7200 });
    writeFileSync(join(tree, '.git'), `gitdir: ${root}/.git/worktrees/tree\r\n`);
    git(tree, 'status');
    const env = bareEnvironment(makeTmuxTmpdir());
    expect((await heal(root, { env })).summary).toMatchObject({ fixed: 1 });
  });

  /** A root, its git directory, and the root in which a lock of it can be released. */
  const ROOTS = {
    'a linked working tree': () => {
      const { root, worktree } = makeRepository();
      return { top: worktree('../tree'), gitDir: `${root}/.git/worktrees/tree`, town: root };
    },
    'a submodule': () => {
      const { root } = makeRepository();
      git(root, 'clone', '-q', '.', '../library');
      git(root, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', '../library', 'libs/a');
      return { top: join(root, 'libs/a'), gitDir: `${root}/.git/modules/libs/a`, town: root };
    },
    'one with a separate git directory': () => {
      const { root } = makeRepository();
      const gitDir = join(root, '../separate');
      git(root, 'init', '-q', '--separate-git-dir', gitDir);
      return { top: root, gitDir, town: gitDir };
    },
    'a linked working tree of a bare repository': () => {
      const { root } = makeRepository();
      const bare = join(root, '../bare.git');
      git(root, 'clone', '-q', '--bare', root, bare);
      git(bare, 'worktree', 'add', '-q', '--detach', '../tree');
      return { top: join(bare, '../tree'), gitDir: `${bare}/worktrees/tree`, town: bare };
    },
  } as const;

  for (const [name, make] of Object.entries(ROOTS))
    gitTest(`has its locks told, and released by the command that the report prints: ${name}`, async () => {
      const { top, gitDir, town } = make();
      const env = bareEnvironment(makeTmuxTmpdir());
      expect(await examine(top, { env })).toMatchObject({ locks: [], gaps: [], exitCode: 0 });
      const path = leave(join(gitDir, 'index.lock'));
      const before = namesIn(gitDir);
      const report = await heal(top, { env });
      expect(report.locks).toMatchObject([{ kind: 'git-lock', worker: '.', path, state: 'stale' }]);
      expect(report.findings).toMatchObject([
        {
          check: 'stale-lock',
          fix: {
            action: 'release',
            status: 'skipped',
            reason: expect.stringContaining('outside this directory'),
          },
          next: [['doctor', '--fix', '--town', town, '--lock', path]],
        },
      ]);
      expect(report.summary?.fixed).toBe(0);
      const forced = await heal(top, { env, force: true, locks: idsOf(report) });
      expect([forced.summary?.fixed, namesIn(gitDir)]).toEqual([0, before]);

      const inTree = await startProcess(sleeperNamed('git'), ['600'], { cwd: top });
      expect((await examine(top, { env })).locks).toMatchObject([{ state: 'held' }]);
      expect((await examine(town, { env })).locks).toMatchObject([{ state: 'held' }]);
      await inTree.stop();

      expect((await heal(town, { env, locks: [path] })).summary?.fixed).toBe(1);
      expect(existsSync(path)).toBe(false);
      writeFileSync(join(top, 'file'), 'changed\n');
      git(top, 'commit', '-q', '-a', '-m', 'second');
    });

  gitTest('has what all working trees share told as well, and no lock of another tree', async () => {
    const { root, env, worktree } = makeRepository();
    const [tree] = [worktree('../tree'), worktree('../other')];
    for (const name of ['index.lock', 'HEAD.lock', 'worktrees/other/index.lock', 'worktrees/other/locked'])
      leave(join(root, '.git', name));
    expect((await examine(tree, { env })).locks).toEqual([]);
    const shared = ['config.lock', 'packed-refs.lock', 'refs/heads/main.lock'].map((name) =>
      leave(join(root, '.git', name)),
    );
    const { locks } = await examine(tree, { env });
    expect(locks.map(({ path }) => path)).toEqual(shared);
    expect(locks.map(({ worker }) => worker)).toEqual(['.', '.', '.']);
  });

  gitTest('tells what is shared, where only that lies outside of the root', async () => {
    const { root, env } = makeRepository();
    const above = join(root, '../above');
    const tree = join(above, 'tree');
    git(root, 'worktree', 'add', '-q', '--detach', tree);
    renameSync(join(root, '.git/worktrees/tree'), join(above, 'store'));
    writeFileSync(join(above, 'store/commondir'), `${root}/.git\n`);
    writeFileSync(join(tree, '.git'), `gitdir: ${above}/store\n`);
    git(tree, 'rev-parse', '--git-dir');
    const [own, shared] = [leave(join(above, 'store/index.lock')), leave(join(root, '.git/config.lock'))];
    const report = await heal(above, { env });
    expect(report.summary?.fixed).toBe(1);
    expect([existsSync(own), existsSync(shared)]).toEqual([false, true]);
    expect(report.findings.find(({ lock }) => lock?.endsWith('config.lock'))).toMatchObject({
      fix: { reason: expect.stringContaining('outside this directory') },
      next: [['doctor', '--fix', '--town', root, '--lock', shared]],
    });
  });

  gitTest('leaves what a repair left beside locks there', async () => {
    const { root, env, worktree } = makeRepository();
    const tree = worktree('../tree');
    leave(join(root, '.git/worktrees/tree/index.lock'));
    await heal(root, { env });
    const before = namesIn(join(root, '.git'));
    expect(before.join()).toContain('index.lock.released-');
    expect(await heal(tree, { env })).toMatchObject({ exitCode: 0 });
    expect(namesIn(join(root, '.git'))).toEqual(before);
  });

  gitTest('is found for every working tree in a directory of them', async () => {
    const { root, env, worktree } = makeRepository();
    const trees = ['a', 'b', 'c'].map((name) => worktree(`../trees/${name}`));
    for (const name of ['a', 'b']) leave(join(root, `.git/worktrees/${name}/index.lock`));
    leave(join(root, '.git/packed-refs.lock'));
    const { locks } = await examine(dirname(trees[0] ?? ''), { env });
    expect(locks.map(({ id, worker }) => [id, worker])).toEqual([
      ['git-lock:../main/.git/packed-refs.lock', 'a'],
      ['git-lock:../main/.git/worktrees/a/index.lock', 'a'],
      ['git-lock:../main/.git/worktrees/b/index.lock', 'b'],
    ]);
  });

  const strangersTest = canBecomeOthers ? gitTest : test.skip;
  strangersTest('is not looked into where it belongs to somebody else', async () => {
    const { root, env } = makeRepository();
    const victim = join(root, '../victim.git');
    git(root, 'clone', '-q', '--bare', root, victim);
    leave(join(victim, 'packed-refs.lock'));
    chownSync(victim, OTHER_UID, OTHER_UID);
    rmSync(join(root, '.git'), { recursive: true });
    writeFileSync(join(root, '.git'), `gitdir: ${victim}\n`);
    expect(await examine(root, { env })).toMatchObject({
      locks: [],
      gaps: [{ git: 'closed', why: expect.stringContaining('another user') }],
    });
  });
});

describe('a working tree whose repository cannot be found', () => {
  /** A directory of two working trees of a repository beside it. */
  const makeTrees = () => {
    const { root, env, worktree } = makeRepository();
    const trees = ['a', 'b'].map((name) => worktree(`../trees/${name}`));
    // One that has directories in it, which the walk lists.
    mkdirSync(join(trees[0] ?? '', 'src'));
    return {
      root,
      above: join(root, '../trees'),
      tree: trees[0] ?? '',
      look: (at: string) => examine(at, { env }),
    };
  };
  type Trees = ReturnType<typeof makeTrees>;

  gitTest.each<[string, (trees: Trees) => void, string, string]>([
    ['is gone', ({ root }) => rmSync(root, { recursive: true }), 'gone', 'and its repository with it'],
    ['was moved', ({ root }) => renameSync(root, `${root}-moved`), 'gone', 'and its repository with it'],
    [
      'has forgotten it',
      ({ root }) => rmSync(join(root, '.git/worktrees'), { recursive: true }),
      'forgotten',
      'no longer knows this working tree',
    ],
  ])('tells both of them once: it %s', async (_, lose, is, why) => {
    const trees = makeTrees();
    expect(await trees.look(trees.above)).toMatchObject({ gaps: [], findings: [], exitCode: 0 });
    lose(trees);
    const leadsTo = (name: string): string => `${trees.root}/.git/worktrees/${name}`;
    const report = await trees.look(trees.above);
    expect(report).toMatchObject({
      exitCode: 22,
      gaps: ['a', 'b'].map((name) => ({
        what: `directory:${trees.above}/${name}/.git`,
        git: is,
        leadsTo: leadsTo(name),
        why: expect.stringContaining(why),
      })),
      findings: [
        {
          id: 'undecided-lock:a/.git',
          worker: 'a',
          message: expect.stringContaining(`leads to ${leadsTo('a')}`),
          fix: { action: 'advice' },
        },
      ],
    });
    expect(report.findings[0]?.message).toContain('1 more: b');
    expect(await trees.look(trees.tree)).toMatchObject({ gaps: [{ git: is }], findings: [{ worker: '.' }] });
  });

  gitTest.each(['../tree', 'tree'])(
    'gets the command that connects it again, after a move: %s',
    async (name) => {
      const { root, env, worktree } = makeRepository();
      worktree(name, 'claude agent agent-ab12 (pid 2147483000)');
      const moved = `${root}-moved`;
      renameSync(root, moved);
      const tree = join(name === 'tree' ? moved : root, name);
      const command = ['git', '-C', `${moved}/.git`, 'worktree', 'repair', tree];
      // From further up, a directory that has only files in it is not looked into.
      for (const at of name === 'tree' ? [moved] : [moved, dirname(moved)]) {
        const { findings } = await examine(at, { env });
        expect(findings.filter(({ check }) => check === 'undecided-lock')).not.toEqual([]);
        for (const { check, next } of findings)
          if (check === 'undecided-lock') expect(next).toEqual([command]);
      }
      const [program = '', ...args] = command;
      execFileSync(program, args, { stdio: 'pipe' });
      expect(await heal(moved, { env })).toMatchObject({ gaps: [], summary: { fixed: 1 }, exitCode: 0 });
    },
  );

  gitTest('is not told to take a working tree that another repository has', async () => {
    const { root, env, worktree } = makeRepository();
    const tree = worktree('../tree', 'claude agent agent-ab12 (pid 2147483000)');
    const copy = `${root}-copy`;
    execFileSync('cp', ['-a', root, copy]);
    const { findings } = await examine(copy, { env });
    expect(findings).toMatchObject([{ check: 'undecided-lock' }]);
    expect(JSON.stringify(findings)).not.toContain('"repair"');
    expect(git(tree, 'rev-parse', '--git-common-dir')).toBe(`${root}/.git\n`);
  });

  gitTest.each([
    ['a container', '/workspaces/repository/.git/worktrees/a'],
    ['Windows', 'C:/Users/ann/repository/.git/worktrees/a'],
    ['a disk that is not mounted', 'mnt/disk/.git/worktrees/a'],
  ])('may have it where it is not seen from here: in %s', async (_, to) => {
    const { tree, root, look } = makeTrees();
    mkdirSync(join(root, '../mnt/disk'), { recursive: true });
    writeFileSync(join(tree, '.git'), `gitdir: ${to.startsWith('mnt') ? join(root, '..', to) : to}\n`);
    expect((await look(tree)).gaps).toMatchObject([{ git: 'unseen' }]);
  });

  (canBecomeOthers ? gitTest : test.skip)('may have it on another file system, or unreadable', async () => {
    const { tree, root, look } = makeTrees();
    const mounted = mkdtempSync(join(tmpdir(), 'mounted-'));
    onCleanUp(() => {
      spawnSync('umount', ['-l', mounted]);
      rmSync(mounted, { recursive: true });
    });
    execFileSync('mount', ['-t', 'tmpfs', 'none', mounted]);
    writeFileSync(join(mounted, 'other'), '');
    writeFileSync(join(tree, '.git'), `gitdir: ${mounted}/repository/.git/worktrees/a\n`);
    expect((await look(tree)).gaps).toMatchObject([{ git: 'unseen' }]);

    writeFileSync(join(tree, '.git'), `gitdir: ${root}/.git/worktrees/a\n`);
    chmodSync(root, 0o700);
    for (const path of [tree, dirname(tree), dirname(root)]) chmodSync(path, 0o755);
    const seen = await asOtherUser(() => look(tree));
    expect(seen.gaps).toContainEqual(expect.objectContaining({ git: 'closed' }));
  });

  (canBecomeOthers ? gitTest : test.skip).each([0o700, 0o711])(
    'is named where only its git directory is closed (mode %o)',
    async (mode) => {
      const { root, env, worktree } = makeRepository();
      worktree('.claude/worktrees/a', 'on my stick');
      execFileSync('chown', ['-R', `${OTHER_UID}:${OTHER_UID}`, root]);
      const gitDir = join(root, '.git/worktrees/a');
      chownSync(gitDir, 0, 0);
      chmodSync(gitDir, mode);
      for (const path of [root, dirname(root)]) chmodSync(path, 0o755);
      const { findings, gaps } = await asOtherUser(() => examine(root, { env }));
      expect(findings).toMatchObject([{ check: 'undecided-lock', worker: '.claude/worktrees/a' }]);
      const places = gaps.map(({ what }) => what).filter((what) => what.startsWith('directory:'));
      expect(places).toEqual([`directory:${root}/.claude/worktrees/a/.git`, `directory:${gitDir}`]);
    },
  );

  gitTest('reads names of any bytes as git does', async () => {
    const { root, env } = makeRepository();
    const odd = join(root, '../two\nlines');
    renameSync(root, odd);
    git(odd, 'worktree', 'add', '-q', '--detach', '../trees/a');
    const path = leave(join(odd, '.git/worktrees/a/index.lock'));
    expect((await examine(join(odd, '../trees'), { env })).locks).toMatchObject([{ path, worker: 'a' }]);
    writeFileSync(join(odd, '../trees/a/.git'), Buffer.from('gitdir: /nowhere/\xff/.git\n', 'latin1'));
    expect(await examine(join(odd, '../trees'), { env })).toMatchObject({
      gaps: [{ leadsTo: '/nowhere/\\xFF/.git' }],
    });
  });

  gitTest.each<[string, (make: (name: string) => void) => void]>([
    ['nothing but HEAD', (make) => make('HEAD')],
    ['no objects', (make) => ['HEAD', 'refs'].map(make)],
    ['no refs', (make) => ['HEAD', 'objects'].map(make)],
    ['a commondir that leads nowhere', (make) => ['HEAD', 'objects', 'refs', 'commondir'].map(make)],
  ])('is not led to a directory with %s, as git is not', async (_, fill) => {
    const { tree, root, look } = makeTrees();
    const at = join(root, '../false');
    mkdirSync(at);
    fill((name) =>
      name === 'HEAD' || name === 'commondir'
        ? writeFileSync(join(at, name), name === 'HEAD' ? 'ref: refs/heads/main\n' : '../nothing\n')
        : mkdirSync(join(at, name)),
    );
    leave(join(at, 'index.lock'));
    writeFileSync(join(tree, '.git'), `gitdir: ${at}\n`);
    expect(() => git(tree, 'rev-parse', '--git-dir')).toThrow(/not a git repository/);
    expect(await look(tree)).toMatchObject({ locks: [], gaps: [{ git: 'closed' }] });
    // Without a lock in it, there is nothing that would have to be judged.
    rmSync(join(at, 'index.lock'));
    expect(await look(tree)).toMatchObject({ locks: [], gaps: [{ git: expect.stringMatching(/odd|gone/) }] });
  });
});

describe('something else in the place of .git', () => {
  const made: Record<string, (path: string) => unknown> = {
    'a FIFO': (path) => execFileSync('mkfifo', [path]),
    rubbish: (path) => writeFileSync(path, Buffer.from([0, 255, 10, 27, 91])),
    'zeros, as after a crash': (path) => writeFileSync(path, Buffer.alloc(60)),
    nothing: (path) => writeFileSync(path, ''),
    'a huge file': (path) => {
      writeFileSync(path, 'gitdir: ../main/.git');
      truncateSync(path, 2 ** 40);
    },
    'a name of 8000 characters': (path) => writeFileSync(path, `gitdir: ${'x'.repeat(8000)}\n`),
    itself: (path) => writeFileSync(path, 'gitdir: .git\n'),
    'a link to itself': (path) => symlinkSync('.git', path),
    'a link to nothing': (path) => symlinkSync('../nowhere/.git', path),
    'a link to a repository': (path) => symlinkSync('../../main/.git', path),
    'a link to a directory in a loop': (path) => symlinkSync('..', path),
    'a link into /proc': (path) => symlinkSync('/proc/self/fd/0', path),
    'a directory without HEAD': (path) => mkdirSync(join(path, 'objects'), { recursive: true }),
    'a directory with nothing but HEAD': (path) => {
      mkdirSync(path);
      writeFileSync(join(path, 'HEAD'), 'ref: refs/heads/main\n');
    },
    'a socket': (path) =>
      new Promise<void>((resolve) => {
        const server = createServer().listen(path, resolve);
        onCleanUp(() => void server.close());
      }),
    ...(canBecomeOthers
      ? { 'a device without an end': (path: string) => execFileSync('mknod', [path, 'c', '1', '5']) }
      : {}),
  };

  linuxTest.each(Object.keys(made))('is told, at the root and below it: %s', async (name) => {
    const town = makeTown({ marked: false, workers: [], rigs: {} });
    const env = bareEnvironment(makeTmuxTmpdir());
    mkdirSync(town.path('main'));
    git(town.path('main'), 'init', '-q');
    const tree = town.path('trees/a');
    mkdirSync(join(tree, 'src'), { recursive: true });
    await made[name]?.(join(tree, '.git'));
    for (const at of [tree, dirname(tree)]) {
      const report = await examine(at, { env });
      expect(report).toMatchObject({
        exitCode: 22,
        gaps: [{ what: `directory:${tree}/.git`, git: expect.any(String) }],
        findings: [{ check: 'undecided-lock', fix: { action: 'advice' } }],
      });
      expect(report.findings[0]?.next[0]).toBeDefined();
    }
  });

  gitTest.each(['HEAD.lock', 'config.lock'])('is what a killed git init left, with its %s', async (name) => {
    const town = makeTown({ marked: false, workers: [], rigs: {} });
    git(town.root, 'init', '-q');
    const lock = town.path('.git', name);
    rmSync(town.path('.git/objects'), { recursive: true });
    renameSync(lock.slice(0, -'.lock'.length), lock);
    expect(() => git(town.root, 'init', '-q')).toThrow(/File exists/);
    const { gaps } = await examine(town.root, { env: bareEnvironment(makeTmuxTmpdir()) });
    expect(gaps[0]?.why).toContain(`; there is a lock in it, ${name}`);
    rmSync(lock);
    git(town.root, 'init', '-q');
  });

  gitTest('is a submodule that a killed git left half made: its lock is named', async () => {
    const town = makeTown({ marked: false, workers: [], rigs: {} });
    git(town.root, 'init', '-q');
    const half = town.path('.git/modules/lib/half');
    git(town.root, 'init', '-q', '--bare', half);
    for (const part of ['objects', 'refs']) rmSync(join(half, part), { recursive: true });
    const ask = () => examine(town.root, { env: bareEnvironment(makeTmuxTmpdir()) });
    expect(await ask()).toMatchObject({ exitCode: 0, gaps: [] });
    writeFileSync(join(half, 'config.lock'), '');
    expect(await ask()).toMatchObject({
      exitCode: 22,
      gaps: [{ what: `directory:${half}`, why: expect.stringContaining('a lock in it, config.lock') }],
    });
  });

  gitTest(
    'is a separate repository that a killed git init left with a lock: what to do is told',
    async () => {
      const town = makeTown({ marked: false, workers: [], rigs: {} });
      const tree = town.path('tree');
      git(town.root, 'init', '-q', '--separate-git-dir', town.path('store'), tree);
      rmSync(town.path('store/objects'), { recursive: true });
      leave(town.path('store/config.lock'));
      const { findings } = await examine(tree, { env: bareEnvironment(makeTmuxTmpdir()) });
      expect(findings[0]).toMatchObject({
        fix: { text: expect.stringContaining('remove the lock in it by hand') },
        next: [['ls', '-l', town.path('store')]],
      });
    },
  );

  test('is nothing to tell where it is an empty directory, which git skips', async () => {
    const town = makeTown({ marked: false, workers: [], rigs: {} });
    mkdirSync(town.path('a/.git'), { recursive: true });
    expect(await examine(town.root, { env: bareEnvironment(makeTmuxTmpdir()) })).toMatchObject({ gaps: [] });
  });
});
