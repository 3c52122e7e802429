/**
 * The guard of a lock: who gets it, and what is refused.
 * Runs beside others: it locks only files of its own, and never looks at processes.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type SystemCalls, systemCalls } from '../../../src/io/disk/system-calls.ts';
import { Lock } from '../../../src/lock/agent-lock.ts';
import { NoGuardError } from '../../../src/lock/errors.ts';
import { lockFilesIn } from '../../../src/lock/files/names.ts';
import { type FlockTool, findFlockTools } from '../../../src/lock/guard/flock-tool.ts';
import type { Guard, GuardOptions } from '../../../src/lock/guard/guard.ts';
import { takeGuard } from '../../../src/lock/guard/take-guard.ts';
import { cleanUp, onCleanUp, startProcess, until } from '../../support/index.ts';
import { flockElsewhere } from '../support/flock-elsewhere.ts';

const directory = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'guard-'));
  onCleanUp(() => rmSync(path, { recursive: true, force: true }));
  mkdirSync(join(path, '.runtime'));
  return join(path, '.runtime');
};

const hold = async (path: string, options: GuardOptions = {}): Promise<Guard> => {
  const taken = await takeGuard(lockFilesIn(path), options);
  if (taken.kind !== 'held') throw new Error(JSON.stringify(taken));
  onCleanUp(taken.guard.letGo);
  return taken.guard;
};

/** An executable script that replaces flock(1). */
const toolThat = (script: string): FlockTool => {
  const home = mkdtempSync(join(tmpdir(), 'tool-'));
  onCleanUp(() => rmSync(home, { recursive: true, force: true }));
  const program = join(home, 'flock');
  writeFileSync(program, `#!/bin/sh\n${script}\n`);
  chmodSync(program, 0o755);
  return { program, args: ['-x', '-n', '3'] };
};

/** Debian builds busybox without the applet. */
const hasFlock = ({ program }: FlockTool): boolean =>
  !program.endsWith('/busybox') ||
  execFileSync(program, ['--list'], { encoding: 'utf8' }).split('\n').includes('flock');

const tools = findFlockTools(systemCalls, process.env.PATH ?? '').filter(hasFlock);

describe('the guard', () => {
  afterEach(cleanUp);

  test('excludes a second one until it is released, and its file stays', async () => {
    const path = directory();
    const umask = process.umask(0o077);
    onCleanUp(() => void process.umask(umask));
    const guard = await hold(path);
    expect(await takeGuard(lockFilesIn(path), { guardTimeoutMs: 20 })).toMatchObject({ kind: 'busy' });
    guard.letGo();
    guard.letGo();
    (await hold(path)).letGo();
    expect(readdirSync(path)).toEqual(['agent.lock.flock']);
    expect(statSync(`${path}/agent.lock.flock`).mode & 0o777).toBe(0o644);
  });

  test.each(tools)('works with $program $args.0', async (tool) => {
    const path = directory();
    const guard = await hold(path, { flockTools: [tool] });
    for (const other of tools) {
      const second = await takeGuard(lockFilesIn(path), { flockTools: [other], guardTimeoutMs: 1 });
      expect(second.kind).toBe('busy');
    }
    guard.letGo();
    await hold(path, { flockTools: [tool] });
  });

  test('excludes a foreign process that uses flock(2), and is excluded by it', async () => {
    const path = directory();
    const foreign = await flockElsewhere(`${path}/agent.lock.flock`);
    expect(await takeGuard(lockFilesIn(path), { guardTimeoutMs: 30 })).toMatchObject({ kind: 'busy' });
    await foreign.stop();
    await hold(path, { guardTimeoutMs: 10_000 });
    const refused = await startProcess('flock', ['-n', `${path}/agent.lock.flock`, 'true']);
    await until(() => refused.child.exitCode !== null, 'the answer of flock');
    expect(refused.child.exitCode).toBe(1);
  });

  test('does not hold once its file is removed or replaced, and then no lock is touched', async () => {
    const path = directory();
    const guard = await hold(path);
    expect(guard.stands()).toBe(true);
    unlinkSync(`${path}/agent.lock.flock`);
    expect(guard.stands()).toBe(false);
    writeFileSync(`${path}/agent.lock.flock`, '');
    expect(guard.stands()).toBe(false);
    guard.letGo();
    const lock = new Lock(join(path, '..'));
    await lock.acquire();
    const tearing = {
      ...systemCalls,
      link: (from: string, to: string) => systemCalls.link(from, to),
      list: (place: string) => {
        unlinkSync(`${path}/agent.lock.flock`);
        return systemCalls.list(place);
      },
    };
    unlinkSync(`${path}/agent.lock`);
    await expect(new Lock(join(path, '..'), { calls: tearing }).acquire()).rejects.toBeInstanceOf(
      NoGuardError,
    );
    expect(existsSync(`${path}/agent.lock`)).toBe(false);
  });

  test('that is removed while another process waits for it is taken again, on the new file', async () => {
    const path = directory();
    await flockElsewhere(`${path}/agent.lock.flock`);
    const waiting = takeGuard(lockFilesIn(path), { guardTimeoutMs: 10_000 });
    unlinkSync(`${path}/agent.lock.flock`);
    const second = await waiting;
    expect(second.kind).toBe('held');
    if (second.kind === 'held') {
      expect(second.guard.stands()).toBe(true);
      second.guard.letGo();
    }
  });

  test('that was replaced between open and lock is not mistaken for the guard', async () => {
    const path = directory();
    let replaced = 0;
    const calls: SystemCalls = {
      ...systemCalls,
      runWith: (...args) => {
        if (replaced === 0) {
          unlinkSync(`${path}/agent.lock.flock`);
          writeFileSync(`${path}/agent.lock.flock`, '');
          replaced += 1;
        }
        return systemCalls.runWith(...args);
      },
    };
    const guard = await hold(path, { calls });
    expect(replaced).toBe(1);
    expect(guard.stands()).toBe(true);
  });

  test('is never a symlink, a directory, a pipe, or behind a symlinked directory', async () => {
    const path = directory();
    const name = `${path}/agent.lock.flock`;
    symlinkSync(`${path}/elsewhere`, name);
    expect(await takeGuard(lockFilesIn(path))).toMatchObject({ kind: 'none' });
    expect(existsSync(`${path}/elsewhere`)).toBe(false);
    unlinkSync(name);
    mkdirSync(name);
    expect(await takeGuard(lockFilesIn(path))).toMatchObject({ kind: 'none' });
    rmSync(name, { recursive: true });
    const pipe = await startProcess('mkfifo', [name]);
    await until(() => pipe.child.exitCode !== null, 'a pipe');
    expect(await takeGuard(lockFilesIn(path))).toMatchObject({ kind: 'none', cause: 'unsafe' });
    const link = join(path, '..', 'link');
    symlinkSync(path, link);
    expect(await takeGuard(lockFilesIn(link))).toMatchObject({ kind: 'none', cause: 'unsafe' });
    expect(await takeGuard(lockFilesIn(`${path}/missing`))).toMatchObject({ kind: 'none', cause: 'io' });
  });

  test('is given to fifty waiters one after the other', async () => {
    const path = directory();
    let inside = 0;
    let most = 0;
    const turns = Array.from({ length: 50 }, async () => {
      const guard = await hold(path, { guardTimeoutMs: 60_000 });
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
      guard.letGo();
    });
    await Promise.all(turns);
    expect(most).toBe(1);
  });
});

describe('a flock tool that', () => {
  afterEach(cleanUp);

  test.each([
    ['is missing', () => [], 'installed'],
    ['cannot be run', () => [{ program: '/nonexistent/flock', args: [] }], 'ENOENT'],
    ['does not know the option', () => [toolThat('exit 64')], 'code 64'],
    ['dies', () => [toolThat('kill -9 $$')], 'SIGKILL'],
    ['reports success without locking', () => [toolThat('exit 0')], 'did not'],
  ])('%s gives no guard, and nothing is removed', async (_name, makeTools, why) => {
    const flockTools = makeTools();
    const path = directory();
    expect(await takeGuard(lockFilesIn(path), { flockTools })).toMatchObject({
      kind: 'none',
      cause: 'no-tool',
      why: expect.stringContaining(why),
      hint: expect.stringContaining('util-linux'),
    });
    const dir = join(path, '..');
    const lock = new Lock(dir, { flockTools, judge: async () => null });
    await expect(lock.acquire({ needsGuard: true })).rejects.toBeInstanceOf(NoGuardError);
    expect(await lock.acquire('%1')).toMatchObject({ how: 'taken', guarded: false });
    await expect(new Lock(dir, { flockTools }).acquire()).rejects.toMatchObject({ code: 'E_LOCKED' });
    await expect(lock.release()).rejects.toBeInstanceOf(NoGuardError);
    await expect(lock.refresh()).rejects.toBeInstanceOf(NoGuardError);
    await expect(lock.forceRelease((await lock.read()).stamp)).rejects.toBeInstanceOf(NoGuardError);
    expect(readdirSync(path)).toEqual(['agent.lock', 'agent.lock.flock']);
  });

  test.each([
    ['EMFILE', 'too many open files', 'ulimit -n'],
    ['EAGAIN', 'temporarily unavailable', 'ulimit -u'],
  ])(
    'could not be started because of %s (injected) is reported as such, without advice to install anything',
    async (errno, why, hint) => {
      const failed = { kind: 'failed', why: `could not be run: ${why}`, errno } as const;
      const taken = await takeGuard(lockFilesIn(directory()), {
        calls: { ...systemCalls, runWith: () => failed },
      });
      expect(taken).toMatchObject({ kind: 'none', cause: 'no-tool', hint: expect.stringContaining(hint) });
      expect(taken).toMatchObject({ why: expect.stringContaining(why) });
      expect(taken).not.toMatchObject({ hint: expect.stringContaining('nstall') });
    },
  );

  test('is a busybox without flock, or lacks /dev/null (injected), is reported as such', async () => {
    const tool = toolThat('exit 127');
    renameSync(tool.program, tool.program.replace(/flock$/, 'busybox'));
    const busybox = { ...tool, program: tool.program.replace(/flock$/, 'busybox') };
    expect(await takeGuard(lockFilesIn(directory()), { flockTools: [busybox] })).toMatchObject({
      why: expect.stringMatching(/busybox was built without flock$/),
    });
    const calls: SystemCalls = {
      ...systemCalls,
      lstat: (path) => (path === '/dev/null' ? undefined : systemCalls.lstat(path)),
      runWith: () => ({ kind: 'failed', why: 'could not be run', errno: 'ENOENT' }),
    };
    expect(await takeGuard(lockFilesIn(directory()), { calls })).toMatchObject({
      why: '/dev/null is missing',
      hint: expect.stringContaining('mknod'),
    });
  });

  test('reports busy forever is asked for a bounded time only', async () => {
    const path = directory();
    const outcome = await takeGuard(lockFilesIn(path), {
      flockTools: [toolThat('exit 1')],
      guardTimeoutMs: 60,
    });
    expect(outcome).toMatchObject({ kind: 'busy' });
  });

  test('hangs is killed, and the next one is used', async () => {
    const path = directory();
    const hanging = toolThat('exec sleep 600');
    const guard = await hold(path, { flockTools: [hanging, ...tools] });
    expect(guard.stands()).toBe(true);
    guard.letGo();
    expect(await takeGuard(lockFilesIn(path), { flockTools: [hanging] })).toMatchObject({
      kind: 'none',
      why: expect.stringContaining('2000 ms'),
    });
  });

  test('is missing lets no lock be taken while another one is moved aside', async () => {
    const path = directory();
    writeFileSync(`${path}/agent.lock.0123456789abcdef.old`, '{}');
    const lock = new Lock(join(path, '..'), { flockTools: [] });
    await expect(lock.acquire()).rejects.toMatchObject({ code: 'E_LOCKED', state: 'unknown' });
    expect(readdirSync(path)).toEqual(['agent.lock.0123456789abcdef.old', 'agent.lock.flock']);
  });

  test('does not exist on macOS: O_EXLOCK is believed only if a second open is refused', async () => {
    const path = directory();
    expect(await takeGuard(lockFilesIn(path), { platform: 'darwin' })).toMatchObject({
      kind: process.platform === 'darwin' ? 'held' : 'none',
    });
    const refusing = {
      ...systemCalls,
      open: (file: string, flags: number, mode?: number) => {
        if (!file.endsWith('.flock')) return systemCalls.open(file, flags, mode);
        if (opened > 0) throw Object.assign(new Error('EAGAIN'), { code: 'EAGAIN' });
        opened += 1;
        return systemCalls.open(file, flags, mode);
      },
    };
    let opened = 0;
    expect(await takeGuard(lockFilesIn(path), { platform: 'darwin', calls: refusing })).toMatchObject({
      kind: 'held',
    });
    expect(
      await takeGuard(lockFilesIn(path), { platform: 'darwin', calls: refusing, guardTimeoutMs: 20 }),
    ).toMatchObject({ kind: 'busy' });
  });
});
