/** A lock that was damaged or removed while the second record beside it still names a live holder. */
import { existsSync, rmSync } from 'node:fs';
import { afterEach, expect } from '@jest/globals';
import { heal } from '../../src/heal.ts';
import { Lock } from '../../src/lock/agent-lock.ts';
import { startTokenOf } from '../../src/lock/identity.ts';
import { cleanUp, deadPid, startProcess } from '../support/index.ts';
import { ADA, hostTest, lockOf, setStage } from './stage.ts';

afterEach(cleanUp);

hostTest('a damaged lock is not released before its holder is dead', async () => {
  const { town, env, ask, judge } = setStage();
  const { pid, stop } = await startProcess('sleep', ['600']);
  const holder = { pid, startToken: await startTokenOf(pid) };
  await new Lock(town.path(ADA)).acquire({ holder, recordedPid: deadPid(), companion: true });
  const lock = town.lock(ADA, '{"pid": 12');
  expect(await judge()).toMatchObject({ state: 'invalid', reasons: ['not-json', 'occupied'] });
  expect((await ask()).results[0]).toMatchObject({ answer: 'held' });
  const first = await heal(town.root, { env, cwd: '/' });
  expect(lockOf(first, ADA).state).toBe('invalid');
  expect([existsSync(lock), existsSync(`${lock}.holder`)]).toEqual([true, true]);

  await stop();
  expect((await ask()).results[0]).toMatchObject({ answer: 'repair' });
  await heal(town.root, { env, cwd: '/' });
  expect([existsSync(lock), existsSync(`${lock}.holder`)]).toEqual([false, false]);
});

hostTest('a removed lock forbids a start while its holder lives', async () => {
  const { town, ask } = setStage();
  const { pid, stop } = await startProcess('sleep', ['600']);
  const holder = { pid, startToken: await startTokenOf(pid) };
  await new Lock(town.path(ADA)).acquire({ holder, recordedPid: deadPid(), companion: true });
  rmSync(town.path(ADA, '.runtime/agent.lock'));
  expect((await ask()).results[0]).toMatchObject({ answer: 'held', state: null, reasons: ['occupied'] });
  await expect(new Lock(town.path(ADA)).acquire()).rejects.toMatchObject({ code: 'E_LOCKED' });
  await stop();
  expect((await ask()).results[0]).toMatchObject({ answer: 'free' });
});
