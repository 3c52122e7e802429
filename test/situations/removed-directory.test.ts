/** Worktrees are removed and recreated under agents that still work in them. */
import { mkdirSync, rmSync } from 'node:fs';
import { afterEach, expect } from '@jest/globals';
import { cleanUp } from '../support/index.ts';
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
