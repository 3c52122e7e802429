/** Worktrees are removed and recreated under agents that still work in them. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { afterEach, expect } from '@jest/globals';
import { preflightRemoval } from '../../src/places/removal.ts';
import { who } from '../../src/places/who.ts';
import { preflight } from '../../src/preflight.ts';
import { doctor } from '../cli/run-cli.ts';
import { cleanUp, fakeAgent } from '../support/index.ts';
import { gitTest, makeRepository } from './repository.ts';
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
