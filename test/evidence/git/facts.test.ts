/**
 * What git tracks and ignores, asked of real repositories.
 * Runs in a PID namespace: no test here needs a missing PID as proof.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { GitFacts } from '../../../src/core/types/evidence.ts';
import { addGitFacts, readGitFacts } from '../../../src/evidence/git/facts.ts';
import { glanceAtIndex } from '../../../src/evidence/git/index-glance.ts';
import { scanTown } from '../../../src/evidence/scan/scan.ts';
import {
  asOtherUser,
  canBecomeOthers,
  cleanUp,
  makeTown,
  OTHER_UID,
  onCleanUp,
  type TestTown,
} from '../../support/index.ts';

const hasGit = spawnSync('git', ['--version']).status === 0;
const asRoot = canBecomeOthers ? test : test.skip;

/** Without the settings of the machine and its user. */
const ENV = { PATH: process.env.PATH, HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1' };

const git = (cwd: string, ...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.org', ...args], {
    ...{ cwd, env: ENV, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
  });

const look = async (path: string, env: NodeJS.ProcessEnv = ENV): Promise<GitFacts | undefined> =>
  (await readGitFacts([{ path, pathBytes: null }], { env, timeoutMs: 10_000, ignored: true }))[0];

const seen = <T>(value: T) => ({ seen: true, value });
const unseen = (why: unknown) => ({ seen: false, why });

/** A PATH with a git that records its calls and runs the real one. */
const watchedGit = (town: TestTown) => {
  const real = execFileSync('/bin/sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
  const script = `#!/bin/sh\necho "$@" >> '${town.path('calls')}'\nexec '${real}' "$@"\n`;
  chmodSync(town.write('bin/git', script), 0o755);
  return {
    env: { ...ENV, PATH: `${town.path('bin')}:${ENV.PATH}` },
    calls: () =>
      existsSync(town.path('calls')) ? readFileSync(town.path('calls'), 'utf8').trim().split('\n') : [],
  };
};

(hasGit ? describe : describe.skip)('the git facts of a lock (skipped without git)', () => {
  afterEach(cleanUp);

  const makeRepository = () => {
    const town = makeTown();
    const top = town.worker('gastown/crew/ada');
    git(top, 'init', '-q');
    return { town, top, lock: town.lock('gastown/crew/ada') };
  };

  test('outside any repository: not tracked, ignored, without a call of git', async () => {
    const town = makeTown();
    const watched = watchedGit(town);
    expect(await look(town.lock('gastown/crew/ada'), watched.env)).toEqual({
      ...{ tracked: seen(false), ignored: seen(true), repository: null },
    });
    expect(watched.calls()).toEqual([]);
  });

  test('that was not added and that a plain pattern ignores are known without a call of git', async () => {
    const { town, top, lock } = makeRepository();
    const watched = watchedGit(town);
    town.write('gastown/crew/ada/README', 'hello');
    git(top, 'add', 'README');
    for (const pattern of ['.runtime/', '.runtime', '**/.runtime/', 'agent.lock']) {
      town.write('gastown/crew/ada/.gitignore', `node_modules/\n${pattern}\n`);
      expect(await look(lock, watched.env)).toEqual({
        tracked: seen(false),
        ignored: seen(true),
        repository: top,
      });
    }
    rmSync(join(top, '.gitignore'));
    town.write('gastown/crew/ada/.git/info/exclude', '.runtime/\r\n');
    expect(await look(lock, watched.env)).toMatchObject({ tracked: seen(false), ignored: seen(true) });
    expect(watched.calls()).toEqual([]);
  });

  test('that was added: tracked', async () => {
    const { top, lock } = makeRepository();
    git(top, 'add', '-f', lock);
    expect(await look(lock)).toMatchObject({ tracked: seen(true), ignored: seen(false), repository: top });
    git(top, 'commit', '-qm', 'lock');
    expect(await look(lock)).toMatchObject({ tracked: seen(true) });
    git(top, 'rm', '-q', '--cached', lock);
    expect(await look(lock)).toMatchObject({ tracked: seen(false) });
  });

  test('name the one file whose rules count in the clone and in each of its worktrees', async () => {
    const { town, top, lock } = makeRepository();
    git(top, 'commit', '-q', '--allow-empty', '-m', 'first');
    git(top, 'worktree', 'add', '-q', '../tree');
    const exclude = join(top, '.git/info/exclude');
    for (const path of [lock, town.lock('gastown/crew/tree')]) {
      expect(await look(path)).toMatchObject({ ignored: seen(false), exclude });
      town.write('gastown/crew/ada/.git/info/exclude', '.runtime/\n');
      expect(await look(path)).not.toHaveProperty('exclude');
      rmSync(exclude);
    }
  });

  test('are not confused by a tracked lock of another worker in the same repository', async () => {
    const town = makeTown({ workers: ['gastown/crew/ada', 'gastown/crew/joe [x]*'] });
    git(town.root, 'init', '-q');
    const ada = town.lock('gastown/crew/ada');
    const joe = town.lock('gastown/crew/joe [x]*');
    git(town.root, 'add', '-f', '--', ada);
    const places = [ada, joe].map((path) => ({ path, pathBytes: null }));
    const facts = await readGitFacts(places, { env: ENV, timeoutMs: 10_000, ignored: false });
    expect(facts.map(({ tracked }) => tracked)).toEqual([seen(true), seen(false)]);
    expect(facts.map(({ ignored }) => ignored)).toEqual(Array(2).fill(unseen('was not asked for')));
    town.write('.gitignore', 'joe*\n');
    const asked = await readGitFacts(places, { env: ENV, timeoutMs: 10_000, ignored: true });
    expect(asked.map(({ ignored }) => ignored)).toEqual([seen(false), seen(true)]);
  });

  test('use the repositories that a scan has seen, and look for no others', async () => {
    const { town, top, lock } = makeRepository();
    const place = { path: lock, pathBytes: null };
    const ask = async (repositories: ReadonlySet<string>) =>
      (
        await readGitFacts([place], {
          env: ENV,
          timeoutMs: 10_000,
          ignored: false,
          scanned: { root: town.root, repositories },
        })
      )[0];
    const scanned = await scanTown({ root: town.root, mode: 'default' });
    expect(await ask(scanned.seen?.repositories ?? new Set())).toMatchObject({ repository: top });
    expect(await ask(new Set())).toMatchObject({ repository: null });
  });

  test('include a repository above the scanned root in any case', async () => {
    const town = makeTown({ workers: ['gastown/crew/ada'] });
    git(town.root, 'init', '-q');
    const lock = town.lock('gastown/crew/ada');
    const question = { env: ENV, timeoutMs: 10_000, ignored: false };
    const scanned = { root: town.path('gastown'), repositories: new Set<string>() };
    const [facts] = await readGitFacts([{ path: lock, pathBytes: null }], { ...question, scanned });
    expect(facts).toMatchObject({ repository: town.root, tracked: seen(false) });
  });

  test('know patterns that only git can interpret', async () => {
    const { town, lock } = makeRepository();
    expect(await look(lock)).toMatchObject({ ignored: seen(false) });
    town.write('gastown/crew/ada/.gitignore', '.run*\n');
    expect(await look(lock)).toMatchObject({ ignored: seen(true) });
    town.write('gastown/crew/ada/.gitignore', '.runtime/*\n!agent.lock\n');
    expect(await look(lock)).toMatchObject({ ignored: seen(false) });
    town.write('gastown/crew/ada/.gitignore', '.runtime/\n!.runtime/\n');
    expect(await look(lock)).toMatchObject({ ignored: seen(false) });
  });

  test('in a worktree are read from its own index and the shared exclude file', async () => {
    const { town, top } = makeRepository();
    git(top, 'commit', '-q', '--allow-empty', '-m', 'start');
    git(top, 'worktree', 'add', '-q', town.path('gastown/polecats/joe/gastown'), '-b', 'joe');
    const lock = town.lock('gastown/polecats/joe/gastown');
    const worktree = town.path('gastown/polecats/joe/gastown');
    town.write('gastown/crew/ada/.git/info/exclude', '.runtime/\n');
    expect(await look(lock)).toEqual({ tracked: seen(false), ignored: seen(true), repository: worktree });
    git(worktree, 'add', '-f', lock);
    expect(await look(lock)).toMatchObject({ tracked: seen(true), repository: worktree });
    expect(await look(join(top, '.runtime/agent.lock'))).toMatchObject({
      tracked: seen(false),
      repository: top,
    });
  });

  test.each([
    ['version 4', ['update-index', '--index-version', '4']],
    ['split', ['update-index', '--split-index']],
  ])('come from git if the index has the form: %s', async (_form, command) => {
    const { town, top, lock } = makeRepository();
    git(top, 'add', '-f', lock);
    git(top, ...command);
    expect(await look(lock)).toMatchObject({ tracked: seen(true) });
    const other = town.lock('gastown/crew/ada/sub');
    expect(await look(other)).toMatchObject({ tracked: seen(false), repository: top });
  });

  test('come from git if the index is sparse', async () => {
    const { town, top } = makeRepository();
    const deep = town.lock('gastown/crew/ada/packages/one');
    git(top, 'add', '-f', '.');
    git(top, 'commit', '-qm', 'all');
    git(top, 'sparse-checkout', 'set', '--cone', '--sparse-index');
    mkdirSync(join(top, 'packages/one/.runtime'), { recursive: true });
    town.lock('gastown/crew/ada/packages/one');
    expect(glanceAtIndex(join(top, '.git'), 'agent.lock')).toBe('ask-git');
    expect(await look(deep)).toMatchObject({ tracked: seen(true) });
  });

  test('include a repository above the town, up to the root of the file system', async () => {
    const outer = makeTown({ marked: false, workers: [] });
    git(outer.root, 'init', '-q');
    const inner = makeTown({ root: outer.path('towns/gt') });
    expect(await look(inner.lock('gastown/crew/ada'))).toMatchObject({
      repository: outer.root,
      ignored: seen(false),
    });
  });

  test('ignore an empty .git, as git does', async () => {
    const town = makeTown();
    town.worker('gastown/crew/ada/.git');
    expect(await look(town.lock('gastown/crew/ada'))).toMatchObject({
      repository: null,
      tracked: seen(false),
    });
  });

  test('are unseen with a broken pointer, a missing HEAD or no git', async () => {
    const { town, top, lock } = makeRepository();
    const joe = town.lock('gastown/crew/joe');
    town.write('gastown/crew/joe/.git', 'gitdir: ../nowhere\n');
    expect(await look(joe)).toMatchObject({
      ...{ tracked: unseen(expect.stringContaining('no complete repository')) },
      ...{ ignored: { seen: false }, repository: town.path('gastown/crew/joe') },
    });
    town.write('gastown/crew/joe/.git', 'what?');
    expect(await look(joe)).toMatchObject({ tracked: unseen(expect.stringContaining('does not point')) });
    expect(await look(lock, { PATH: '/nowhere' })).toMatchObject({ tracked: unseen('git is not installed') });
    rmSync(join(top, '.git/HEAD'));
    expect(await look(lock)).toMatchObject({ tracked: { seen: false } });
  });

  test('are unseen with a damaged index, with the complaint of git', async () => {
    const { town, lock } = makeRepository();
    town.write('gastown/crew/ada/.git/index', 'no index at all');
    expect(await look(lock)).toMatchObject({ tracked: unseen(expect.stringMatching(/^git: .*index/)) });
  });

  asRoot(
    "are read by root with the permissions of the repository's owner (skipped without root)",
    async () => {
      const { town, top, lock } = makeRepository();
      git(top, 'add', '-f', lock);
      execFileSync('chown', ['-R', `${OTHER_UID}:${OTHER_UID}`, top]);
      chmodSync(town.root, 0o755);
      chmodSync(town.write('trace', ''), 0o666);
      const real = execFileSync('/bin/sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
      const script = `#!/bin/sh\n{ id -u; env; } >> '${town.path('trace')}'\nexec '${real}' "$@"\n`;
      chmodSync(town.write('bin/git', script), 0o755);
      const env = { ...ENV, PATH: `${town.path('bin')}:${ENV.PATH}`, API_TOKEN: 'secret' };
      expect(await look(lock, env)).toMatchObject({ tracked: seen(true), ignored: seen(false) });
      const trace = readFileSync(town.path('trace'), 'utf8');
      expect(trace).toMatch(new RegExp(`^${OTHER_UID}$`, 'm'));
      expect(trace).not.toMatch(/^0$|^HOME=|secret/m);
    },
  );

  asRoot('are unseen in a repository of several users (skipped without root)', async () => {
    const { top, lock } = makeRepository();
    chownSync(join(top, '.git'), OTHER_UID, OTHER_UID);
    expect(await look(lock)).toMatchObject({ tracked: unseen(expect.stringContaining('several users')) });
  });

  asRoot(
    'are left to git by an ordinary user in a repository of another user (skipped without root)',
    async () => {
      const { town, lock } = makeRepository();
      chmodSync(town.root, 0o755);
      expect(await asOtherUser(() => look(lock))).toMatchObject({
        tracked: unseen(expect.stringContaining('dubious ownership')),
      });
    },
  );

  test('are unseen in a part of the index that git could not read', async () => {
    const town = makeTown({ workers: ['d/w', 'k'] });
    const lock = town.lock('d/w');
    const local = (...args: string[]) => git(town.root, ...args);
    town.write('k/z', 'z');
    local('init', '-q');
    local('add', '-f', '.');
    local('commit', '-qm', 'all');
    local('sparse-checkout', 'init', '--cone', '--sparse-index');
    local('sparse-checkout', 'set', 'k', 'mayor');
    expect(local('ls-files', '--sparse')).toContain('d/\n');
    town.lock('d/w');
    expect(await look(lock)).toMatchObject({ tracked: seen(true) });
    const tree = local('rev-parse', 'HEAD:d').trim();
    rmSync(join(town.root, '.git/objects', tree.slice(0, 2), tree.slice(2)));
    for (const [name, value] of [
      ['extensions.partialClone', 'o'],
      ['core.repositoryformatversion', '1'],
      ['remote.o.url', town.root],
      ['remote.o.promisor', 'true'],
      ['remote.o.uploadpack', `touch ${town.path('ran')}; false`],
    ] as const)
      local('config', name, value);
    expect(await look(lock)).toMatchObject({ tracked: { seen: false } });
    expect(existsSync(town.path('ran'))).toBe(false);
  });

  asRoot('are unseen in a repository that may not be read (skipped without root)', async () => {
    const { town, top, lock } = makeRepository();
    chmodSync(town.root, 0o755);
    chmodSync(join(top, '.git'), 0o700);
    onCleanUp(() => chmodSync(join(top, '.git'), 0o755));
    expect(await asOtherUser(() => look(lock))).toMatchObject({ tracked: { seen: false } });
  });

  test('are read without running anything of the repository, following GIT_DIR or writing', async () => {
    const { town, top, lock } = makeRepository();
    git(top, 'add', '-f', lock);
    chmodSync(town.write('monitor', `#!/bin/sh\ntouch '${town.path('ran')}'\n`), 0o755);
    git(top, 'config', 'core.fsmonitor', town.path('monitor'));
    const index = statSync(join(top, '.git/index'), { bigint: true });
    const env = { ...ENV, GIT_DIR: '/nowhere', GIT_WORK_TREE: '/nowhere', GIT_INDEX_FILE: '/nowhere' };
    expect(await look(lock, env)).toMatchObject({ tracked: seen(true), ignored: seen(false) });
    expect(existsSync(town.path('ran'))).toBe(false);
    const after = statSync(join(top, '.git/index'), { bigint: true });
    expect([after.ino, after.mtimeNs]).toEqual([index.ino, index.mtimeNs]);
  });

  test('take two calls for many locks of one repository, and keep their order', async () => {
    const town = makeTown();
    const watched = watchedGit(town);
    git(town.root, 'init', '-q');
    const workers = Array.from({ length: 300 }, (_, number) => `gastown/crew/w${number}`);
    const paths = workers.map((worker) => town.lock(worker));
    git(town.root, 'add', '-f', ...paths.filter((_, index) => index % 3 === 0));
    const places = paths.map((path) => ({ path, pathBytes: null }));
    const facts = await readGitFacts(places, { env: watched.env, timeoutMs: 10_000, ignored: false });
    expect(facts.map(({ tracked }) => tracked)).toEqual(paths.map((_, index) => seen(index % 3 === 0)));
    expect(watched.calls()).toHaveLength(2);
  });

  test('are unseen for a name that is not UTF-8', async () => {
    const { lock } = makeRepository();
    const place = { path: lock, pathBytes: Buffer.from(lock).toString('base64') };
    const [facts] = await readGitFacts([place], { env: ENV, timeoutMs: 10_000, ignored: true });
    expect(facts).toMatchObject({ tracked: { seen: false }, ignored: { seen: false } });
  });

  test('are attached to locks', async () => {
    const { top, lock } = makeRepository();
    const bare: Parameters<typeof addGitFacts>[0][number] = { path: lock, pathBytes: null, git: null };
    await addGitFacts([bare], { env: ENV, timeoutMs: 10_000, ignored: false });
    expect(bare).toMatchObject({ path: lock, git: { repository: top, tracked: seen(false) } });
  });
});

describe('a glance at the index', () => {
  afterEach(cleanUp);

  const indexOf = (bytes: Uint8Array | string): string => {
    const town = makeTown();
    town.write('index', bytes);
    return town.root;
  };
  const header = (version: number): Buffer =>
    Buffer.from([...Buffer.from('DIRC'), 0, 0, 0, version, 0, 0, 0, 0]);

  test('finds a name anywhere, even across the boundary of two reads', () => {
    for (const before of [0, 10, 1024 * 1024 - 15, 1024 * 1024 - 5, 2 * 1024 * 1024 - 3]) {
      const without = Buffer.concat([header(2), Buffer.alloc(before, 'x'), Buffer.alloc(100, 'y')]);
      const within = Buffer.concat([
        header(2),
        Buffer.alloc(before, 'x'),
        Buffer.from('agent.lock'),
        Buffer.alloc(90),
      ]);
      expect(glanceAtIndex(indexOf(without), 'agent.lock')).toBe('not-tracked');
      expect(glanceAtIndex(indexOf(within), 'agent.lock')).toBe('ask-git');
    }
  });

  test('leaves anything odd to git; a missing index tracks nothing', () => {
    for (const odd of ['', 'DIRC', 'no index at all', header(4), header(1)])
      expect(glanceAtIndex(indexOf(odd), 'agent.lock')).toBe('ask-git');
    const town = makeTown();
    expect(glanceAtIndex(town.root, 'agent.lock')).toBe('not-tracked');
    mkdirSync(town.path('index'));
    expect(glanceAtIndex(town.root, 'agent.lock')).toBe('ask-git');
  });
});
