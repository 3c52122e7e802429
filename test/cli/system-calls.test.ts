/** The system calls of a whole diagnosis, counted by strace: what one look finds out is not asked again for every lock. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { trustedDevice } from '../../src/evidence/scan/leaf-rule.ts';
import { realDisk } from '../../src/io/disk/disk.ts';
import {
  canBecomeOthers,
  cleanUp,
  hasTmux,
  makeTown,
  onCleanUp,
  startTmux,
  type TestTown,
} from '../support/index.ts';
import { EXECUTABLE } from '../support/tested-program.ts';
import { aloneOptions, giveToAlone } from './alone.ts';
import { bareEnvironment, COMMAND } from './run-cli.ts';

afterEach(cleanUp);

const hasStrace = spawnSync('strace', ['-V']).status === 0;
const counted = hasStrace ? describe : describe.skip;
const inTmux = hasTmux ? test : test.skip;
/** Bun cannot connect to a socket while nothing else goes on. */
const withNodeInTmux = EXECUTABLE === null ? inTmux : test.skip;

/** Calls about files, directories and processes; those about memory and threads are up to V8. */
const CALLS = 'open,openat,stat,lstat,newfstatat,statx,fstat,readlink,read,close,getdents64,kill,execve';

const townWith = (locks: number): TestTown => {
  const town = makeTown();
  for (let index = 0; index < locks; index += 1)
    town.lock(`gastown/crew/ada${index}`, { pid: 40_000_000 + index, session_id: `%${index}` });
  return town;
};

/** The calls of one run, one a line; with `everybody`, also those of its threads and children. */
const callsOf = (
  town: TestTown,
  {
    env = {},
    everybody = false,
    args = ['--json', town.root],
  }: {
    readonly env?: Record<string, string>;
    readonly everybody?: boolean;
    readonly args?: readonly string[];
  } = {},
): readonly string[] => {
  const folder = mkdtempSync(join(tmpdir(), 'calls-'));
  onCleanUp(() => rmSync(folder, { recursive: true, force: true }));
  const trace = join(folder, 'trace');
  // Only the program gets these variables: strace itself must be found in PATH.
  const variables = Object.entries(env).flatMap(([name, value]) => ['-E', `${name}=${value}`]);
  const how = ['-e', `trace=${CALLS}`, '-s', '200', '-o', trace, ...(everybody ? ['-f'] : []), ...variables];
  const { stdout } = spawnSync('strace', [...how, ...COMMAND, ...args], {
    env: bareEnvironment(),
    maxBuffer: 1e9,
  });
  const { locks, results } = JSON.parse(stdout.toString()) as { locks?: unknown[]; results?: unknown[] };
  expect((locks ?? results ?? []).length).toBeGreaterThan(0);
  return readFileSync(trace, 'latin1').split('\n');
};

/** How many calls each of 200 more locks costs. */
const callsForEachOf = (towns: readonly TestTown[], env: Record<string, string>): number => {
  const [few = [], many = []] = towns.map((town) => callsOf(town, { env }));
  return (many.length - few.length) / 200;
};

/** Puts a repository with linked working trees of one sub-directory each into a town, as git lays them out. */
const addRepository = (town: TestTown, crew: string, trees: number): void => {
  const top = join(town.root, 'gastown/crew', crew);
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(top, path)), { recursive: true });
    writeFileSync(join(top, path), text);
  };
  for (const name of ['objects', 'refs/heads', 'refs/tags'])
    mkdirSync(join(top, '.git', name), { recursive: true });
  write('.git/HEAD', 'ref: refs/heads/main\n');
  write('src/index.ts', '');
  for (let index = 0; index < trees; index += 1) {
    const [tree, gitDir] = [`.claude/worktrees/agent-${index}`, `.git/worktrees/agent-${index}`];
    write(`${tree}/src/index.ts`, '');
    write(`${tree}/.git`, `gitdir: ${join(top, gitDir)}\n`);
    write(`${gitDir}/gitdir`, `${join(top, tree, '.git')}\n`);
    write(`${gitDir}/commondir`, '../..\n');
    for (const name of ['HEAD', 'index', 'ORIG_HEAD']) write(`${gitDir}/${name}`, 'x\n');
  }
};

/** How often each path below the town was opened or looked at, with all numbers in it as `N`. */
const looksIn = (town: TestTown, args: readonly string[]): ReadonlyMap<string, number> => {
  const looks = new Map<string, number>();
  for (const call of callsOf(town, { env: { PATH: '/no/such' }, args })) {
    const [, name = '', path = ''] = /^(\w+)\((?:AT_FDCWD, )?"([^"]+)"/.exec(call) ?? [];
    if (!path.startsWith(`${town.root}/gastown/`)) continue;
    const key = `${name === 'openat' ? 'open' : 'look'} ${path.slice(town.root.length + 1).replace(/\d+/g, 'N')}`;
    looks.set(key, (looks.get(key) ?? 0) + 1);
  }
  return looks;
};

counted('a diagnosis (skipped without strace)', () => {
  /** As a user without other processes: the servers of whoever runs the tests would be asked too. */
  const alone = canBecomeOthers ? test : test.skip;

  alone('makes a fixed number of calls for each lock (skipped without root)', () => {
    const towns = [townWith(20), townWith(220)];
    giveToAlone(...towns.map(({ root }) => root));
    // Two directories are checked and listed, the lock is opened, read and closed, and its process is looked up.
    expect(callsForEachOf(towns, { PATH: '/no/such', NODE_OPTIONS: aloneOptions() })).toBeLessThanOrEqual(
      16.5,
    );
  });

  inTmux('makes no more where panes are outside of the town (skipped without tmux)', async () => {
    // A town of a few workers does not read the list of mounts, but looks at each worker.
    const towns = [townWith(120), townWith(320)];
    const { tmuxTmpdir, newSession } = await startTmux();
    newSession('elsewhere', { cwd: tmpdir() });
    expect(callsForEachOf(towns, { TMUX_TMPDIR: tmuxTmpdir })).toBeLessThanOrEqual(16.5);
  });

  test('does not look again at what it has listed on the way to a lock', () => {
    const town = makeTown();
    town.lock('gastown/polecats/max/gastown', { pid: 40_000_000, session_id: '%1' });
    mkdirSync(join(town.root, 'gastown/polecats/new/gastown'), { recursive: true });
    const calls = callsOf(town, { env: { PATH: '/no/such' } });
    const looksAt = (home: string) => calls.filter((call) => call.includes(`/${home}/.runtime"`)).length;
    expect(looksAt('polecats/max')).toBe(0);
    // A walk does not list a directory without subdirectories, and a symlink is not one.
    expect(looksAt('polecats/new/gastown')).toBe(1);
  });

  const leafTest = trustedDevice(realDisk, tmpdir()) === null ? test.skip : test;

  leafTest(
    'looks four times at each linked working tree itself (skipped where link counts are not trusted)',
    () => {
      const town = townWith(1);
      for (const crew of ['bob1', 'bob2']) addRepository(town, crew, 30);
      const looks = looksIn(town, ['--json', town.root]);
      const [tree, gitDir] = ['gastown/crew/bobN/.claude/worktrees', 'gastown/crew/bobN/.git/worktrees'];
      const atTrees = [...looks].filter(([key]) => key.includes(`${tree}/`) || key.includes(`${gitDir}/`));
      expect(Object.fromEntries(atTrees)).toEqual({
        // One of each repository shows that the others have sub-directories, too.
        [`look ${tree}/agent-N`]: 2,
        [`open ${tree}/agent-N`]: 60,
        [`look ${tree}/agent-N/src`]: 60,
        [`open ${tree}/agent-N/.git`]: 60,
        [`open ${gitDir}/agent-N`]: 60,
        [`open ${gitDir}/agent-N/gitdir`]: 60,
      });
      const atRepositories = [...looks].filter(([key]) => /bobN\/\.git(?:$|\/(?!worktrees\/))/.test(key));
      // Its own list, those of refs and worktrees, and the places of git's locks further down.
      expect(atRepositories.reduce((sum, [, times]) => sum + times, 0)).toBeLessThanOrEqual(2 * 16);
    },
  );

  leafTest(
    'lists no linked working tree that has only files (skipped where link counts are not trusted)',
    () => {
      const town = townWith(1);
      addRepository(town, 'bob1', 30);
      const trees = join(town.root, 'gastown/crew/bob1/.claude/worktrees');
      for (const name of readdirSync(trees)) rmSync(join(trees, name, 'src'), { recursive: true });
      const looks = looksIn(town, ['--json', town.root]);
      const tree = 'gastown/crew/bobN/.claude/worktrees/agent-N';
      expect(looks.get(`open ${tree}`)).toBeUndefined();
      expect(looks.get(`open ${tree}/.git`)).toBe(30);
    },
  );

  test('lists the processes once, and reads each one once', () => {
    const calls = callsOf(townWith(50), { env: { PATH: '/no/such' } });
    expect(calls.filter((call) => call.includes('"/proc", '))).toHaveLength(1);
    expect(calls.filter((call) => call.includes('"/proc/2/stat"')).length).toBeLessThanOrEqual(1);
  });

  inTmux('queries a tmux server once for all locks (skipped without tmux)', async () => {
    const server = await startTmux();
    server.newSession('main', { cwd: '/' });
    const env = { TMUX_TMPDIR: server.tmuxTmpdir };
    const calls = callsOf(townWith(50), { env, everybody: true });
    const asked = calls.filter((call) => call.includes('execve(') && call.includes(server.tmuxTmpdir));
    expect(asked).toHaveLength(1);
  });

  withNodeInTmux('starts no client for sockets that killed servers left (skipped without tmux)', async () => {
    const server = await startTmux();
    server.newSession('main', { cwd: '/' });
    const gone = `require('node:net').createServer()
      .listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
    for (const name of ['left1', 'left2', 'left3', 'left4'])
      spawnSync(process.execPath, ['-e', gone, join(dirname(server.socket), name)]);
    const args = (root: string) => [
      ['--json', root],
      ['preflight', '--json', '--town', root, 'gastown/crew/ada0'],
    ];
    const town = townWith(1);
    for (const words of args(town.root)) {
      const calls = callsOf(town, { env: { TMUX_TMPDIR: server.tmuxTmpdir }, args: words, everybody: true });
      const asked = calls.filter((call) => call.includes('execve(') && call.includes(server.tmuxTmpdir));
      expect(asked).toHaveLength(1);
      expect(asked[0]).toContain(server.socket);
    }
  });

  inTmux('reads the layout once for a worker that does not exist yet (skipped without tmux)', async () => {
    const server = await startTmux();
    server.newSession('main', { cwd: '/' });
    const town = townWith(1);
    const args = ['preflight', '--json', '--town', town.root, 'gastown/crew/new'];
    const calls = callsOf(town, { env: { TMUX_TMPDIR: server.tmuxTmpdir }, args });
    expect(calls.filter((call) => call.includes('/mayor/rigs.json"'))).toHaveLength(1);
  });

  test('looks for the locks of git with at most one list of a directory before a start', () => {
    const town = townWith(1);
    addRepository(town, 'bob1', 30);
    const bob = 'gastown/crew/bob1';
    const looks = (worker: string): Record<string, number> => {
      const all = [...looksIn(town, ['preflight', '--json', '--town', town.root, worker])];
      return Object.fromEntries(all.filter(([key]) => /^open .*\/\.git(?:$|\/)/.test(key)));
    };
    expect(looks('gastown/crew/ada0')).toEqual({ 'open gastown/crew/adaN/.git': 2 });
    expect(looks(bob)).toEqual({ 'open gastown/crew/bobN/.git': 2 });
    expect(looks(`${bob}/.claude/worktrees/agent-7`)).toEqual({
      'open gastown/crew/bobN/.claude/worktrees/agent-N/.git': 2,
      'open gastown/crew/bobN/.git/worktrees/agent-N': 1,
    });
  });

  test('looks into no other rig for a worker that does not exist yet', () => {
    const town = townWith(1);
    town.lock('beads/crew/bob', { pid: 40_000_000 });
    const args = ['preflight', '--json', '--town', town.root, 'gastown/crew/new'];
    const calls = callsOf(town, { env: { PATH: '/no/such' }, args });
    expect(calls.filter((call) => call.includes('/gastown/crew"')).length).toBeGreaterThan(0);
    expect(calls.filter((call) => /\/beads\/|\/mayor\/rigs\.json"/.test(call))).toEqual([]);
  });

  test('asks of each clone beside a new worker only whether git lists working trees of it', () => {
    const town = makeTown();
    for (let index = 0; index < 5; index += 1) addRepository(town, `bob${index}`, 0);
    const looks = looksIn(town, ['preflight', '--json', '--town', town.root, 'gastown/crew/new']);
    expect([...looks].filter(([path]) => path.includes('bobN')).sort()).toEqual([
      ['look gastown/crew/bobN/.git', 5],
      ['look gastown/crew/bobN/.git/commondir', 5],
      ['open gastown/crew/bobN/.git/worktrees', 5],
    ]);
  });

  test.each([
    ['a diagnosis', (root: string) => ['--json', root]],
    ['a preflight', (root: string) => ['preflight', '--json', '--town', root, 'gastown/crew/ada0']],
  ])('%s looks once for each registry of sessions, and opens no record of a dead process', (_, argsFor) => {
    const town = townWith(50);
    const home = mkdtempSync(join(tmpdir(), 'home-'));
    onCleanUp(() => rmSync(home, { recursive: true, force: true }));
    const calls = () => {
      const env = { PATH: '/no/such', HOME: home };
      const all = callsOf(town, { env, args: argsFor(town.root) });
      return all.filter((call) => /\.(claude|qwen|copilot)\//.test(call));
    };
    expect(calls()).toHaveLength(3);
    mkdirSync(`${home}/.claude/sessions`, { recursive: true });
    for (let index = 0; index < 20; index += 1)
      writeFileSync(`${home}/.claude/sessions/${40_000_000 + index}.json`, '{}');
    expect(calls()).toHaveLength(3);
    writeFileSync(`${home}/.claude/sessions/${process.pid}.json`, '{}');
    expect(calls()).toHaveLength(4);
  });
});
