/** A file system whose server does not answer any more: whoever looks there waits for ever, so the doctor does not look. */
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import { bareEnvironment, COMMAND } from '../cli/run-cli.ts';
import {
  canBecomeOthers,
  cleanUp,
  deadPid,
  firstLine,
  hasTmux,
  makeTmuxTmpdir,
  makeTown,
  onCleanUp,
  type StartedProcess,
  sleeperNamed,
  startProcess,
  type TestTown,
  until,
} from '../support/index.ts';
import { git, makeRepository } from './repository.ts';
import { ADA } from './stage.ts';

afterEach(cleanUp);

const canServe =
  canBecomeOthers &&
  existsSync('/dev/fuse') &&
  spawnSync('unshare', ['-m', 'nsenter', '--version'], { stdio: 'ignore' }).status === 0;
const why = canServe ? '' : ' (skipped: needs root, unshare and /dev/fuse)';
const served = canServe ? test : test.skip;
const servedTmux = canServe && hasTmux ? test : test.skip;

const SERVER = fileURLToPath(new URL('fuse-server.mjs', import.meta.url));

/** A name that only this town knows: a doctor elsewhere on this machine, an older one perhaps, does not look where it works. */
const AGENT = `agent-${process.pid}`;

/** Whatever waits is freed after this time, and the test fails instead of waiting for ever. */
const LAST_RESORT_S = 60;

interface Served {
  readonly at: string;
  /** The command by which a program runs where the file system is mounted. */
  readonly inside: readonly string[];
  readonly start: (directory: string, ...command: readonly string[]) => Promise<StartedProcess>;
  readonly goSilent: () => Promise<void>;
  /** False once nobody needs to wait any more. */
  readonly isServing: () => boolean;
}

const newMountPoint = (): string => {
  const at = mkdtempSync(join(tmpdir(), 'served-'));
  onCleanUp(() => rmSync(at, { recursive: true, force: true }));
  return at;
};

/** Mounts a file system in a mount namespace of its own, from which this machine sees nothing. */
const serve = async (at = newMountPoint()): Promise<Served> => {
  const limited = ['timeout', '--foreground', '-s', 'KILL', String(LAST_RESORT_S)];
  const server = await startProcess('unshare', ['-m', ...limited, process.execPath, SERVER, at], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const pid = await until(() => childOf(server.pid), 'the server');
  const isServing = (): boolean => childOf(server.pid) === pid;
  const end = (): void => {
    if (isServing()) process.kill(pid, 'SIGKILL');
  };
  onCleanUp(end);
  expect(await firstLine(server)).toBe('ready');
  const inside = ['nsenter', '-m', '-t', String(pid), '--'];
  const start = async (directory: string, ...command: readonly string[]): Promise<StartedProcess> => {
    const [program = '', ...args] = [...inside, 'sh', '-c', 'cd "$0" && echo ready && exec "$@"', directory];
    const started = await startProcess(program, [...args, ...command], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    // Its file system ends with the server: until then whoever waits for it cannot be killed.
    onCleanUp(end);
    expect(await firstLine(started)).toBe('ready');
    return started;
  };
  const goSilent = async (): Promise<void> => {
    const silent = firstLine(server);
    await start('/', 'stat', join(at, 'silence'));
    expect(await silent).toBe('silent');
  };
  return { at, inside, start, goSilent, isServing };
};

const childOf = (pid: number): number | undefined => {
  const first = existsSync(`/proc/${pid}`)
    ? readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')[0]
    : '';
  return first === '' ? undefined : Number(first);
};

/** Runs the doctor where `before` says. */
const ask = async (
  before: readonly string[],
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number | null; readonly stdout: string }> => {
  const [program = '', ...rest] = [...before, ...COMMAND, ...args];
  const child = spawn(program, rest, { env: bareEnvironment(env), stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.on('data', (bytes: Buffer) => {
    stdout += bytes.toString('utf8');
  });
  return new Promise((resolve) => {
    child.on('close', (status) => resolve({ status, stdout }));
  });
};

/** A town with a stale lock of an agent and one of git. */
const staleTown = (): TestTown => {
  const town = makeTown({ workers: [ADA] });
  writeFileSync(town.path('lock-doctor.json'), JSON.stringify({ agents: [AGENT] }));
  town.lock(ADA, { pid: deadPid(), acquired_at: '2026-01-01T00:00:00Z' });
  for (const name of ['objects', 'refs']) mkdirSync(town.path(ADA, '.git', name), { recursive: true });
  writeFileSync(town.path(ADA, '.git/HEAD'), 'ref: refs/heads/main\n');
  const lock = town.path(ADA, '.git/index.lock');
  writeFileSync(lock, '');
  // Longer ago it could be older than this machine's start.
  const halfAnHourAgo = Date.now() / 1000 - 1800;
  utimesSync(lock, halfAnHourAgo, halfAnHourAgo);
  return town;
};

/** What the program says why it refuses to look, once it is told to begin: it starts where `directory` says, while that still answers. */
const refusalFrom = async (
  { start }: Served,
  directory: string,
  ...args: readonly string[]
): Promise<() => Promise<string>> => {
  const gate = join(newMountPoint(), 'gate');
  spawnSync('mkfifo', [gate]);
  const { child } = await start(directory, 'sh', '-c', 'read _ <"$0"; exec "$@"', gate, ...COMMAND, ...args);
  let stdout = '';
  child.stdout?.on('data', (bytes: Buffer) => {
    stdout += bytes.toString('utf8');
  });
  return () => {
    const ended = new Promise<string>((resolve) => {
      child.on('close', (status) => resolve(`${status} ${refusalIn(stdout)}`));
    });
    writeFileSync(gate, '\n');
    return ended;
  };
};

const refusalIn = (stdout: string): string => JSON.parse(stdout).error.message;

const statesOf = (stdout: string): readonly string[] =>
  (
    JSON.parse(stdout) as { readonly locks: readonly { readonly kind: string; readonly state: string }[] }
  ).locks
    .map(({ kind, state }) => `${kind} ${state}`)
    .sort();

describe(`a file system elsewhere whose server does not answer${why}`, () => {
  served.each(['inside', 'outside'])('does not block a question about another place: %s', async (place) => {
    const { at, inside, start, goSilent, isServing } = await serve();
    const town = staleTown();
    const before = place === 'inside' ? inside : [];
    await start(join(at, 'sub'), sleeperNamed(AGENT), '600');
    await start(
      join(at, 'sub'),
      'sh',
      '-c',
      'exec 3<"$0"; exec "$1" 600',
      '../index.lock',
      sleeperNamed('vim'),
    );
    await goSilent();
    const [preflight, locks, who] = await Promise.all([
      ask(before, ['preflight', ADA, '--town', town.root]),
      ask(before, ['locks', '--json', '--town', town.root]),
      ask(before, ['who', '--town', town.root]),
    ]);
    expect(preflight.status).toBe(21);
    expect(statesOf(locks.stdout)).toEqual(['agent stale', 'git-lock stale']);
    expect(who.stdout).toContain(`nobody ${ADA}`);
    expect(isServing()).toBe(true);
  });

  served(
    'hides where a git works, whose repository may be here → unknown; while it answers → stale',
    async () => {
      const { at, inside, start, goSilent, isServing } = await serve();
      const town = staleTown();
      await start(join(at, 'sub'), sleeperNamed('git'), '600');
      const look = () => ask(inside, ['locks', '--json', '--town', town.root]);
      expect(statesOf((await look()).stdout)).toEqual(['agent stale', 'git-lock stale']);
      await goSilent();
      const { stdout } = await look();
      expect(statesOf(stdout)).toEqual(['agent stale', 'git-lock unknown']);
      expect(stdout).toContain(`works cannot be told: ${at} does not answer`);
      expect(statesOf((await ask([], ['locks', '--json', '--town', town.root])).stdout)).toContain(
        'git-lock unknown',
      );
      expect(isServing()).toBe(true);
    },
  );

  served('is refused as a root', async () => {
    const { at, inside, goSilent, isServing } = await serve();
    const root = join(at, 'sub');
    // Its directories cannot be listed.
    expect((await ask(inside, ['--json', '--town', root])).status).toBe(22);
    await goSilent();
    const { status, stdout } = await ask(inside, ['--json', '--town', root]);
    expect(status).toBe(2);
    expect(JSON.parse(stdout).error.message).toBe(
      `${root} cannot be looked at: the server of ${at} does not answer`,
    );
    expect(isServing()).toBe(true);
  });

  served('is refused by whatever path it is named', async () => {
    const town = staleTown();
    mkdirSync(town.path('far'));
    symlinkSync('far/sub', town.path('link'));
    const { at, inside, goSilent, isServing } = await serve(town.path('far'));
    await goSilent();
    const refusal = async (command: string, ...args: readonly string[]): Promise<string> => {
      const { status, stdout } = await ask([...inside, 'env', '-C', town.root], [command, '--json', ...args]);
      return `${status} ${refusalIn(stdout)}`;
    };
    const refusals = await Promise.all([
      refusal('preflight', 'far/sub'),
      refusal('preflight', 'link/new', '--new'),
      refusal('preflight', '--for', 'removal', 'link'),
      refusal('exec', 'link', '--', 'true'),
      refusal('who', 'far'),
      refusal('explain', 'far/sub'),
      refusal('log', 'link'),
      refusal('--fix', '-y', '--worker', 'far/sub'),
      refusal('locks', '--town', 'link'),
    ]);
    const named = ['far/sub', 'link/new', 'link', 'link', 'far', 'far/sub', 'link', 'far/sub', 'link'];
    expect(refusals).toEqual(
      named.map((name) => `2 ${town.path(name)} cannot be looked at: the server of ${at} does not answer`),
    );
    expect(isServing()).toBe(true);
  });

  served('is refused where the caller stands, if the root is not named', async () => {
    const town = staleTown();
    const server = await serve();
    const { at, goSilent, isServing } = server;
    const here = join(at, 'sub');
    const refused = await Promise.all([
      refusalFrom(server, here, '--json'),
      refusalFrom(server, here, 'locks', '--json'),
      refusalFrom(server, here, 'preflight', '--json', '.'),
      refusalFrom(server, here, 'preflight', '--json', './new', '--town', town.root),
    ]);
    await goSilent();
    const said = `2 ${here} cannot be looked at: the server of ${at} does not answer`;
    const [diagnosis, locks, preflight, named] = await Promise.all(refused.map((ask) => ask()));
    expect([diagnosis, locks, preflight]).toEqual([said, said, said]);
    // A name that is relative to the root is no path from here.
    expect(named).not.toContain('does not answer');
    expect(isServing()).toBe(true);
  });

  served('is a gap where it lies in the root or holds a home; all else is diagnosed', async () => {
    const town = staleTown();
    mkdirSync(town.path('far'));
    const { at, inside, goSilent, isServing } = await serve(town.path('far'));
    await goSilent();
    const home = { HOME: join(at, 'sub') };
    const [locks, preflight, removal] = await Promise.all([
      ask(inside, ['locks', '--json', '--town', town.root], home),
      ask(inside, ['preflight', ADA, '--town', town.root], home),
      ask(inside, ['preflight', '--for', 'removal', town.root]),
    ]);
    expect(statesOf(locks.stdout)).toEqual(['agent stale', 'git-lock stale']);
    expect(JSON.parse(locks.stdout).gaps).toContainEqual({
      what: `directory:${at}`,
      why: `the server of ${at} does not answer`,
    });
    expect(preflight.status).toBe(21);
    expect(removal.stdout).toContain(`the server of ${at} does not answer`);
    expect(isServing()).toBe(true);
  });

  served('is a gap where it holds a linked worktree, whose lock is in doubt', async () => {
    const { root } = makeRepository();
    const at = newMountPoint();
    const tree = join(at, 'sub');
    git(root, 'worktree', 'add', '-q', '--detach', tree);
    git(root, 'worktree', 'lock', '--reason', `claude agent a (pid ${deadPid()} start 1)`, tree);
    const { inside, goSilent, isServing } = await serve(at);
    await goSilent();
    const look = (...args: readonly string[]) => ask(inside, [...args, '--town', root]);
    const [fixed, who, newcomer, explained, refused] = await Promise.all([
      look('--json', '--fix', '-y'),
      look('who', '--json'),
      look('preflight', 'new', '--new'),
      look('explain', 'sub'),
      look('preflight', '--json', tree),
    ]);
    const { locks, gaps } = JSON.parse(fixed.stdout);
    const why = `the server of ${at} does not answer`;
    expect(locks).toMatchObject([{ kind: 'git-worktree', state: 'unknown' }]);
    expect(gaps).toEqual([{ what: `directory:${tree}`, why }]);
    expect(JSON.parse(who.stdout).gaps).toEqual(gaps);
    expect(newcomer.status).toBe(0);
    expect(explained.stdout).toContain(`${tree} could not be looked at: ${why}`);
    expect(refusalIn(refused.stdout)).toBe(`${tree} cannot be looked at: ${why}`);
    expect(existsSync(join(root, '.git/worktrees/sub/locked'))).toBe(true);
    expect(isServing()).toBe(true);
  });

  served('leaves a lock of git on a worktree there in doubt while a git works there', async () => {
    const { root } = makeRepository();
    const at = newMountPoint();
    git(root, 'worktree', 'add', '-q', '--detach', join(at, 'sub'));
    const lock = join(root, '.git/worktrees/sub/index.lock');
    writeFileSync(lock, '');
    const halfAnHourAgo = Date.now() / 1000 - 1800;
    utimesSync(lock, halfAnHourAgo, halfAnHourAgo);
    const { inside, start, goSilent, isServing } = await serve(at);
    // Not in the worktree, as git has it recorded: it may have been moved.
    const { child } = await start(at, sleeperNamed('git'), '600');
    await goSilent();
    const look = () => ask(inside, ['locks', '--json', '--town', root]);
    const { stdout } = await look();
    expect(statesOf(stdout)).toEqual(['git-lock unknown']);
    expect(stdout).toContain(`works cannot be told: ${at} does not answer`);
    child.kill('SIGKILL');
    await until(() => child.exitCode ?? child.signalCode, 'the end of that git');
    expect(statesOf((await look()).stdout)).toEqual(['git-lock stale']);
    expect(isServing()).toBe(true);
  });

  servedTmux('does not block where a pane is there (skipped without tmux)', async () => {
    const { at, inside, goSilent, isServing } = await serve();
    const town = staleTown();
    const env = { TMUX_TMPDIR: makeTmuxTmpdir() };
    const [program = '', ...rest] = [...inside, 'tmux', '-f', '/dev/null', 'new-session', '-d', '-P'];
    const { stdout: pid } = spawnSync(
      program,
      [...rest, '-F', '#{pid}', '-c', join(at, 'sub'), 'sleep 600'],
      {
        env: bareEnvironment(env),
        encoding: 'utf8',
      },
    );
    expect(pid).toMatch(/^\d+\n$/);
    onCleanUp(() => {
      process.kill(Number(pid), 'SIGKILL');
    });
    await goSilent();
    const { status, stdout } = await ask(inside, ['--json', '--town', town.root], env);
    expect(status).toBe(1);
    expect(statesOf(stdout)).toEqual(['agent stale', 'git-lock stale']);
    expect(stdout).toContain(join(env.TMUX_TMPDIR, 'tmux-0/default'));
    expect(isServing()).toBe(true);
  });
});
