/** One process of the stress run: takes, holds, releases and fixes locks until it is killed. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lock } from '../../src/lock/agent-lock.ts';
import { doctorsJudge, type Judge } from '../../src/lock/ask-the-judge.ts';
import { GuardBusyError, LockedError } from '../../src/lock/errors.ts';
import { makeRunId } from '../../src/lock/files/names.ts';
import { undoReleases } from '../../src/repair/undo.ts';
import { applyAll } from '../lock/support/release.ts';
import { naive } from './naive-lock.ts';
import { makeOracle } from './oracle.ts';
import { quickJudge, readLockFile } from './quick-judge.ts';

export interface ContenderConfig {
  readonly town: string;
  readonly oracle: string;
  readonly protocol: 'guarded' | 'naive';
  /** `agent` takes locks, `doctor` fixes them. */
  readonly role: 'agent' | 'doctor';
  /** Judge as the product does: by processes, tmux and occupants. */
  readonly realJudge: boolean;
}

const config = JSON.parse(process.argv[2] ?? '{}') as ContenderConfig;
const { town, protocol, role } = config;
const workers = readdirSync(town).filter((name) => !name.startsWith('.'));
const oracle = makeOracle(config.oracle);
const judge: Judge = config.realJudge ? doctorsJudge({ town }) : quickJudge;
const chance = (probability: number): boolean => Math.random() < probability;
const pause = (longestMs: number): Promise<void> => sleep(Math.random() * longestMs);
const lockOf = (worker: string): string => join(town, worker, '.runtime', 'agent.lock');

const takeGuarded = async (worker: string): Promise<void> => {
  const lock = new Lock(join(town, worker), { judge });
  const { how } = await lock.acquire({ sessionId: '', companion: chance(0.3) });
  oracle.enter(worker);
  oracle.count(how === 'taken-over' ? 'takenOver' : 'acquired');
  for (let look = 0; look < 3; look += 1) {
    if ((await lock.check()) !== 'ours') oracle.count('lost', `${process.pid} lost ${worker}`);
    if (chance(0.2)) await lock.refresh();
    await pause(2);
  }
  oracle.leave(worker);
  await lock.release();
  oracle.count('released');
};

const takeNaively = async (worker: string): Promise<void> => {
  const path = lockOf(worker);
  if (!naive.acquire(path)) return oracle.count('held');
  oracle.enter(worker);
  oracle.count('acquired');
  await pause(6);
  if (!naive.isOurs(path)) oracle.count('lost');
  oracle.leave(worker);
  naive.release(path);
  oracle.count('released');
};

/** Fixes one worker's lock, or those of all workers in one batch. */
const fix = async (some: readonly string[]): Promise<void> => {
  if (protocol === 'naive') {
    for (const worker of some) if (naive.fix(lockOf(worker))) oracle.count('fixed');
    return;
  }
  const steps = some.flatMap((worker, index) => {
    const lock = readLockFile(lockOf(worker), worker);
    return lock === null ? [] : [{ lock, state: 'stale' as const, force: false, number: index + 1 }];
  });
  if (steps.length === 0) return;
  // The diagnosis may be old, as from a slow doctor: the second look decides.
  await pause(5);
  const released = await applyAll(steps, makeRunId(Date.now()), { townRoot: town, judge });
  for (const outcome of released) {
    if (outcome?.status === 'fixed') oracle.count('fixed');
    if (outcome?.status === 'failed') oracle.count('error', outcome.reason);
  }
  if (steps.length > 1) oracle.count('batches');
  if (!chance(0.1)) return;
  const { outcomes } = await undoReleases(null, { townRoot: town });
  if (outcomes.some(({ status }) => status === 'restored')) oracle.count('undone');
};

process.send?.('begun');
for (;;) {
  const worker = workers[Math.floor(Math.random() * workers.length)] ?? '';
  try {
    if (role === 'doctor') await fix(chance(0.7) ? workers : [worker]);
    else if (protocol === 'naive') await takeNaively(worker);
    else await takeGuarded(worker);
  } catch (error) {
    if (error instanceof LockedError) oracle.count('held');
    else if (error instanceof GuardBusyError) oracle.count('busy');
    else oracle.count('error', error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  await pause(role === 'doctor' ? 20 : 4);
}
