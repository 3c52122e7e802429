/** What a newcomer meets in the first hour, with real agents and repositories: answers are true and start with the main point. */
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  cleanUp,
  fakeAgent,
  hasTmux,
  makeTmuxTmpdir,
  makeTown,
  sleeperNamed,
  startTmux,
  type TestTown,
} from '../support/index.ts';
import { type CliResult, doctor, documentOf, makeApp } from './run-cli.ts';

afterEach(cleanUp);

const ADA = 'gastown/crew/ada';

const run = (town: TestTown, ...args: string[]): CliResult => doctor(args, { cwd: town.root });

/** A worker with two live agents, whose lock names a dead process. */
const crowded = async () => {
  const town = makeTown();
  town.lock(ADA, { session_id: '' });
  const [one, two] = [
    await fakeAgent('claude', { cwd: town.path(ADA) }),
    await fakeAgent('codex', { cwd: town.path(ADA) }),
  ];
  return { town, pids: [one.pid, two.pid] };
};

describe('two agents in one worker', () => {
  test('explain begins with the collision and both agents, and never offers force', async () => {
    const { town, pids } = await crowded();
    const { status, stdout } = run(town, 'explain', 'ada');
    expect([status, stdout.split('\n').slice(0, 3)]).toEqual([
      0,
      [`# ${ADA}: collision`, '', '2 live agents share this worker.'],
    ]);
    for (const pid of pids) expect(stdout).toContain(`, process ${pid}.`);
    expect(stdout.indexOf('Save the work')).toBeLessThan(stdout.indexOf('## Why'));
    expect(stdout).not.toContain('--force');
    expect(stdout).toMatch(/## When this changes\s+When only one of the agents is left\./);
  });

  test('explain names each agent once, with a lock and without', async () => {
    const { town, pids } = await crowded();
    const bob = [
      await fakeAgent('claude', { cwd: town.worker('gastown/crew/bob') }),
      await fakeAgent('codex', { cwd: town.worker('gastown/crew/bob') }),
    ];
    const told = `${run(town, 'explain', ADA).stdout}${run(town, 'explain', 'bob').stdout}`;
    for (const pid of [...pids, ...bob.map((agent) => agent.pid)])
      expect([pid, told.match(new RegExp(`process ${pid}\\b`, 'g'))]).toEqual([pid, [`process ${pid}`]]);
    expect(told).toContain('There is no lock. Preflight says held.');
    expect(told).toContain('Nothing: agents are running here.');
    // Evidence from the lock itself is listed separately.
    expect(told).toContain('## Evidence\n\n- processes: no process 4194305');
  });

  (hasTmux ? test : test.skip)('the same for agents in panes (skipped without tmux)', async () => {
    const town = makeTown();
    town.lock(ADA, { session_id: '' });
    const agents = await startTmux();
    for (const name of ['one', 'one-again'])
      agents.newSession(name, { cwd: town.path(ADA), command: [sleeperNamed('claude'), '600'] });
    const env = { TMUX_TMPDIR: agents.tmuxTmpdir };
    const told = doctor(['explain', ADA], { cwd: town.root, env }).stdout;
    expect(told.match(/session one\b(?!-)/g)).toEqual(['session one']);
    expect(told.match(/session one-again/g)).toEqual(['session one-again']);
  });

  test('the report ends with commands for the most urgent problems, the collision first, and counts the rest', async () => {
    const { town } = await crowded();
    for (const name of ['bob', 'eve', 'joe', 'kim']) {
      const { pid } = await fakeAgent('claude', { cwd: '/' });
      town.lock(`gastown/crew/${name}`, { pid, session_id: `gt-crew-${name}` }, { ageSeconds: 120 });
    }
    const lines = run(town).stdout.trimEnd().split('\n');
    const needs = lines.findIndex((line) => / need(s)? your attention/.test(line));
    const next = lines.slice(needs + 1).filter((line) => line.startsWith('next '));
    expect(next[0]).toBe(`next doctor explain ${ADA} --town ${town.root}`);
    const [, total = '0'] = /summary (\d+) problems?/.exec(lines[needs] ?? '') ?? [];
    const [, more = '0'] = /\(and (\d+) more: doctor -v\)/.exec(lines[needs] ?? '') ?? [];
    expect(next.length + Number(more)).toBe(Number(total));
    expect(Number(more)).toBeGreaterThan(0);
  });
});

describe('a lock that git would commit', () => {
  test('is reported with the directory that is not ignored: .gastown beside an ignored .runtime', () => {
    const town = makeTown({ marked: false, workers: ['tree'] });
    spawnSync('git', ['init', '-q', town.root]);
    town.write('.gitignore', '.runtime/\n');
    town.lock('tree', { session_id: '' }, { at: '.gastown/agent.lock' });
    town.lock('tree', { session_id: '' });
    const told = run(town)
      .stdout.split('\n')
      .filter((line) => line.includes('tracked-lock'));
    expect(told).toEqual([
      expect.stringContaining('.gastown/ is not in .gitignore; this lock could be committed'),
    ]);
  });
});

describe('a word that is not a command', () => {
  test.each([
    ['lock', 'doctor locks'],
    ['fix', 'doctor --fix'],
    ['run', 'doctor exec WORKER -- CMD'],
    ['repiar', 'doctor --fix'],
    ['statsu', 'doctor locks'],
  ])('doctor %s: suggests %s', (word, meant) => {
    const { status, stderr } = run(makeTown(), word);
    expect([status, stderr]).toEqual([2, expect.stringContaining(`Did you mean: ${meant}?`)]);
  });

  test.each([
    [['help', 'lcoks'], 'Did you mean: doctor locks?'],
    [['lok'], 'Did you mean: doctor locks?'],
    [['lcoks', '--help'], 'Did you mean: doctor locks?'],
    [['adda'], `Did you mean: doctor --under ${ADA}?`],
    [['--fix', 'adda'], `Did you mean: doctor --fix --worker ${ADA}?`],
    [['locks', 'adda'], `Did you mean: doctor locks --under ${ADA}?`],
    [['locks', '--under', 'adda'], `Did you mean ${ADA}?`],
    [['locks', '--kind', 'git-lok'], 'Did you mean git-lock?'],
    [['locks', '--state', 'stael'], 'Did you mean stale?'],
    [['log', 'adda'], `Did you mean ${ADA}?`],
    [['log', '--kind', 'git-lok'], 'Did you mean git-lock?'],
    [['log', '--event', 'relesed'], 'Did you mean released?'],
    [['explain', 'colision'], 'Did you mean collision?'],
    [['explain', 'pane-gnoe'], 'Did you mean pane-gone?'],
    [['--only', 'colision'], 'Did you mean collision?'],
  ] as const)('doctor %j: %s', (args, hint) => {
    const town = makeTown();
    town.lock(ADA, { session_id: '' });
    const { status, stdout, stderr } = run(town, ...args);
    expect([status, stdout, stderr.split('\n')[1]]).toEqual([2, '', hint]);
  });
});

describe('numbers and names', () => {
  test('the singular is used for one', () => {
    const town = makeTown();
    town.lock(ADA, { session_id: '' });
    const { stdout } = run(town, '-v');
    expect(stdout).toMatch(/^check stale-lock: fail, 1 finding, \d/m);
    expect(stdout).not.toMatch(/\b1 (findings|locks|sessions|panes|problems|servers)\b/);
    expect(stdout).not.toContain('above the working directory');
  });

  test('a worker at the root is called by the name of its directory in every view', () => {
    const town = makeTown({ marked: false, workers: [] });
    town.lock('.', { session_id: '' });
    const name = basename(town.root);
    expect(run(town).stdout).toContain(`warning stale-lock ${name}: `);
    expect(run(town, 'locks').stdout).toMatch(new RegExp(`^stale ${name}: `));
    expect(run(town, 'preflight', '.').stdout).toMatch(new RegExp(`^repairable ${name}: `));
    expect(run(town, '--fix', '--dry-run').stdout).toContain(`would release ${name}: `);
    // The printed name is accepted.
    expect(run(town, 'explain', name).stdout).toMatch(new RegExp(`^# ${name}: stale`));
    expect(run(town, 'who', name).stdout).toMatch(new RegExp(`^nobody ${name}: `));
    expect(run(town, '--fix', '--worker', name).stdout).toContain(`fixed stale-lock ${name}: `);
    expect(run(town, 'log', name).stdout).toContain(` released ${name}: `);
    expect(run(town, 'log').stdout).toContain(` released ${name}: `);
    expect(run(town, 'undo').stdout).toMatch(new RegExp(`^restored ${name} `));
  });

  test('a requested socket without a server is reported, any other dead socket only with -v', () => {
    const town = makeTown();
    town.lock(ADA, { session_id: '' });
    const first = (...args: string[]): string => run(town, ...args).stdout.split('\n')[0] ?? '';
    expect(first('-S', 'nosuch')).toMatch(/no tmux server on \S*\/nosuch, which was asked for\b/);
    const tmpdir = makeTmuxTmpdir();
    const dead = join(tmpdir, `tmux-${process.getuid?.()}`, 'dead');
    mkdirSync(dirname(dead), { recursive: true, mode: 0o700 });
    // The socket of a server that was killed.
    const script = `require('net').createServer().listen(${JSON.stringify(dead)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', script]);
    expect(lstatSync(dead).isSocket()).toBe(true);
    const env = { TMUX_TMPDIR: tmpdir };
    const told = (...args: string[]): string => doctor(args, { cwd: town.root, env }).stdout;
    expect(told()).not.toContain(dead);
    expect(told('-v')).toContain(`tmux ${dead}: absent, no server runs there`);
    expect(told('-S', dead).split('\n')[0]).toContain(`no tmux server on ${dead}, which was asked for`);
  });

  test('a worker without a lock is reported as such, not as a town without locks', () => {
    const town = makeTown({ workers: [ADA, 'gastown/crew/bob'] });
    town.lock(ADA, { session_id: '' });
    const { status, stdout } = run(town, '--fix', '--worker', 'gastown/crew/bob');
    expect([status, stdout]).toEqual([
      0,
      `ok ${town.root}: No lock in gastown/crew/bob. No problems found.\n`,
    ]);
  });
});

describe('worktrees beside the repository', () => {
  const beside = () => {
    const { town, app } = makeApp(['../feature-1', 'inside']);
    return { town, app, run: (...args: string[]) => doctor(args, { cwd: app }) };
  };

  test('are suggested for their short names: no command takes one for a directory to be created', () => {
    const { run: ask } = beside();
    for (const args of [
      ['preflight', 'feature-1'],
      ['exec', 'feature-1', '--', 'true'],
      ['who', 'feature-1'],
    ])
      expect(ask(...args)).toMatchObject({
        status: 2,
        stderr: expect.stringContaining('Did you mean ../feature-1?'),
      });
    const { status, stdout } = ask('explain', 'feature-1');
    expect([status, stdout.split('\n')[0]]).toEqual([0, expect.stringMatching(/^# .*feature-1/)]);
  });

  test('who in the repository lists each worktree, also those where nobody works', () => {
    const { run: ask } = beside();
    const lines = ask('who').stdout.split('\n');
    for (const name of ['inside', '../feature-1'])
      expect(lines).toContain(`nobody ${name}: nobody works here`);
  });

  test('keep the name that was typed, whatever is asked of them', async () => {
    const { run: ask, town } = beside();
    await fakeAgent('claude', { cwd: town.path('feature-1') });
    const said = (...args: readonly string[]) => {
      const { stdout, stderr } = ask(...args);
      return stdout + stderr;
    };
    expect(said('preflight', '../feature-1')).toMatch(/^held \.\.\/feature-1: /);
    expect(said('preflight', '../feature-1/')).toMatch(/^held \.\.\/feature-1: /);
    expect(said('preflight', '--for', 'removal', '../feature-1')).toMatch(/^held \.\.\/feature-1: /);
    expect(said('who', '../feature-1')).toMatch(/^agent \.\.\/feature-1: /);
    expect(said('who', './inside/')).toMatch(/^nobody \.\/inside: /);
    expect(doctor(['who', '.'], { cwd: town.path('app/inside') }).stdout).toMatch(/^nobody inside: /);
    expect(said('exec', '../feature-1', '--', 'true')).toMatch(/^held \.\.\/feature-1: /);
    expect(said('explain', '../feature-1')).toMatch(/^# \.\.\/feature-1: held/);
    expect(said('preflight', town.path('feature-1'))).toMatch(/^held \/.*\/feature-1: /);
    // The command that comes with it works from anywhere.
    const [, next = ''] = /\(next: doctor (.*)\)$/m.exec(said('preflight', '../feature-1')) ?? [];
    const pasted = doctor(next.split(' '), { cwd: '/' });
    expect([pasted.status, pasted.stdout]).toEqual([0, expect.stringContaining('claude')]);
  });

  test('undo names the file if a worker has locks of several kinds', () => {
    const { town, run: ask } = beside();
    writeFileSync(town.path('app/.git/worktrees/feature-1/index.lock'), '');
    utimesSync(town.path('app/.git/worktrees/feature-1/index.lock'), 0, 0);
    expect(ask('--fix', '-q').status).toBe(0);
    expect(ask('undo').stdout).toBe('restored ../feature-1, .git/worktrees/feature-1/index.lock\n');
  });

  test('a lock is explained by the name of its file, with and without such a lock', () => {
    const { app, run: ask } = beside();
    const told = (word: string) => ask('explain', word).stdout.split('\n')[0];
    expect(told('index.lock')).toBe('# git-lock');
    writeFileSync(join(app, '.git/index.lock'), '');
    for (const word of ['index.lock', '.git/index.lock', join(app, '.git/index.lock')])
      expect([word, told(word)]).toEqual([word, expect.stringMatching(/^# app: /)]);
    writeFileSync(join(app, '.git/worktrees/inside/index.lock'), '');
    expect(told('worktrees/inside/index.lock')).toMatch(/^# inside: /);
    // Of two such locks, none is meant.
    for (const [word, kind] of [
      ['index.lock', 'git-lock'],
      ['locked', 'git-worktree'],
      ['agent.lock', 'agent'],
    ] as const)
      expect([word, told(word)]).toEqual([word, `# ${kind}`]);
  });

  test('the same next command is printed once', () => {
    const { app, run: ask } = beside();
    for (const path of ['.git/index.lock', '.git/worktrees/inside/index.lock'])
      writeFileSync(join(app, path), '');
    utimesSync(join(app, '.git/index.lock'), 0, 0);
    const end = ask()
      .stdout.split('\n')
      .filter((line) => /^(?:summary|next) /.test(line));
    expect(end).toEqual([
      'summary 2 locks: 2 stale.',
      'summary 1 lock can be released.',
      `next doctor --fix --town ${app}`,
      expect.stringMatching(/^summary 1 lock was just written\. Wait \d+ s, then run that again\.$/),
    ]);
  });

  test('doctor in a worktree says that the rest of the repository is not looked at', () => {
    const { app, town } = beside();
    for (const cwd of [join(app, 'inside'), town.path('feature-1')]) {
      const { stdout, stderr } = doctor([], { cwd });
      expect(stdout).toContain(cwd);
      expect(stderr).toContain('only this worktree is looked at, not the rest of its repository');
      expect(stderr).toContain(`doctor --town ${app}`);
    }
    expect(doctor([], { cwd: app }).stderr).toBe('');
    // However often a command looks.
    for (const words of [['.'], ['.', 'feature-1']])
      expect(
        doctor(['explain', ...words], { cwd: town.path('feature-1') }).stderr.match(/only this/g),
      ).toHaveLength(1);
  });

  test('a deleted worktree that git still lists is in every view, and each printed command works', () => {
    const { app, town, run: ask } = beside();
    const git = (...args: string[]) => spawnSync('git', args, { cwd: app, encoding: 'utf8' });
    const said = 'git still lists this worktree, but its directory is gone';
    const trees = [
      ['../feature-1', town.path('feature-1')],
      ['inside', join(app, 'inside')],
    ] as const;
    for (const [, path] of trees) rmSync(path, { recursive: true });
    const told = ask();
    expect(told.status).toBe(0);
    expect(ask('-v').stdout).toContain(said);
    for (const [name, path] of trees) {
      expect(told.stdout).toContain(
        `info lock-debris ${name}: ${said} (if it was deleted, run git worktree remove PATH; if it was moved, run git worktree repair PATH)`,
      );
      expect(ask('locks').stdout).toContain(`gone ${name}: ${said}`);
      const [, explain = ''] =
        new RegExp(`^nobody ${name}: .* git still lists it; see doctor (.*)$`, 'm').exec(ask('who').stdout) ??
        [];
      for (const args of [
        explain.split(' '),
        ['explain', name, '--town', app],
        ['explain', path, '--town', app],
      ]) {
        const { status, stdout } = doctor(args, { cwd: '/' });
        expect([args, status, stdout]).toEqual([args, 0, expect.stringMatching(/^# .*: gone\n/)]);
        expect(stdout).toContain(`git -C ${app}/.git worktree remove ${path}`);
      }
    }
    const { findings } = documentOf<{ findings: { check: string; next: string[][] }[] }>(
      ask('--json').stdout,
    );
    expect(findings.map(({ check, next }) => [check, next])).toEqual(
      trees.map(([, path]) => ['lock-debris', [['git', '-C', `${app}/.git`, 'worktree', 'remove', path]]]),
    );
    for (const { next } of findings) git(...(next[0]?.slice(1) ?? []));
    expect(ask().stdout).not.toContain('is gone');
  });

  test('a deleted worktree with a lock: released first, or unlocked if a person took it', () => {
    const { app, run: ask } = beside();
    const git = (...args: string[]) => spawnSync('git', args, { cwd: app, encoding: 'utf8' });
    git('worktree', 'lock', '--reason', 'mine', 'inside');
    git('worktree', 'lock', '--reason', 'claude agent agent-7f3c (pid 4194305)', '../feature-1');
    utimesSync(join(app, '.git/worktrees/feature-1/locked'), 0, 0);
    for (const path of ['inside', '../feature-1']) rmSync(join(app, path), { recursive: true });
    const found = () =>
      documentOf<{ findings: { check: string; worker: string; next: string[][] }[] }>(
        ask('--json').stdout,
      ).findings.map(({ check, worker, next }) => [
        check,
        worker,
        next.map((words) => words.slice(3).join(' ')),
      ]);
    const byHand = ['lock-debris', 'inside', [`--town ${app}`]];
    expect(found()).toEqual([['stale-lock', '../feature-1', expect.anything()], byHand]);
    expect(ask('locks').stdout).toMatch(/^held inside: .*; its directory is gone$/m);
    expect(ask('locks').stdout).toMatch(/^stale \.\.\/feature-1: .*; its directory is gone$/m);
    expect(ask('explain', 'inside').stdout).toContain(`worktree unlock ${app}/inside`);
    expect(ask('--fix', '-q').status).toBe(0);
    expect(found()).toEqual([
      ['lock-debris', '../feature-1', [`worktree remove ${join(app, '../feature-1')}`]],
      byHand,
    ]);
    git('worktree', 'unlock', 'inside');
    git('worktree', 'prune');
    expect(found()).toEqual([]);
  });

  test('a lock whose worktree was removed after its release has nothing to undo, and every view says so', () => {
    const { app, run: ask } = beside();
    const git = (...args: string[]) => spawnSync('git', args, { cwd: app });
    const locked = join(app, '.git/worktrees/feature-1/locked');
    const index = join(app, '.git/worktrees/inside/index.lock');
    writeFileSync(locked, 'claude agent agent-7f3c (pid 4194305)\n');
    writeFileSync(index, '');
    for (const path of [locked, index]) utimesSync(path, 0, 0);
    expect(ask('--fix', '-q').status).toBe(0);
    for (const tree of ['../feature-1', 'inside']) git('worktree', 'remove', tree);
    const removed = 'the worktree was removed since the release';
    const undone = ask('undo');
    expect([undone.status, undone.stderr]).toEqual([0, '']);
    expect(undone.stdout.split('\n').sort()).toEqual([
      '',
      `removed ../feature-1, .git/worktrees/feature-1/locked: ${removed}, so there is nothing to restore`,
      `removed inside, .git/worktrees/inside/index.lock: the directory ${dirname(index)} is gone, so there is nothing to restore`,
    ]);
    const { results } = documentOf<{ results: { status: string }[] }>(ask('undo', '--json').stdout);
    expect(results.map(({ status }) => status)).toEqual(['removed', 'removed']);
    expect(ask('undo', '--list').stdout).toMatch(/^nothing to undo: .* (?:removed|gone)/);
    expect(ask('log').stdout).toContain(`; ${removed}\n`);
    const { events } = documentOf<{ events: object[] }>(ask('log', '--json').stdout);
    expect(events).toMatchObject([
      { restorable: false, removed: true },
      { restorable: false, removed: true },
    ]);
    expect(ask('explain', 'removed').stdout).toContain('nothing to restore');
  });

  test('neither has one whose worktree was added anew, and earlier releases are named', () => {
    const { app, run: ask } = beside();
    const git = (...args: string[]) => spawnSync('git', args, { cwd: app });
    const release = (name: string): void => {
      const locked = join(app, '.git/worktrees', name, 'locked');
      writeFileSync(locked, 'claude agent agent-7f3c (pid 4194305)\n');
      utimesSync(locked, 0, 0);
      expect(ask('--fix', '-q').status).toBe(0);
    };
    release('feature-1');
    git('worktree', 'remove', '../feature-1');
    git('worktree', 'add', '-q', '--detach', '../feature-1');
    const removed = 'the worktree was removed since the release, and another one has its name';
    expect(ask('undo')).toMatchObject({
      status: 0,
      stdout: `removed ../feature-1, .git/worktrees/feature-1/locked: ${removed}, so there is nothing to restore\n`,
    });
    expect(ask('undo', '--list').stdout).toBe(`nothing to undo: ${removed}\n`);
    expect(ask('log').stdout).toContain(`; ${removed}\n`);
    release('inside');
    release('feature-1');
    git('worktree', 'remove', '../feature-1');
    expect(ask('undo')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(
        /^removed .*\n1 earlier release can still be undone: doctor undo --list --town \S+\n$/,
      ),
    });
    expect(ask('undo', '--list').stdout).toMatch(/ released inside: .*; undo: doctor undo \S+-1\n$/);
  });

  test('a missing directory outside a town counts as one to be created only beside worktrees or locks', () => {
    const { town, run: ask } = beside();
    const code = (path: string, ...more: string[]) => ask('preflight', ...more, path).status;
    mkdirSync(town.path('clones/one/.git'), { recursive: true });
    expect(code(town.path('feature-2'))).toBe(0);
    expect(code(town.path('clones/two'))).toBe(2);
    expect(code(town.path('clones/two'), '--new')).toBe(0);
    mkdirSync(town.path('clones/one/.runtime'));
    expect(code(town.path('clones/two'))).toBe(0);
  });

  test('with two agents and no lock: preflight reports both', async () => {
    const { town, run: ask } = beside();
    const cwd = town.path('feature-1');
    const pids = [(await fakeAgent('claude', { cwd })).pid, (await fakeAgent('codex', { cwd })).pid];
    const { status, stdout } = ask('preflight', '../feature-1');
    expect([status, stdout]).toEqual([20, expect.stringMatching(/: 2 agents are running there: /)]);
    for (const pid of pids) expect(stdout).toContain(`(process ${pid})`);
  });
});

describe('a repository with worktrees beside it', () => {
  test('one command releases the locks of all of them, leaves their neighbours alone, and undo is told of it', () => {
    const parent = makeTown({ marked: false, workers: ['app', 'notes'], rigs: {} });
    const app = { cwd: parent.path('app') };
    const git = (...args: string[]) =>
      spawnSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], app);
    git('init', '-q');
    git('commit', '-q', '--allow-empty', '-m', 'first');
    const trees = ['feature-1', 'feature-2', 'feature-3'];
    for (const name of trees) git('worktree', 'add', '-q', '--detach', parent.path(name));
    const locks = [...trees, 'notes'].map((name) => parent.lock(name, '', { ageSeconds: 3600 }));
    const { stdout } = doctor([], app);
    const commands = stdout.match(/^next doctor .*/gm) ?? [];
    expect(commands).toEqual([
      `next doctor --fix --town ${parent.root} --worker feature-1 --worker feature-2 --worker feature-3`,
    ]);
    const words = (commands[0] ?? '').split(' ').slice(2);
    expect(doctor([...words, '--yes'], app).status).toBe(0);
    expect(locks.map((path) => existsSync(path))).toEqual([false, false, false, true]);
    expect(doctor(['undo'], app).stdout).toContain(`were released by a run in ${parent.root}: doctor undo `);
    expect(doctor(['undo', '--town', parent.root], app).status).toBe(0);
    expect(locks.map((path) => existsSync(path))).toEqual([true, true, true, true]);
  });
});
