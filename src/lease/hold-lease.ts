/** The lease that `exec` holds besides the lock: taken before it, kept while the command runs, given back after it. */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { finish } from '../core/preflight/clear-to-start.ts';
import type { PreflightResult } from '../core/types/report.ts';
import { readHost } from '../evidence/host.ts';
import type { Besides, HoldToBe } from '../exec/run-under-lock.ts';
import { startTokenOf } from '../lock/identity.ts';
import { type Lease, type LeaseEngine, type LeaseRecord, leaseHolderInWords, type Taken } from './engine.ts';
import { type KeptLease, keepLease } from './keep-lease.ts';

/** The exit code after a lost lease: EX_TEMPFAIL of sysexits.h, because a later start may succeed. */
const LEASE_LOST = 75;

/** Milliseconds between two questions of one that waits. */
const SHORTEST_PAUSE_MS = 200;
const MAX_PAUSE_MS = 1000;

/** What to do when the lease is lost: `warn`, `stop`, or a command for the shell. */
type OnLost = string;

/** How a lease is held. */
export interface LeaseOptions {
  readonly engine: LeaseEngine;
  /** All keys of the town begin with it. */
  readonly prefix: string;
  readonly ttlSeconds: number;
  readonly onLost: OnLost;
  /** Called with what happens while the command runs. */
  readonly onNote: (note: string) => void;
}

const isTaken = (taken: Taken): taken is Extract<Taken, { status: 'taken' }> => taken.status === 'taken';

const refusal = (
  worker: string,
  key: string,
  taken: Exclude<Taken, { status: 'taken' }>,
): PreflightResult => {
  const isHeld = taken.status === 'held';
  const message = isHeld
    ? `held: ${leaseHolderInWords(taken.by)}`
    : `cannot tell: its lease could not be taken: ${taken.why}`;
  return finish(worker, null, {
    answer: isHeld ? 'held' : 'unsure',
    message,
    evidence: [{ source: 'host', text: `lease ${key}` }],
  });
};

const recordFor = async (hold: HoldToBe): Promise<LeaseRecord> => {
  const { hostname, bootId, pidNamespace } = readHost();
  const { pid } = process;
  const startToken = await startTokenOf(pid);
  const acquiredAt = new Date().toISOString();
  return { ...hold, hostname, bootId, pidNamespace, pid, startToken, acquiredAt };
};

/** Waits until nobody holds a key, or until the deadline (of `performance.now()`). */
const waitUntilFree = async ({ read }: LeaseEngine, key: string, deadlineMs: number): Promise<void> => {
  for (let pauseMs = SHORTEST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, MAX_PAUSE_MS)) {
    // A random pause, so that many waiters do not all ask at once.
    const leftMs = Math.max(0, deadlineMs - performance.now());
    await sleep(Math.min(pauseMs * (0.5 + Math.random()), leftMs));
    if (performance.now() >= deadlineMs) return;
    if ((await read(key)).status !== 'held') return;
  }
};

/** Prepares to hold a lease; no request is made before `take`. */
export const holdLease = (options: LeaseOptions): Besides => {
  const { engine, prefix, ttlSeconds, onLost, onNote } = options;
  let held: { readonly lease: Lease; readonly askedAtMs: number } | null = null;
  let kept: KeptLease | null = null;
  let lostBecause: string | null = null;
  let command: Parameters<Besides['onStarted']>[0] | null = null;
  let environment: Parameters<Besides['onStarted']>[1] = {};

  const losing = (why: string): void => {
    if (onLost !== 'stop') return;
    lostBecause = why;
    onNote(`its lease is being lost (${why}): the command is told to end`);
    command?.kill('SIGTERM');
  };
  const lost = (why: string): void => {
    lostBecause = why;
    if (onLost === 'stop') {
      command?.kill('SIGKILL');
      return;
    }
    onNote(`its lease is lost (${why}): another agent may start elsewhere`);
    if (onLost !== 'warn') runByShell(onLost, environment, onNote);
  };

  return {
    take: async (hold) => {
      const { worker } = hold;
      const key = `${prefix}/${worker}`;
      // Many may wait for it: whoever only reads costs the cluster no write.
      const read = await engine.read(key);
      if (read.status !== 'free')
        return refusal(worker, key, read.status === 'held' ? { ...read, by: read.lease.by } : read);
      const askedAtMs = performance.now();
      const taken = await engine.take(key, await recordFor(hold), ttlSeconds);
      if (!isTaken(taken)) return refusal(worker, key, taken);
      held = { lease: taken.lease, askedAtMs };
      kept = keepLease(engine, taken.lease, askedAtMs, { onLosing: losing, onLost: lost });
      return {
        environment: { LOCK_DOCTOR_EPOCH: taken.lease.epoch, LOCK_DOCTOR_LEASE_KEY: key },
      };
    },
    untilFree: (worker, deadlineMs) => waitUntilFree(engine, `${prefix}/${worker}`, deadlineMs),
    onStarted: (started, its) => {
      command = started;
      environment = its;
      // It was lost while the lock was being taken.
      if (lostBecause !== null && onLost === 'stop') started.kill('SIGKILL');
    },
    end: async () => {
      kept?.stop();
      const problem = held === null ? null : await engine.giveBack(held.lease);
      held = null;
      if (lostBecause !== null)
        return { notice: `the lease was lost (${lostBecause})`, exitCode: LEASE_LOST };
      return problem === null
        ? null
        : { notice: `the lease was not given back (${problem}); it expires by itself`, exitCode: null };
    },
  };
};

/** Runs the user's command for a lost lease beside the main command; a failure is only reported. */
const runByShell = (
  line: string,
  env: Parameters<Besides['onStarted']>[1],
  onNote: (note: string) => void,
): void => {
  const child = spawn('/bin/sh', ['-c', line], { stdio: ['ignore', 'inherit', 'inherit'], env });
  child.on('error', ({ message }) => onNote(`the command for a lost lease did not start: ${message}`));
};
