/** `--fix --force --lock`: a person names any lock by its ID or path, and only that lock is released, whoever holds it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { heal } from '../../src/heal.ts';
import {
  cleanUp,
  fakeAgent,
  hasTmux,
  makeTown,
  startProcess,
  type TestTown,
  until,
} from '../support/index.ts';
import { doctor, doctorInPane } from './run-cli.ts';

afterEach(cleanUp);

const INDEX = 'git-lock:.git/index.lock';
const linuxTest = process.platform === 'linux' ? test : test.skip;

const aged = (path: string): string => {
  const then = Date.now() / 1000 - 3600;
  utimesSync(path, then, then);
  return path;
};

/** A repository whose index lock a process has open, beside a stale lock that no command names. */
const makeHeld = async () => {
  const town = makeTown({ marked: false, workers: [], rigs: {} });
  execFileSync('git', ['init', '-q', town.root]);
  const index = aged(town.write('.git/index.lock', ''));
  const other = aged(town.write('app/.gsd/auto.lock', `{"pid":${spawnSync('true').pid}}`));
  const { pid } = await startProcess('sh', ['-c', 'exec 3< "$0"; exec sleep 600', index], { cwd: '/' });
  await until(() => existsSync(`/proc/${pid}/fd/3`), 'the open file');
  return { town, index, other, pid };
};

const fix = (town: TestTown, ...words: string[]) =>
  doctor(['--fix', '--force', ...words, '--town', town.root], { cwd: town.root });

linuxTest('requires --yes without a terminal, releases only that lock, and undo restores it', async () => {
  const { town, index, other, pid } = await makeHeld();
  const { ino } = lstatSync(index);
  const refused = fix(town, '--lock', INDEX);
  expect([refused.status, existsSync(index)]).toEqual([2, true]);
  expect(refused.stderr).toContain('--force requires --yes');
  expect(fix(town, '--lock', INDEX, '--dry-run').stdout).toContain(`process ${pid} (sleep) has it open`);
  expect(existsSync(index)).toBe(true);

  for (const name of [INDEX, '.git/index.lock', index]) {
    const { status, stdout } = fix(town, '--yes', '--lock', name);
    expect([name, status, existsSync(index), existsSync(other)]).toEqual([name, 1, false, true]);
    expect(stdout).toMatch(
      new RegExp(
        `held lock released by force: git-lock: process ${pid} \\(sleep\\) (?:has it open|is running in this repository)`,
      ),
    );
    expect(doctor(['undo', '--town', town.root]).status).toBe(0);
    expect(lstatSync(index).ino).toBe(ino);
  }
  expect(spawnSync('kill', ['-0', `${pid}`]).status).toBe(0);
});

linuxTest('with --worker, releases only the agent’s lock of that worker', async () => {
  const { town, index } = await makeHeld();
  for (const more of [[], ['--lock', INDEX]]) {
    const { status, stdout } = fix(town, '--yes', '--worker', '.', ...more);
    expect([status, existsSync(index)]).toEqual([1, true]);
    expect(stdout).toMatch(
      /held lock not released: .*--worker means only agents' own locks: name this one with --lock/,
    );
  }
});

linuxTest('says whose lock is taken, before the question and afterwards', async () => {
  const town = makeTown({ workers: ['gastown/crew/ada'] });
  const { pid } = await fakeAgent('claude', { cwd: town.path('gastown/crew/ada') });
  aged(town.lock('gastown/crew/ada', { pid: 4_194_305, session_id: '' }));
  const whose = `claude (process ${pid}) is running in this directory, outside tmux; taken `;
  expect(fix(town, '--worker', 'gastown/crew/ada', '--dry-run').stdout).toContain(
    `would release gastown/crew/ada: held, ${whose}`,
  );
  expect(fix(town, '--yes', '--worker', 'gastown/crew/ada').stdout).toContain(
    `held lock released by force: ${whose}`,
  );
});

linuxTest('its page does not mention agents, sessions or panes', async () => {
  const { town } = await makeHeld();
  const { stdout } = doctor(['explain', '.', '--town', town.root]);
  expect(stdout).toContain('Somebody holds this lock.');
  expect(stdout).toContain('Once its holder exits, the lock becomes stale.');
  expect(stdout).not.toMatch(/agent|pane/);
});

test('refuses a missing --lock and an unknown lock as wrong usage', () => {
  const town = makeTown({ marked: false, workers: [], rigs: {} });
  aged(town.write('.gsd/auto.lock', `{"pid":${process.pid}}`));
  expect(fix(town, '--yes')).toMatchObject({ status: 2 });
  const unknown = fix(town, '--yes', '--lock', 'gsd:.gsd/aut.lock');
  expect(unknown.status).toBe(2);
  expect(unknown.stderr).toContain('Did you mean gsd:.gsd/auto.lock?');
  expect(existsSync(town.path('.gsd/auto.lock'))).toBe(true);
});

test('does not release a lock set by a person, a file tracked by git, or a lock that names no holder', () => {
  const town = makeTown({ marked: false, workers: [], rigs: {} });
  const git = (...args: string[]): void => {
    const who = ['-c', 'user.name=a', '-c', 'user.email=a@example.org'];
    execFileSync('git', ['-C', town.root, ...who, ...args], { stdio: 'ignore' });
  };
  git('init', '-q');
  const tracked = aged(town.write('.claude/scheduled_tasks.lock', `{"sessionId":"a","pid":${process.pid}}`));
  git('add', '.');
  git('commit', '-q', '-m', 'Begin');
  git('worktree', 'add', '-q', 'tree');
  git('worktree', 'lock', '--reason', 'mine', 'tree');
  const locked = aged(join(town.root, '.git/worktrees/tree/locked'));
  const empty = aged(town.write('.beads/dolt-server.pid', ''));
  for (const path of [tracked, locked, empty]) {
    const { status } = fix(town, '--yes', '--lock', path);
    expect([path, status === 2, existsSync(path)]).toEqual([path, false, true]);
  }
});

test('of a lock set by a person, it names the page that says how that person unlocks the worktree', () => {
  const town = makeTown({ marked: false, workers: [], rigs: {} });
  const git = (...args: string[]): void =>
    void execFileSync('git', [
      '-C',
      town.root,
      '-c',
      'user.name=a',
      '-c',
      'user.email=a@example.org',
      ...args,
    ]);
  git('init', '-q');
  git('commit', '-q', '--allow-empty', '-m', 'Begin');
  git('worktree', 'add', '-q', '--detach', 'a tree');
  git('worktree', 'lock', '--reason', 'mine', 'a tree');
  expect(fix(town, '--yes', '--lock', '.git/worktrees/a-tree/locked').stdout).toMatch(
    /^summary 1 problem needs your attention\.\nnext doctor explain '\S+\/a tree' --town \S+$/m,
  );
  const { stdout } = doctor(['explain', 'a tree', '--town', town.root]);
  expect(stdout).toContain('Nothing: somebody locked it by hand.\n\nWhoever locked it unlocks it:\n');
  expect(stdout).not.toContain('--force');
  const [, command = ''] = /^(git .* worktree unlock .*)$/m.exec(stdout) ?? [];
  expect(command).toBe(`git -C ${town.root}/.git worktree unlock '${town.root}/a tree'`);
  execFileSync('sh', ['-c', command], { cwd: '/' });
  expect(existsSync(town.path('.git/worktrees/a-tree/locked'))).toBe(false);
});

linuxTest('the library selects locks in the same way', async () => {
  const { town, index, other } = await makeHeld();
  await expect(heal(town.root, { force: true })).rejects.toThrow('force requires workers or locks');
  await heal(town.root, { force: true, locks: [INDEX] });
  expect([existsSync(index), existsSync(other)]).toEqual([false, true]);
});

(hasTmux ? linuxTest : test.skip)(
  'the page of a lock shows this command to a person at a terminal, but not to an agent',
  async () => {
    const { town } = await makeHeld();
    const screen = async (env: Record<string, string>): Promise<string> => {
      const pane = await doctorInPane(
        ['explain', '.', '--town', town.root],
        { columns: 120, rows: 60 },
        { cwd: town.root, env },
      );
      return (await pane.ends()).screen;
    };
    expect(await screen({})).toContain(`doctor --fix --force --lock ${INDEX}`);
    expect(await screen({ CLAUDECODE: '1' })).not.toContain('--force');
  },
);
