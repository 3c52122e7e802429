/** The number that a plain record names runs: the holder whose clock stepped, or whoever was given that number since. */
import { afterEach, describe, expect } from '@jest/globals';
import { cleanUp, deadPid, fakeAgent, isRunning, sleeperNamed, startProcess } from '../support/index.ts';
import { ADA, BOB, GT, hostTest, secondsAgo, sessionOf, setStage, textsOf, tmuxTest } from './stage.ts';

afterEach(cleanUp);

const HOURS_5 = 5 * 3600;

describe('the holder, even where clocks disagree', () => {
  hostTest.each([
    ['seconds', 5],
    ['hours', HOURS_5],
    ['days', 3 * 24 * 3600],
  ])(
    'an agent nobody knows that seems %s younger than its lock → held, and left alone',
    async (_, seconds) => {
      const { town, judge, fix } = setStage();
      const { pid } = await fakeAgent('my-agent', { cwd: town.path(ADA) });
      town.lock(ADA, { pid, acquired_at: secondsAgo(seconds) });
      expect(await judge()).toMatchObject({ state: 'held', holder: { process: 'alive' } });
      expect((await fix()).summary?.fixed).toBe(0);
      expect(isRunning(pid)).toBe(true);
    },
  );
});

describe("somebody else's number now", () => {
  tmuxTest("joe's number is the claude of bob's pane → stale with would-block", async () => {
    const { town, startTmux, judge } = setStage();
    const pane = await sessionOf(await startTmux(), `${GT}-crew-bob`, town.path(BOB), {
      env: { GT_ROLE: BOB },
    });
    town.lock(ADA, { pid: pane.pid, acquired_at: secondsAgo(HOURS_5), session_id: '%707070' });
    const lock = await judge();
    expect([lock.state, lock.reasons, lock.notes]).toEqual([
      'stale',
      ['process-recycled', 'pane-gone'],
      ['would-block'],
    ]);
    expect(textsOf(lock)).toMatch(
      /started 5 h after the lock was taken, and runs in a pane of gastown\/crew\/bob/,
    );
  });

  tmuxTest('the same, only minutes younger → orphaned, and the evidence says whose it is', async () => {
    const { town, startTmux, judge } = setStage();
    const pane = await sessionOf(await startTmux(), `${GT}-crew-bob`, town.path(BOB), {
      env: { GT_ROLE: BOB },
    });
    town.lock(ADA, { pid: pane.pid, acquired_at: secondsAgo(300), session_id: '%707070' });
    const lock = await judge();
    expect(lock.state).toBe('orphaned');
    expect(textsOf(lock)).toMatch(/runs in a pane of gastown\/crew\/bob: probably not its holder/);
  });

  hostTest("joe's number is Gas Town's daemon at the town's root → stale with would-block", async () => {
    const { town, judge } = setStage();
    const daemon = await startProcess(sleeperNamed('gt'), ['600'], { cwd: town.root });
    town.lock(ADA, { pid: daemon.pid, acquired_at: secondsAgo(HOURS_5), session_id: '%707070' });
    expect(await judge()).toMatchObject({
      state: 'stale',
      reasons: ['process-recycled', 'pane-gone'],
      notes: ['would-block'],
    });
  });

  tmuxTest(
    'a program nobody knows at the root of the town, hours younger → alive, with the doubt said',
    async () => {
      const { town, startTmux, judge } = setStage();
      // Below a test runner it would be a part of that.
      const { pid } = await sessionOf(await startTmux(), 'scratch', town.root, { command: 'my-agent' });
      town.lock(ADA, { pid, acquired_at: secondsAgo(HOURS_5) });
      const lock = await judge();
      expect(lock).toMatchObject({ state: 'held', holder: { process: 'alive' } });
      expect(textsOf(lock)).toMatch(/started 5 h after the lock: probably not its holder/);
    },
  );

  hostTest('a number without a process is gone as ever', async () => {
    const { town, judge } = setStage();
    town.lock(ADA, { pid: deadPid(), acquired_at: secondsAgo(HOURS_5) });
    expect(await judge()).toMatchObject({ state: 'stale', reasons: ['process-gone', 'session-unnamed'] });
  });
});
