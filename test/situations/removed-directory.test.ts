/** Worktrees are removed and recreated under agents that still work in them. */
import { mkdirSync, rmSync } from 'node:fs';
import { afterEach, expect } from '@jest/globals';
import { preflight } from '../../src/preflight.ts';
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
