import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { afterEach, describe, expect, test } from '@jest/globals';
import { parseLockRecord } from '../../src/core/record/lock-record.ts';
import { systemCalls } from '../../src/io/disk/system-calls.ts';
import { Lock } from '../../src/lock/agent-lock.ts';
import {
  GuardBusyError,
  InvalidLockError,
  LockChangedError,
  LockedError,
  NoGuardError,
  NotLockedError,
} from '../../src/lock/errors.ts';
import { lockFilesIn } from '../../src/lock/files/names.ts';
import { takeGuard } from '../../src/lock/guard/take-guard.ts';
import { startTokenOf } from '../../src/lock/identity.ts';
import { giveBack } from '../../src/lock/with-lock.ts';
import { cleanUp, fakeAgent, makeTown, startProcess, type TestTown, until } from '../support/index.ts';

const WORKER = 'gastown/crew/ada';

/** A town, a worker's directory, its lock, and the names in its `.runtime`. */
const scene = (): { town: TestTown; dir: string; path: string; names: () => string[] } => {
  const town = makeTown();
  const dir = town.path(WORKER);
  return {
    town,
    dir,
    path: `${dir}/.runtime/agent.lock`,
    names: () => readdirSync(`${dir}/.runtime`).sort(),
  };
};

describe('taking a lock', () => {
  afterEach(cleanUp);

  test('a free lock is taken in our own name and given back without a trace', async () => {
    const { dir, path, names } = scene();
    const lock = new Lock(dir);
    const acquired = await lock.acquire('%7');
    expect(acquired).toMatchObject({ how: 'taken', guarded: true });
    expect(acquired.record).toMatchObject({
      pid: process.pid,
      sessionId: '%7',
      hostname: hostname(),
      holder: { pid: process.pid, startToken: await startTokenOf(process.pid) },
    });
    const bytes = readFileSync(path);
    expect(bytes.toString()).toMatch(
      /^\{\n {2}"pid": \d+,\n {2}"acquired_at": "[^"]+Z",\n {2}"session_id": "%7",\n/,
    );
    expect(parseLockRecord(bytes)).toEqual({ kind: 'record', record: acquired.record });
    expect(names()).toEqual(['.gitignore', 'agent.lock', 'agent.lock.flock']);
    expect(await lock.release()).toEqual({ kind: 'released' });
    expect(names()).toEqual(['.gitignore', 'agent.lock.flock']);
  });

  test('a second acquire refreshes the lock, and a second instance is refused', async () => {
    const { dir } = scene();
    const lock = new Lock(dir);
    const first = await lock.acquire('%1');
    const again = await lock.acquire('%2');
    expect(again.how).toBe('refreshed');
    expect(again.record.sessionId).toBe('%2');
    expect(again.record.holder?.nonce).toBe(first.record.holder?.nonce);
    const refused = await new Lock(dir).acquire().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(LockedError);
    expect(refused).toMatchObject({ code: 'E_LOCKED', state: 'held', record: { pid: process.pid } });
    expect((await lock.refresh()).record.sessionId).toBe('%2');
    await lock.release();
  });

  test('a lock in the name of another process is held while that process lives, and taken over afterwards', async () => {
    const { dir, names } = scene();
    const agent = await fakeAgent();
    const mine = new Lock(dir);
    await mine.acquire({
      holder: { pid: agent.pid, startToken: await startTokenOf(agent.pid) },
      recordedPid: 2 ** 22 + 1,
      companion: true,
    });
    expect(names()).toEqual(['.gitignore', 'agent.lock', 'agent.lock.flock', 'agent.lock.holder']);
    const other = new Lock(dir);
    await expect(other.acquire()).rejects.toMatchObject({ state: 'held' });
    await expect(other.check()).rejects.toBeInstanceOf(LockedError);
    await agent.stop();
    expect(await other.check()).toBe('stale');
    expect(await other.acquire('%9')).toMatchObject({ how: 'taken-over', record: { sessionId: '%9' } });
    expect(names()).toEqual(['.gitignore', 'agent.lock', 'agent.lock.flock']);
    await expect(mine.release()).rejects.toBeInstanceOf(LockedError);
    await other.release();
  });

  test('a programming error is not reported as a disk error', async () => {
    const { dir } = scene();
    const mistake = new TypeError('process.getBuiltinModule is not a function');
    const broken = {
      ...systemCalls,
      open: () => {
        throw mistake;
      },
    };
    await expect(new Lock(dir, { calls: broken }).acquire()).rejects.toBe(mistake);
  });

  test('a removed lock whose second record names a live process is not free', async () => {
    const { dir, path } = scene();
    const agent = await fakeAgent();
    const holder = { pid: agent.pid, startToken: await startTokenOf(agent.pid) };
    await new Lock(dir).acquire({ holder, companion: true });
    unlinkSync(path);
    await expect(new Lock(dir).acquire()).rejects.toMatchObject({ code: 'E_LOCKED', state: 'held' });
    await agent.stop();
    const lock = new Lock(dir);
    await lock.acquire();
    await lock.release();
  });

  test.each([
    ['', 'empty'],
    ['{"pid": "12"}', 'wrong-type'],
    ['{"pid": 12', 'not-json'],
  ])('%j is refused as %s and left unchanged', async (text, problem) => {
    const { town, dir, path } = scene();
    town.lock(WORKER, text);
    await expect(new Lock(dir).acquire()).rejects.toMatchObject({ code: 'E_INVALID_LOCK', problem });
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  test('a directory, a symlink, and a lock behind a symlinked .runtime are refused and left unchanged', async () => {
    const { dir, path, town } = scene();
    mkdirSync(path, { recursive: true });
    await expect(new Lock(dir).acquire()).rejects.toMatchObject({ problem: 'directory' });
    rmSync(path, { recursive: true });
    symlinkSync('/nonexistent', path);
    await expect(new Lock(dir).acquire()).rejects.toBeInstanceOf(InvalidLockError);
    await expect(new Lock(dir).check()).rejects.toBeInstanceOf(InvalidLockError);
    rmSync(`${dir}/.runtime`, { recursive: true });
    mkdirSync(town.path('elsewhere'));
    symlinkSync(town.path('elsewhere'), `${dir}/.runtime`);
    await expect(new Lock(dir).acquire()).rejects.toBeInstanceOf(NoGuardError);
    await expect(new Lock(dir).read()).rejects.toBeInstanceOf(InvalidLockError);
    expect(readdirSync(town.path('elsewhere'))).toEqual([]);
  });

  test('a worker that does not exist is an I/O error', async () => {
    const { town } = scene();
    const lock = new Lock(town.path('gastown/crew/nobody'));
    await expect(lock.acquire()).rejects.toMatchObject({ code: 'E_LOCK_IO', errno: 'ENOENT' });
    expect(await lock.check()).toBe('free');
    await expect(lock.release()).rejects.toBeInstanceOf(NotLockedError);
  });

  test('a stale lock on a network file system is not taken over', async () => {
    const { town, dir, path } = scene();
    town.lock(WORKER, { session_id: '' });
    const onNfs = { calls: { ...systemCalls, fileSystemType: () => 0x6969 } };
    const before = readFileSync(path);
    await expect(new Lock(dir, onNfs).acquire()).rejects.toMatchObject({ code: 'E_LOCKED', state: 'stale' });
    expect(readFileSync(path)).toEqual(before);
  });

  test('our own record from this boot is taken over even on a network file system', async () => {
    const { dir } = scene();
    const onNfs = { calls: { ...systemCalls, fileSystemType: () => 0x6969 } };
    const agent = await fakeAgent();
    const holder = { pid: agent.pid, startToken: await startTokenOf(agent.pid) };
    await new Lock(dir, onNfs).acquire({ holder });
    const other = new Lock(dir, onNfs);
    await expect(other.acquire()).rejects.toMatchObject({ state: 'held' });
    await agent.stop();
    expect(await other.acquire()).toMatchObject({ how: 'taken-over' });
    await other.release();
  });

  test('a lock that git tracks is not taken over', async () => {
    const { town, dir, path } = scene();
    town.lock(WORKER, { session_id: '' });
    execFileSync('git', ['-C', dir, 'init', '-q']);
    execFileSync('git', ['-C', dir, 'add', '-f', '.runtime/agent.lock']);
    const before = readFileSync(path);
    const refused = await new Lock(dir).acquire().catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'E_LOCKED', verdict: { release: { why: 'tracked' } } });
    expect(readFileSync(path)).toEqual(before);
  });

  test('a fresh lock of another tool is not taken over yet, and the error says when it can be', async () => {
    const { town, dir } = scene();
    town.lock(WORKER, { session_id: '', acquired_at: '2026-01-01T00:00:00Z' }, { ageSeconds: 5 });
    const refused = await new Lock(dir).acquire().catch((error: unknown) => error);
    expect(refused).toMatchObject({ state: 'stale', retryInSeconds: expect.any(Number) });
  });

  test('a lock that another tool overwrites at once belongs to that tool, and is not an I/O error', async () => {
    const { dir, path, names } = scene();
    const agent = await fakeAgent();
    const theirs = JSON.stringify({
      pid: agent.pid,
      acquired_at: '2026-01-01T00:00:00Z',
      session_id: 'theirs',
    });
    const overwriting = {
      ...systemCalls,
      link: (from: string, to: string) => {
        systemCalls.link(from, to);
        writeFileSync(path, theirs);
      },
    };
    await expect(new Lock(dir, { calls: overwriting }).acquire()).rejects.toBeInstanceOf(LockedError);
    expect([readFileSync(path, 'utf8'), names()]).toEqual([
      theirs,
      ['.gitignore', 'agent.lock', 'agent.lock.flock'],
    ]);
  });

  test('fifty contenders get it one at a time', async () => {
    const { dir, names } = scene();
    const judge = async () => null;
    let holders = 0;
    let most = 0;
    let taken = 0;
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        const lock = new Lock(dir, { guardTimeoutMs: 60_000, judge });
        try {
          await lock.acquire();
        } catch (error) {
          expect(error).toBeInstanceOf(LockedError);
          return;
        }
        taken += 1;
        holders += 1;
        most = Math.max(most, holders);
        await new Promise((resolve) => setImmediate(resolve));
        holders -= 1;
        await lock.release();
      }),
    );
    expect(most).toBe(1);
    expect(taken).toBeGreaterThan(0);
    expect(names()).toEqual(['.gitignore', 'agent.lock.flock']);
  });
});

describe('releasing a lock', () => {
  afterEach(cleanUp);

  test('fails without a lock', async () => {
    const { dir } = scene();
    await expect(new Lock(dir).release()).rejects.toBeInstanceOf(NotLockedError);
    await expect(new Lock(dir).refresh()).rejects.toBeInstanceOf(NotLockedError);
    await expect(new Lock(dir).read()).rejects.toBeInstanceOf(NotLockedError);
  });

  test("never removes another holder's lock", async () => {
    const { town, dir, path } = scene();
    const lock = new Lock(dir);
    await lock.acquire();
    unlinkSync(path);
    town.lock(WORKER, { pid: process.pid });
    await expect(lock.release()).rejects.toMatchObject({ code: 'E_LOCKED', record: { pid: process.pid } });
    await expect(lock.refresh()).rejects.toBeInstanceOf(LockedError);
    expect(existsSync(path)).toBe(true);
  });

  test('also removes a stale lock that a hook wrote over ours', async () => {
    const { town, dir, names } = scene();
    const lock = new Lock(dir);
    await lock.acquire({ companion: true });
    town.lock(WORKER, { session_id: '' }, { ageSeconds: 120 });
    expect(await new Lock(dir).acquire().catch((error: LockedError) => error.state)).toBe('held');
    expect(await lock.release()).toEqual({ kind: 'released' });
    expect(names()).toEqual(['.gitignore', 'agent.lock.flock']);
  });

  test('leaves a lock that a live process wrote over ours', async () => {
    const { town, dir, names } = scene();
    const lock = new Lock(dir);
    await lock.acquire({ companion: true });
    const agent = await fakeAgent();
    town.lock(WORKER, { pid: agent.pid, session_id: '' }, { ageSeconds: -1 });
    expect(await lock.release()).toMatchObject({ kind: 'left' });
    expect(names()).toEqual(['.gitignore', 'agent.lock', 'agent.lock.flock']);
  });

  test('by force removes only the bytes that were seen, and keeps a copy', async () => {
    const { town, dir, path, names } = scene();
    town.lock(WORKER, { pid: process.pid });
    const lock = new Lock(dir);
    const { stamp } = await lock.read();
    writeFileSync(path, '{"pid": 1}');
    await expect(lock.forceRelease(stamp)).rejects.toBeInstanceOf(LockChangedError);
    expect(readFileSync(path, 'utf8')).toBe('{"pid": 1}');
    const backup = await lock.forceRelease((await lock.read()).stamp);
    expect(readFileSync(backup, 'utf8')).toBe('{"pid": 1}');
    expect(names()).toEqual(['agent.lock.flock', backup.slice(`${dir}/.runtime/`.length)]);
    await expect(lock.forceRelease(stamp)).rejects.toBeInstanceOf(NotLockedError);
  });

  test('waits for the guard longer than acquiring does', async () => {
    const { dir } = scene();
    const lock = new Lock(dir);
    await lock.acquire();
    const keeper = await startProcess('flock', ['-x', `${dir}/.runtime/agent.lock.flock`, 'sleep', '6']);
    await until(
      () => spawnSync('flock', ['-n', `${dir}/.runtime/agent.lock.flock`, 'true']).status === 1,
      'the keeper',
    );
    const asking = new Lock(dir).acquire().catch((error: unknown) => error);
    const giving = lock.release();
    expect(await asking).toBeInstanceOf(GuardBusyError);
    expect(await giving).toEqual({ kind: 'released' });
    await keeper.stop();
  });

  test('reports no lock that others may have taken over since its holder ended', async () => {
    const { dir, path } = scene();
    const lock = new Lock(dir);
    await lock.acquire();
    unlinkSync(path);
    expect(await giveBack(lock, true)).toBeNull();
    expect(await giveBack(lock)).toMatch(/is not locked/);
    const other = new Lock(dir);
    await other.acquire();
    expect(await giveBack(lock, true)).toBeNull();
    expect(await giveBack(lock)).toMatch(/is not ours/);
    await other.release();
  });

  test('a lock that was handed over is held until its new holder ends', async () => {
    const { dir } = scene();
    const heir = await startProcess('sleep', ['600']);
    const lock = new Lock(dir);
    await lock.acquire('%7');
    await lock.handOver({ pid: heir.pid, startToken: await startTokenOf(heir.pid) });
    expect((await lock.read()).record).toMatchObject({
      pid: heir.pid,
      sessionId: '%7',
      holder: { pid: heir.pid },
    });
    await expect(new Lock(dir).acquire()).rejects.toBeInstanceOf(LockedError);
    await heir.stop();
    expect(await new Lock(dir).acquire()).toMatchObject({ how: 'taken-over' });
    await expect(lock.handOver({ pid: 1, startToken: null })).rejects.toBeInstanceOf(LockedError);
  });

  test('fails after a bounded time if another process keeps the guard', async () => {
    const { town, dir, path } = scene();
    town.lock(WORKER);
    const taken = await takeGuard(lockFilesIn(`${dir}/.runtime`));
    if (taken.kind !== 'held') throw new Error('the guard is free');
    const lock = new Lock(dir, { guardTimeoutMs: 50 });
    const { stamp } = await lock.read();
    await expect(lock.acquire()).rejects.toBeInstanceOf(GuardBusyError);
    await expect(lock.forceRelease(stamp)).rejects.toBeInstanceOf(GuardBusyError);
    taken.guard.letGo();
    expect(existsSync(path)).toBe(true);
    await lock.forceRelease(stamp);
  });
});

describe("asking for a lock's state", () => {
  afterEach(cleanUp);

  test('never writes, and reports the holder', async () => {
    const { town, dir, names } = scene();
    const lock = new Lock(dir);
    expect(await lock.check()).toBe('free');
    expect(await lock.status()).toMatchObject({ state: 'unlocked', record: null });
    expect(existsSync(`${dir}/.runtime`)).toBe(false);
    town.lock(WORKER, { session_id: '' });
    expect(await lock.check()).toBe('stale');
    expect(await lock.status()).toMatchObject({ state: 'stale', record: { pid: 2 ** 22 + 1 } });
    expect((await lock.read()).record.hostname).toBe(hostname());
    town.lock(WORKER, 'nonsense');
    await expect(lock.check()).rejects.toMatchObject({ problem: 'not-json' });
    await expect(lock.read()).rejects.toMatchObject({ problem: 'not-json' });
    expect(await lock.status()).toMatchObject({ state: 'invalid', problem: { problem: 'not-json' } });
    expect(names()).toEqual(['agent.lock']);
    town.lock(WORKER, { session_id: '', hostname: 'elsewhere' });
    await expect(lock.check()).rejects.toMatchObject({ state: 'foreign' });
  });

  test('recognizes our own lock', async () => {
    const { dir } = scene();
    const lock = new Lock(dir);
    await lock.acquire('%1');
    expect(await lock.check()).toBe('ours');
    expect(await lock.status()).toMatchObject({ state: 'ours', record: { sessionId: '%1' } });
    await expect(new Lock(dir).check()).rejects.toBeInstanceOf(LockedError);
    await lock.release();
  });

  test('does not report an unreadable lock as free', async () => {
    const { town, dir } = scene();
    town.lock(WORKER);
    const calls = systemCalls;
    const lock = new Lock(dir, {
      calls: {
        ...calls,
        open: (path, flags, mode) => {
          if (path.endsWith('agent.lock')) throw Object.assign(new Error('EIO'), { code: 'EIO' });
          return calls.open(path, flags, mode);
        },
      },
    });
    await expect(lock.check()).rejects.toMatchObject({ state: 'unknown' });
    await expect(lock.acquire()).rejects.toMatchObject({ state: 'unknown' });
  });
});
