/**
 * What is left when the doctor or its command is killed: a lock that the next one can take.
 * Runs in a PID namespace: our own records name their holder by more than a PID.
 */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { findProgram } from '../../src/io/programs/find-program.ts';
import {
  cleanUp,
  firstLine,
  isRunning,
  makeTown,
  onCleanUp,
  startProcess,
  type TestTown,
  until,
} from '../support/index.ts';
import { buildCli } from './built-cli.ts';
import { ADA, readLock, startLasting } from './lasting.ts';

const cli = buildCli();
const beside = (town: TestTown): readonly string[] => readdirSync(town.path(ADA, '.runtime')).sort();
const preflight = async (town: TestTown) => (await cli.run(['preflight', '--town', town.root, ADA])).code;
const next = (town: TestTown) => cli.run(['exec', '--town', town.root, ADA, '--', 'echo', 'next']);

/** A directory for PATH with all programs that a doctor and its commands need here, except one. */
const pathWithout = (missing: string): string => {
  const directory = mkdtempSync(join(tmpdir(), 'bin-'));
  onCleanUp(() => rmSync(directory, { recursive: true, force: true }));
  chmodSync(directory, 0o755);
  for (const name of ['sh', 'env', 'sleep', 'echo', 'flock', 'git', 'tmux'].filter(
    (one) => one !== missing,
  )) {
    const path = findProgram(name, process.env);
    if (path !== null) symlinkSync(path, join(directory, name));
  }
  return directory;
};

afterAll(cli.remove);

describe('kill -9', () => {
  afterEach(cleanUp);

  test.each([
    ['a plain directory', { marked: false }],
    ['a Gas Town', { marked: true }],
  ])(
    'of the doctor in %s leaves a valid lock that names the command and becomes stale when it ends',
    async (_name, marked) => {
      const town = makeTown(marked);
      const running = await startLasting(cli, town);
      const before = readLock(town);
      expect(before.holder_pid).toBe(running.commandPid);
      running.child.kill('SIGKILL');
      await until(running.isOver, 'the end of the doctor');
      expect(isRunning(running.commandPid)).toBe(true);
      expect(readLock(town)).toEqual(before);
      expect(await preflight(town)).toBe(20);
      expect((await next(town)).code).toBe(20);
      process.kill(running.commandPid, 'SIGKILL');
      await until(() => !isRunning(running.commandPid), 'the end of the command');
      expect(await preflight(town)).toBe(21);
      expect(await next(town)).toMatchObject({ code: 0, stdout: 'next\n' });
      expect(beside(town)).toEqual(['.gitignore', 'agent.lock.flock']);
    },
  );

  // Root's tests run the doctor as a user without tmux servers; other users may have some.
  const withoutServers = cli.user.uid === undefined ? test.skip : test;
  withoutServers(
    'of both on a machine without tmux (root only) leaves a stale lock, and the next command gets the worker',
    async () => {
      const town = makeTown();
      const env = { PATH: pathWithout('tmux') };
      const running = await startLasting(cli, town, 'exec sleep 600', { env });
      running.child.kill('SIGKILL');
      await until(running.isOver, 'the end of the doctor');
      process.kill(running.commandPid, 'SIGKILL');
      await until(() => !isRunning(running.commandPid), 'the end of the command');
      const asked = await cli.run(['preflight', '--town', town.root, ADA], { env });
      const next = await cli.run(['exec', '--town', town.root, ADA, '--', 'echo', 'next'], { env });
      expect([asked.code, next.code, next.stdout]).toEqual([21, 0, 'next\n']);
    },
  );

  test('of the command gives 137, and the lock is released', async () => {
    const town = makeTown();
    const running = await startLasting(cli, town);
    process.kill(running.commandPid, 'SIGKILL');
    expect((await running.ended).code).toBe(137);
    expect(beside(town)).toEqual(['.gitignore', 'agent.lock.flock']);
  });

  test('of the doctor before the gate opens: the command never runs, and the next one gets the worker', async () => {
    const town = makeTown();
    const mark = town.path('it-ran');
    // Another process keeps the guard: the command waits behind its gate.
    const guard = town.write(`${ADA}/.runtime/agent.lock.flock`, '');
    const keeper = await startProcess('flock', ['-F', '-x', guard, 'sh', '-c', 'echo kept; exec sleep 600'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await firstLine(keeper);
    const running = cli.start(['exec', '--town', town.root, ADA, '--', 'touch', mark]);
    const gate = await until(() => childNamed(running.pid, 'sh'), 'the gate');
    running.child.kill('SIGKILL');
    await until(() => !isRunning(gate), 'the end of the gate');
    await keeper.stop();
    expect((await next(town)).code).toBe(0);
    expect(readdirSync(town.root)).not.toContain('it-ran');
    expect(beside(town)).toEqual(['agent.lock.flock']);
  });

  test('of the doctor at any moment: never two commands at once, and a free worker in the end', async () => {
    const town = makeTown();
    const script = 'mkdir "$0" || echo overlap >> "$0.overlaps"; rmdir "$0"';
    const args = ['exec', '--town', town.root, ADA, '--', 'sh', '-c', script, town.path('inside')];
    for (let delayMs = 20; delayMs <= 140; delayMs += 6) {
      const running = cli.start(args);
      await new Promise((settle) => setTimeout(settle, delayMs));
      running.child.kill('SIGKILL');
      await until(running.isOver, 'the end of the doctor');
    }
    expect(await cli.run(args)).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(town.root)).not.toContain('inside.overlaps');
    // A doctor that is killed right after it created the directory cannot have made git ignore it.
    expect(beside(town).filter((name) => name !== '.gitignore')).toEqual(['agent.lock.flock']);
  });
});

/** The PID of a child with that name, from /proc; false if there is none. */
const childNamed = (parent: number, name: string): number | false => {
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  const found = pids.find((pid) => {
    try {
      const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
      return (
        text.includes(`(${name}) `) && text.slice(text.lastIndexOf(')') + 2).split(' ')[1] === `${parent}`
      );
    } catch {
      return false; // it has ended
    }
  });
  return found === undefined ? false : Number(found);
};
