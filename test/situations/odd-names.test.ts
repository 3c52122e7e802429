/** Repositories and working trees whose paths have line breaks in them, or are not UTF-8: git takes any bytes. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect } from '@jest/globals';
import { examine } from '../../src/diagnose.ts';
import { heal } from '../../src/heal.ts';
import { who } from '../../src/places/who.ts';
import { preflight } from '../../src/preflight.ts';
import { undoReleases } from '../../src/repair/undo.ts';
import { COMMAND } from '../cli/run-cli.ts';
import {
  cleanUp,
  fakeAgent,
  type StartedProcess,
  sleeperNamed,
  startProcess,
  until,
} from '../support/index.ts';
import { aged, GIT_ENV, git, gitTest, makeRepository } from './repository.ts';

afterEach(cleanUp);

const DEAD = 'claude agent agent-ab12 (pid 2147483000)';

/** `name` in latin1, which is not UTF-8 where it has a letter such as é. */
const bytes = (...names: readonly string[]): Buffer => Buffer.from(names.join('/'), 'latin1');

/** Arguments of programs are text in Node: bash makes the bytes. */
const inShell = (cwd: string, script: string): void =>
  void execFileSync('bash', ['--norc', '-c', script], { cwd, env: GIT_ENV, stdio: 'pipe' });

describe('a working tree whose path has a line break', () => {
  gitTest.each(['../two\nlines', 'two\nlines', 'end\n'])('is told by its own name: %j', async (path) => {
    const { root, env } = makeRepository();
    git(root, 'worktree', 'add', '-q', '--detach', path);
    git(root, 'worktree', 'lock', '--reason', DEAD, path);
    const [name = ''] = readdirSync(join(root, '.git/worktrees'));
    const lock = join(root, '.git/worktrees', name, 'locked');
    aged(lock);
    expect((await examine(root, { env })).locks).toMatchObject([{ worker: path, state: 'stale' }]);
    const agent = await fakeAgent('claude', { cwd: join(root, path) });
    expect((await examine(root, { env })).locks).toMatchObject([{ worker: path, state: 'held' }]);
    expect(await who(root, [join(root, path)], { env })).toMatchObject({
      places: [{ path: join(root, path), people: [{ class: 'agent' }] }],
    });
    await agent.stop();
    const before = git(root, 'worktree', 'list', '--porcelain', '-z');
    expect((await heal(root, { env })).summary?.fixed).toBe(1);
    await undoReleases(null, { townRoot: root });
    expect(git(root, 'worktree', 'list', '--porcelain', '-z')).toBe(before);
  });
});

describe('a path that is not UTF-8', () => {
  gitTest('of a working tree: whoever works there is seen, and a dead lock is released', async () => {
    const { root, env } = makeRepository();
    inShell(
      root,
      `mkdir $'../caf\\xe9' && git worktree add -q --detach $'../caf\\xe9/tree' &&
       git worktree lock --reason '${DEAD}' $'../caf\\xe9/tree'`,
    );
    aged(join(root, '.git/worktrees/tree/locked'));
    const worker = '../caf\\xE9/tree';
    expect((await examine(root, { env })).locks).toMatchObject([{ worker, state: 'stale', notes: [] }]);
    const agent = await startIn(`${root}/../caf\\xe9/tree`, 'claude');
    expect((await examine(root, { env })).locks).toMatchObject([{ worker, state: 'held' }]);
    expect((await heal(root, { env })).summary?.fixed).toBe(0);
    expect((await who(root, [], { env })).places).toContainEqual(
      expect.objectContaining({ worker, people: [expect.objectContaining({ class: 'agent' })] }),
    );
    await agent.stop();
    expect((await heal(root, { env })).summary?.fixed).toBe(1);
  });

  gitTest('of a working tree: a git that runs there is never overlooked', async () => {
    const { root, env } = makeRepository();
    inShell(root, `mkdir $'../caf\\xe9' && git worktree add -q --detach $'../caf\\xe9/tree'`);
    for (const name of ['worktrees/tree/index.lock', 'packed-refs.lock']) {
      writeFileSync(join(root, '.git', name), '');
      aged(join(root, '.git', name));
    }
    const running = await startIn(`${root}/../caf\\xe9/tree`, 'git');
    const { locks } = await examine(root, { env });
    expect(locks.map(({ state }) => state)).not.toContain('stale');
    await running.stop();
    expect((await heal(root, { env })).summary?.fixed).toBe(2);
  });

  gitTest('of a git directory: it is looked at, and the lock is left to a person', async () => {
    const { root, env } = makeRepository();
    inShell(
      root,
      `for tree in $'../caf\\xe9' $'in\\xe9'; do
         git worktree add -q --detach "$tree" && git worktree lock --reason '${DEAD}' "$tree"
       done
       touch -d '1 hour ago' .git/worktrees/*/locked`,
    );
    const { locks, gaps } = await heal(root, { env });
    expect(gaps).toEqual([]);
    expect(locks.map(({ id, worker, state }) => [id, worker, state])).toEqual([
      ['git-worktree:.git/worktrees/caf\\xE9/locked', '../caf\\xE9', 'stale'],
      ['git-worktree:.git/worktrees/in\\xE9/locked', 'in\\xE9', 'stale'],
    ]);
    const agent = await startIn(`${root}/../caf\\xe9`, 'claude');
    expect((await examine(root, { env })).locks).toMatchObject([{ state: 'held' }, { state: 'stale' }]);
    await agent.stop();
  });

  gitTest(
    'of the main git directory: a working tree elsewhere has no gap, and its locks are told',
    async () => {
      const { root, env } = makeRepository();
      const odd = bytes(`${root}\xe9`);
      renameSync(root, odd);
      mkdirSync(root);
      inShell(root, `cd $'${root}\\xe9' && git worktree add -q --detach ../trees/a`);
      const trees = join(root, '../trees');
      expect(await examine(trees, { env })).toMatchObject({ locks: [], gaps: [], exitCode: 0 });
      const left = Buffer.concat([odd, bytes('/.git/worktrees/a/index.lock')]);
      writeFileSync(left, '');
      inShell(root, `touch -d '1 hour ago' $'${root}\\xe9/.git/worktrees/a/index.lock'`);
      expect(await heal(trees, { env })).toMatchObject({
        gaps: [],
        locks: [{ worker: 'a', state: 'unknown', reasons: expect.arrayContaining(['git-unknown']) }],
        findings: [{ fix: { action: 'advice', text: expect.stringContaining('not UTF-8') } }],
      });
    },
  );

  gitTest('of the root itself: the answer names the directory above it, where it is looked at', () => {
    const { root, env } = makeRepository();
    renameSync(root, bytes(`${root}\xe9`));
    const command = COMMAND.map((word) => `'${word}'`).join(' ');
    const { stderr, status } = spawnSync('bash', ['--norc', '-c', `cd $'${root}\\xe9' && ${command}`], {
      env: { ...env, PATH: process.env.PATH },
      encoding: 'utf8',
    });
    expect(stderr).toContain('has to be UTF-8');
    expect(stderr).toContain(`doctor --town ${dirname(root)}\n`);
    expect(status).toBe(2);
  });

  gitTest('of a worker: preflight refuses it, for it cannot look there', async () => {
    const { root, env } = makeRepository();
    inShell(root, `git worktree add -q --detach $'caf\\xe9'`);
    const agent = await startIn(`${root}/caf\\xe9`, 'claude');
    const doctor = `${COMMAND.map((word) => `'${word}'`).join(' ')} preflight`;
    for (const asked of [`${doctor} $'caf\\xe9'`, `cd $'caf\\xe9' && ${doctor} --town '${root}' .`]) {
      const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', asked], {
        cwd: root,
        env: { ...env, PATH: process.env.PATH },
        encoding: 'utf8',
      });
      expect([status, stdout]).toEqual([2, '']);
      expect(stderr).toContain('the path of a worker has to be UTF-8');
    }
    // As reports spell it, whoever works there is seen.
    expect(await preflight(root, 'caf\\xE9', { env })).toMatchObject({ exitCode: 20 });
    await agent.stop();
    await expect(preflight(root, 'caf\\xE9', { env, new: true })).rejects.toThrow('has to be UTF-8');
  });

  gitTest('of a ref: its lock is told', async () => {
    const { root, env } = makeRepository();
    inShell(root, `touch -d '1 hour ago' $'.git/refs/heads/caf\\xe9.lock' .git/refs/heads/main.lock`);
    const { locks } = await examine(root, { env });
    expect(locks.map(({ id }) => id)).toEqual([
      'git-lock:.git/refs/heads/caf\\xE9.lock',
      'git-lock:.git/refs/heads/main.lock',
    ]);
  });
});

/** A sleeping process of that name in a directory that bash writes so. */
const startIn = async (directory: string, name: string): Promise<StartedProcess> => {
  const script = `cd $'${directory}' && exec ${sleeperNamed(name)} 600`;
  const started = await startProcess('bash', ['-c', script], { cwd: '/' });
  await until(() => readFileSync(`/proc/${started.pid}/comm`, 'utf8') === `${name}\n`);
  return started;
};
