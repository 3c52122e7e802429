/** Locks that git itself made, and that killed processes left: only those that no process can be using are released. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { ReportLock } from '../../src/core/types/report.ts';
import { undoReleases } from '../../src/repair/undo.ts';
import {
  asOtherUser,
  canBecomeOthers,
  cleanUp,
  deadPid,
  groupIsRunning,
  hasCompiler,
  OTHER_UID,
  onCleanUp,
  sleeperNamed,
  startProcess,
  startZombieLeader,
  until,
} from '../support/index.ts';
import { LANGUAGES, WITHOUT_GERMAN } from './german.ts';
import { aged, GIT_ENV, git, gitTest, makeRepository } from './repository.ts';
import { examine, heal } from './undisturbed.ts';

afterEach(cleanUp);

type Repository = ReturnType<typeof makeRepository>;

/** A lock that is some minutes old. */
const leave = (path: string, text = ''): string => {
  writeFileSync(path, text);
  aged(path);
  return path;
};

const locksOf = async ({ look }: Pick<Repository, 'look'>): Promise<Record<string, string>> => {
  const { locks } = await look();
  return Object.fromEntries(
    locks.filter(({ kind }) => kind === 'git-lock').map(({ path, state }) => [path, state]),
  );
};

const lockAt = async ({ look }: Pick<Repository, 'look'>, path: string): Promise<ReportLock> => {
  const { locks } = await look();
  const lock = locks.find((each) => each.path === path);
  if (lock === undefined) throw new Error(`no lock at ${path} among ${locks.map(({ id }) => id)}`);
  return lock;
};

const stateAt = async (repository: Pick<Repository, 'look'>, path: string): Promise<string> =>
  (await lockAt(repository, path)).state;

/** Runs a git that waits in a hook; `end` kills only that git, `endAll` the hook as well. */
const committing = async (
  tree: string,
  args: readonly string[],
  env: Record<string, string | undefined> = GIT_ENV,
) => {
  const hooks = mkdtempSync(join(tmpdir(), 'hooks-'));
  onCleanUp(() => rmSync(hooks, { recursive: true, force: true }));
  const begun = join(hooks, 'begun');
  writeFileSync(
    join(hooks, 'pre-commit'),
    `#!/bin/sh\necho $$ > ${begun}.new\nmv ${begun}.new ${begun}\nsleep 600\n`,
    { mode: 0o755 },
  );
  const child: ChildProcess = spawn('git', ['-c', `core.hooksPath=${hooks}`, ...args], {
    cwd: tree,
    env,
    stdio: 'ignore',
    detached: true,
  });
  const exited = new Promise<void>((done) => child.once('exit', () => done()));
  const endAll = (): void => {
    try {
      process.kill(-(child.pid ?? 0), 'SIGKILL');
    } catch {
      // All of them have ended.
    }
  };
  onCleanUp(endAll);
  await until(() => existsSync(begun), 'the hook');
  return {
    pid: child.pid ?? 0,
    end: async () => {
      child.kill('SIGKILL');
      await exited;
    },
    endAll: async () => {
      endAll();
      await exited;
      await until(() => !groupIsRunning(child.pid ?? 0), 'the end of the hook');
    },
  };
};

const change = (root: string): void => writeFileSync(join(root, 'file'), 'changed\n');

/** Everything that git reports about a repository and that a lock, or its leftovers, could change. */
const asGitSees = (root: string): string =>
  [
    git(root, 'status', '--porcelain'),
    git(root, 'fsck', '--strict'),
    git(root, 'for-each-ref'),
    git(root, 'branch', '--all'),
    git(root, 'worktree', 'list', '--porcelain'),
  ].join('\n');

describe('the lock of git commit -a with a hook', () => {
  gitTest('in a worktree that was moved names its git first', async () => {
    const repository = makeRepository();
    const { root, worktree } = repository;
    const moved = `${worktree('../one')}-moved`;
    renameSync(join(root, '../one'), moved);
    change(moved);
    const { pid } = await committing(moved, ['commit', '-a', '-q', '-m', 'x']);
    const path = join(root, '.git/worktrees/one/index.lock');
    aged(path);
    const { state, evidence } = await lockAt(repository, path);
    expect([state, evidence[0]?.text]).toEqual([
      'held',
      `process ${pid} (git) is running in this repository`,
    ]);
  });

  test.each(LANGUAGES)(
    `is held by git, then by its hook, and stale after both (%s)${WITHOUT_GERMAN}`,
    async (_language, speaking) => {
      const repository = makeRepository();
      const { root, env } = repository;
      change(root);
      const lang = { ...GIT_ENV, ...speaking };
      const { end, endAll } = await committing(root, ['commit', '-a', '-q', '-m', 'x'], lang);
      const path = join(root, '.git/index.lock');
      aged(path);
      expect(await lockAt(repository, path)).toMatchObject({
        state: 'held',
        reasons: ['file-not-open', 'git-running'],
      });
      await heal(root, { env, dryRun: false });
      expect(existsSync(path)).toBe(true);
      await end();
      expect(await lockAt(repository, path)).toMatchObject({
        state: 'held',
        reasons: ['file-not-open', 'git-running'],
      });
      await heal(root, { env, dryRun: false });
      expect(existsSync(path)).toBe(true);
      await endAll();
      expect(await lockAt(repository, path)).toMatchObject({
        id: 'git-lock:.git/index.lock',
        kind: 'git-lock',
        worker: '.',
        state: 'stale',
        reasons: ['file-not-open', 'git-not-running'],
      });
      const { findings } = await heal(root, { env, dryRun: false });
      expect(findings).toMatchObject([{ check: 'stale-lock', fix: { status: 'fixed' } }]);
      expect(existsSync(path)).toBe(false);
      git(root, 'commit', '-q', '-a', '-m', 'y');
    },
  );

  gitTest('is held from elsewhere too: by -C, by GIT_DIR and GIT_WORK_TREE, and by --git-dir', async () => {
    for (const [args, variables] of [
      [(root: string) => ['-C', root], () => ({})],
      [(root: string) => [`--git-dir=${root}/.git`, '--work-tree', root], () => ({})],
      [() => [], (root: string) => ({ GIT_DIR: `${root}/.git`, GIT_WORK_TREE: root })],
    ] as const) {
      const repository = makeRepository();
      const { root } = repository;
      change(root);
      const { end, endAll } = await committing('/', [...args(root), 'commit', '-a', '-q', '-m', 'x'], {
        ...GIT_ENV,
        ...variables(root),
      });
      const path = join(root, '.git/index.lock');
      aged(path);
      expect(await stateAt(repository, path)).toBe('held');
      await end();
      expect(await stateAt(repository, path)).toBe('held');
      await endAll();
      expect(await stateAt(repository, path)).toBe('stale');
    }
  });

  gitTest('is left for a minute after git has ended', async () => {
    const repository = makeRepository();
    const path = join(repository.root, '.git/index.lock');
    writeFileSync(path, '');
    expect(await lockAt(repository, path)).toMatchObject({ state: 'stale', notes: ['fresh'] });
    const { findings } = await heal(repository.root, { env: repository.env, dryRun: false });
    expect(findings).toMatchObject([{ fix: { status: 'skipped' } }]);
    expect(existsSync(path)).toBe(true);
  });
});

describe('the working trees of one repository', () => {
  gitTest('have their own index locks and share all other locks', async () => {
    const repository = makeRepository();
    const { root, worktree } = repository;
    const [one, two] = [worktree('../one'), worktree('two')];
    const paths = {
      main: leave(join(root, '.git/index.lock')),
      one: leave(join(root, '.git/worktrees/one/index.lock')),
      two: leave(join(root, '.git/worktrees/two/index.lock')),
      packed: leave(join(root, '.git/packed-refs.lock')),
    };
    const states = async (): Promise<readonly string[]> => {
      const all = await locksOf(repository);
      return Object.values(paths).map((path) => all[path] ?? 'none');
    };
    expect(await states()).toEqual(['stale', 'stale', 'stale', 'stale']);
    const git1 = await startProcess(sleeperNamed('git'), ['600'], { cwd: one });
    expect(await states()).toEqual(['stale', 'held', 'stale', 'held']);
    await git1.stop();
    const git2 = await startProcess(sleeperNamed('git'), ['600'], { cwd: two });
    expect(await states()).toEqual(['stale', 'stale', 'held', 'held']);
    await git2.stop();
    await startProcess(sleeperNamed('git'), ['600'], { cwd: root });
    expect(await states()).toEqual(['held', 'stale', 'stale', 'held']);
  });

  gitTest('are the workers of their own locks in findings', async () => {
    const repository = makeRepository();
    repository.worktree('.claude/worktrees/a');
    leave(join(repository.root, '.git/worktrees/a/index.lock'));
    expect((await repository.look()).findings).toMatchObject([
      { check: 'stale-lock', worker: '.claude/worktrees/a', severity: 'warning' },
    ]);
  });
});

describe('a repair of git locks', () => {
  gitTest('removes only the locks, and undo restores the same bytes', async () => {
    const { root, env, worktree } = makeRepository();
    worktree('../one');
    git(root, 'branch', 'feature/x');
    git(root, 'tag', 'v1');
    const before = asGitSees(root);
    const large = `DIRC${'x'.repeat(300_000)}`;
    const left: readonly (readonly [string, string])[] = [
      ['index.lock', large],
      ['HEAD.lock', 'ref: refs/heads/other\n'],
      ['config.lock', ''],
      ['packed-refs.lock', '# pack-refs\n'],
      ['refs/heads/main.lock', `${git(root, 'rev-parse', 'HEAD')}`],
      ['refs/heads/feature/x.lock', ''],
      ['refs/tags/v1.lock', ''],
      ['objects/maintenance.lock', ''],
      ['worktrees/one/index.lock', 'DIRC'],
      ['worktrees/one/HEAD.lock', ''],
    ];
    for (const [name, text] of left) leave(join(root, '.git', name), text);
    const { findings, exitCode } = await heal(root, { env, dryRun: false });
    expect(findings.map(({ fix }) => fix)).toMatchObject(left.map(() => ({ status: 'fixed' })));
    expect(exitCode).toBe(0);
    for (const [name] of left) expect([name, existsSync(join(root, '.git', name))]).toEqual([name, false]);
    expect(asGitSees(root)).toBe(before);
    const { outcomes } = await undoReleases(null, { townRoot: root });
    expect(outcomes.map(({ status }) => status)).toEqual(left.map(() => 'restored'));
    for (const [name, text] of left) expect(readFileSync(join(root, '.git', name), 'utf8')).toBe(text);
    for (const [name] of left) rmSync(join(root, '.git', name));
    expect(asGitSees(root)).toBe(before);
  });

  gitTest('is what a git needs that its killed predecessor left locks of any kind', async () => {
    const { root, env } = makeRepository();
    const commit = (text: string): void => {
      writeFileSync(join(root, 'file'), text);
      git(root, 'commit', '-q', '-a', '-m', text);
    };
    git(root, 'branch', 'packed');
    git(root, 'pack-refs', '--all');
    git(root, 'checkout', '-q', '-b', 'other');
    commit('one');
    git(root, 'checkout', '-q', 'main');
    commit('another');
    writeFileSync(join(root, 'file'), 'stashed');
    git(root, 'stash');
    const left = ['logs/refs/stash.lock', 'logs/HEAD.lock', 'packed-refs.new', 'MERGE_MSG.lock'];
    const others = ['packed-refs.lock', 'objects/info/alternates.lock', 'fsmonitor--daemon.ipc.lock'];
    for (const name of [...left, ...others]) leave(join(root, '.git', name));
    const exits = (...args: readonly string[]): number | null =>
      spawnSync('git', ['-C', root, ...args], { env: GIT_ENV }).status;
    const deeds = [
      ['stash', 'drop'],
      ['reflog', 'expire', '--expire=now', 'HEAD'],
      ['branch', '-D', 'packed'],
    ];
    for (const deed of deeds) expect([deed, exits(...deed)]).not.toEqual([deed, 0]);
    expect(exits('cherry-pick', 'other')).toBe(128);
    git(root, 'reset', '-q', '--hard');
    const { findings } = await heal(root, { env, dryRun: false });
    expect(findings.map(({ lock, fix }) => [lock, fix?.status]).sort()).toEqual(
      [...left, ...others].map((name) => [`git-lock:.git/${name}`, 'fixed']).sort(),
    );
    for (const deed of deeds) expect([deed, exits(...deed)]).toEqual([deed, 0]);
    // A conflict, as it should be.
    expect(exits('cherry-pick', 'other')).toBe(1);
    const { outcomes } = await undoReleases(null, { townRoot: root });
    expect(outcomes.map(({ status }) => status)).toEqual([...left, ...others].map(() => 'restored'));
  });

  gitTest('leaves no copy that git takes for a reflog', async () => {
    const { root, env } = makeRepository();
    leave(join(root, '.git/logs/HEAD.lock'));
    leave(join(root, '.git/logs/refs/heads/main.lock'));
    await heal(root, { env, dryRun: false });
    const copies = ['logs', 'logs/refs/heads'].flatMap((place) =>
      readdirSync(join(root, '.git', place)).filter((name) => name.includes('.released-')),
    );
    expect(copies).toEqual([expect.stringMatching(/\.lock$/), expect.stringMatching(/\.lock$/)]);
    const gc = spawnSync('git', ['-C', root, 'gc', '-q'], { env: GIT_ENV, encoding: 'utf8' });
    expect([gc.status, gc.stderr]).toEqual([0, '']);
  });

  gitTest('is never undone over a newer lock', async () => {
    const { root, env } = makeRepository();
    const path = leave(join(root, '.git/refs/heads/main.lock'), 'old');
    await heal(root, { env, dryRun: false });
    writeFileSync(path, 'new');
    const { outcomes } = await undoReleases(null, { townRoot: root });
    expect(outcomes).toMatchObject([{ status: 'newer-lock' }]);
    expect(readFileSync(path, 'utf8')).toBe('new');
  });

  gitTest('says what a stale maintenance lock prevents', async () => {
    const repository = makeRepository();
    leave(join(repository.root, '.git/objects/maintenance.lock'));
    const { findings } = await repository.look();
    expect(findings[0]).toMatchObject({ severity: 'warning' });
    expect(findings[0]?.message).toContain('all automatic maintenance, silently and for good');
  });
});

describe('gc.pid', () => {
  gitTest('of a dead gc is only information, because git ignores it', async () => {
    const repository = makeRepository();
    const host = spawnSync('hostname').stdout.toString().trim();
    const path = leave(join(repository.root, '.git/gc.pid'), `${deadPid()} ${host}`);
    expect(await lockAt(repository, path)).toMatchObject({ state: 'stale', reasons: ['process-gone'] });
    expect((await repository.look()).findings).toMatchObject([{ severity: 'info' }]);
    leave(path, `${process.pid} ${host}`);
    expect(await stateAt(repository, path)).toBe('held');
    leave(path, `${process.pid} elsewhere`);
    expect(await stateAt(repository, path)).toBe('foreign');
  });
});

describe('the PID that git recorded (core.lockfilePid)', () => {
  const withNote = (root: string, pid: number, isOld = false): string => {
    const lock = join(root, '.git/index.lock');
    const note = join(root, '.git/index~pid.lock');
    writeFileSync(lock, '');
    writeFileSync(note, `pid ${pid}\n`);
    if (isOld) aged(note, 3600);
    aged(lock);
    return lock;
  };

  gitTest('holds the lock while its process lives, and its file is not a lock', async () => {
    const repository = makeRepository();
    const { pid, stop } = await startProcess('sleep', ['600'], { cwd: '/' });
    const path = withNote(repository.root, pid);
    expect(await lockAt(repository, path)).toMatchObject({
      state: 'held',
      reasons: ['process-alive', 'file-not-open', 'git-not-running'],
    });
    await stop();
    expect(await lockAt(repository, path)).toMatchObject({
      state: 'stale',
      reasons: ['process-gone', 'file-not-open', 'git-not-running'],
    });
    expect(Object.keys(await locksOf(repository))).toEqual([path]);
  });

  gitTest('proves nothing if its file is older than the lock, and is never the only proof', async () => {
    const repository = makeRepository();
    const path = withNote(repository.root, deadPid(), true);
    expect((await lockAt(repository, path)).reasons).toEqual(['file-not-open', 'git-not-running']);
    rmSync(path);
    withNote(repository.root, deadPid());
    await startProcess(sleeperNamed('git'), ['600'], { cwd: repository.root });
    expect(await stateAt(repository, path)).toBe('held');
  });
});

describe('git 2.54 and newer', () => {
  /** This machine's git, with the version number of another release. */
  const gitOf = (release: string): string => {
    const home = mkdtempSync(join(tmpdir(), 'git-'));
    onCleanUp(() => rmSync(home, { recursive: true, force: true }));
    const real = spawnSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).stdout.trim();
    const script = `for word; do [ "$word" = version ] && { echo "git version ${release}"; exit; }; done\nexec ${real} "$@"\n`;
    writeFileSync(join(home, 'git'), `#!/bin/sh\n${script}`, { mode: 0o755 });
    return home;
  };
  const advised = async (release: string, note?: string, setting?: string): Promise<readonly string[]> => {
    const { root, env } = makeRepository();
    leave(join(root, '.git/index.lock'));
    if (note !== undefined) writeFileSync(join(root, '.git/index~pid.lock'), note);
    const settings = join(root, '../gitconfig');
    writeFileSync(settings, setting === undefined ? '' : `[core]\nlockfilePid = ${setting}\n`);
    const { findings } = await examine(root, {
      env: { ...env, PATH: `${gitOf(release)}:${env.PATH}`, GIT_CONFIG_GLOBAL: settings },
    });
    expect(findings.some(({ lock }) => lock === 'git-lock:.git/index.lock')).toBe(true);
    return findings.filter(({ lock }) => lock === null).map(({ id }) => id);
  };

  gitTest('can record the PID, which is advised once a lock names no holder', async () => {
    const ADVICE = ['stale-lock:lockfile-pid'];
    expect(await advised('2.54.0')).toEqual(ADVICE);
    expect(await advised('3.0.1.dirty', undefined, 'false')).toEqual(ADVICE);
    expect(await advised('2.53.9')).toEqual([]);
    expect(await advised('2.54.0', undefined, 'true')).toEqual([]);
    expect(await advised('2.54.0', undefined, 'nonsense')).toEqual([]);
    expect(await advised('2.54.0', `pid ${deadPid()}\n`)).toEqual([]);
  });

  gitTest('records the PID for any lock; a damaged record is ignored', async () => {
    const repository = makeRepository();
    const { root } = repository;
    const { pid } = await startProcess('sleep', ['600'], { cwd: '/' });
    const noted = async (name: string, note: string): Promise<string> => {
      const path = leave(join(root, '.git', `${name}.lock`));
      writeFileSync(join(root, '.git', `${name}~pid.lock`), note);
      const state = await stateAt(repository, path);
      expect(Object.keys(await locksOf(repository))).toEqual([path]);
      rmSync(path);
      rmSync(join(root, '.git', `${name}~pid.lock`));
      return state;
    };
    expect(await noted('refs/heads/main', `pid ${pid}\n`)).toBe('held');
    expect(await noted('objects/maintenance', `pid ${pid}\n`)).toBe('held');
    // Detached maintenance records the process that started it, which has ended.
    expect(await noted('objects/maintenance', `pid ${deadPid()}\n`)).toBe('stale');
    for (const text of [
      '',
      'pid \n',
      `${pid}\n`,
      `pid ${pid}`,
      `pid ${pid} \n`,
      `pid 0\n`,
      `pid ${'9'.repeat(40)}\n`,
    ])
      expect([text, await noted('index', text)]).toEqual([text, 'stale']);
  });

  gitTest('leaves its PID records in place when the lock is released and restored', async () => {
    const { root, env } = makeRepository();
    const path = leave(join(root, '.git/index.lock'));
    const note = join(root, '.git/index~pid.lock');
    writeFileSync(note, `pid ${deadPid()}\n`);
    expect((await heal(root, { env, dryRun: false })).summary?.fixed).toBe(1);
    expect([existsSync(path), readFileSync(note, 'utf8')]).toEqual([false, `pid ${deadPid()}\n`]);
    await undoReleases(null, { townRoot: root });
    expect([existsSync(path), existsSync(note)]).toEqual([true, true]);
  });
});

describe('other repositories', () => {
  gitTest('bare repositories have locks', async () => {
    const repository = makeRepository();
    git(repository.root, 'clone', '-q', '--bare', '.', 'mirror.git');
    git(repository.root, 'clone', '-q', '--bare', '.', 'plain');
    const paths = ['mirror.git/packed-refs.lock', 'plain/refs/heads/main.lock'].map((name) =>
      leave(join(repository.root, name)),
    );
    expect(await locksOf(repository)).toEqual({ [paths[0] ?? '']: 'stale', [paths[1] ?? '']: 'stale' });
    await startProcess(sleeperNamed('git-receive-pack'), ['600'], {
      cwd: join(repository.root, 'mirror.git'),
    });
    expect(await locksOf(repository)).toEqual({ [paths[0] ?? '']: 'held', [paths[1] ?? '']: 'stale' });
  });

  gitTest('a submodule has its own locks', async () => {
    const repository = makeRepository();
    const { root } = repository;
    git(root, 'clone', '-q', '.', '../library');
    git(root, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', '../library', 'libs/a');
    const path = leave(join(root, '.git/modules/libs/a/index.lock'));
    const main = leave(join(root, '.git/index.lock'));
    expect(await stateAt(repository, path)).toBe('stale');
    const { findings } = await repository.look();
    expect(findings.map(({ message }) => message)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^git-lock: index\.lock was left behind/),
        expect.stringMatching(/^git-lock: index\.lock of submodule libs\/a was left behind/),
      ]),
    );
    const inside = await startProcess(sleeperNamed('git'), ['600'], { cwd: join(root, 'libs/a') });
    expect([await stateAt(repository, path), await stateAt(repository, main)]).toEqual(['held', 'stale']);
    await inside.stop();
    await startProcess(sleeperNamed('git'), ['600'], { cwd: root });
    expect([await stateAt(repository, path), await stateAt(repository, main)]).toEqual(['held', 'held']);
  });

  gitTest('a submodule of a linked working tree has its own locks', async () => {
    const repository = makeRepository();
    const { root } = repository;
    git(root, 'clone', '-q', '.', '../library');
    const submodule = ['-c', 'protocol.file.allow=always', 'submodule', '--quiet'];
    git(root, ...submodule, 'add', '../library', 'libs/a');
    git(root, 'commit', '-q', '-m', 'submodule');
    git(root, 'worktree', 'add', '-q', '-b', 'side', 'side');
    git(join(root, 'side'), ...submodule, 'update', '--init');
    const path = leave(join(root, '.git/worktrees/side/modules/libs/a/index.lock'));
    expect(await lockAt(repository, path)).toMatchObject({
      state: 'stale',
      evidence: expect.arrayContaining([
        { source: 'lock', text: expect.stringContaining('index.lock of submodule side/libs/a was left') },
      ]),
    });
    const inside = await startProcess(sleeperNamed('git'), ['600'], { cwd: join(root, 'side/libs/a') });
    expect(await stateAt(repository, path)).toBe('held');
    await inside.stop();
    const beside = await startProcess(sleeperNamed('git'), ['600'], { cwd: join(root, 'libs/a') });
    expect(await stateAt(repository, path)).toBe('stale');
    await beside.stop();
    await startProcess(sleeperNamed('git'), ['600'], { cwd: join(root, 'side') });
    expect(await stateAt(repository, path)).toBe('held');
  });

  gitTest('the lock of a repository with core.worktree is held from that directory', async () => {
    const repository = makeRepository();
    const { root } = repository;
    const tree = mkdtempSync(join(tmpdir(), 'tree-'));
    onCleanUp(() => rmSync(tree, { recursive: true, force: true }));
    git(root, 'config', 'core.worktree', tree);
    const path = leave(join(root, '.git/index.lock'));
    expect(await stateAt(repository, path)).toBe('stale');
    await startProcess(sleeperNamed('git'), ['600'], { cwd: tree });
    expect(await stateAt(repository, path)).toBe('held');
  });

  gitTest('a rebase in progress without a lock is not a finding', async () => {
    const repository = makeRepository();
    const { root } = repository;
    git(root, 'switch', '-q', '-c', 'side');
    change(root);
    git(root, 'commit', '-q', '-a', '-m', 'side');
    git(root, 'switch', '-q', 'main');
    writeFileSync(join(root, 'file'), 'other\n');
    git(root, 'commit', '-q', '-a', '-m', 'other');
    expect(spawnSync('git', ['rebase', 'side'], { cwd: root, env: GIT_ENV }).status).not.toBe(0);
    expect(existsSync(join(root, '.git/rebase-merge'))).toBe(true);
    expect(await repository.look()).toMatchObject({ exitCode: 0, findings: [], gaps: [] });
  });

  gitTest(
    'gitdir files that are circular, or lead elsewhere or nowhere, are not followed for writing',
    async () => {
      const repository = makeRepository();
      const { root, env } = repository;
      const away = makeRepository();
      const outside = leave(join(away.root, '.git/index.lock'));
      for (const [name, text] of [
        ['loop', 'gitdir: ../loop/.git\n'],
        ['away', `gitdir: ${away.root}/.git\n`],
        ['gone', 'gitdir: /nowhere/.git/worktrees/gone\n'],
        ['noise', '\0\xff'],
      ] as const) {
        mkdirSync(join(root, name));
        writeFileSync(join(root, name, '.git'), text);
        await startProcess(sleeperNamed('git'), ['600'], { cwd: join(root, name) });
      }
      const path = leave(join(root, '.git/index.lock'));
      expect((await repository.look()).gaps.map(({ git: is }) => is)).toEqual(['unseen', 'odd', 'odd']);
      expect(await locksOf(repository)).toEqual({ [outside]: 'held', [path]: 'held' });
      await heal(root, { env, dryRun: false });
      expect(existsSync(outside)).toBe(true);
    },
  );

  gitTest('lockfiles of package managers are not locks', async () => {
    const repository = makeRepository();
    for (const name of [
      'package-lock.json',
      'yarn.lock',
      'Cargo.lock',
      'flake.lock',
      '.git/yarn.lock',
      '.git/objects/x.lock',
    ])
      leave(join(repository.root, name));
    expect((await repository.look()).locks).toEqual([]);
  });

  (canBecomeOthers ? gitTest : test.skip)("another user's lock is released only by root", async () => {
    const repository = makeRepository();
    const { root, env } = repository;
    const path = leave(join(root, '.git/index.lock'));
    for (const each of [root, join(root, '.git'), path]) chownSync(each, OTHER_UID + 1, OTHER_UID + 1);
    chmodSync(join(root, '..'), 0o755);
    await asOtherUser(async () => {
      // A user may list all processes, but not examine those of the lock's owner.
      expect(['stale', 'unknown']).toContain(await stateAt(repository, path));
      const { findings } = await heal(root, { env, dryRun: false });
      expect(findings.some(({ fix }) => fix?.status === 'fixed')).toBe(false);
    });
    expect(existsSync(path)).toBe(true);
    await heal(root, { env, dryRun: false });
    expect(existsSync(path)).toBe(false);
  });
});

describe('a git lock stays while it may be in use by', () => {
  const linuxGit = process.platform === 'linux' ? gitTest : test.skip;
  const rootGit = canBecomeOthers ? linuxGit : test.skip;
  /** `--fix` releases nothing while a process uses the lock in this way. */
  const staysWhile = async ({ root, env, look }: Repository, path: string): Promise<void> => {
    const { findings } = await heal(root, { env, dryRun: false });
    expect(findings.filter(({ fix }) => fix?.status === 'fixed')).toEqual([]);
    expect(existsSync(path)).toBe(true);
    expect(['held', 'unknown']).toContain((await look()).locks[0]?.state);
  };

  linuxGit('a program other than git that has the lock open', async () => {
    const repository = makeRepository();
    const path = leave(join(repository.root, '.git/index.lock'));
    const descriptor = openSync(path, 'r');
    try {
      expect(await lockAt(repository, path)).toMatchObject({
        state: 'held',
        reasons: ['file-open', 'git-not-running'],
      });
      await staysWhile(repository, path);
    } finally {
      closeSync(descriptor);
    }
  });

  (hasCompiler ? linuxGit : test.skip)(
    'a process whose main thread has ended: it has the lock open, or was started by git (skipped without cc)',
    async () => {
      const repository = makeRepository();
      const { root } = repository;
      const path = leave(join(root, '.git/index.lock'));
      const descriptor = openSync(path, 'r');
      const stdio = ['ignore', 'ignore', 'ignore', descriptor] as const;
      const opener = await startZombieLeader({ cwd: '/', stdio: [...stdio] });
      closeSync(descriptor);
      expect(await lockAt(repository, path)).toMatchObject({
        state: 'held',
        reasons: ['file-open', expect.any(String)],
      });
      await staysWhile(repository, path);
      process.kill(opener, 'SIGKILL');
      await until(async () => (await stateAt(repository, path)) === 'stale', 'the end of the opener');
      await startZombieLeader({
        cwd: '/',
        env: { ...process.env, GIT_INDEX_FILE: join(root, '.git/index') },
      });
      await staysWhile(repository, path);
    },
  );

  linuxGit('an editor that has any file below the git directory open', async () => {
    const repository = makeRepository();
    const { root } = repository;
    const path = leave(join(root, '.git/refs/heads/main.lock'));
    await startProcess('sh', ['-c', `exec 3< ${root}/.git/index; exec sleep 600`], { cwd: '/' });
    await until(async () => (await stateAt(repository, path)) === 'held', 'the open file');
    await staysWhile(repository, path);
  });

  linuxGit.each(['git.real', '.git-wrapped'])('a git that a wrapper calls %s', async (name) => {
    const repository = makeRepository();
    const path = leave(join(repository.root, '.git/index.lock'));
    await startProcess(sleeperNamed(name), ['600'], { cwd: repository.root });
    await staysWhile(repository, path);
  });

  linuxGit('a git whose commit message looks like a command', async () => {
    const repository = makeRepository();
    const path = leave(join(repository.root, '.git/index.lock'));
    await startProcess(sleeperNamed('git'), ['600'], { cwd: repository.root, argv0: 'git commit -m daemon' });
    await staysWhile(repository, path);
  });

  rootGit('a git in another PID namespace or mount namespace (skipped without root)', async () => {
    const repository = makeRepository();
    const { root } = repository;
    const path = leave(join(root, '.git/index.lock'));
    const elsewhere = mkdtempSync(join(tmpdir(), 'mnt-'));
    onCleanUp(() => rmSync(elsewhere, { recursive: true, force: true }));
    const sleeper = sleeperNamed('git');
    for (const script of [
      `cd ${root}; exec ${sleeper} 600`,
      `mount --bind ${root} ${elsewhere}; cd ${elsewhere}; exec ${sleeper} 600`,
      `mount --bind ${root} ${elsewhere}; GIT_DIR=${elsewhere}/.git exec ${sleeper} 600`,
    ]) {
      expect(await stateAt(repository, path)).toBe('stale');
      const { stop } = await startProcess(
        'unshare',
        ['-p', '-m', '--fork', '--kill-child', 'sh', '-c', script],
        { cwd: '/' },
      );
      await until(async () => (await stateAt(repository, path)) === 'held', script);
      await staysWhile(repository, path);
      await stop();
      await until(async () => (await stateAt(repository, path)) === 'stale', `the end of ${script}`);
    }
  });

  rootGit(
    'a git that works under a bind mount of the doctor’s own machine (skipped without root)',
    async () => {
      const repository = makeRepository();
      const { root } = repository;
      const path = leave(join(root, '.git/index.lock'));
      const elsewhere = mkdtempSync(join(tmpdir(), 'mnt-'));
      onCleanUp(() => rmdirSync(elsewhere));
      execFileSync('mount', ['--bind', root, elsewhere]);
      onCleanUp(() => void execFileSync('umount', ['--lazy', elsewhere]));
      const sleeper = sleeperNamed('git');
      for (const [cwd, env] of [
        [elsewhere, {}],
        ['/', { GIT_DIR: join(elsewhere, '.git') }],
      ] as const) {
        expect(await stateAt(repository, path)).toBe('stale');
        const { stop } = await startProcess(sleeper, ['600'], { cwd, env: { ...process.env, ...env } });
        await until(async () => (await stateAt(repository, path)) === 'held', `git in ${cwd}`);
        await staysWhile(repository, path);
        // Also where the repository is only one of many directories below the root.
        const { locks } = await examine(join(root, '..'), { env: repository.env });
        expect(locks).toMatchObject([{ path, state: 'held' }]);
        await stop();
        await until(async () => (await stateAt(repository, path)) === 'stale', `the end of git in ${cwd}`);
      }
    },
  );

  rootGit('a git whose mount was detached under it (skipped without root)', async () => {
    const repository = makeRepository();
    const { root } = repository;
    const path = leave(join(root, '.git/index.lock'));
    mkdirSync(join(root, 'a/b'), { recursive: true });
    const elsewhere = mkdtempSync(join(tmpdir(), 'mnt-'));
    onCleanUp(() => rmdirSync(elsewhere));
    // With only a directory inside of it mounted nothing tells which repository that is.
    for (const [mounted, cwd, state] of [
      ['.', '.', 'held'],
      ['.', 'a/b', 'held'],
      ['a', '.', 'unknown'],
    ] as const) {
      expect(await stateAt(repository, path)).toBe('stale');
      execFileSync('mount', ['--bind', join(root, mounted), elsewhere]);
      const { stop } = await startProcess(sleeperNamed('git'), ['600'], { cwd: join(elsewhere, cwd) });
      execFileSync('umount', ['--lazy', elsewhere]);
      await until(async () => (await stateAt(repository, path)) === state, `git in ${cwd} of ${mounted}`);
      await stop();
      await until(async () => (await stateAt(repository, path)) === 'stale', 'the end of git');
    }
  });

  rootGit('a git of another user, which the doctor may not examine (skipped without root)', async () => {
    const repository = makeRepository();
    const { root } = repository;
    const path = leave(join(root, '.git/index.lock'));
    for (const each of [root, join(root, '.git'), path]) chownSync(each, OTHER_UID, OTHER_UID);
    chmodSync(join(root, '..'), 0o755);
    const { stop } = await startProcess(sleeperNamed('git'), ['600'], { cwd: root });
    await asOtherUser(async () => {
      expect(['held', 'unknown']).toContain(await stateAt(repository, path));
      await heal(root, { env: repository.env, dryRun: false });
    });
    expect(existsSync(path)).toBe(true);
    await stop();
  });
});
