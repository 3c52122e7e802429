/** Gits at work on a repository that does not lie around their working directory, or under another name than git: their locks stay. */
import { spawn } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { findProgram } from '../../src/io/programs/find-program.ts';
import { cleanUp, onCleanUp, until } from '../support/index.ts';
import { aged, GIT_ENV, git, gitTest, makeRepository } from './repository.ts';
import { examine, heal } from './undisturbed.ts';

afterEach(cleanUp);

const linuxGit = process.platform === 'linux' ? gitTest : test.skip;

type Repository = ReturnType<typeof makeRepository>;

/** A working tree beside the repository, whose file has changed. */
const foreignTree = (root: string, name = '../tree'): string => {
  const tree = join(root, name);
  mkdirSync(tree, { recursive: true });
  writeFileSync(join(tree, 'file'), 'text\nmore\n');
  return tree;
};

interface Run {
  readonly cwd: string;
  readonly program?: string;
  readonly args: readonly string[];
  readonly env?: Record<string, string>;
  /** What it reads before it waits. */
  readonly input?: string;
}

/** A git that waits for more input with this lock taken and closed. */
const waiting = async (lock: string, { cwd, program = 'git', args, env = {}, input = '' }: Run) => {
  const child = spawn(program, args, { cwd, env: { ...GIT_ENV, ...env }, stdio: ['pipe', 'ignore', 'pipe'] });
  const exited = new Promise<number | null>((done) => child.once('exit', done));
  onCleanUp(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  let said = '';
  child.stderr.on('data', (text: Buffer) => {
    said += text.toString();
  });
  child.stdin.write(input);
  await until(() => existsSync(lock), `the lock of ${program} ${args.join(' ')}: ${said}`);
  aged(lock);
  return {
    goOn: async (text: string): Promise<number | null> => {
      child.stdin.end(text);
      return exited;
    },
  };
};

const ADD_PATCH = ['commit', '-pmx'];
/** A prepared transaction has its locks closed. */
const REFS = ['update-ref', '--stdin'];
const prepareBranch = (root: string, name = 'n'): string =>
  `start\ncreate refs/heads/${name} ${git(root, 'rev-parse', 'HEAD').trim()}\nprepare\n`;

const stays = async (
  { root, env }: Pick<Repository, 'root' | 'env'>,
  lock: string,
  states: readonly string[] = ['held', 'unknown'],
) => {
  await heal(root, { env, dryRun: false });
  expect(existsSync(lock)).toBe(true);
  const { locks } = await examine(root, { env });
  const found = locks.find(({ path }) => path === lock);
  expect(states).toContain(found?.state);
  return found;
};

describe('the lock of a git whose working tree is elsewhere', () => {
  linuxGit.each<[string, (root: string) => Omit<Run, 'input'>]>([
    ['--work-tree', (root) => ({ cwd: root, args: ['--work-tree=../tree', ...ADD_PATCH] })],
    ['GIT_WORK_TREE', (root) => ({ cwd: root, args: ADD_PATCH, env: { GIT_WORK_TREE: '../tree' } })],
    [
      'a relative --git-dir',
      (root) => ({ cwd: join(root, '..'), args: ['--git-dir=main/.git', '--work-tree=tree', ...ADD_PATCH] }),
    ],
    [
      'a relative GIT_DIR',
      (root) => ({
        cwd: join(root, '..'),
        args: ADD_PATCH,
        env: { GIT_DIR: 'main/.git', GIT_WORK_TREE: join(root, '../tree') },
      }),
    ],
    [
      'a relative -C',
      (root) => ({ cwd: join(root, '..'), args: ['-C', 'main', '--work-tree', '../tree', ...ADD_PATCH] }),
    ],
  ])('stays in doubt, which is told: %s', async (_, run) => {
    const repository = makeRepository();
    const { root } = repository;
    foreignTree(root);
    const lock = join(root, '.git/index.lock');
    const { goOn } = await waiting(lock, run(root));
    const found = await stays(repository, lock, ['unknown']);
    expect(found?.reasons).toContain('git-unknown');
    expect(JSON.stringify(found?.evidence)).toMatch(/process \d+ \(git\).*working tree/);
    // Nobody sees more than root.
    const wayOut = process.getuid?.() === 0 ? 'once the process that is in doubt has ended' : '(root)';
    expect(JSON.stringify((await examine(root, { env: repository.env })).findings)).toContain(wayOut);
    expect(await goOn('y\n')).toBe(0);
    expect(git(root, 'show', '--format=', '--stat')).toContain('1 insertion(+)');
  });

  linuxGit('stays in doubt where it stands in that tree, and only changes a branch', async () => {
    const repository = makeRepository();
    const { root } = repository;
    const sub = foreignTree(root, '../tree/sub');
    const lock = join(root, '.git/refs/heads/n.lock');
    const args = ['--git-dir=../../main/.git', '--work-tree=..', ...REFS];
    const { goOn } = await waiting(lock, { cwd: sub, args, input: prepareBranch(root) });
    await stays(repository, lock, ['unknown']);
    expect(await goOn('commit\n')).toBe(0);
  });

  linuxGit.each<[string, (root: string, tree: string) => Omit<Run, 'input'>]>([
    [
      'an absolute --git-dir',
      (root, tree) => ({
        cwd: '/',
        args: [`--git-dir=${root}/.git`, `--work-tree=${tree}`, ...ADD_PATCH],
      }),
    ],
    [
      'an absolute -C',
      (root) => ({
        cwd: '/',
        args: ['-C', join(root, '..'), '-C', 'main', '--work-tree=../tree', ...ADD_PATCH],
      }),
    ],
    [
      'an absolute -C and a relative --git-dir',
      (root) => ({ cwd: '/', args: ['-C', root, '--git-dir=.git', '--work-tree=../tree', ...ADD_PATCH] }),
    ],
    [
      'a working tree that is its own directory',
      (root) => ({ cwd: root, args: ['--git-dir=.git', '--work-tree=./', ...ADD_PATCH] }),
    ],
  ])('is held where the repository is named in full, and no other lock is in doubt: %s', async (_, run) => {
    const repository = makeRepository();
    const { root } = repository;
    const tree = foreignTree(root);
    writeFileSync(join(root, 'file'), 'text\nmore\n');
    const other = makeRepository();
    const left = join(other.root, '.git/index.lock');
    writeFileSync(left, '');
    aged(left);
    const lock = join(root, '.git/index.lock');
    await waiting(lock, run(root, tree));
    await stays(repository, lock, ['held']);
    expect((await other.look()).locks).toMatchObject([{ path: left, state: 'stale' }]);
  });

  linuxGit.each<[string, (tree: string) => string]>([
    ['with # in its name', (tree) => `[core]\n\tworktree = "${tree}"\n`],
    ['escaped', (tree) => `[core]\n\tworktree = "${tree.replace(/e/, '\\\ne')}" ; tree = "x\n`],
    ['on the line of its section', (tree) => `[core] worktree = "${tree}"\n`],
    ['set twice', (tree) => `[CORE]\r\n\tWorkTree = /nowhere\r\n[user] name = x\n[core]worktree="${tree}"`],
    [
      'in a long file',
      (tree) => `${`[branch "b"]\n\tremote = ${'o'.repeat(80)}\n`.repeat(2000)}[core]\nworktree = "${tree}"`,
    ],
  ])('is held where a setting names that tree: %s', async (_, setting) => {
    const repository = makeRepository();
    const { root } = repository;
    const tree = foreignTree(root, '../C# ;/tree');
    const config = join(root, '.git/config');
    writeFileSync(
      config,
      `[core]\n\trepositoryformatversion = 0\n\tbare = false\n[user "core"]\n\tworktree = /nothing\n${setting(tree)}`,
    );
    expect(git(root, 'config', 'core.worktree')).toBe(`${tree}\n`);
    const lock = join(root, '.git/index.lock');
    await waiting(lock, { cwd: root, args: ADD_PATCH });
    await stays(repository, lock, ['held']);
  });
});

describe('the lock of a git under another name', () => {
  const GIT = findProgram('git', process.env) ?? '';
  const [loader] = ['/lib64', '/lib'].flatMap((directory) =>
    existsSync(directory)
      ? readdirSync(directory)
          .filter((name) => /^ld-(?:linux|musl).*\.so/.test(name))
          .map((name) => join(directory, name))
      : [],
  );

  const makeNamed = (): string => {
    const directory = mkdtempSync(join(tmpdir(), 'named-'));
    onCleanUp(() => rmSync(directory, { recursive: true }));
    return join(directory, 'g');
  };

  const heldBy = async (program: string, before: readonly string[] = []): Promise<void> => {
    const repository = makeRepository();
    const { root } = repository;
    writeFileSync(join(root, 'file'), 'text\nmore\n');
    const lock = join(root, '.git/index.lock');
    const { goOn } = await waiting(lock, { cwd: root, program, args: [...before, ...ADD_PATCH] });
    await stays(repository, lock, ['held']);
    expect(await goOn('y\n')).toBe(0);
  };

  linuxGit('is held by a symlink to git', async () => {
    const named = makeNamed();
    symlinkSync(GIT, named);
    await heldBy(named);
  });

  linuxGit('is held by a copy of git', async () => {
    const named = makeNamed();
    copyFileSync(GIT, named);
    await heldBy(named);
  });

  (loader === undefined ? test.skip : linuxGit)('is held by git in a loader (skipped without one)', () =>
    heldBy(loader ?? '', [GIT]),
  );

  linuxGit('is not held by one that only reads', async () => {
    const repository = makeRepository();
    const { root } = repository;
    const named = makeNamed();
    symlinkSync(GIT, named);
    const lock = join(root, '.git/index.lock');
    writeFileSync(lock, '');
    await waiting(lock, { cwd: root, program: named, args: ['cat-file', '--batch'] });
    expect((await repository.look()).locks).toMatchObject([{ path: lock, state: 'stale' }]);
  });
});

describe('the lock of a repository that lends its parts', () => {
  /** A directory of links, as git-new-workdir and Android's repo make it. */
  const borrow = (root: string): string => {
    const tree = join(root, '../borrower');
    const gitDir = join(tree, '.git');
    mkdirSync(gitDir, { recursive: true });
    for (const name of ['config', 'refs', 'objects', 'info', 'hooks', 'packed-refs'])
      symlinkSync(join(root, '.git', name), join(gitDir, name));
    for (const name of ['HEAD', 'index']) copyFileSync(join(root, '.git', name), join(gitDir, name));
    return tree;
  };

  linuxGit('by symlinks is held by a git there', async () => {
    const repository = makeRepository();
    const { root } = repository;
    const tree = borrow(root);
    const lock = join(root, '.git/refs/heads/n.lock');
    const { goOn } = await waiting(lock, { cwd: tree, args: REFS, input: prepareBranch(root) });
    const packed = join(root, '.git/packed-refs.lock');
    writeFileSync(packed, '');
    aged(packed);
    await stays(repository, lock, ['held']);
    await stays(repository, packed, ['held']);
    expect(await goOn('commit\n')).toBe(0);
  });

  linuxGit('by commondir is held by a git there, its index lock is not', async () => {
    const repository = makeRepository();
    const { root } = repository;
    const tree = repository.worktree('../tree');
    const store = join(root, '../store');
    cpSync(join(root, '.git/worktrees/tree'), store, { recursive: true });
    rmSync(join(root, '.git/worktrees'), { recursive: true });
    writeFileSync(join(store, 'commondir'), `${root}/.git\n`);
    writeFileSync(join(tree, '.git'), `gitdir: ${store}\n`);
    const lock = join(root, '.git/refs/heads/n.lock');
    await waiting(lock, { cwd: tree, args: REFS, input: prepareBranch(root) });
    await stays(repository, lock, ['held']);
    const index = join(root, '.git/index.lock');
    writeFileSync(index, '');
    aged(index);
    const { locks } = await repository.look();
    expect(locks.find(({ path }) => path === index)?.state).toBe('stale');
  });
});

describe('the lock of a branch, taken by a git in a worktree that was removed meanwhile,', () => {
  const takeIn = async ({ root }: Repository, tree: string, run: Partial<Run> = {}) => {
    const lock = join(root, '.git/refs/heads/n.lock');
    return { lock, ...(await waiting(lock, { cwd: tree, args: REFS, input: prepareBranch(root), ...run })) };
  };

  linuxGit.each<[string, (root: string, tree: string) => void]>([
    ['by git', (root, tree) => git(root, 'worktree', 'remove', '--force', tree)],
    [
      'and replaced by another repository',
      (root, tree) => {
        git(root, 'worktree', 'remove', '--force', tree);
        git(root, 'clone', '-q', root, tree);
      },
    ],
  ])('stays in doubt, which is told: %s', async (_, remove) => {
    const repository = makeRepository();
    const { root } = repository;
    const tree = repository.worktree('../tree');
    const { lock, goOn } = await takeIn(repository, tree);
    remove(root, tree);
    const found = await stays(repository, lock, ['unknown']);
    expect(found?.reasons).toContain('git-unknown');
    expect(JSON.stringify(found?.evidence)).toMatch(/process \d+ \(git\).*working directory was removed/);
    expect(await goOn('commit\n')).toBe(0);
    expect(git(root, 'branch', '--list', 'n')).toContain('n');
  });

  linuxGit('is held where its repository is named in full, and no other lock is in doubt', async () => {
    const repository = makeRepository();
    const { root } = repository;
    const tree = repository.worktree('../tree');
    const { lock } = await takeIn(repository, tree, { env: { GIT_DIR: join(root, '.git') } });
    rmSync(tree, { recursive: true });
    await stays(repository, lock, ['held']);
    const other = makeRepository();
    const left = join(other.root, '.git/index.lock');
    writeFileSync(left, '');
    aged(left);
    expect((await other.look()).locks).toMatchObject([{ path: left, state: 'stale' }]);
  });
});

describe('the lock of a branch is held by a git in a worktree whose .git meanwhile', () => {
  const replaceGit = (tree: string): void => {
    rmSync(join(tree, '.git'));
    git(tree, 'init', '-q');
  };

  linuxGit.each<[string, string, (tree: string) => void]>([
    ['was removed', '../tree', (tree) => rmSync(join(tree, '.git'))],
    ['was removed with all of its tree', '../tree', (tree) => rmSync(tree, { recursive: true })],
    ['was replaced by another repository', '../tree', replaceGit],
    ['was replaced, inside of the main one', 'tree', replaceGit],
  ])('%s: %s', async (_, name, change) => {
    const repository = makeRepository();
    const { root } = repository;
    const tree = repository.worktree(name);
    const lock = join(root, '.git/refs/heads/n.lock');
    const { goOn } = await waiting(lock, { cwd: tree, args: REFS, input: prepareBranch(root) });
    change(tree);
    await stays(repository, lock, ['held']);
    expect(await goOn('commit\n')).toBe(0);
    expect(git(root, 'branch', '--list', 'n')).toContain('n');
  });
});

const settingTree = ({ root }: Repository): string => {
  const tree = foreignTree(root);
  git(root, 'config', 'core.worktree', tree);
  return tree;
};

const linkedTree = (repository: Repository): string => repository.worktree('../tree');

linuxGit.each<[string, (repository: Repository) => string, string[]]>([
  ['another repository inside of a linked working tree', linkedTree, []],
  ['a bare repository inside of a linked working tree', linkedTree, ['--bare']],
  ['another repository inside of a working tree that a setting names', settingTree, []],
])('the lock of a branch is not held by a git in %s', async (_, make, options) => {
  const repository = makeRepository();
  const { root } = repository;
  const inner = join(make(repository), 'inner');
  const lock = join(root, '.git/refs/heads/n.lock');
  writeFileSync(lock, '');
  aged(lock);
  git(root, 'clone', '-q', ...options, '.', inner);
  const its = join(git(inner, 'rev-parse', '--absolute-git-dir').trim(), 'refs/heads/n.lock');
  await waiting(its, { cwd: inner, args: REFS, input: prepareBranch(root) });
  const { locks } = await repository.look();
  expect(locks.find(({ path }) => path === lock)?.state).toBe('stale');
});

linuxGit('the lock of a git whose variables take more than a megabyte is held', async () => {
  const repository = makeRepository();
  const { root } = repository;
  const filling = Object.fromEntries(
    Array.from({ length: 11 }, (_, at) => [`A${at}`, 'x'.repeat(100_000)] as const),
  );
  const lock = join(root, '.git/refs/heads/n.lock');
  await waiting(lock, {
    cwd: '/',
    args: REFS,
    env: { ...filling, GIT_DIR: join(root, '.git') },
    input: prepareBranch(root),
  });
  await stays(repository, lock, ['held']);
});
