/** Worktrees are removed and recreated under agents that still work in them. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect } from '@jest/globals';
import { runUnderLock } from '../../src/exec/run-under-lock.ts';
import { preflightRemoval } from '../../src/places/removal.ts';
import { who } from '../../src/places/who.ts';
import { preflight } from '../../src/preflight.ts';
import { doctor } from '../cli/run-cli.ts';
import { cleanUp, fakeAgent, sleeperNamed, startProcess } from '../support/index.ts';
import { git, gitTest, makeRepository, type Repository } from './repository.ts';
import { ADA, linuxTmuxTest, now, sessionOf, setStage } from './stage.ts';

afterEach(cleanUp);

linuxTmuxTest('an unknown agent in a pane whose directory was removed and recreated → held', async () => {
  const { town, startTmux, judge } = setStage();
  const server = await startTmux();
  const pane = await sessionOf(server, 'work', town.path(ADA), { command: 'unheard-of' });
  rmSync(town.path(ADA), { recursive: true });
  mkdirSync(town.path(ADA));
  town.lock(ADA, { session_id: pane.paneId, acquired_at: now() });
  expect(await judge()).toMatchObject({ state: 'held', holder: { session: 'live' } });
});

gitTest('an agent in a worktree that was deleted does not work in the tree around it', async () => {
  const { root, env, worktree, look } = makeRepository();
  const path = worktree('.claude/worktrees/login');
  mkdirSync(`${path}/src`);
  await fakeAgent('claude', { cwd: `${path}/src` });
  const { pid } = await fakeAgent('claude', { cwd: root });
  rmSync(path, { recursive: true });
  const { agents, collisions, findings } = await look();
  expect(collisions).toEqual([]);
  expect(agents).toMatchObject([{ worker: '.' }, { worker: '.claude/worktrees/login' }]);
  const said = `git still lists this worktree, but its directory is gone; claude (process`;
  expect(findings).toMatchObject([
    {
      check: 'lock-debris',
      message: expect.stringContaining(said),
      fix: { action: 'advice', text: expect.stringContaining('let its agent end first') },
    },
  ]);
  const { results } = await preflight(root, ['.', path], { env });
  expect(results).toMatchObject([
    { answer: 'held', message: expect.stringContaining(`process ${pid})`) },
    { answer: 'held' },
  ]);
});

gitTest.each(['.claude/worktrees/login', '../feature-1'])(
  'an agent in %s, which was deleted, is named by who and keeps it from being removed',
  async (name) => {
    const { root, env, worktree } = makeRepository();
    const path = worktree(name);
    const { pid } = await fakeAgent('claude', { cwd: path });
    rmSync(path, { recursive: true });
    for (const [asked, cwd] of [
      [name, root],
      [path, dirname(root)],
    ] as const) {
      const options = { env, cwd };
      const town = cwd === root ? root : undefined;
      expect((await who(town, [asked], options)).places).toMatchObject([
        { worker: name, isGone: true, people: [{ class: 'agent', pid }] },
      ]);
      expect(await preflightRemoval(town, [asked], options)).toMatchObject({
        exitCode: 20,
        results: [
          {
            answer: 'held',
            message: expect.stringMatching(
              `^git still lists it, but its directory is gone; claude \\(process ${pid}\\)`,
            ),
          },
        ],
      });
    }
  },
);

gitTest('an agent in a worktree that was moved is found under its old name and its new one', async () => {
  const { root, env, worktree, look } = makeRepository();
  const path = worktree('../feature-1');
  const { pid } = await fakeAgent('claude', { cwd: path });
  const now = `${dirname(root)}/elsewhere`;
  renameSync(path, now);
  for (const name of ['../feature-1', '../elsewhere'])
    expect((await who(root, [name], { env, cwd: root })).places).toMatchObject([
      { path: now, people: [{ class: 'agent', pid }] },
    ]);
  const { agents, findings } = await look();
  expect(agents).toMatchObject([{ worker: '../elsewhere' }]);
  expect(findings).toMatchObject([
    {
      message: `git still lists this worktree, but it was moved to ${now}, where somebody works`,
      next: [['git', '-C', `${root}/.git`, 'worktree', 'repair', now]],
    },
  ]);
  const { results } = await preflightRemoval(root, ['../feature-1'], { env, cwd: root });
  expect(results).toMatchObject([{ answer: 'held', message: expect.stringContaining(`moved to ${now};`) }]);
  const explained = (name: string): string => doctor(['explain', name], { cwd: root, env }).stdout;
  expect(explained('../elsewhere')).toContain(`claude (process ${pid})`);
  expect(explained('../feature-1')).toContain(`worktree repair ${now}`);
});

gitTest('an agent that took its lock in a worktree that was moved has one', async () => {
  const { root, worktree, look } = makeRepository();
  const path = worktree('../feature-1');
  const { pid } = await fakeAgent('claude', { cwd: path });
  mkdirSync(`${path}/.runtime`);
  writeFileSync(
    `${path}/.runtime/agent.lock`,
    JSON.stringify({ pid, acquired_at: now(), session_id: '', hostname: hostname() }),
  );
  renameSync(path, `${dirname(root)}/elsewhere`);
  const { agents, locks } = await look();
  expect(locks).toMatchObject([{ worker: '../elsewhere', state: 'held' }]);
  expect(agents).toEqual([]);
});

/** How exec ends: the command's own code is 7. */
const exec = async ({ root, env }: Repository, worker: string): Promise<number> =>
  (await runUnderLock({ town: root, worker, command: ['sh', '-c', 'exit 7'], waitMs: 0, env, cwd: root }))
    .exitCode;

describe('the old place of a worktree that was moved while an agent works in it', () => {
  /** What stands there now, and whether it is a directory. */
  const left: Record<string, readonly [make: (path: string) => void, isDirectory: boolean]> = {
    nothing: [() => {}, false],
    'a file': [(path) => writeFileSync(path, ''), false],
    'a symlink that leads nowhere': [(path) => symlinkSync('nothing', path), false],
    'an empty directory': [(path) => void mkdirSync(path), true],
    'a symlink to another worktree': [(path) => symlinkSync('other', path), true],
    'another worktree': [(path) => renameSync(join(dirname(path), 'other'), path), true],
  };

  gitTest.each(Object.entries(left))('is not free if %s is left there', async (what, [make, isDirectory]) => {
    const repository = makeRepository();
    const { root, env, worktree } = repository;
    const name = '../feature-1';
    const path = worktree(name);
    worktree('../other');
    const { pid } = await fakeAgent('claude', { cwd: path });
    const now = `${dirname(root)}/elsewhere`;
    renameSync(path, now);
    make(path);
    const code = isDirectory ? 22 : 20;
    const message = expect.stringMatching(new RegExp(`moved to ${now}; .*claude \\(process ${pid}\\)`));
    for (const [asked, cwd] of [
      [name, root],
      [path, '/'],
    ] as const) {
      const report = await preflight(cwd === root ? root : undefined, asked, { env, cwd });
      expect(report).toMatchObject({ exitCode: code, results: [{ message }] });
      expect(report.results[0]?.next).toContainEqual([
        'git',
        '-C',
        `${root}/.git`,
        'worktree',
        'repair',
        now,
      ]);
      expect(await exec(repository, asked)).toBe(code);
    }
    // git follows a symlink as well.
    if (what !== 'a symlink to another worktree') {
      expect(await preflightRemoval(root, [name], { env, cwd: root })).toMatchObject({
        exitCode: code,
        results: [{ message }],
      });
      const { stdout } = doctor(['explain', name], { env, cwd: root });
      expect(stdout).toMatch(
        new RegExp(`Preflight says ${isDirectory ? 'unsure' : 'held'}: .*moved to ${now}; `),
      );
      const { places } = await who(root, [name], { env, cwd: root });
      expect(places).toMatchObject([
        isDirectory ? { movedTo: now, people: [] } : { path: now, people: [{ pid }] },
      ]);
    }
    // What it says is what helps.
    git(root, 'worktree', 'repair', now);
    if (isDirectory) expect(await exec(repository, path)).toBe(7);
    else await expect(exec(repository, path)).rejects.toMatchObject({ code: 'E_USAGE' });
  });

  gitTest('is named by the doctor if something else stands there', async () => {
    const { root, worktree, look } = makeRepository();
    const path = worktree('../feature-1');
    await fakeAgent('claude', { cwd: path });
    renameSync(path, `${path}-moved`);
    mkdirSync(path);
    const next = [['git', '-C', `${root}/.git`, 'worktree', 'repair', `${dirname(root)}/feature-1-moved`]];
    expect((await look()).findings).toMatchObject([{ check: 'lock-debris', worker: '../feature-1', next }]);
  });
});

gitTest('a worktree is not free while an agent works in a copy, which has the same index', async () => {
  const repository = makeRepository();
  const { root, env, worktree } = repository;
  const path = worktree('one');
  const copy = join(root, 'copy');
  execFileSync('cp', ['-a', path, copy]);
  expect(await exec(repository, 'one')).toBe(7);
  const { pid } = await fakeAgent('claude', { cwd: copy });
  const told = {
    exitCode: 22,
    results: [{ message: expect.stringMatching(new RegExp(`${copy} is a copy of .*process ${pid}`)) }],
  };
  expect(await preflight(root, 'one', { env, cwd: root })).toMatchObject(told);
  expect(await preflightRemoval(root, ['one'], { env, cwd: root })).toMatchObject(told);
  expect((await who(root, ['one'], { env, cwd: root })).places).toMatchObject([
    { people: [], movedTo: copy, isCopy: true },
  ]);
  expect(await exec(repository, 'one')).toBe(22);
});

gitTest.each([
  ['claude', 20],
  ['unheard-of', 22],
] as const)('exec ends as preflight does for a deleted worktree in which %s runs', async (program, code) => {
  const repository = makeRepository();
  const { root, env, worktree } = repository;
  const path = worktree('../feature-1');
  await startProcess(sleeperNamed(program), ['600'], { cwd: path });
  rmSync(path, { recursive: true });
  for (const name of ['../feature-1', path]) {
    expect((await preflight(root, name, { env, cwd: root })).exitCode).toBe(code);
    expect(await exec(repository, name)).toBe(code);
  }
});
