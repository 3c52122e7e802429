/** Locks of git worktrees, made by git, in a plain repository, which is a root like any other. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { runUnderLock } from '../../src/exec/run-under-lock.ts';
import { preflightRemoval } from '../../src/places/removal.ts';
import { who } from '../../src/places/who.ts';
import { preflight } from '../../src/preflight.ts';
import { undoReleases } from '../../src/repair/undo.ts';
import { doctor } from '../cli/run-cli.ts';
import {
  canBecomeOthers,
  cleanUp,
  fakeAgent,
  groupIsRunning,
  hasTmux,
  isRunning,
  OTHER_UID,
  onCleanUp,
  sleeperNamed,
  startProcess,
  startTmux,
  until,
} from '../support/index.ts';
import { LANGUAGES, WITHOUT_GERMAN } from './german.ts';
import { aged, GIT_ENV, git, gitTest, makeRepository } from './repository.ts';
import { linuxTest } from './stage.ts';
import { examine, heal } from './undisturbed.ts';

afterEach(cleanUp);

const tmuxTest = hasTmux ? gitTest : test.skip;

const ended = (): number => spawnSync('true').pid;

const reasonOf = (pid: number): string => `claude agent agent-ab12 (pid ${pid})`;

const startOf = (pid: number): string =>
  readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ')[19] ?? '';

describe('the root', () => {
  gitTest('is called a repository, even if bare; a linked worktree says where its own lock is', async () => {
    const { root, env, worktree, look } = makeRepository();
    const tree = worktree('.claude/worktrees/a', reasonOf(ended()));
    expect((await look()).town).toMatchObject({ root, type: 'repository' });
    git(root, 'clone', '-q', '--bare', root, '../bare.git');
    expect((await examine(join(root, '../bare.git'), { env })).town).toHaveProperty('type', 'repository');
    expect((await examine(join(root, '..'), { env })).town).not.toHaveProperty('type');
    mkdirSync(join(root, 'mayor'));
    writeFileSync(join(root, 'mayor/town.json'), '{}');
    expect((await look()).town).not.toHaveProperty('type');

    // A worktree as the root has its own lock, which is in the repository.
    expect((await examine(tree, { env })).locks).toMatchObject([
      { id: expect.stringMatching(/^git-worktree:\.\.\/.*\/worktrees\/a\/locked$/), worker: '.' },
    ]);
    // A pointer that leads elsewhere or is circular is not followed, and the report says so.
    for (const pointer of [root, `${tree}/.git`, '.']) {
      writeFileSync(join(tree, '.git'), `gitdir: ${pointer}\n`);
      expect((await examine(tree, { env })).gaps).toEqual([
        expect.objectContaining({ why: expect.stringContaining('no repository') }),
      ]);
    }
  });
});

describe('a root inside a repository', () => {
  gitTest('says that the rest of the repository is not checked, unless the root was named', async () => {
    const { root, env, worktree } = makeRepository();
    const inside = join(root, 'src/lib');
    mkdirSync(inside, { recursive: true });
    const notesAt = async (cwd: string, town?: string): Promise<readonly string[]> => {
      const notes: string[] = [];
      await examine(town, { env, cwd, onNote: (note) => void notes.push(note) });
      return notes;
    };
    const note = `only this worktree is looked at, not the rest of its repository. Run: doctor --town ${root}`;
    expect(await notesAt(inside)).toEqual([]);
    expect(await notesAt(join(root, '..'))).toEqual([]);
    const tree = worktree('../tree');
    expect(await notesAt(tree)).toEqual([note]);
    expect(await notesAt(tree, tree)).toEqual([]);
    mkdirSync(join(tree, 'src'));
    expect(await notesAt(join(tree, 'src'))).toEqual([note]);
  });

  gitTest(
    'is the top of the working tree, for whoever stands in a part of it and named no root',
    async () => {
      const { root, env, worktree } = makeRepository();
      const tree = worktree('.claude/worktrees/search');
      git(root, 'init', '-q', 'nested');
      const rootAt = async (cwd: string, town?: string) => {
        mkdirSync(cwd, { recursive: true });
        return (await examine(town, { env, cwd })).town?.root;
      };
      expect(await rootAt(join(root, 'src/lib'))).toBe(root);
      expect(await rootAt(join(tree, 'src'))).toBe(tree);
      expect(await rootAt(join(root, 'nested/src'))).toBe(join(root, 'nested'));
      expect(await rootAt(join(root, 'src/lib'), '.')).toBe(join(root, 'src/lib'));
      expect(await rootAt(join(root, '../plain/src'))).toBe(join(root, '../plain/src'));
    },
  );

  gitTest('is not the home of the caller, whose dotfiles are around all repositories', async () => {
    const { root, env } = makeRepository();
    const cwd = join(root, 'notes');
    mkdirSync(cwd);
    const { stdout } = doctor(['--json'], { env: { ...env, HOME: root }, cwd });
    expect(JSON.parse(stdout).town.root).toBe(cwd);
  });
});

describe("a lock that an agent's tool took", () => {
  gitTest('is stale once its process is dead and no agent works there', async () => {
    const { worktree, lockOf } = makeRepository();
    worktree('.claude/worktrees/a', reasonOf(ended()));
    expect(await lockOf('.claude/worktrees/a')).toMatchObject({
      id: 'git-worktree:.git/worktrees/a/locked',
      kind: 'git-worktree',
      state: 'stale',
      reasons: ['process-gone'],
    });
  });

  gitTest('with a live process is unknown until an agent is seen at work there', async () => {
    const { root, worktree, lockOf } = makeRepository();
    const { pid } = await startProcess('sleep', ['600'], { cwd: root });
    const path = worktree('.claude/worktrees/a', reasonOf(pid));
    expect(await lockOf('.claude/worktrees/a')).toMatchObject({
      state: 'unknown',
      reasons: ['process-shared'],
    });
    await fakeAgent('claude', { cwd: path });
    expect(await lockOf('.claude/worktrees/a')).toMatchObject({ state: 'held' });
  });

  gitTest('with a dead process is held by the agent that works there now', async () => {
    const { worktree, lockOf } = makeRepository();
    await fakeAgent('claude', { cwd: worktree('.claude/worktrees/a', reasonOf(ended())) });
    expect(await lockOf('.claude/worktrees/a')).toMatchObject({
      state: 'held',
      reasons: ['process-gone', 'occupied'],
    });
  });

  linuxTest('with a reused PID is recognized by its start time', async () => {
    const { root, worktree, lockOf } = makeRepository();
    const { pid } = await startProcess('sleep', ['600'], { cwd: root });
    worktree('same', `claude session x (pid ${pid} start ${startOf(pid)})`);
    worktree('other', `claude session x (pid ${pid} start 17)`);
    worktree('sibling', reasonOf(ended()));
    expect(await lockOf('same')).toMatchObject({ state: 'unknown', reasons: ['process-shared'] });
    expect(await lockOf('other')).toMatchObject({ state: 'stale', reasons: ['process-recycled'] });
    expect(await lockOf('sibling')).toMatchObject({ state: 'stale' });
  });

  linuxTest('stays with a live session that works elsewhere when the clock was set since', async () => {
    const { root, worktree, lockOf } = makeRepository();
    const elsewhere = worktree('.claude/worktrees/b');
    for (const [name, cwd] of [
      ['outside', '/'],
      ['beside', elsewhere],
    ] as const) {
      const { pid } = await startProcess(sleeperNamed('claude'), ['600'], { cwd });
      worktree(name, reasonOf(pid));
      // Less than an hour: a lock from before the start of this machine is nobody's.
      aged(join(root, '.git/worktrees', name, 'locked'), 50 * 60);
      expect(await lockOf(name)).toMatchObject({ state: 'unknown', reasons: ['process-shared'] });
    }
  });
});

tmuxTest(
  'an agent that a pane at the root sent into a worktree beside it does not hold the root',
  async () => {
    const { root, env, worktree } = makeRepository();
    const [feature, other] = [worktree('../feature'), worktree('../other')];
    const server = await startTmux({ tmuxTmpdir: env.TMUX_TMPDIR ?? '' });
    const start = `(cd '${feature}' && exec '${sleeperNamed('claude')}' 600) & wait`;
    server.newSession('side', { cwd: root, command: ['/bin/sh', '-c', start] });
    const answer = async (cwd: string) => (await preflight(cwd, '.', { env, cwd })).results[0]?.answer;
    await until(async () => (await answer(feature)) === 'held', 'the agent');
    expect([await answer(root), await answer(other)]).toEqual(['free', 'free']);
  },
);

describe('several agents in one pane', () => {
  const startInOnePane = async (places: readonly string[], env: Readonly<Record<string, string>>) => {
    const claude = sleeperNamed('claude');
    const server = await startTmux({ tmuxTmpdir: env.TMUX_TMPDIR ?? '' });
    const starts = places.map((place) => `(cd '${place}' && exec '${claude}' 600) &`).join(' ');
    const { paneId } = server.newSession('side', { cwd: '/', command: ['/bin/sh', '-c', `${starts} wait`] });
    return paneId;
  };

  tmuxTest('have one row each, whichever working trees they are in', async () => {
    const { root, env, worktree, look } = makeRepository();
    const pane = await startInOnePane([worktree('one'), worktree('two'), worktree('../three')], env);
    const agents = async () => (await look()).agents.map(({ worker, command }) => `${worker} ${command}`);
    await until(async () => (await agents()).length >= 3, 'three agents');
    expect(await agents()).toEqual(['../three claude', 'one claude', 'two claude']);
    const told = (await look()).agents;
    expect(new Set(told.map(({ pid }) => pid)).size).toBe(3);
    expect(told.map((agent) => agent.pane?.id)).toEqual([pane, pane, pane]);
    expect((await look()).collisions).toEqual([]);
    // A lock in one of them accounts only for the agent there.
    const lock = {
      pid: told[1]?.pid,
      acquired_at: new Date().toISOString(),
      session_id: '',
      hostname: hostname(),
    };
    mkdirSync(join(root, 'one/.runtime'));
    writeFileSync(join(root, 'one/.runtime/agent.lock'), JSON.stringify(lock));
    expect((await look()).agents.filter(({ lock: id }) => id === null)).toMatchObject([
      { worker: '../three' },
      { worker: 'two' },
    ]);
  });

  tmuxTest('in one directory are two agents without a lock', async () => {
    const { env, worktree, look } = makeRepository();
    const tree = worktree('one');
    await startInOnePane([tree, tree], env);
    await until(async () => (await look()).agents.length >= 2, 'two agents');
    expect((await look()).agents.map(({ worker }) => worker)).toEqual(['one', 'one']);
  });
});

describe("a lock with a process of Claude's pool", () => {
  /** A process with this name and these arguments. */
  const pool = async (args: readonly string[], cwd = '/'): Promise<number> => {
    const script = join(mkdtempSync(join(tmpdir(), 'pool-')), 'claude');
    onCleanUp(() => rmSync(dirname(script), { recursive: true, force: true }));
    writeFileSync(script, '#!/bin/sh\nread -r word <"$0.fifo"\n', { mode: 0o755 });
    execFileSync('mkfifo', [`${script}.fifo`]);
    return (await startProcess(script, args, { cwd })).pid;
  };
  const register = (env: Readonly<Record<string, string>>, pid: number, cwd: string): void => {
    const folder = join(env.HOME ?? '', '.claude/sessions');
    mkdirSync(folder, { recursive: true });
    const record = {
      pid,
      cwd,
      sessionId: 'x',
      startedAt: Date.now(),
      procStart: startOf(pid),
      name: 'fix-login',
    };
    writeFileSync(join(folder, `${pid}.json`), JSON.stringify({ ...record, status: 'busy' }));
  };

  linuxTest('is unknown while that process waits for work, wherever it is', async () => {
    const { root, env, worktree, lockOf } = makeRepository();
    for (const [name, args] of [
      ['spare', ['--bg-spare']],
      ['pty', ['--bg-pty-host', '/tmp/x']],
      ['daemon', ['daemon', 'run']],
    ] as const) {
      const path = join(root, name);
      worktree(name, reasonOf(await pool(args)));
      expect([name, await lockOf(name)]).toMatchObject([
        name,
        { state: 'unknown', reasons: ['process-shared'] },
      ]);
      // Such a process does not count as an agent anywhere.
      writeFileSync(join(root, '.git/worktrees', name, 'locked'), `${reasonOf(await pool(args, path))}\n`);
      aged(join(root, '.git/worktrees', name, 'locked'));
      expect([name, (await lockOf(name)).state]).toEqual([name, 'unknown']);
    }
    expect((await heal(root, { env, dryRun: false })).summary?.fixed).toBe(0);
  });

  linuxTest('is held once a registry says that the session works in it, and only there', async () => {
    const { root, env, worktree, lockOf } = makeRepository();
    const pid = await pool(['--bg-spare']);
    worktree('a', reasonOf(pid));
    worktree('b', reasonOf(pid));
    register(env, pid, join(root, 'a'));
    expect(await lockOf('a')).toMatchObject({ state: 'held' });
    expect(await lockOf('b')).toMatchObject({ state: 'unknown', reasons: ['process-shared'] });
    expect((await heal(root, { env, dryRun: false })).summary?.fixed).toBe(0);
  });

  linuxTest('is stale once that process has ended, whatever siblings or its old record say', async () => {
    const { root, env, worktree, lockOf } = makeRepository();
    const [pid, sibling] = [await pool(['--bg-spare']), await pool(['--bg-spare'])];
    worktree('a', reasonOf(pid));
    worktree('b', reasonOf(sibling));
    register(env, pid, join(root, 'a'));
    process.kill(pid, 'SIGKILL');
    await until(async () => (await lockOf('a')).state === 'stale', 'the end of the process');
    expect((await lockOf('b')).state).toBe('unknown');
    const { findings } = await heal(root, { env, dryRun: false });
    expect(findings.filter(({ fix }) => fix?.status === 'fixed').map(({ worker }) => worker)).toEqual(['a']);
    expect(isRunning(sibling)).toBe(true);
  });
});

describe('a worktree beside the repository', () => {
  gitTest('is a worker too: an agent there holds its lock', async () => {
    const { worktree, lockOf } = makeRepository();
    const path = worktree('../feature', reasonOf(ended()));
    expect(await lockOf('../feature')).toMatchObject({ state: 'stale' });
    mkdirSync(join(path, 'src'));
    await fakeAgent('claude', { cwd: join(path, 'src') });
    expect(await lockOf('../feature')).toMatchObject({ state: 'held' });
  });

  gitTest('shows its agents without a lock, and two of them are a collision', async () => {
    const { worktree, look } = makeRepository();
    const path = worktree('../feature');
    await fakeAgent('claude', { cwd: path });
    expect((await look()).agents).toMatchObject([{ worker: '../feature', lock: null, command: 'claude' }]);
    await fakeAgent('codex', { cwd: path });
    expect((await look()).collisions).toMatchObject([{ kind: 'agents', workers: ['../feature'] }]);
  });

  const lockIn = (path: string, pid: number, session = ''): string => {
    mkdirSync(join(path, '.runtime'), { recursive: true });
    const lock = join(path, '.runtime/agent.lock');
    const acquired = new Date(Date.now() - 300_000).toISOString();
    const record = { pid, acquired_at: acquired, session_id: session, hostname: hostname() };
    writeFileSync(lock, JSON.stringify(record));
    aged(lock);
    return lock;
  };

  gitTest("shows the agent's own lock in it, held by the agent there", async () => {
    const { worktree, look } = makeRepository();
    const path = worktree('../feature');
    lockIn(path, ended());
    const { pid } = await fakeAgent('claude', { cwd: path });
    const report = await look();
    expect(report.locks).toMatchObject([{ id: 'agent:../feature', worker: '../feature', state: 'held' }]);
    expect(report.agents).toMatchObject([{ worker: '../feature', lock: 'agent:../feature', pid }]);
  });

  gitTest('shows where to release its stale lock, and a repair from here writes nothing there', async () => {
    const { root, env, worktree, look } = makeRepository();
    const path = worktree('../feature');
    const lock = lockIn(path, ended());
    const report = await look();
    expect(report.locks).toMatchObject([{ worker: '../feature', state: 'stale' }]);
    expect(report.findings).toMatchObject([
      { check: 'stale-lock', worker: '../feature', next: [['doctor', '--fix', '--town', path]] },
      { check: 'tracked-lock' },
    ]);
    for (const options of [{}, { workers: ['../feature'] }, { workers: ['../feature'], force: true }])
      await heal(root, { env, ...options });
    expect(existsSync(lock)).toBe(true);
    expect((await heal(path, { env })).undo).not.toBeNull();
    expect(existsSync(lock)).toBe(false);
  });

  tmuxTest('has a copy of the lock of another: the same is said and done of it from both', async () => {
    const { root, env, worktree, look } = makeRepository();
    const path = worktree('../feature');
    const tmux = await startTmux({ tmuxTmpdir: env.TMUX_TMPDIR ?? '' });
    const agent = tmux.newSession('one', { cwd: root, command: [sleeperNamed('claude'), '600'] });
    // The terminal of whoever asks from the copy is on the same server.
    tmux.newSession('two', { cwd: path, command: ['sleep', '600'] });
    for (const pid of [agent.pid, ended()]) {
      const original = lockIn(root, pid, agent.paneId);
      const copy = lockIn(path, pid, agent.paneId);
      copyFileSync(original, copy);
      aged(copy);
      const isCopy = { state: 'stale', notes: expect.arrayContaining(['copy']) };
      expect((await look()).locks).toMatchObject([{ worker: '.', state: 'held' }, isCopy]);
      expect((await examine(path, { env })).locks).toMatchObject([isCopy]);
      // A lock with other bytes is no copy.
      writeFileSync(original, ' ', { flag: 'a' });
      expect((await examine(path, { env })).locks).not.toMatchObject([isCopy]);
      copyFileSync(copy, original);
      await heal(path, { env });
      expect([original, copy].map((lock) => existsSync(lock))).toEqual([true, false]);
    }
  });

  gitTest("counts only if git's files at both ends name each other", async () => {
    const { root, worktree, look } = makeRepository();
    const path = worktree('../feature');
    const stranger = join(root, '../stranger');
    mkdirSync(stranger);
    lockIn(stranger, ended());
    // Write access to this repository is not enough to make another directory a part of it.
    writeFileSync(join(root, '.git/worktrees/feature/gitdir'), `${stranger}/.git\n`);
    writeFileSync(join(stranger, '.git'), `gitdir: ${root}/.git/worktrees/other\n`);
    lockIn(path, ended());
    expect((await look()).locks).toEqual([]);
  });

  gitTest('is reported as gone, and unlocked so that git can prune it, once it is deleted', async () => {
    const { root, env, worktree, lockOf } = makeRepository();
    rmSync(worktree('../feature', reasonOf(ended())), { recursive: true });
    expect(await lockOf('../feature')).toMatchObject({ state: 'stale', notes: ['gone'] });
    await heal(root, { env, dryRun: false });
    git(root, 'worktree', 'prune');
    expect(git(root, 'worktree', 'list', '--porcelain')).not.toContain('feature');
  });
});

describe('a lock that a person took', () => {
  test.each([[''], ['afk: do not touch'], ['{"owner":"supacode"}']])(
    'with reason %j is held by hand, and --force does not release it',
    async (reason) => {
      const { root, env, worktree, lockOf } = makeRepository();
      worktree('a', reason);
      expect(await lockOf('a')).toMatchObject({ state: 'held', notes: ['by-hand'] });
      await heal(root, { env, dryRun: false, force: true, workers: ['a'] });
      expect(existsSync(join(root, '.git/worktrees/a/locked'))).toBe(true);
    },
  );

  gitTest('is held even if the directory is gone, which may be on a disk that is not mounted', async () => {
    const { worktree, lockOf } = makeRepository();
    rmSync(worktree('../usb', 'on the usb disk'), { recursive: true });
    expect(await lockOf('../usb')).toMatchObject({ state: 'held', notes: ['gone', 'by-hand'] });
  });
});

describe("git's own lock while it adds a worktree", () => {
  /** A git that waits in a filter of its first checkout, as with a slow disk. */
  const adding = async (root: string, speaking: Readonly<Record<string, string>>) => {
    const filter = join(root, '..', 'slow');
    writeFileSync(filter, '#!/bin/sh\necho begun >> "$0.log"\nexec sleep 600\n', { mode: 0o755 });
    writeFileSync(join(root, '.gitattributes'), 'file filter=slow\n');
    git(root, 'add', '.');
    git(root, 'commit', '-q', '-m', 'second');
    git(root, 'config', 'filter.slow.smudge', filter);
    const child = spawn('git', ['worktree', 'add', '-q', '--detach', '../new'], {
      cwd: root,
      env: { ...GIT_ENV, ...speaking },
      stdio: 'ignore',
      detached: true,
    });
    const group = child.pid ?? 0;
    const end = (): void => {
      try {
        process.kill(-group, 'SIGKILL');
      } catch {
        // All of them have ended.
      }
    };
    onCleanUp(end);
    await until(() => existsSync(`${filter}.log`));
    return async () => {
      end();
      await until(() => !groupIsRunning(group), 'the end of git and its filter');
    };
  };

  test.each(LANGUAGES)(
    `is held while git runs, and stale once git was killed (%s)${WITHOUT_GERMAN}`,
    async (language, speaking) => {
      const { root, env, lockOf } = makeRepository();
      const end = await adding(root, speaking);
      const locked = join(root, '.git/worktrees/new/locked');
      expect(readFileSync(locked, 'utf8')).toMatch(language === 'de' ? /^initialisier/ : /^initializing/);
      aged(locked);
      expect(await lockOf('../new')).toMatchObject({ state: 'held', reasons: ['git-running'] });
      await end();
      expect(await lockOf('../new')).toMatchObject({ state: 'stale', reasons: ['git-not-running'] });
      // Its index.lock as well.
      aged(join(root, '.git/worktrees/new/index.lock'));
      expect((await heal(root, { env, dryRun: false })).findings).toMatchObject([
        { fix: { status: 'fixed' } },
        { fix: { status: 'fixed' } },
      ]);
      expect(existsSync(locked)).toBe(false);
      git(root, 'worktree', 'remove', '--force', '../new');
    },
  );
});

test('a worktree whose git was killed just before its first checkout is not finished', async () => {
  const { root, worktree, lockOf } = makeRepository();
  worktree('../new', 'initializing');
  // Once the files are there, git no longer needs it: then a person wrote it.
  expect(await lockOf('../new')).toMatchObject({ state: 'held', notes: ['by-hand'] });
  rmSync(join(root, '.git/worktrees/new/index'));
  aged(join(root, '.git/worktrees/new/locked'));
  expect(await lockOf('../new')).toMatchObject({ state: 'stale', reasons: ['git-not-running'] });
  writeFileSync(join(root, '.git/worktrees/new/locked'), 'mine\n');
  aged(join(root, '.git/worktrees/new/locked'));
  expect(await lockOf('../new')).toMatchObject({ state: 'held', notes: ['by-hand'] });
});

describe("a person's lock of a worktree that looks unfinished", () => {
  /** Locked after `git worktree add --no-checkout`, as with a checkout of one's own. */
  const lockedLater = () => {
    const repository = makeRepository();
    const { root } = repository;
    git(root, 'worktree', 'add', '-q', '--no-checkout', '--detach', '../new');
    git(root, 'worktree', 'lock', '--reason', 'Bob: never remove', '../new');
    return { ...repository, gitDir: join(root, '.git/worktrees/new') };
  };

  gitTest.each<[string, (gitDir: string) => void]>([
    [
      'a checkout was killed',
      (gitDir) => {
        writeFileSync(join(gitDir, 'index.lock'), '');
        aged(join(gitDir, 'index.lock'));
      },
    ],
    ['HEAD is lost', (gitDir) => rmSync(join(gitDir, 'HEAD'))],
    ['its path is lost', (gitDir) => rmSync(join(gitDir, 'gitdir'))],
    ['HEAD names nothing', (gitDir) => writeFileSync(join(gitDir, 'HEAD'), `${'0'.repeat(40)}\n`)],
  ])('stays: %s', async (_, damage) => {
    const { root, env, look, gitDir } = lockedLater();
    const locked = join(gitDir, 'locked');
    damage(gitDir);
    aged(locked);
    await heal(root, { env, dryRun: false });
    expect(readFileSync(locked, 'utf8')).toBe('Bob: never remove\n');
    const { locks } = await look();
    expect(locks.find(({ path }) => path === locked)).toMatchObject({ state: 'held' });
  });
});

describe('a repair of worktree locks', () => {
  gitTest('changes only the lock, and undo restores the same bytes', async () => {
    const { root, env, worktree } = makeRepository();
    worktree('../one', reasonOf(ended()));
    worktree('two', `openclaw pid=${ended()}`);
    const locks = ['one', 'two'].map((name) => join(root, '.git/worktrees', name, 'locked'));
    const bytes = locks.map((path) => readFileSync(path, 'latin1'));
    const list = git(root, 'worktree', 'list', '--porcelain');
    const { exitCode } = await heal(root, { env, dryRun: false });
    expect(exitCode).toBe(0);
    const unlocked = git(root, 'worktree', 'list', '--porcelain');
    expect(unlocked).toBe(list.replace(/^locked .*\n/gm, ''));
    expect(git(root, 'status', '--porcelain')).toBe('?? two/\n');
    git(root, 'fsck', '--strict');
    const { outcomes } = await undoReleases(null, { townRoot: root });
    expect(outcomes.map(({ status }) => status)).toEqual(['restored', 'restored']);
    expect(locks.map((path) => readFileSync(path, 'latin1'))).toEqual(bytes);
    expect(git(root, 'worktree', 'list', '--porcelain')).toBe(list);
    git(root, 'fsck', '--strict');
  });

  gitTest('releases only the kinds in the options', async () => {
    const { root, env, worktree, lockOf } = makeRepository();
    worktree('.claude/worktrees/a', reasonOf(ended()));
    const others = await heal(root, { env, kinds: ['agent'] });
    expect([others.summary?.fixed, others.exitCode]).toEqual([0, 1]);
    expect((await lockOf('.claude/worktrees/a')).state).toBe('stale');
    expect((await heal(root, { env, kinds: ['git-worktree'] })).summary).toMatchObject({
      fixed: 1,
      locks: 0,
    });
    await expect(heal(root, { env, kinds: ['nothing-like-it'] })).rejects.toThrow('no kind of lock');
  });

  gitTest('is never undone over a newer lock', async () => {
    const { root, env, worktree } = makeRepository();
    worktree('a', reasonOf(ended()));
    await heal(root, { env, dryRun: false });
    git(root, 'worktree', 'lock', '--reason', 'mine', 'a');
    const { outcomes } = await undoReleases(null, { townRoot: root });
    expect(outcomes.map(({ status }) => status)).toEqual(['newer-lock']);
    expect(readFileSync(join(root, '.git/worktrees/a/locked'), 'utf8')).toBe('mine\n');
  });
});

describe('damaged repositories', () => {
  gitTest('a gitdir that points elsewhere is in doubt, and nothing is written there', async () => {
    const { root, env, worktree, look } = makeRepository();
    const away = makeRepository();
    const empty = join(root, 'empty');
    mkdirSync(empty);
    const pointers: Readonly<Record<string, string>> = {
      repository: `${away.root}/.git\n`,
      another: `${root}/.claude/worktrees/sound/.git\n`,
      unversioned: `${empty}/.git\n`,
      loop: `${root}/.git/worktrees/loop/.git\n`,
      noise: 'no\0path\n',
    };
    worktree('.claude/worktrees/sound', reasonOf(ended()));
    for (const [name, text] of Object.entries(pointers)) {
      worktree(name, reasonOf(ended()));
      writeFileSync(join(root, '.git/worktrees', name, 'gitdir'), text);
    }
    const { locks, gaps, findings } = await look();
    expect(gaps).toEqual([]);
    const states = Object.fromEntries(locks.map(({ path, state }) => [path.split('/').at(-2), state]));
    expect(states).toEqual({
      sound: 'stale',
      ...Object.fromEntries(Object.keys(pointers).map((name) => [name, 'unknown'])),
    });
    expect(findings.map(({ check }) => check).sort()).toEqual([
      'stale-lock',
      ...Object.keys(pointers).map(() => 'undecided-lock'),
    ]);
    const before = [away.root, empty].map((place) => readdirSync(place));
    expect((await heal(root, { env, dryRun: false })).summary?.fixed).toBe(1);
    for (const name of Object.keys(pointers))
      expect(existsSync(join(root, '.git/worktrees', name, 'locked'))).toBe(true);
    expect([away.root, empty].map((place) => readdirSync(place))).toEqual(before);
  });

  gitTest('a gitdir that points at nothing means that the worktree is gone', async () => {
    const { root, worktree, lockOf } = makeRepository();
    renameSync(worktree('moved-from', reasonOf(ended())), join(root, 'moved-to'));
    expect(await lockOf('moved-from')).toMatchObject({ state: 'stale', notes: ['gone'] });
  });

  (canBecomeOthers ? gitTest : test.skip)(
    'a worktree of another user is in doubt (skipped without root)',
    async () => {
      const { worktree, lockOf } = makeRepository();
      chownSync(worktree('../feature', reasonOf(ended())), OTHER_UID, OTHER_UID);
      const { state, evidence } = await lockOf('../feature');
      expect(state).toBe('unknown');
      expect(evidence.map(({ text }) => text).join()).toContain(`belongs to another user (uid ${OTHER_UID})`);
    },
  );

  gitTest('a worktree that was moved while an agent works in it is in doubt', async () => {
    const { root, env, worktree, lockOf } = makeRepository();
    const path = worktree('../feature', reasonOf(ended()));
    await fakeAgent('claude', { cwd: path });
    expect((await lockOf('../feature')).state).toBe('held');
    renameSync(path, `${path}-moved`);
    const { state, evidence } = await lockOf('../feature');
    expect(state).toBe('unknown');
    expect(evidence.map(({ text }) => text)).toContainEqual(
      expect.stringContaining(`is gone, but somebody works in ${dirname(root)}/feature-moved, whose .git`),
    );
    expect(await heal(root, { env })).toMatchObject({ summary: { locks: 1, fixed: 0 } });
    // The command that the report gives makes the holder visible.
    const { findings } = await examine(root, { env });
    const repair = ['worktree', 'repair', `${dirname(root)}/feature-moved`];
    expect(findings).toMatchObject([{ next: [['git', '-C', `${root}/.git`, ...repair]] }]);
    git(root, ...repair);
    expect((await lockOf('../feature-moved')).state).toBe('held');
  });

  /** A submodule in the working tree, or another repository. */
  const inner: Record<string, (top: string, source: string) => void> = {
    'a submodule': (top, source) =>
      void git(top, '-c', 'protocol.file.allow=always', 'submodule', 'add', '-q', source, 'inner'),
    'another repository': (top) => void git(top, 'init', '-q', 'inner'),
  };
  gitTest.each(Object.keys(inner))(
    'counts whoever works in it in %s, also once it was moved',
    async (name) => {
      const { root, worktree, lockOf } = makeRepository();
      const path = worktree('one', reasonOf(ended()));
      inner[name]?.(path, root);
      await fakeAgent('claude', { cwd: join(path, 'inner') });
      const { state, evidence } = await lockOf('one');
      expect(state).toBe(name === 'a submodule' ? 'held' : 'unknown');
      expect(JSON.stringify(evidence)).toMatch(/claude \(process \d+\) is running in /);
      renameSync(path, join(root, 'other'));
      expect((await lockOf('one')).state).toBe('unknown');
      renameSync(join(root, 'other'), join(root, '../outside'));
      expect((await lockOf('one')).state).toBe('unknown');
    },
  );

  gitTest('a worktree is in doubt while an agent works in a copy of it', async () => {
    const { root, worktree, lockOf } = makeRepository();
    const path = worktree('one', reasonOf(ended()));
    execFileSync('cp', ['-a', path, join(root, 'copy')]);
    expect((await lockOf('one')).state).toBe('stale');
    await fakeAgent('claude', { cwd: join(root, 'copy') });
    const { state, evidence } = await lockOf('one');
    expect(state).toBe('unknown');
    expect(JSON.stringify(evidence)).toContain(
      `somebody works in ${root}/copy, whose .git leads to this lock`,
    );
    await fakeAgent('claude', { cwd: path });
    expect((await lockOf('one')).state).toBe('held');
  });

  gitTest(
    'a worktree that was moved within the root is missed, also under a name of equal length',
    async () => {
      const { root, worktree, look } = makeRepository();
      for (const name of ['uno', 'longer']) {
        renameSync(worktree('one'), join(root, name));
        expect((await look()).findings).toMatchObject([{ check: 'lock-debris', worker: 'one' }]);
        git(root, 'worktree', 'remove', '--force', 'one');
        rmSync(join(root, name), { recursive: true });
      }
    },
  );

  gitTest.each(['trees/a', 'trees'])(
    'counts whoever works in it outside, behind the symlink %s',
    async (link) => {
      const { root, worktree, lockOf, look } = makeRepository();
      await fakeAgent('claude', { cwd: worktree('trees/a', reasonOf(ended())) });
      renameSync(join(root, link), join(root, '../elsewhere'));
      symlinkSync(join(root, '../elsewhere'), join(root, link));
      const place = link === 'trees' ? '../elsewhere/a' : '../elsewhere';
      expect(await lockOf(place)).toMatchObject({ state: 'held' });
      await fakeAgent('codex', { cwd: join(root, 'trees/a') });
      expect((await look()).collisions).toMatchObject([{ kind: 'agents', workers: [place] }]);
    },
  );

  gitTest(
    'a worktree that was moved with its repository while an agent works in it is in doubt',
    async () => {
      const { root, env, worktree } = makeRepository();
      await fakeAgent('claude', { cwd: worktree('trees/a', reasonOf(ended())) });
      worktree('trees/b', reasonOf(ended()));
      renameSync(root, `${root}-moved`);
      const { locks } = await examine(`${root}-moved`, { env });
      expect(locks.map(({ worker, state }) => [worker, state])).toEqual([
        ['../main/trees/a', 'unknown'],
        ['../main/trees/b', 'stale'],
      ]);
    },
  );

  gitTest('a worktree behind a symlink is found', async () => {
    const { root, worktree, lockOf } = makeRepository();
    const path = worktree('../feature', reasonOf(ended()));
    renameSync(path, `${path}-on-another-disk`);
    symlinkSync(`${path}-on-another-disk`, path);
    expect(await lockOf('../feature-on-another-disk')).toMatchObject({ state: 'stale', notes: [] });
    await fakeAgent('claude', { cwd: path });
    expect((await lockOf('../feature-on-another-disk')).state).toBe('held');
    expect(existsSync(join(root, '.git/worktrees/feature/locked'))).toBe(true);
  });
});

describe('a worker by name', () => {
  const toNames = ['../beside', 'gone', '.claude/worktrees/here'];

  gitTest.each(toNames)('%s: its lock is released, and the name is still valid afterwards', async (name) => {
    const { root, env, worktree } = makeRepository();
    const path = worktree(name, reasonOf(ended()));
    if (name === 'gone') rmSync(path, { recursive: true });
    const fixed = await heal(root, { env, workers: [name] });
    expect(fixed).toMatchObject({ exitCode: 0, workers: [name], summary: { locks: 0, fixed: 1 } });
  });

  gitTest('may be a working tree beside the root, also by path, and a typo gets a suggestion', async () => {
    const { root, env, worktree } = makeRepository();
    const path = worktree('../beside');
    worktree('.claude/worktrees/search', reasonOf(ended()));
    for (const worker of ['../beside', path])
      expect((await examine(root, { env, workers: [worker] })).workers).toEqual(['../beside']);
    await expect(examine(root, { env, workers: ['serch'] })).rejects.toMatchObject({
      hint: 'Did you mean .claude/worktrees/search?',
    });
  });

  gitTest.each(['../feature', 'trees/a'])(
    '%s that was deleted by hand: the answer says so, and what to do, and suggests no missing directory',
    async (name) => {
      const { root, env, worktree } = makeRepository();
      rmSync(worktree(name), { recursive: true });
      const asked = [
        preflight(root, name, { env, cwd: root }),
        who(root, [name], { env, cwd: root }),
        preflightRemoval(root, [name], { env, cwd: root }),
        runUnderLock({ town: root, worker: name, command: ['true'], waitMs: 0, env, cwd: root }),
      ];
      for (const answer of await Promise.allSettled(asked)) {
        expect(answer.status).toBe('rejected');
        const { hint } = answer.status === 'rejected' ? answer.reason : { hint: '' };
        expect(hint).toContain(
          `git still lists the worktree ${join(root, name)}, but its directory is gone.`,
        );
        expect(hint).toContain(`git -C ${root}/.git worktree remove ${join(root, name)}`);
        expect(hint).not.toContain('Did you mean');
      }
    },
  );

  gitTest.each(['../feature', 'trees/a'])(
    '%s that was deleted under its lock: it is told from inside and from around the repository',
    async (name) => {
      const { root, env, worktree } = makeRepository();
      const path = worktree(name, reasonOf(ended()));
      rmSync(path, { recursive: true });
      const hint = expect.stringMatching(/its directory is gone.*its lock is left.*doctor explain/);
      for (const cwd of [root, dirname(root)])
        await expect(who(undefined, [path], { env, cwd })).rejects.toMatchObject({ hint });
      expect((await who(root, [], { env })).places).toContainEqual(
        expect.objectContaining({ worker: name, isGone: true, people: [] }),
      );
      const { findings } = await examine(root, { env });
      expect(findings).toMatchObject([{ message: expect.stringContaining('its directory is gone as well') }]);
      const asked = doctor(['explain', name, '--town', root], { env });
      expect(asked.stdout).toContain(`git -C ${root}/.git worktree remove ${path}`);

      // What it says is what helps.
      expect(git(root, 'worktree', 'prune', '-v')).toBe('');
      await heal(root, { env });
      git(`${root}/.git`, 'worktree', 'remove', path);
      expect(git(root, 'worktree', 'list')).not.toContain(path);
      const { stderr } = doctor(['explain', name, '--town', root], { env });
      expect(stderr).toContain('unknown word or worker');
    },
  );

  linuxTest('is a part of its working tree where it has no lock: an agent there counts', async () => {
    const { root, env, worktree } = makeRepository();
    const tree = worktree('.claude/worktrees/search');
    for (const path of [join(tree, 'src'), join(root, 'agents')]) mkdirSync(path);
    const answers = async () =>
      (
        await preflight(root, ['.claude/worktrees/search/src', 'agents', '.claude/worktrees/new'], {
          env,
          cwd: root,
          new: true,
        })
      ).results.map(({ answer }) => answer);
    expect(await answers()).toEqual(['free', 'free', 'free']);
    await fakeAgent('claude', { cwd: tree });
    await fakeAgent('claude', { cwd: root });
    await until(async () => (await answers())[0] === 'held', 'the agent');
    expect(await answers()).toEqual(['held', 'held', 'free']);
  });

  gitTest('is suggested for a typo, wherever its working tree is', async () => {
    const { root, env, worktree } = makeRepository();
    worktree('.claude/worktrees/search');
    worktree('../feature-1');
    const hint = (meant: string) => ({
      code: 'E_USAGE',
      hint: expect.stringContaining(`Did you mean ${meant}?`),
    });
    await expect(preflight(root, 'serch', { env, cwd: root })).rejects.toMatchObject(
      hint('.claude/worktrees/search'),
    );
    await expect(who(root, ['serch'], { env, cwd: root })).rejects.toMatchObject(
      hint('.claude/worktrees/search'),
    );
    await expect(who(root, ['../feature-11'], { env, cwd: root })).rejects.toMatchObject(
      hint('../feature-1'),
    );
    // A working tree may be made there next, and whoever asks for it by its path may mean that.
    expect(await preflight(root, '../feature-11', { env, cwd: root })).toMatchObject({ exitCode: 0 });
  });
});
