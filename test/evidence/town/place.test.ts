/** The same directories under other paths: bind mounts, and the file systems of containers. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { townPlaceFinder } from '../../../src/evidence/town/place.ts';
import { preflightRemoval } from '../../../src/places/removal.ts';
import { makeRepository } from '../../situations/repository.ts';
import { ADA, BOB, hostTest, setStage } from '../../situations/stage.ts';
import {
  cleanUp,
  deadPid,
  firstLine,
  makeTown,
  onCleanUp,
  sleeperNamed,
  startProcess,
  until,
} from '../../support/index.ts';

afterEach(cleanUp);

/** Mounts in their own namespace, which end with it: nothing of this machine is touched. */
const canMount =
  spawnSync('unshare', ['-m', 'sh', '-c', 'mount --bind /tmp /mnt'], { stdio: 'ignore' }).status === 0;
const mountTest = canMount ? hostTest : test.skip;

const makeDoor = (): string => {
  const door = mkdtempSync(join(tmpdir(), 'door-'));
  onCleanUp(() => rmSync(door, { recursive: true, force: true }));
  return door;
};

/** A process of an agent that has `directory` mounted at `door`, and works in `cwd` below `door`. */
const agentBehind = async (directory: string, door: string, cwd: string, name: string): Promise<void> => {
  const script = 'mount --bind "$1" "$2" && cd "$3" && echo ready && exec "$4" 600';
  const started = await startProcess(
    'unshare',
    ['-m', 'sh', '-c', script, 'sh', directory, door, join(door, cwd), sleeperNamed(name)],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  expect(await firstLine(started)).toBe('ready');
};

/** The same in `directory` itself, which has no path from there on: `leave` takes its mount away, or makes it the root directory. */
const agentWithoutPath = async (directory: string, leave: string): Promise<void> => {
  const script = `mount --bind "$1" "$2" && cd "$2" || exit
    { until grep -q claude /proc/$$/comm; do :; done; ${leave} && echo ready; } & exec "$3" 600`;
  const started = await startProcess(
    'unshare',
    ['-m', 'sh', '-c', script, 'sh', directory, makeDoor(), sleeperNamed('claude')],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  expect(await firstLine(started)).toBe('ready');
};

describe('an agent behind a mount (skipped without permission to mount)', () => {
  mountTest('holds the lock if it has the whole town mounted elsewhere', async () => {
    const { town, judge, ask } = setStage();
    town.lock(ADA);
    await agentBehind(town.root, makeDoor(), ADA, 'claude');
    await until(async () => (await judge()).state === 'held', 'the agent to be seen at work');
    expect((await ask(BOB)).exitCode).toBe(0);
    expect((await ask()).exitCode).toBe(20);
  });

  mountTest('holds the lock if it has only its worker mounted, and works further down', async () => {
    const { town, judge, ask } = setStage();
    town.lock(ADA);
    mkdirSync(town.path(ADA, 'src/deep'), { recursive: true });
    await agentBehind(town.path(ADA), makeDoor(), 'src/deep', 'claude');
    await until(async () => (await judge()).state === 'held', 'the agent to be seen at work');
    expect((await ask()).exitCode).toBe(20);
  });

  mountTest('may be a program that is not known → unknown, also with only its worker mounted', async () => {
    const { town, judge, ask } = setStage();
    town.lock(ADA);
    await agentBehind(town.path(ADA), makeDoor(), '.', 'some-program');
    await until(async () => (await judge()).state === 'unknown', 'the program to be seen');
    expect((await ask()).exitCode).toBe(22);
    expect((await ask(BOB)).exitCode).toBe(0);
  });

  mountTest('holds the lock of a worktree beside the repository that is mounted elsewhere', async () => {
    const { worktree, lockOf } = makeRepository();
    const path = worktree('../beside', `claude agent a (pid ${deadPid()})`);
    expect((await lockOf('../beside')).state).toBe('stale');
    await agentBehind(path, makeDoor(), '.', 'claude');
    await until(async () => (await lockOf('../beside')).state === 'held', 'the agent to be seen at work');
  });

  mountTest('keeps a worktree without a lock from being removed', async () => {
    const { root, env, worktree } = makeRepository();
    const path = worktree('wt/a');
    await agentBehind(path, makeDoor(), '.', 'claude');
    for (const [town, name] of [
      [undefined, path],
      [root, 'wt/a'],
    ] as const) {
      const answer = async () =>
        (await preflightRemoval(town, [name], { env, cwd: root })).results[0]?.answer;
      await until(async () => (await answer()) === 'held', 'the agent to be seen at work');
    }
  });

  mountTest.each([
    ['whose mount was detached', 'umount -l "$2"'],
    ['in a container of which it is the root', 'mkdir old && pivot_root . old'],
  ])('holds the lock of its worker %s', async (_, leave) => {
    const { town, judge, ask } = setStage();
    town.lock(ADA);
    await agentWithoutPath(town.path(ADA), leave);
    await until(async () => (await judge()).state === 'held', 'the agent to be seen at work');
    expect((await ask()).exitCode).toBe(20);
    expect((await ask(BOB)).exitCode).toBe(0);
  });

  mountTest('the same among so many workers that mounts are read first → held', async () => {
    const { town, judge } = setStage();
    town.lock(ADA);
    for (let number = 0; number < 120; number += 1) mkdirSync(town.path(`gastown/crew/other${number}`));
    await agentBehind(town.path(ADA), makeDoor(), '.', 'claude');
    await until(async () => (await judge()).state === 'held', 'the agent to be seen at work');
  });
});

test.each([
  ['few', 0],
  ['many', 200],
])('a place is found by another path, however deep, and nothing else is: %s workers', (_, others) => {
  const town = makeTown({ workers: [ADA, BOB] });
  const alias = `${makeDoor()}/alias`;
  symlinkSync(town.root, alias);
  const worker = `${makeDoor()}/worker`;
  symlinkSync(town.path(BOB), worker);
  mkdirSync(town.path(ADA, 'a/b'), { recursive: true });
  const missing = Array.from({ length: others }, (__, number) => `gastown/crew/missing${number}`);
  const find = townPlaceFinder(town.root, [ADA, BOB, '.', ...missing]);
  expect(find(alias, alias)).toBe(town.root);
  expect(find(`${alias}/${ADA}/a/b`, `${alias}/${ADA}/a/b`)).toBe(town.path(ADA, 'a/b'));
  expect(find('/workspace', worker)).toBe(town.path(BOB));
  for (const path of [town.root, town.path(ADA), '/', tmpdir(), `${alias}/missing`, 'relative'])
    expect(find(path, path)).toBeNull();
});
