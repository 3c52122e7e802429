/** Preflight and exec where git's own locks stand on the worker's working tree: made by git, asked about with real processes. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  lchownSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { PreflightResult } from '../../src/core/types/report.ts';
import { runUnderLock } from '../../src/exec/run-under-lock.ts';
import { preflight } from '../../src/preflight.ts';
import { doctor } from '../cli/run-cli.ts';
import { aged, git, gitTest, makeRepository, type Repository } from '../situations/repository.ts';
import {
  asOtherUser,
  canBecomeOthers,
  cleanUp,
  deadPid,
  fakeAgent,
  OTHER_UID,
  startProcess,
  until,
} from '../support/index.ts';

afterEach(cleanUp);

/** Elsewhere nobody can tell whether a lock that names nobody is held. */
const linuxGitTest = process.platform === 'linux' ? gitTest : test.skip;

const TREE = '.claude/worktrees/a';

const reasonOf = (pid: number): string => `claude agent agent-ab12 (pid ${pid})`;

const ask = async ({ root, env }: Repository, worker = TREE, cwd = root): Promise<PreflightResult> => {
  const [result] = (await preflight(undefined, worker, { env, cwd })).results;
  if (result === undefined) throw new Error('no answer');
  return result;
};

/** How exec ends: the command's own code is 7. */
const exec = async ({ root, env }: Repository, worker = TREE): Promise<number> =>
  (await runUnderLock({ town: root, worker, command: ['sh', '-c', 'exit 7'], waitMs: 0, env, cwd: root }))
    .exitCode;

const releaseOf = (root: string, path: string) => [
  ['doctor', '--fix', '--town', root, '--lock', join(root, path)],
];

describe('the lock of a worktree', () => {
  gitTest('that is not there leaves the answer as it was', async () => {
    const repository = makeRepository();
    repository.worktree(TREE);
    const free = { answer: 'free', message: 'no lock, no agent running', next: [] };
    expect(await ask(repository)).toMatchObject(free);
    expect(await ask(repository, '.')).toMatchObject(free);
  });

  gitTest('whose holder is dead allows a start, and is named with the command that releases it', async () => {
    const repository = makeRepository();
    const { root, worktree } = repository;
    const pid = deadPid();
    const tree = worktree(TREE, reasonOf(pid));
    const next = releaseOf(root, '.git/worktrees/a/locked');
    const message = `no agent's lock, no agent running; stale git-worktree lock of claude agent agent-ab12: its process (${pid}) is gone; taken 10 min ago (it only keeps git from removing the worktree)`;
    expect(await ask(repository)).toMatchObject({ answer: 'free', state: null, message, next });
    // In the worktree itself, where the lock lies outside of the root.
    expect(await ask(repository, '.', tree)).toMatchObject({ answer: 'free', message, next });
    expect(await exec(repository)).toBe(7);
    const [command = []] = next;
    expect(doctor(command.slice(1), { cwd: '/' }).status).toBe(0);
    expect(await ask(repository)).toMatchObject({ message: 'no lock, no agent running' });
  });

  gitTest.each([
    ['on my stick', 'locked by hand: on my stick'],
    ['', 'locked without a reason or a name'],
  ])('that a person took with the reason %j allows a start', async (reason, told) => {
    const repository = makeRepository();
    repository.worktree(TREE, reason);
    const { answer, message, next } = await ask(repository);
    expect([answer, next]).toEqual(['free', []]);
    expect(message).toContain(`no agent's lock, no agent running; git-worktree lock: ${told};`);
    expect(await exec(repository)).toBe(7);
  });

  gitTest('that cannot be judged allows no start, and neither does exec', async () => {
    const repository = makeRepository();
    const { root, worktree } = repository;
    const { pid } = await startProcess('sleep', ['600'], { cwd: root });
    worktree(TREE, reasonOf(pid));
    expect(await ask(repository)).toMatchObject({
      answer: 'unsure',
      state: 'unknown',
      reasons: ['process-shared'],
      message: expect.stringMatching(
        /^cannot tell: git-worktree lock of claude agent agent-ab12: process \d+ \(sleep\) is running/,
      ),
      next: [['doctor', 'explain', TREE, '--town', root]],
    });
    expect(await exec(repository)).toBe(22);
    const { stdout } = doctor(['explain', TREE, '--town', root, '--json'], { env: repository.env });
    expect(JSON.parse(stdout)).toMatchObject({
      topic: { text: expect.stringContaining(`Once process ${pid} ends, the lock becomes stale.`) },
      preflight: { answer: 'unsure' },
    });
  });

  gitTest('of an agent that works there names that agent', async () => {
    const repository = makeRepository();
    const path = repository.worktree(TREE, reasonOf(deadPid()));
    const { pid } = await fakeAgent('claude', { cwd: path });
    expect(await ask(repository)).toMatchObject({
      answer: 'held',
      message: `held: git-worktree lock of claude agent agent-ab12: claude (process ${pid}) is running in this directory, outside tmux`,
    });
  });

  /** A worktree `a` with a lock that nobody can judge, and `b` without one. */
  const withTwo = async (): Promise<Repository & { readonly a: string; readonly b: string }> => {
    const repository = makeRepository();
    const { pid } = await startProcess('sleep', ['600'], { cwd: repository.root });
    const a = repository.worktree(TREE, reasonOf(pid));
    return { ...repository, a, b: repository.worktree('.claude/worktrees/b') };
  };

  gitTest.each<[string, (a: string, b: string, root: string) => readonly string[]]>([
    [
      'was moved',
      (a) => {
        renameSync(a, `${a}-moved`);
        return [`${TREE}-moved`];
      },
    ],
    [
      'changed places with another',
      (a, b) => {
        renameSync(a, `${a}-`);
        renameSync(b, a);
        renameSync(`${a}-`, b);
        return ['.claude/worktrees/b'];
      },
    ],
    [
      'was copied',
      (a) => {
        cpSync(a, `${a}-copy`, { recursive: true });
        return [TREE, `${TREE}-copy`];
      },
    ],
    [
      'lies elsewhere, as git has it recorded',
      (_, __, root) => {
        writeFileSync(join(root, '.git/worktrees/a/gitdir'), `${join(root, 'elsewhere')}/.git\n`);
        return [TREE];
      },
    ],
  ])('counts where the .git of its working tree leads to it, which %s', async (_, change) => {
    const { a, b, ...repository } = await withTwo();
    const { root, env } = repository;
    const workers = change(a, b, root);
    for (const worker of workers) {
      expect(await ask(repository, worker)).toMatchObject({ answer: 'unsure', state: 'unknown' });
      expect(await ask(repository, '.', join(root, worker))).toMatchObject({ answer: 'unsure' });
      expect(await exec(repository, worker)).toBe(22);
    }
    const { results } = await preflight(root, ['.', ...workers], { env, cwd: root });
    expect(results.slice(1)).toMatchObject(workers.map(() => ({ answer: 'unsure', state: 'unknown' })));
  });

  gitTest('whose holder is dead allows a start where its working tree was moved', async () => {
    const repository = makeRepository();
    const tree = repository.worktree(TREE, reasonOf(deadPid()));
    renameSync(tree, `${tree}-moved`);
    const { answer, message } = await ask(repository, `${TREE}-moved`);
    expect(answer).toBe('free');
    expect(message).toContain('stale git-worktree lock of claude agent agent-ab12');
    expect(await exec(repository, `${TREE}-moved`)).toBe(7);
  });

  gitTest.each<[string, (gitDir: string) => void]>([
    ['has no HEAD', (gitDir) => rmSync(join(gitDir, 'HEAD'))],
    ['has no commondir', (gitDir) => rmSync(join(gitDir, 'commondir'))],
    ['leads to no repository', (gitDir) => writeFileSync(join(gitDir, 'commondir'), '../nothing\n')],
  ])('cannot be judged in a git directory that %s', async (_, change) => {
    const { a: _a, b: _b, ...repository } = await withTwo();
    const { root } = repository;
    const gitDir = join(root, '.git/worktrees/a');
    change(gitDir);
    expect(await ask(repository)).toMatchObject({ answer: 'unsure' });
    expect(await ask(repository, '.', join(root, TREE))).toMatchObject({
      answer: 'unsure',
      reasons: ['unreadable'],
    });
    expect(await exec(repository)).toBe(22);
    rmSync(join(gitDir, 'locked'));
    expect(await ask(repository)).toMatchObject({ answer: 'free' });
  });

  gitTest('that is damaged is doubt', async () => {
    const repository = makeRepository();
    repository.worktree(TREE, 'x');
    writeFileSync(join(repository.root, '.git/worktrees/a/locked'), Buffer.alloc(70_000));
    expect(await ask(repository)).toMatchObject({ answer: 'unsure', state: 'invalid' });
  });

  gitTest('forbids no start to the process that it names itself', async () => {
    const repository = makeRepository();
    repository.worktree(TREE, reasonOf(process.pid));
    expect(await ask(repository)).toMatchObject({
      answer: 'free',
      message: expect.stringContaining(`taken by process ${process.pid}, which asks`),
    });
  });

  gitTest('never makes a start look free where an agent works', async () => {
    const repository = makeRepository();
    const path = repository.worktree(TREE, 'on my stick');
    await fakeAgent('claude', { cwd: path });
    expect(await ask(repository)).toMatchObject({
      answer: 'held',
      message: expect.stringMatching(/^no agent's lock, but claude /),
    });
    expect(await exec(repository)).toBe(20);
  });

  gitTest('is looked at where it stands beside a lock of an agent', async () => {
    const repository = makeRepository();
    const { root, worktree } = repository;
    const { pid } = await startProcess('sleep', ['600'], { cwd: root });
    const tree = worktree(TREE, reasonOf(pid));
    mkdirSync(join(tree, '.runtime'));
    const lock = join(tree, '.runtime/agent.lock');
    writeFileSync(lock, `{"pid":${deadPid()},"acquired_at":"2026-01-01T00:00:00Z"}`);
    aged(lock);
    expect(await ask(repository)).toMatchObject({ answer: 'unsure', state: 'unknown' });
    rmSync(join(root, '.git/worktrees/a/locked'));
    expect(await ask(repository)).toMatchObject({ answer: 'repair', state: 'stale' });
  });

  gitTest('is not looked for where the configuration says so', async () => {
    const repository = makeRepository();
    const { root, worktree } = repository;
    const { pid } = await startProcess('sleep', ['600'], { cwd: root });
    worktree(TREE, reasonOf(pid));
    writeFileSync(join(root, 'lock-doctor.json'), '{"kinds":{"git-worktree":false}}');
    expect(await ask(repository)).toMatchObject({ answer: 'free' });
  });
});

describe('the lock of a worktree that may lie where nobody may look', () => {
  const GIT_DIR = '.git/worktrees/a';

  /** Gives a worktree, and the rest of its repository, to the other user. */
  const giveAway = ({ root }: Repository): void => {
    execFileSync('chown', ['-R', `${OTHER_UID}:${OTHER_UID}`, root]);
    execFileSync('chmod', ['755', root, `${root}/..`]);
  };

  /** A worktree whose lock nobody can judge. */
  const locked = async (): Promise<Repository> => {
    const repository = makeRepository();
    const { pid } = await startProcess('sleep', ['600'], { cwd: repository.root });
    repository.worktree(TREE, reasonOf(pid));
    return repository;
  };

  const unsure = (repository: Repository, why: RegExp) => ({
    answer: 'unsure',
    reasons: ['unreadable'],
    message: expect.stringMatching(
      new RegExp(`^no lock was seen, but \\S+/${TREE}/\\.git could not be checked: ${why.source}`),
    ),
    next: [['doctor', 'explain', TREE, '--town', repository.root]],
  });

  (canBecomeOthers ? gitTest : test.skip)('because it belongs to somebody else', async () => {
    const repository = await locked();
    const { root, env } = repository;
    giveAway(repository);
    lchownSync(join(root, TREE), 0, 0);
    lchownSync(join(root, TREE, '.git'), 0, 0);
    expect(await ask(repository)).toMatchObject(
      unsure(repository, /leads to \S+\/worktrees\/a, which belongs to another user \(uid \d+\)/),
    );
    expect(await exec(repository)).toBe(22);
    const { status, stdout } = doctor(['explain', TREE, '--town', root, '--json'], { env });
    expect([status, JSON.parse(stdout).preflight.answer]).toEqual([0, 'unsure']);
    rmSync(join(root, GIT_DIR, 'locked'));
    expect(await ask(repository)).toMatchObject({ answer: 'free', message: 'no lock, no agent running' });
  });

  (canBecomeOthers ? gitTest : test.skip).each<[string, string, number, RegExp]>([
    ['may not be entered', GIT_DIR, 0o700, /leads to \S+ which cannot be looked at: permission denied/],
    ['may not be listed', GIT_DIR, 0o711, /leads to \S+ which belongs to another user/],
    ['lies where nobody may enter', '.git/worktrees', 0o700, /leads to \S+ which cannot be looked at/],
    ['is named in a file that may not be read', `${TREE}/.git`, 0o600, /cannot be read: permission denied/],
  ])('because its git directory %s', async (_, path, mode, why) => {
    const repository = await locked();
    giveAway(repository);
    lchownSync(join(repository.root, path), 0, 0);
    chmodSync(join(repository.root, path), mode);
    await asOtherUser(async () => {
      expect(await ask(repository)).toMatchObject(unsure(repository, why));
      expect(await exec(repository)).toBe(22);
    });
  });

  (canBecomeOthers ? gitTest : test.skip)('although the directory is known to be the own one', async () => {
    const repository = await locked();
    giveAway(repository);
    chmodSync(join(repository.root, GIT_DIR), 0o311);
    const why = /leads to \S+\/worktrees\/a, which cannot be looked at: permission denied/;
    await asOtherUser(async () => expect(await ask(repository)).toMatchObject(unsure(repository, why)));
  });

  gitTest.each<[string, 'unsure' | 'free', (root: string) => void]>([
    ['in a container', 'unsure', (root) => leadTo(root, '/workspaces/main/.git/worktrees/a')],
    ['in a repository that is gone', 'free', (root) => leadTo(root, join(root, '../gone/.git/worktrees/a'))],
    ['nowhere, as git sees it', 'free', (root) => writeFileSync(join(root, TREE, '.git'), 'nonsense')],
    [
      'behind a symbolic link',
      'unsure',
      (root) => {
        rmSync(join(root, TREE, '.git'));
        symlinkSync(join(root, GIT_DIR), join(root, TREE, '.git'));
      },
    ],
  ])('because it lies %s: %s', async (_, answer, change) => {
    const repository = await locked();
    change(repository.root);
    expect((await ask(repository, '.', join(repository.root, TREE))).answer).toBe(answer);
  });

  const leadTo = (root: string, gitDir: string): void =>
    writeFileSync(join(root, TREE, '.git'), `gitdir: ${gitDir}\n`);

  gitTest("is no reason to release an agent's lock beside it, or to take it over", async () => {
    const repository = await locked();
    const { root } = repository;
    leadTo(root, '/workspaces/main/.git/worktrees/a');
    mkdirSync(join(root, TREE, '.runtime'));
    const lock = join(root, TREE, '.runtime/agent.lock');
    writeFileSync(lock, `{"pid":${deadPid()},"acquired_at":"2026-01-01T00:00:00Z"}`);
    aged(lock);
    expect(await ask(repository)).toMatchObject({ answer: 'unsure', state: 'stale' });
    expect(await exec(repository)).toBe(22);
    renameSync(lock, `${lock}-`);
    expect(await exec(repository)).toBe(22);
  });
});

describe('a lock by which git keeps others from the index', () => {
  const left = (root: string, path: string): string => {
    const lock = join(root, path);
    writeFileSync(lock, '');
    aged(lock);
    return lock;
  };

  linuxGitTest.each([
    ['.', '.git/index.lock'],
    [TREE, '.git/worktrees/a/HEAD.lock'],
  ])('and that was left in %s is to be released first: preflight --fix does it', async (worker, path) => {
    const repository = makeRepository();
    const { root, env, worktree } = repository;
    worktree(TREE);
    const lock = left(root, path);
    expect(await ask(repository, worker)).toMatchObject({
      answer: 'repair',
      state: 'stale',
      message: expect.stringMatching(/^stale git-lock: \w+\.lock was left behind, and keeps git from /),
      next: releaseOf(root, path),
    });
    const started = doctor(['exec', worker, '--town', root, '--', 'sh', '-c', 'exit 7'], { env });
    expect(started).toMatchObject({ status: 7, stdout: '' });
    expect(started.stderr).toMatch(
      /^doctor: .*\.lock was left behind, .* \(next: doctor --fix --town .*\)\n$/,
    );
    const { status, stdout } = doctor(['preflight', '--fix', worker, '--town', root], { env });
    expect([status, existsSync(lock)]).toEqual([0, false]);
    expect(stdout).toMatch(/: no lock, no agent running; a dead lock was released \(doctor undo /);
  });

  linuxGitTest('and that was written just now is not said to be left behind', async () => {
    const repository = makeRepository();
    const { root, env } = repository;
    writeFileSync(join(root, '.git/index.lock'), '');
    const { answer, message } = await ask(repository, '.');
    expect(answer).toBe('free');
    expect(message).toContain(
      '; index.lock keeps git from adding and committing; nobody is seen to hold it (stale: written less than 60 s ago',
    );
    const explained = doctor(['explain', '.', '--town', root], { env }).stdout;
    expect(explained).toContain('Nobody is seen to hold this lock, but it was just written');
    expect(explained).not.toContain('gone');
  });

  linuxGitTest('is released by the command that is named, where it lies outside of the root', async () => {
    const repository = makeRepository();
    const { root, env, worktree } = repository;
    const tree = worktree('../beside');
    const lock = left(root, '.git/worktrees/beside/index.lock');
    const { status, stdout } = doctor(['preflight', '--fix', '.'], { env, cwd: tree });
    expect([status, existsSync(lock)]).toEqual([21, true]);
    expect(stdout).toContain('its lock was not released: it is outside this directory');
    const [command = []] = (await ask(repository, '.', tree)).next;
    expect(doctor(command.slice(1), { env, cwd: '/' }).status).toBe(0);
    expect((await ask(repository, '.', tree)).answer).toBe('free');
  });

  linuxGitTest('and that somebody holds forbids no start, but is named', async () => {
    const repository = makeRepository();
    const lock = left(repository.root, '.git/index.lock');
    const { pid } = await startProcess('sh', ['-c', 'exec 3< "$0"; exec sleep 600', lock], { cwd: '/' });
    await until(() => existsSync(`/proc/${pid}/fd/3`), 'the open file');
    const { answer, message } = await ask(repository, '.');
    expect(answer).toBe('free');
    expect(message).toContain(
      `; index.lock keeps git from adding and committing (held: process ${pid} (sleep) has it open)`,
    );
  });

  linuxGitTest('and that belongs to another working tree says nothing about this one', async () => {
    const repository = makeRepository();
    const { root, worktree } = repository;
    worktree(TREE, 'x');
    left(root, '.git/index.lock');
    worktree('.claude/worktrees/b');
    left(root, '.git/worktrees/b/index.lock');
    expect((await ask(repository)).message).not.toContain('index.lock');
    expect((await ask(repository, '.claude/worktrees/b')).answer).toBe('repair');
  });
});

describe('a worktree whose directory is gone', () => {
  gitTest.each([null, 'on my stick'])(
    'is no place for a start while git lists it (locked: %j)',
    async (reason) => {
      const repository = makeRepository();
      const { root, env, worktree } = repository;
      worktree('.claude/worktrees/b');
      const tree = worktree(TREE, reason ?? undefined);
      rmSync(tree, { recursive: true });
      for (const options of [{}, { new: true }])
        await expect(preflight(root, TREE, { env, cwd: root, ...options })).rejects.toMatchObject({
          code: 'E_USAGE',
          message: expect.stringContaining('git adds no worktree there while it lists the old one'),
          hint: expect.stringContaining(`git still lists the worktree ${tree}, but its directory is gone.`),
        });
      expect(doctor(['exec', TREE, '--town', root, '--', 'true'], { env }).status).toBe(2);
      expect(doctor(['preflight', TREE, '--town', root], { env }).status).toBe(2);
      expect(() => git(root, 'worktree', 'add', '--detach', TREE)).toThrow(/missing but/);
      if (reason !== null) git(root, 'worktree', 'unlock', tree);
      git(root, 'worktree', 'prune');
      expect(await ask(repository)).toMatchObject({
        answer: 'free',
        message: 'the directory does not exist yet; no lock, no agent running',
      });
    },
  );

  gitTest.each(['clone', 'directory that shares its repository by a commondir of its own'])(
    'is none either where only a %s beside it tells',
    async (kind) => {
      const { root, env, worktree } = makeRepository();
      const beside = worktree('../apart/beside');
      const tree = join(dirname(beside), 'gone');
      if (kind === 'clone') {
        rmSync(beside, { recursive: true });
        git(root, 'clone', '-q', root, beside);
        git(beside, 'worktree', 'add', '-q', '--detach', tree);
      } else {
        worktree('../apart/gone');
        const gitDir = git(beside, 'rev-parse', '--absolute-git-dir').trim();
        rmSync(join(beside, '.git'));
        cpSync(gitDir, join(beside, '.git'), { recursive: true });
        writeFileSync(join(beside, '.git/commondir'), join(root, '.git'));
      }
      rmSync(tree, { recursive: true });
      await expect(preflight(undefined, tree, { env, cwd: dirname(beside) })).rejects.toMatchObject({
        hint: expect.stringContaining(`git still lists the worktree ${tree}, but its directory is gone.`),
      });
    },
  );
});
