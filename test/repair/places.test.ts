/** Repairs that once looked in other places than the diagnosis and therefore never completed. */
import { existsSync, readdirSync, renameSync } from 'node:fs';
import { afterEach, expect, test } from '@jest/globals';
import { heal } from '../../src/heal.ts';
import { undoReleases } from '../../src/repair/undo.ts';
import { ADA, lockOf, NO_PANE, setStage } from '../situations/stage.ts';
import { cleanUp, fakeAgent } from '../support/index.ts';

afterEach(cleanUp);

test('a legacy lock that a killed run moved aside is restored and released by the next --fix', async () => {
  const { town, env } = setStage();
  const lock = town.lock(ADA, {}, { at: '.gastown/agent.lock' });
  renameSync(lock, `${lock}.0123456789abcdef.old`);
  const report = await heal(town.root, { env, cwd: '/' });
  expect(report.summary).toMatchObject({ locks: 0, fixed: 1 });
  expect(readdirSync(town.path(ADA))).toEqual(['.gastown']);
  await undoReleases(null, { townRoot: town.root });
  expect(existsSync(lock)).toBe(true);
});

test('a stale lock above a live worker is released, because the agent below belongs to its own lock', async () => {
  const { town, env } = setStage({ workers: ['tools/inner'], marked: false });
  const outer = town.lock('tools');
  const inner = town.lock('tools/inner', { session_id: NO_PANE });
  await fakeAgent('claude', { cwd: town.path('tools/inner') });
  const report = await heal(town.root, { env, cwd: '/' });
  expect(lockOf(report, 'tools/inner').state).toBe('held');
  expect([existsSync(outer), existsSync(inner)]).toEqual([false, true]);
});
