/** Locks of other tools that contain a PID: each kind with a dead, a live and a reused PID, released and restored. */
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { undoReleases } from '../../src/repair/undo.ts';
import { cleanUp, isRunning, sleeperNamed, startProcess } from '../support/index.ts';
import { hostTest } from './stage.ts';
import { HOUR_MS, lockedBy, rows, type Tool, WEEK_MS } from './tool-locks.ts';

afterEach(cleanUp);

const identityOf = (path: string) => {
  const { ino, mtimeMs, mode, uid } = lstatSync(path);
  return { ino, mtimeMs, mode, uid, text: readFileSync(path, 'latin1') };
};

const ended = (): number => spawnSync('true').pid;

describe.each(rows)('%s at %s', (kind, _, tool) => {
  hostTest('is stale and released once its process is dead, and undo restores the same file', async () => {
    const { town, path, judge, fix } = lockedBy(tool, ended(), HOUR_MS);
    expect(await judge()).toMatchObject({ kind, state: 'stale', reasons: ['process-gone'] });
    const before = identityOf(path);
    expect((await fix()).summary?.fixed).toBe(1);
    expect(existsSync(path)).toBe(false);
    const { outcomes } = await undoReleases(null, { townRoot: town.root });
    expect(outcomes.map(({ status }) => status)).toEqual(['restored']);
    expect(identityOf(path)).toEqual(before);
  });

  hostTest('is held while its process lives, and neither is touched', async () => {
    const { pid } = await startProcess('sleep', ['600'], { cwd: '/' });
    const { path, judge, fix } = lockedBy(tool, pid, 5 * 60_000);
    const before = identityOf(path);
    expect(await judge()).toMatchObject({ state: 'held', reasons: ['process-alive'] });
    expect((await fix()).summary?.fixed).toBe(0);
    expect(identityOf(path)).toEqual(before);
    expect(isRunning(pid)).toBe(true);
  });

  hostTest(
    'is held by a process with its PID that works in its directory, however late it started',
    async () => {
      const { town, path, judge, fix } = lockedBy(tool, ended(), WEEK_MS);
      const { pid } = await startProcess('sleep', ['600'], { cwd: town.root });
      rmSync(path);
      const thenMs = Date.now() - WEEK_MS;
      utimesSync(town.write(tool.path(pid), tool.text(pid, thenMs)), thenMs / 1000, thenMs / 1000);
      const { worker, state } = await judge();
      // A process that works further up does not hold it.
      expect(state).toBe(worker === '.' ? 'held' : 'stale');
      await fix();
      expect(existsSync(town.path(tool.path(pid)))).toBe(state === 'held');
      expect(isRunning(pid)).toBe(true);
    },
  );

  hostTest('is stale if its PID was reused much later by a process that works elsewhere', async () => {
    const { pid } = await startProcess('sleep', ['600'], { cwd: '/' });
    const { judge, fix } = lockedBy(tool, pid, WEEK_MS);
    expect(await judge()).toMatchObject({ state: 'stale', reasons: ['process-recycled'] });
    expect((await fix()).summary?.fixed).toBe(1);
    expect(isRunning(pid)).toBe(true);
  });
});

const CALLED: readonly (readonly [string, string])[] = [
  ['copilot', 'session-state/0f-1e/inuse.1.lock'],
  ['codex', 'app-server-daemon/daemon.pid'],
  ['codex', 'app-server-daemon/app-server.pid'],
  ['gt', 'daemon/daemon.pid'],
  ['dolt', 'rig/.beads/dolt-server.pid'],
  ['bd', '.beads/bd.sock.startlock'],
  ['web', 'run/web.pid'],
];

// Less than an hour: a lock from before the start of this machine is nobody's.
hostTest.each(CALLED)(
  'a live %s that works elsewhere keeps its lock (%s) when the clock was set since, and the doubt is told',
  async (program, place) => {
    const [, , tool] = rows.find(([, path]) => path === place) ?? [];
    if (tool === undefined) throw new Error(`no tool has ${place}`);
    const { pid } = await startProcess(sleeperNamed(program), ['600'], { cwd: '/' });
    const { path, judge, fix } = lockedBy(tool, pid, 50 * 60_000);
    const lock = await judge();
    expect(lock).toMatchObject({ state: 'held', reasons: ['process-alive'] });
    expect(JSON.stringify(lock.evidence)).toContain('probably not its holder');
    expect((await fix()).summary?.fixed).toBe(0);
    expect(existsSync(path)).toBe(true);
  },
);

const CONFIG = {
  kinds: {
    'pid-file': { files: ['run/*.pid'] },
    'pid-json': { files: ['**/build.lock'], options: { start: 'started_at', since: 'at' } },
  },
};
const MINUTES_2 = 2 * 60_000;

const aTool = (kind: string, path: string, text: Tool['text']): Tool => ({
  kind,
  path: () => path,
  text,
  config: CONFIG,
});

const FORMS: readonly (readonly [string, (ms: number) => number])[] = [
  ['seconds', (ms) => Math.floor(ms / 1000)],
  ['seconds with a fraction', (ms) => ms / 1000],
  ['milliseconds', (ms) => ms],
  ['microseconds', (ms) => ms * 1000],
  ['nothing (0)', () => 0],
];

const isLeft = async (tool: Tool): Promise<void> => {
  const { pid } = await startProcess('sleep', ['600'], { cwd: '/' });
  const { path, judge, fix } = lockedBy(tool, pid, MINUTES_2);
  expect(await judge()).toMatchObject({ state: 'held', reasons: ['process-alive'] });
  expect((await fix()).summary?.fixed).toBe(0);
  expect(existsSync(path)).toBe(true);
};

describe.each(FORMS)('a lock of a live process that notes times as %s', (_, form) => {
  hostTest('is held, if that is its start in JSON', () =>
    isLeft(aTool('pid-json', 'build.lock', (pid, ms) => JSON.stringify({ pid, started_at: form(ms) }))),
  );

  hostTest('is held, if that is its start in a PID file', () =>
    isLeft(aTool('pid-file', 'run/web.pid', (pid, ms) => `${pid}|${form(ms)}\n`)),
  );

  hostTest('is held, if that is when the lock was taken', async () => {
    await isLeft(aTool('pid-json', 'build.lock', (pid, ms) => JSON.stringify({ pid, at: form(ms) })));
    await isLeft(
      aTool('claude-scheduler', 'app/.claude/scheduled_tasks.lock', (pid, ms) =>
        JSON.stringify({ sessionId: 'f3a1c406-7600', pid, acquiredAt: form(ms) }),
      ),
    );
  });
});

hostTest(
  'a lock of a live process whose time is a date in January 1970, or in the year 1, is held',
  async () => {
    for (const at of [(ms: number) => new Date(ms / 1000).toISOString(), () => '0001-01-01T00:00:00Z'])
      await isLeft(aTool('pid-json', 'build.lock', (pid, ms) => JSON.stringify({ pid, at: at(ms) })));
  },
);

(existsSync('/proc/self/stat') ? hostTest : test.skip)(
  'a lock is stale where the ticks of its start are those of another process',
  async () => {
    const { pid } = await startProcess('sleep', ['600'], { cwd: '/' });
    const ticks = Number(readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[19]);
    const tool = aTool('pid-file', 'run/web.pid', (number) => `${number}|${ticks - 1}\n`);
    expect(await lockedBy(tool, pid, MINUTES_2).judge()).toMatchObject({
      state: 'stale',
      reasons: ['process-recycled'],
    });
  },
);
