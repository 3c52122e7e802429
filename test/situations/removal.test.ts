/** May a directory be removed? Asked about working trees that git made, with real processes in them. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { PreflightReport, PreflightResult } from '../../src/core/types/report.ts';
import { preflightRemoval } from '../../src/places/removal.ts';
import {
  asOtherUser,
  canBecomeOthers,
  cleanUp,
  deadPid,
  fakeAgent,
  makeTmuxTmpdir,
  makeTown,
  OTHER_UID,
  startProcess,
} from '../support/index.ts';
import { aged } from './repository.ts';
import { bareEnvironment } from './stage.ts';
import { heal } from './undisturbed.ts';

afterEach(cleanUp);

const GIT_ENV = {
  ...process.env,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.org',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.org',
};

const git = (cwd: string, ...args: readonly string[]): string =>
  execFileSync('git', ['-c', 'protocol.file.allow=always', ...args], {
    cwd,
    env: GIT_ENV,
    encoding: 'utf8',
    stdio: 'pipe',
  });

const gitTest = spawnSync('git', ['--version']).status === 0 ? test : test.skip;

interface Stage {
  /** The parent of all of them. */
  readonly home: string;
  /** A repository whose commits are pushed, with one worktree. */
  readonly main: string;
  /** A linked working tree on the branch `feature`, clean. */
  readonly tree: string;
  /** A clone whose commits are pushed, without worktrees. */
  readonly clone: string;
  readonly ask: (...directories: readonly string[]) => Promise<PreflightReport>;
  readonly answer: (directory: string) => Promise<PreflightResult>;
}

const setStage = (): Stage => {
  const home = makeTown({ marked: false, workers: [], rigs: {} }).root;
  const [remote, main, clone] = ['remote.git', 'main', 'clone'].map((name) => join(home, name)) as [
    string,
    string,
    string,
  ];
  git(home, 'init', '-q', '--bare', '-b', 'main', remote);
  git(home, 'init', '-q', '-b', 'main', main);
  writeFileSync(join(main, 'file'), 'text\n');
  git(main, 'add', '.');
  git(main, 'commit', '-q', '-m', 'first');
  git(main, 'remote', 'add', 'origin', remote);
  git(main, 'push', '-q', 'origin', 'main');
  git(home, 'clone', '-q', remote, clone);
  git(main, 'worktree', 'add', '-q', '../tree', '-b', 'feature');
  const env = { ...bareEnvironment(makeTmuxTmpdir()), GIT_CONFIG_GLOBAL: '/dev/null' };
  const ask = (...directories: readonly string[]): Promise<PreflightReport> =>
    preflightRemoval(undefined, directories, { env, cwd: home });
  return {
    home,
    main,
    clone,
    tree: join(home, 'tree'),
    ask,
    answer: async (directory) => {
      const [result] = (await ask(directory)).results;
      if (result === undefined) throw new Error('no answer');
      return result;
    },
  };
};

const commitIn = (tree: string, name = 'new'): void => {
  writeFileSync(join(tree, name), 'new\n');
  git(tree, 'add', name);
  git(tree, 'commit', '-q', '-m', name);
};

/** Stops a real `git rebase` in the linked working tree at a conflict; its state is in the main repository. */
const rebaseOntoConflict = (main: string, tree: string): void => {
  writeFileSync(join(main, 'file'), 'ours\n');
  git(main, 'commit', '-q', '-a', '-m', 'ours');
  writeFileSync(join(tree, 'file'), 'theirs\n');
  git(tree, 'commit', '-q', '-a', '-m', 'theirs');
  if (spawnSync('git', ['rebase', 'main'], { cwd: tree, env: GIT_ENV }).status === 0)
    throw new Error('the rebase met no conflict');
  if (!existsSync(join(main, '.git/worktrees/tree/rebase-merge'))) throw new Error('no rebase is under way');
};

type Case = readonly [
  what: string,
  answer: PreflightResult['answer'],
  reasons: readonly string[],
  /** Makes the case and returns the directory in question. */
  make: (stage: Stage) => string,
];

const CASES: readonly Case[] = [
  ['a clean worktree', 'free', [], ({ tree }) => tree],
  ['a clean clone whose commits are all pushed', 'free', [], ({ clone }) => clone],
  [
    'a worktree in which a git has just begun',
    'unsure',
    ['lock-unknown'],
    ({ main, tree }) => {
      writeFileSync(join(main, '.git/worktrees/tree/index.lock'), '');
      return tree;
    },
  ],
  [
    'a clone in which a git has just begun',
    'unsure',
    ['lock-unknown'],
    ({ clone }) => {
      writeFileSync(join(clone, '.git/HEAD.lock'), '');
      return clone;
    },
  ],
  [
    'an untracked file',
    'held',
    ['uncommitted'],
    ({ tree }) => {
      writeFileSync(join(tree, 'new'), '');
      return tree;
    },
  ],
  [
    'an untracked file that the configuration hides',
    'held',
    ['uncommitted'],
    ({ main, tree }) => {
      git(main, 'config', 'status.showUntrackedFiles', 'no');
      writeFileSync(join(tree, 'new'), '');
      return tree;
    },
  ],
  [
    'a changed file',
    'held',
    ['uncommitted'],
    ({ tree }) => {
      writeFileSync(join(tree, 'file'), 'other\n');
      return tree;
    },
  ],
  [
    'a staged file',
    'held',
    ['uncommitted'],
    ({ tree }) => {
      writeFileSync(join(tree, 'new'), '');
      git(tree, 'add', 'new');
      return tree;
    },
  ],
  [
    'a commit that exists nowhere else',
    'held',
    ['unpushed'],
    ({ tree }) => {
      commitIn(tree);
      return tree;
    },
  ],
  [
    'a commit that is also on another local branch',
    'free',
    [],
    ({ tree }) => {
      commitIn(tree);
      git(tree, 'branch', 'copy');
      return tree;
    },
  ],
  [
    'a pushed commit on a branch with special characters in its name',
    'free',
    [],
    ({ tree }) => {
      git(tree, 'checkout', '-q', '-b', "it's/a+b{c}(d)#e");
      commitIn(tree);
      git(tree, 'push', '-q', 'origin', 'HEAD');
      return tree;
    },
  ],
  [
    'a commit on no branch',
    'held',
    ['unpushed'],
    ({ tree }) => {
      git(tree, 'checkout', '-q', '--detach');
      commitIn(tree);
      return tree;
    },
  ],
  [
    'a detached HEAD that is on a branch',
    'free',
    [],
    ({ tree }) => {
      git(tree, 'checkout', '-q', '--detach');
      return tree;
    },
  ],
  [
    'a merge with conflicts',
    'held',
    ['uncommitted', 'unpushed'],
    ({ tree }) => {
      git(tree, 'checkout', '-q', '-b', 'other');
      writeFileSync(join(tree, 'file'), 'one\n');
      git(tree, 'commit', '-q', '-a', '-m', 'one');
      git(tree, 'checkout', '-q', 'feature');
      writeFileSync(join(tree, 'file'), 'two\n');
      git(tree, 'commit', '-q', '-a', '-m', 'two');
      spawnSync('git', ['merge', 'other'], { cwd: tree, env: GIT_ENV });
      return tree;
    },
  ],
  [
    'a rebase that stopped at a conflict',
    'held',
    ['uncommitted'],
    ({ main, tree }) => {
      rebaseOntoConflict(main, tree);
      return tree;
    },
  ],
  [
    'a rebase whose conflict is resolved and staged',
    'held',
    ['uncommitted'],
    ({ main, tree }) => {
      rebaseOntoConflict(main, tree);
      writeFileSync(join(tree, 'file'), 'resolved\n');
      git(tree, 'add', 'file');
      return tree;
    },
  ],
  [
    'a rebase stopped at a break, with everything committed and pushed',
    'held',
    ['uncommitted'],
    ({ tree }) => {
      commitIn(tree);
      git(tree, 'push', '-q', 'origin', 'feature');
      execFileSync('git', ['rebase', '-q', '-i', 'main'], {
        cwd: tree,
        env: { ...GIT_ENV, GIT_SEQUENCE_EDITOR: 'sh -c \'echo break >"$1"\' sh' },
        stdio: 'ignore',
      });
      return tree;
    },
  ],
  [
    'a bisect that is not finished',
    'held',
    ['uncommitted'],
    ({ main, tree }) => {
      commitIn(tree);
      git(tree, 'push', '-q', 'origin', 'feature');
      git(tree, 'bisect', 'start', 'feature', git(main, 'rev-parse', 'main').trim());
      return tree;
    },
  ],
  [
    'a stash of the repository, which remains',
    'free',
    [],
    ({ tree }) => {
      writeFileSync(join(tree, 'file'), 'other\n');
      git(tree, 'stash', '-q');
      return tree;
    },
  ],
  [
    'a stash of a clone, which would be lost',
    'held',
    ['stash'],
    ({ clone }) => {
      writeFileSync(join(clone, 'file'), 'other\n');
      git(clone, 'stash', '-q');
      return clone;
    },
  ],
  [
    'a commit of a clone on a branch that is not checked out',
    'held',
    ['unpushed'],
    ({ clone }) => {
      git(clone, 'checkout', '-q', '-b', 'aside');
      commitIn(clone);
      git(clone, 'checkout', '-q', 'main');
      return clone;
    },
  ],
  [
    'a commit of a clone on a ref that is no branch, to which its HEAD points',
    'held',
    ['unpushed'],
    ({ clone }) => {
      git(clone, 'symbolic-ref', 'HEAD', 'refs/wip/x');
      git(clone, 'update-ref', 'refs/wip/x', 'main');
      commitIn(clone);
      return clone;
    },
  ],
  ['a main working tree with a linked one', 'held', ['linked-worktrees'], ({ main }) => main],
  [
    'a main working tree whose linked one is gone',
    'held',
    ['unpushed'],
    ({ main, tree }) => {
      commitIn(tree);
      rmSync(tree, { recursive: true });
      return main;
    },
  ],
  [
    'a repository without a remote',
    'held',
    ['unpushed'],
    ({ home }) => {
      git(home, 'init', '-q', 'alone');
      commitIn(join(home, 'alone'));
      return join(home, 'alone');
    },
  ],
  [
    'a clone that is its own remote',
    'held',
    ['unpushed'],
    ({ clone }) => {
      commitIn(clone);
      git(clone, 'remote', 'add', 'own', '.');
      git(clone, 'fetch', '-q', 'own');
      return clone;
    },
  ],
  [
    'a clone with a remote-tracking branch of no remote that is configured',
    'held',
    ['unpushed'],
    ({ clone }) => {
      commitIn(clone);
      git(clone, 'update-ref', 'refs/remotes/old/main', 'HEAD');
      return clone;
    },
  ],
  [
    'a clone whose remote has remote-tracking branches of another name',
    'free',
    [],
    ({ clone, home }) => {
      commitIn(clone);
      git(clone, 'push', '-q', join(home, 'remote.git'), 'HEAD:refs/pull/1/head');
      git(clone, 'config', '--add', 'remote.origin.fetch', '+refs/pull/*/head:refs/remotes/pr/*');
      git(clone, 'fetch', '-q');
      return clone;
    },
  ],
  [
    'a clone of a repository that is gone',
    'held',
    ['unpushed'],
    ({ home, clone }) => {
      rmSync(join(home, 'remote.git'), { recursive: true });
      return clone;
    },
  ],
  [
    'a clone of a repository that is gone, which another remote has',
    'free',
    [],
    ({ home, clone }) => {
      git(home, 'clone', '-q', '--bare', clone, 'second one.git');
      git(clone, 'remote', 'add', 'second', `file://${home}/second%20one`);
      git(clone, 'fetch', '-q', 'second');
      rmSync(join(home, 'remote.git'), { recursive: true });
      return clone;
    },
  ],
  [
    'a repository without a commit',
    'free',
    [],
    ({ home }) => {
      git(home, 'init', '-q', 'alone');
      return join(home, 'alone');
    },
  ],
  [
    'a bare repository with commits that exist nowhere else',
    'held',
    ['unpushed'],
    ({ home }) => join(home, 'remote.git'),
  ],
  [
    'an empty directory outside any repository',
    'free',
    [],
    ({ home }) => {
      mkdirSync(join(home, 'empty'));
      return join(home, 'empty');
    },
  ],
  [
    'files outside any repository',
    'unsure',
    ['no-repository'],
    ({ home }) => {
      mkdirSync(join(home, 'plain'));
      writeFileSync(join(home, 'plain/notes'), '');
      return join(home, 'plain');
    },
  ],
  [
    'a committed directory of a working tree',
    'free',
    [],
    ({ clone }) => {
      mkdirSync(join(clone, 'src'));
      commitIn(clone, 'src/new');
      return join(clone, 'src');
    },
  ],
  [
    'a directory of a working tree with a new file',
    'held',
    ['uncommitted'],
    ({ clone }) => {
      mkdirSync(join(clone, 'src'));
      commitIn(clone, 'src/new');
      writeFileSync(join(clone, 'src/newer'), '');
      return join(clone, 'src');
    },
  ],
  [
    'a directory that git ignores',
    'unsure',
    ['no-repository'],
    ({ clone }) => {
      writeFileSync(join(clone, '.git/info/exclude'), '/build/\n');
      mkdirSync(join(clone, 'build'));
      writeFileSync(join(clone, 'build/out'), '');
      return join(clone, 'build');
    },
  ],
  [
    'an ignored clone inside, with an unpushed commit',
    'held',
    ['unpushed'],
    ({ clone, home }) => {
      writeFileSync(join(clone, '.git/info/exclude'), '/vendor/\n');
      git(clone, 'clone', '-q', join(home, 'remote.git'), 'vendor/inner');
      commitIn(join(clone, 'vendor/inner'));
      return clone;
    },
  ],
  [
    'a submodule with an unpushed commit',
    'held',
    ['uncommitted', 'unpushed'],
    ({ clone, home }) => {
      git(clone, 'submodule', '--quiet', 'add', join(home, 'remote.git'), 'sub');
      git(clone, 'commit', '-q', '-a', '-m', 'sub');
      git(clone, 'push', '-q', 'origin', 'main:with-sub');
      commitIn(join(clone, 'sub'));
      return clone;
    },
  ],
  [
    'a submodule with an untracked file that its configuration hides',
    'held',
    ['uncommitted'],
    ({ clone, home }) => {
      git(clone, 'submodule', '--quiet', 'add', join(home, 'remote.git'), 'sub');
      git(clone, 'config', '-f', '.gitmodules', 'submodule.sub.ignore', 'all');
      git(clone, 'commit', '-q', '-a', '-m', 'sub');
      git(clone, 'push', '-q', 'origin', 'main:with-sub');
      writeFileSync(join(clone, 'sub/new'), '');
      return clone;
    },
  ],
  [
    'a file whose changes git is told to ignore',
    'unsure',
    ['work-unknown'],
    ({ tree }) => {
      git(tree, 'update-index', '--assume-unchanged', 'file');
      writeFileSync(join(tree, 'file'), 'hidden\n');
      return tree;
    },
  ],
  [
    'a configuration that points git at another working tree',
    'unsure',
    ['work-unknown'],
    ({ clone, main }) => {
      git(clone, 'config', 'core.worktree', main);
      writeFileSync(join(clone, 'new'), '');
      return clone;
    },
  ],
  [
    'an invalid index',
    'unsure',
    ['work-unknown'],
    ({ clone }) => {
      writeFileSync(join(clone, '.git/index'), 'nonsense');
      return clone;
    },
  ],
  [
    'a worktree whose main repository is gone',
    'unsure',
    ['work-unknown'],
    ({ tree, main }) => {
      rmSync(main, { recursive: true });
      return tree;
    },
  ],
  [
    'a worktree that a person locked',
    'held',
    ['lock-held'],
    ({ main, tree }) => {
      git(main, 'worktree', 'lock', '--reason', 'on my stick', tree);
      return tree;
    },
  ],
];

describe('the answer about removal', () => {
  for (const [what, answer, reasons, make] of CASES)
    gitTest(`${what}: ${answer}`, async () => {
      const stage = setStage();
      const result = await stage.answer(make(stage));
      expect([result.answer, result.reasons, result.message]).toEqual([answer, reasons, expect.any(String)]);
    });

  gitTest('counts no remote that is removed with it, in one directory or as another one', async () => {
    const { home, ask, answer } = setStage();
    const [one, other] = [join(home, 'both/one'), join(home, 'both/other')];
    git(home, 'init', '-q', '-b', 'main', one);
    commitIn(one);
    git(home, 'clone', '-q', one, other);
    git(one, 'remote', 'add', 'b', '../other');
    git(one, 'fetch', '-q', 'b');
    const { answer: word, reasons, message } = await answer('both');
    expect([word, reasons]).toEqual(['held', ['unpushed']]);
    expect(message).toContain(`1 commit on no remote, or only on b (${other} goes too)`);
    // The commit stays as long as the first one does.
    const { exitCode, results } = await ask(one, other);
    expect([exitCode, results.map((result) => result.answer)]).toEqual([20, ['held', 'free']]);
    expect([(await answer(one)).answer, (await answer(other)).answer]).toEqual(['free', 'free']);
  });

  gitTest('is free for a clone inside another one whose commits are all pushed', async () => {
    const { clone, answer } = setStage();
    writeFileSync(join(clone, '.git/info/exclude'), '/inner/\n');
    git(clone, 'clone', '-q', clone, 'inner');
    expect((await answer(clone)).answer).toBe('free');
    commitIn(join(clone, 'inner'));
    git(join(clone, 'inner'), 'push', '-q', 'origin', 'HEAD:refs/heads/new');
    expect((await answer(clone)).answer).toBe('held');
  });

  gitTest('is the worst one for several directories, and each has its own', async () => {
    const { ask, tree, main } = setStage();
    const report = await ask(tree, main, 'tree');
    expect(report).toMatchObject({ for: 'removal', exitCode: 20 });
    expect(report.results.map(({ answer }) => answer)).toEqual(['free', 'held', 'free']);
  });

  gitTest(
    'names the stale lock that prevents git from removing it, and the command that releases it',
    async () => {
      const { main, tree, answer, ask, home } = setStage();
      git(main, 'worktree', 'lock', '--reason', `claude agent agent-ab12 (pid ${deadPid()})`, tree);
      const path = join(main, '.git/worktrees/tree/locked');
      aged(path);
      expect(() => git(main, 'worktree', 'remove', tree)).toThrow(/locked working tree/);
      const release = ['doctor', '--fix', '--town', main, '--lock', path];
      expect(await answer(tree)).toMatchObject({
        answer: 'repair',
        reasons: ['lock-stale'],
        message: expect.stringMatching(
          /^git does not remove it while its lock is there: stale git-worktree lock of claude agent agent-ab12: its process \(\d+\) is gone; taken /,
        ),
        next: [release],
      });
      expect(await ask(tree)).toMatchObject({ exitCode: 21 });
      // What would be lost comes first.
      writeFileSync(join(tree, 'new'), '');
      expect(await answer(tree)).toMatchObject({ answer: 'held', reasons: ['lock-stale', 'uncommitted'] });
      rmSync(join(tree, 'new'));
      writeFileSync(path, readFileSync(path));
      const { answer: young, retryInSeconds } = await answer(tree);
      expect([young, retryInSeconds]).toEqual(['unsure', expect.any(Number)]);
      aged(path);

      const env = { ...bareEnvironment(makeTmuxTmpdir()) };
      expect((await heal(main, { env, cwd: home, locks: [path] })).summary).toMatchObject({ fixed: 1 });
      expect(await answer(tree)).toMatchObject({ answer: 'free', next: [] });
      git(main, 'worktree', 'remove', tree);
    },
  );

  gitTest('names a command that lists the commits that were counted, and no others', async () => {
    const { tree, answer } = setStage();
    git(tree, 'remote', 'remove', 'origin');
    commitIn(tree);
    for (const said of [' of .*, on no remote and on no other branch', ', on no branch and on no remote']) {
      const { message, next } = await answer(tree);
      expect(message).toMatch(new RegExp(`^1 commit${said}$`));
      const [[program, ...words] = []] = next;
      expect(program).toBe('git');
      expect(git('/', ...words)).toMatch(/^\w+ new\n$/);
      if (git(tree, 'branch', '--show-current') === '') break;
      const branch = git(tree, 'branch', '--show-current').trim();
      git(tree, 'checkout', '-q', '--detach');
      git(tree, 'branch', '-q', '-D', branch);
    }
  });

  gitTest('names each place where commits would be kept once in that command', async () => {
    const { clone, answer } = setStage();
    commitIn(clone);
    const { next } = await answer(clone);
    expect(next[0]?.filter((word) => word.startsWith('--glob='))).toEqual(['--glob=refs/remotes/origin/*']);
  });

  gitTest('names no branch for a HEAD that points to a ref of the working tree', async () => {
    const { tree, answer } = setStage();
    git(tree, 'update-ref', 'refs/worktree/x', 'HEAD');
    git(tree, 'symbolic-ref', 'HEAD', 'refs/worktree/x');
    commitIn(tree);
    const { message, next } = await answer(tree);
    expect(message).toBe('1 commit, on no branch and on no remote');
    const [[, ...words] = []] = next;
    expect(git('/', ...words)).toMatch(/^\w+ new\n$/);
  });

  gitTest(
    'names the directory of its locks where git does not ignore it, and what makes git do so',
    async () => {
      const { main, tree, answer } = setStage();
      mkdirSync(join(tree, '.runtime'));
      writeFileSync(join(tree, '.runtime/agent.lock.flock'), '');
      const { answer: word, message, next } = await answer(tree);
      expect([word, message]).toEqual([
        'held',
        '.runtime/ of its locks is not ignored, so git takes it for work',
      ]);
      const [[program = '', ...words] = []] = next;
      execFileSync(program, words, { cwd: '/' });
      expect(await answer(tree)).toMatchObject({ answer: 'free' });
      git(main, 'worktree', 'remove', tree);
    },
  );

  gitTest('names what the person who locked it by hand does, and that works', async () => {
    const { main, tree, answer } = setStage();
    git(main, 'worktree', 'lock', tree);
    const { message, next } = await answer(tree);
    expect(message).toMatch(
      / is held by a person, who alone unlocks it \(git worktree unlock\): locked without a reason or a name$/,
    );
    // Whoever runs the next command without reading on must not unlock it.
    expect(next).toEqual([['doctor', 'locks', '--under', tree, '--town', tree]]);
    git(main, 'worktree', 'unlock', tree);
    expect(await answer(tree)).toMatchObject({ answer: 'free', next: [] });
  });

  gitTest('is a usage error for a directory that does not exist', async () => {
    const { ask } = setStage();
    await expect(ask('nothing')).rejects.toMatchObject({ code: 'E_USAGE' });
    await expect(ask('')).rejects.toMatchObject({ code: 'E_USAGE' });
  });

  gitTest('is unsure without git', async () => {
    const { tree } = setStage();
    const env = { ...bareEnvironment(makeTmuxTmpdir()), PATH: '/no/such' };
    const { results, exitCode } = await preflightRemoval(undefined, [tree], { env, cwd: '/tmp' });
    expect(exitCode).toBe(22);
    expect(results[0]?.reasons).toContain('work-unknown');
  });

  (canBecomeOthers ? gitTest : test.skip)(
    'is unsure for a repository that belongs to several users (skipped without root)',
    async () => {
      const { answer, clone } = setStage();
      chownSync(join(clone, '.git'), OTHER_UID, OTHER_UID);
      expect(await answer(clone)).toMatchObject({ answer: 'unsure', reasons: ['work-unknown'] });
    },
  );
});

describe('the answer about removal, by what works there', () => {
  gitTest('is held for an agent, even in a directory below', async () => {
    const { answer, tree } = setStage();
    mkdirSync(join(tree, 'src'));
    const { pid } = await fakeAgent('claude', { cwd: join(tree, 'src') });
    const result = await answer(tree);
    expect(result).toMatchObject({ answer: 'held', reasons: ['occupied'] });
    expect(result.message).toContain(`process ${pid}`);
    expect(result.next).toContainEqual(['doctor', 'who', tree]);
  });

  gitTest('is unsure for an unknown program', async () => {
    const { answer, tree } = setStage();
    await fakeAgent('my-own-thing', { cwd: tree, detached: true });
    expect(await answer(tree)).toMatchObject({ answer: 'unsure', reasons: ['occupants-unknown'] });
  });

  gitTest('ignores a bystander, but mentions it', async () => {
    const { answer, tree } = setStage();
    const { pid } = await startProcess('sh', ['-i'], {
      cwd: tree,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const result = await answer(tree);
    expect(result).toMatchObject({ answer: 'free', reasons: [] });
    expect(result.evidence.map(({ text }) => text).join()).toContain(`process ${pid}`);
  });

  gitTest('is unsure if a killed run moved a lock aside, with the command that restores it', async () => {
    const { answer, main, tree } = setStage();
    writeFileSync(join(main, '.git/info/exclude'), '.runtime/\n');
    mkdirSync(join(tree, '.runtime'));
    writeFileSync(join(tree, '.runtime/agent.lock.0123456789abcdef.old'), '{}');
    const result = await answer(tree);
    expect(result).toMatchObject({ answer: 'unsure', reasons: ['lock-unknown'] });
    expect(result.message).toContain('agent.lock.0123456789abcdef.old may still be the lock');
    expect(result.next).toMatchObject([expect.arrayContaining(['doctor', '--fix', '--worker'])]);
    writeFileSync(join(tree, '.runtime/agent.lock'), JSON.stringify({ pid: 0, session_id: '' }));
    expect((await answer(tree)).answer).toBe('free');
  });

  gitTest("is held for a live holder of an agent's lock, and free for a dead one", async () => {
    const { answer, main, tree } = setStage();
    writeFileSync(join(main, '.git/info/exclude'), '.runtime/\n');
    mkdirSync(join(tree, '.runtime'));
    const lock = (pid: number): void =>
      writeFileSync(
        join(tree, '.runtime/agent.lock'),
        JSON.stringify({ pid, acquired_at: new Date().toISOString(), session_id: '' }),
      );
    lock(process.pid);
    expect(await answer(tree)).toMatchObject({ answer: 'held', reasons: ['occupied', 'lock-held'] });
    lock(0);
    expect((await answer(tree)).answer).toBe('free');
  });
});

gitTest('a lock in a worktree inside its main repository is reported once', async () => {
  const { main, answer } = setStage();
  git(main, 'worktree', 'add', '-q', 'inner');
  writeFileSync(join(main, '.git/info/exclude'), '.gsd\n');
  mkdirSync(join(main, 'inner/.gsd'));
  const startedAt = new Date().toISOString();
  writeFileSync(join(main, 'inner/.gsd/auto.lock'), JSON.stringify({ pid: process.pid, startedAt }));
  const { answer: word, evidence } = await answer(join(main, 'inner'));
  expect(word).toBe('held');
  expect(evidence.filter(({ text }) => text.includes('auto.lock is held'))).toHaveLength(1);
});

describe('the answer about removal is unsure if the user cannot read', () => {
  const othersTest = canBecomeOthers ? gitTest : test.skip;

  /** All of it belongs to the other user. */
  const setTheirStage = (): Stage => {
    const stage = setStage();
    execFileSync('chown', ['-R', `${OTHER_UID}:${OTHER_UID}`, stage.home]);
    chmodSync(stage.home, 0o755);
    return stage;
  };

  othersTest('a directory in the worktree', async () => {
    const { answer, tree } = setTheirStage();
    const closed = join(tree, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    await asOtherUser(async () => {
      const { answer: word, evidence } = await answer(tree);
      expect(word).toBe('unsure');
      expect(evidence.map(({ text }) => text).join('\n')).toContain(closed);
    });
    chownSync(closed, OTHER_UID, OTHER_UID);
    await asOtherUser(async () => expect(JSON.stringify(await answer(tree))).not.toContain(closed));
  });

  othersTest('the git directory of the worktree', async () => {
    const { answer, main, tree } = setTheirStage();
    for (const path of ['.git/worktrees/tree', '.git/worktrees', '.git']) {
      chownSync(join(main, path), 0, 0);
      chmodSync(join(main, path), 0o700);
      await asOtherUser(async () => expect([path, (await answer(tree)).answer]).toEqual([path, 'unsure']));
    }
  });

  othersTest('the worktree itself', async () => {
    const { answer, tree } = setTheirStage();
    chownSync(tree, 0, 0);
    chmodSync(tree, 0o700);
    await asOtherUser(async () =>
      expect(await answer(tree)).toMatchObject({
        answer: 'unsure',
        reasons: ['unreadable'],
        message: `${tree} could not be looked at: permission denied (EACCES)`,
      }),
    );
  });
});

describe('the question about removal', () => {
  /** Every file below, with its content and times. */
  const stateOf = (directory: string): ReadonlyMap<string, string> =>
    new Map(
      readdirSync(directory, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .map((path) => {
          const { mtimeNs, ctimeNs, ino } = statSync(path, { bigint: true });
          return [path, `${ino} ${mtimeNs} ${ctimeNs} ${readFileSync(path, 'latin1')}`];
        }),
    );

  gitTest('changes no file and no file time, although git status would refresh the index', async () => {
    const { answer, tree, clone, home } = setStage();
    // Every entry looks modified until its content is compared.
    for (const directory of [tree, clone])
      execFileSync('touch', ['-d', '2001-01-01', join(directory, 'file')]);
    const before = stateOf(home);
    expect((await answer(tree)).answer).toBe('free');
    expect((await answer(clone)).answer).toBe('free');
    expect(stateOf(home)).toEqual(before);
    git(clone, 'status');
    expect(stateOf(home)).not.toEqual(before);
  });

  gitTest('runs nothing that a repository or submodule configures: no filter, hook or monitor', async () => {
    const { answer, clone, home } = setStage();
    git(clone, 'submodule', '--quiet', 'add', join(home, 'remote.git'), 'sub');
    git(clone, 'commit', '-q', '-a', '-m', 'sub');
    git(clone, 'push', '-q', 'origin', 'main:with-sub');
    const ran = join(home, 'ran');
    const program = join(home, 'evil');
    writeFileSync(program, `#!/bin/sh\necho "$0 $*" >>'${ran}'\ncat\n`);
    chmodSync(program, 0o755);
    for (const directory of [clone, join(clone, 'sub')]) {
      for (const name of ['filter.evil.clean', 'filter.evil.process', 'core.fsmonitor', 'core.sshCommand'])
        git(directory, 'config', name, program);
      git(directory, 'config', 'filter.evil.required', 'true');
      git(directory, 'config', 'log.showSignature', 'true');
      git(directory, 'config', 'gpg.program', program);
      const info = join(git(directory, 'rev-parse', '--absolute-git-dir').trim(), 'info');
      mkdirSync(info, { recursive: true });
      writeFileSync(join(info, 'attributes'), '* filter=evil\n');
      writeFileSync(join(directory, 'file'), 'texx\n');
    }
    spawnSync('git', ['status'], { cwd: clone, env: GIT_ENV, input: '' });
    expect(existsSync(ran)).toBe(true);
    rmSync(ran);
    expect(await answer(clone)).toMatchObject({ answer: 'held', reasons: ['uncommitted'] });
    expect(existsSync(ran)).toBe(false);
  });

  gitTest('handles a directory name that looks like an option or contains control characters', async () => {
    const { home, main, ask } = setStage();
    const name = '--force\u001b[31m\nx';
    git(main, 'worktree', 'add', '-q', '--detach', `../${name}`);
    writeFileSync(join(home, name, 'new'), '');
    const { results } = await ask(join(home, name));
    expect(results).toMatchObject([{ answer: 'held', reasons: ['uncommitted'] }]);
  });
});

describe("a directory of git's own", () => {
  gitTest.each(['.git', '.git/objects', '.git/refs', '.git/worktrees/tree', '.git/hooks'])(
    'is never answered for alone: %s',
    async (part) => {
      const { main, answer } = setStage();
      const said = await answer(join(main, part));
      expect(said).toMatchObject({ answer: 'unsure', reasons: ['work-unknown'] });
      expect(said.message).toContain(`${main} is lost`);
    },
  );

  gitTest('has no submodule with own commits that is not checked out', async () => {
    const { clone, home, answer } = setStage();
    git(clone, 'submodule', 'add', '-q', join(home, 'remote.git'), 'sub');
    git(clone, 'commit', '-q', '-m', 'sub');
    git(clone, 'push', '-q');
    git(clone, 'submodule', '--quiet', 'deinit', '-f', 'sub');
    expect(await answer(clone)).toMatchObject({ answer: 'free' });
    git(clone, 'submodule', 'update', '-q', '--init');
    git(join(clone, 'sub'), 'commit', '-q', '--allow-empty', '-m', 'own');
    git(clone, 'submodule', '--quiet', 'deinit', '-f', 'sub');
    const result = await answer(clone);
    expect(result).toMatchObject({ answer: 'held', reasons: ['unpushed'] });
    expect(result.message).toContain('.git/modules/sub, of a submodule that is not checked out');
    const [[program = '', ...args] = []] = result.next;
    expect(execFileSync(program, args, { env: GIT_ENV, encoding: 'utf8' })).toMatch(/^[0-9a-f]+ .*own\n$/);
  });

  gitTest('has no commits in refs that are neither branches nor tags', async () => {
    const { clone, home, tree, answer } = setStage();
    git(clone, 'notes', 'add', '-m', 'note');
    const result = await answer(clone);
    expect(result).toMatchObject({ answer: 'held', reasons: ['unpushed'] });
    expect(result.message).toContain('1 commit in other refs');
    const [[program = '', ...args] = []] = result.next;
    expect(execFileSync(program, args, { env: GIT_ENV, encoding: 'utf8' })).toContain('refs/notes/commits');
    // A fetch may fill them, but whoever writes a note need not push it.
    git(clone, 'config', '--add', 'remote.origin.fetch', '+refs/notes/*:refs/notes/*');
    expect(await answer(clone)).toMatchObject({ answer: 'held', reasons: ['unpushed'] });
    git(clone, 'update-ref', 'refs/pull/1/head', 'refs/notes/commits');
    expect(await answer(clone)).toMatchObject({ answer: 'held', reasons: ['unpushed'] });
    git(clone, 'config', '--add', 'remote.origin.fetch', '+refs/pull/*/head:refs/pull/*/head');
    expect(await answer(clone)).toMatchObject({ answer: 'free' });
    git(clone, 'config', 'remote.gone.url', join(home, 'gone'));
    git(clone, 'config', '--unset', 'remote.origin.fetch', 'pull');
    git(clone, 'config', '--add', 'remote.gone.fetch', '+refs/pull/*/head:refs/pull/*/head');
    expect(await answer(clone)).toMatchObject({ answer: 'held', reasons: ['unpushed'] });
    expect(await answer(tree)).toMatchObject({ answer: 'free' });
    const own = git(tree, 'commit-tree', '-m', 'own', 'HEAD^{tree}').trim();
    git(tree, 'update-ref', 'refs/worktree/kept', own);
    expect(await answer(tree)).toMatchObject({ answer: 'held', reasons: ['unpushed'] });
  });

  gitTest('has no bare repository with own commits, even where git ignores it', async () => {
    const { clone, home, answer } = setStage();
    writeFileSync(join(clone, '.git/info/exclude'), '*.git/\n');
    git(clone, 'clone', '-q', '--bare', join(home, 'remote.git'), 'deep/copy.git');
    expect(await answer(clone)).toMatchObject({ answer: 'held', reasons: ['unpushed'] });
  });

  gitTest('of a bare repository neither, but the repository itself is', async () => {
    const { home, answer } = setStage();
    const bare = join(home, 'remote.git');
    expect((await answer(join(bare, 'objects'))).message).toContain(`${bare} is lost`);
    expect((await answer(bare)).message).not.toContain('is lost');
  });

  gitTest('may have working trees in it, which are answered for', async () => {
    const { main, answer } = setStage();
    const inside = join(main, '.git/beads-worktrees/sync');
    git(main, 'worktree', 'add', '-q', '--detach', inside);
    expect(await answer(inside)).toMatchObject({ answer: 'free' });
  });
});
