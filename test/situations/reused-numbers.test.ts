/** The PID in a plain record is in use: by the holder, whose clock was set, or by a process that reuses it. */
import { existsSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { cleanUp, deadPid, fakeAgent, isRunning, sleeperNamed, startProcess } from '../support/index.ts';
import { ADA, BOB, GT, hostTest, secondsAgo, sessionOf, setStage, textsOf, tmuxTest } from './stage.ts';

afterEach(cleanUp);

const HOURS_5 = 5 * 3600;

describe('the PID of the holder, although clocks disagree', () => {
  hostTest.each([
    ['seconds', 5],
    ['hours', HOURS_5],
    ['days', 3 * 24 * 3600],
  ])('an unknown agent that seems %s younger than its lock → held, and left alone', async (_, seconds) => {
    const { town, judge, fix } = setStage();
    const { pid } = await fakeAgent('my-agent', { cwd: town.path(ADA) });
    town.lock(ADA, { pid, acquired_at: secondsAgo(seconds) });
    expect(await judge()).toMatchObject({ state: 'held', holder: { process: 'alive' } });
    expect((await fix()).summary?.fixed).toBe(0);
    expect(isRunning(pid)).toBe(true);
  });
});

hostTest.each([
  ['in January 1970', () => new Date(Date.now() / 1000).toISOString()],
  ['at the start of 1970', () => '1970-01-01T00:02:03Z'],
])('a process in another directory, and a lock whose date is %s → held, and left alone', async (_, at) => {
  const { town, judge, fix } = setStage();
  const { pid } = await startProcess('sleep', ['600'], { cwd: '/' });
  const path = town.lock(ADA, { pid, acquired_at: at() });
  expect(await judge()).toMatchObject({ state: 'held', holder: { process: 'alive' } });
  expect((await fix()).summary?.fixed).toBe(0);
  expect(existsSync(path)).toBe(true);
});

(existsSync('/proc/2/comm') ? hostTest : test.skip)(
  'the PID of a thread of the kernel is no holder, and proves nothing → unknown',
  async () => {
    const { town, judge } = setStage();
    town.lock(ADA, { pid: 2, acquired_at: secondsAgo(0) });
    const lock = await judge();
    expect(lock).toMatchObject({ state: 'unknown', reasons: ['process-unknown', 'session-unnamed'] });
    expect(textsOf(lock)).toMatch(/a thread of the kernel \(kthreadd\)/);
  },
);

describe('a PID that was reused', () => {
  tmuxTest("by the claude in another worker's pane → stale with would-block", async () => {
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

  tmuxTest('by the same, but only minutes younger → orphaned, and evidence names its worker', async () => {
    const { town, startTmux, judge } = setStage();
    const pane = await sessionOf(await startTmux(), `${GT}-crew-bob`, town.path(BOB), {
      env: { GT_ROLE: BOB },
    });
    town.lock(ADA, { pid: pane.pid, acquired_at: secondsAgo(300), session_id: '%707070' });
    const lock = await judge();
    expect(lock.state).toBe('orphaned');
    expect(textsOf(lock)).toMatch(/runs in a pane of gastown\/crew\/bob: probably not its holder/);
  });

  hostTest("by Gas Town's daemon at the town's root → stale with would-block", async () => {
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
    "by an unknown program at the town's root, hours younger → held, with the doubt mentioned",
    async () => {
      const { town, startTmux, judge } = setStage();
      // As a child of the test runner it would count as part of that.
      const { pid } = await sessionOf(await startTmux(), 'scratch', town.root, { command: 'my-agent' });
      town.lock(ADA, { pid, acquired_at: secondsAgo(HOURS_5) });
      const lock = await judge();
      expect(lock).toMatchObject({ state: 'held', holder: { process: 'alive' } });
      expect(textsOf(lock)).toMatch(/started 5 h after the lock: probably not its holder/);
    },
  );

  hostTest('a PID that is not in use → stale', async () => {
    const { town, judge } = setStage();
    town.lock(ADA, { pid: deadPid(), acquired_at: secondsAgo(HOURS_5) });
    expect(await judge()).toMatchObject({ state: 'stale', reasons: ['process-gone', 'session-unnamed'] });
  });
});
