/** A session whose agent has exited and that only shows a shell. */
import { spawnSync } from 'node:child_process';
import { afterEach, expect } from '@jest/globals';
import { cleanUp } from '../support/index.ts';
import { ADA, GT, lockOf, now, sessionOf, setStage, shellSessionOf, tmuxTest } from './stage.ts';

afterEach(cleanUp);

tmuxTest('only a shell is left → held, idle, and no live agent is mentioned', async () => {
  const { town, startTmux, look, ask, fix } = setStage();
  const pane = await shellSessionOf(await startTmux(), `${GT}-crew-ada`, town.path(ADA));
  town.lock(ADA, { session_id: pane.paneId, acquired_at: now() });
  const report = await look();
  expect(lockOf(report, ADA)).toMatchObject({ state: 'held', notes: ['idle'] });
  expect(report.findings).toMatchObject([{ check: 'idle-session', severity: 'info' }]);
  const answer = await ask();
  expect(answer).toMatchObject({ exitCode: 20, results: [{ answer: 'held', notes: ['idle'] }] });
  expect(answer.results[0]?.message).toMatch(/^held: idle, its agent has exited/);

  // The finding's commands: the first one shows the session on a terminal, the second one ends it.
  const [attach = [], end = []] = report.findings[0]?.next ?? [];
  expect(attach.slice(3)).toEqual(['attach-session', '-t', pane.paneId]);
  const [program = '', ...args] = end;
  expect(spawnSync(program, args).status).toBe(0);
  expect(lockOf(await look(), ADA).state).toBe('stale');
  expect((await fix()).summary?.fixed).toBe(1);
});

tmuxTest('an agent in the session → held, not idle', async () => {
  const { town, startTmux, look } = setStage();
  const pane = await sessionOf(await startTmux(), `${GT}-crew-ada`, town.path(ADA));
  town.lock(ADA, { session_id: pane.paneId, acquired_at: now() });
  expect(lockOf(await look(), ADA)).toMatchObject({ state: 'held', notes: [] });
});
