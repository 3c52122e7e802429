/** Whether anybody listens on a Unix socket. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { isRefused } from '../../../src/io/programs/unix-refusal.ts';
import { asOtherUser, canBecomeOthers, cleanUp, onCleanUp, until } from '../../support/index.ts';

afterEach(cleanUp);

const makeFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'refusal-'));
  onCleanUp(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  return folder;
};

/** The file exists before anybody listens on it, so the process says when it does. */
const LISTEN = "require('node:net').createServer().listen(process.argv[1], () => console.log('listens'))";

/** A process that listens on the socket, started through a wrapper such as `unshare -n`. */
const listen = async (socket: string, wrapper: readonly string[] = []): Promise<ChildProcess> => {
  const [program = '', ...args] = [...wrapper, process.execPath, '-e', LISTEN, socket];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  onCleanUp(() => {
    child.kill('SIGKILL');
  });
  let listens = false;
  child.stdout?.once('data', () => {
    listens = true;
  });
  await until(() => listens);
  return child;
};

const killed = async (child: ChildProcess): Promise<void> => {
  child.kill('SIGKILL');
  await until(() => child.signalCode !== null);
};

/** Network namespaces need root, or users who may create namespaces. */
const canUnshare = spawnSync('unshare', ['-n', 'true']).status === 0;

test('a socket is refused when its listener was killed, and not before', async () => {
  const socket = join(makeFolder(), 'socket');
  const child = await listen(socket);
  expect(await isRefused(socket)).toBe(false);
  await killed(child);
  expect(existsSync(socket)).toBe(true);
  expect(await isRefused(socket)).toBe(true);
  await listen(join(makeFolder(), 'other'));
  expect(await isRefused(socket)).toBe(true);
});

test('a stopped listener is there', async () => {
  const socket = join(makeFolder(), 'socket');
  const child = await listen(socket);
  child.kill('SIGSTOP');
  expect(await isRefused(socket)).toBe(false);
});

(canUnshare ? test : test.skip)(
  'a listener in another network namespace is there (skipped without root)',
  async () => {
    const socket = join(makeFolder(), 'socket');
    await killed(await listen(socket, ['unshare', '-n']));
    expect(await isRefused(socket)).toBe(true);
    rmSync(socket);
    await listen(socket, ['unshare', '-n']);
    expect(await isRefused(socket)).toBe(false);
  },
);

test('a missing file, a directory above that is a file, and a path that is too long prove nothing', async () => {
  const folder = makeFolder();
  writeFileSync(join(folder, 'file'), '');
  const long = join(folder, 'x'.repeat(100 - folder.length));
  await killed(await listen(long.slice(0, 100)));
  for (const path of [join(folder, 'missing'), join(folder, 'file', 'socket'), long])
    expect([path, await isRefused(path)]).toEqual([path, false]);
});

(canBecomeOthers ? test : test.skip)(
  'a socket that may not be used proves nothing (skipped without root)',
  async () => {
    const folder = makeFolder();
    mkdirSync(join(folder, 'open'), { mode: 0o755 });
    const sockets = ['closed', 'open/closed'].map((name) => join(folder, name));
    for (const socket of sockets) {
      await killed(await listen(socket));
      chmodSync(socket, 0o600);
    }
    chmodSync(join(folder, 'open'), 0o700);
    await asOtherUser(async () => {
      for (const socket of sockets) expect([socket, await isRefused(socket)]).toEqual([socket, false]);
    });
  },
);
