/**
 * Keeps a lease while its command runs, and acts when it is lost. All times are of the monotonic clock. What counts is when the
 * last confirmed request was sent, because the server counts from a later moment.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lease, LeaseEngine } from './engine.ts';

/** Milliseconds for the drift between two machines' clocks in one period, and for the kill. */
const marginOf = (ttlMs: number): number => Math.max(1000, ttlMs / 10);

/** Milliseconds that a command has between SIGTERM and SIGKILL. */
const graceOf = (ttlMs: number): number => Math.min(5000, ttlMs / 4);

/** Events of a lease that is being kept. */
export interface LeaseEvents {
  /** Called once when another holder may get it soon: the command has `graceMs` to end, then it must be killed. */
  readonly onLosing: (why: string) => void;
  /** Called once, after `onLosing`, when another holder may have it. */
  readonly onLost: (why: string) => void;
}

/** A lease that is being kept. */
export interface KeptLease {
  readonly stop: () => void;
}

/** Starts to keep a lease that was asked for at `askedAtMs` (of `performance.now()`). */
export const keepLease = (
  engine: LeaseEngine,
  lease: Lease,
  askedAtMs: number,
  { onLosing, onLost }: LeaseEvents,
): KeptLease => {
  const { ttlMs } = lease;
  const ended = new AbortController();
  let confirmedAtMs = askedAtMs;
  let why = 'the server did not answer in time';
  let isLosing = false;
  let isLost = false;

  const deadline = (): number => confirmedAtMs + ttlMs - marginOf(ttlMs);
  const lose = (reason: string): void => {
    if (isLosing) return;
    isLosing = true;
    onLosing(reason);
  };
  const loseWholly = (reason: string): void => {
    if (isLost) return;
    lose(reason);
    isLost = true;
    onLost(reason);
  };

  /** Watches the clock independently, so that a request that hangs cannot delay the events. */
  const watchClock = async (): Promise<void> => {
    while (!ended.signal.aborted && !isLost) {
      const leftMs = deadline() - performance.now();
      if (leftMs <= graceOf(ttlMs)) lose(why);
      if (leftMs <= 0) loseWholly(why);
      const nextMs = !isLosing ? leftMs - graceOf(ttlMs) : leftMs;
      await sleep(Math.min(Math.max(nextMs, 20), 1000), undefined, { signal: ended.signal }).catch(() => {});
    }
  };
  const keep = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      const begunMs = performance.now();
      const kept = await engine.keep(lease, Math.max(200, ttlMs / 3));
      if (ended.signal.aborted) return;
      if (kept.status === 'kept') confirmedAtMs = begunMs;
      else why = kept.why;
      // Another one may have it already: there is no time left to end in order.
      if (kept.status === 'lost') return loseWholly(kept.why);
      const pauseMs = kept.status === 'kept' ? ttlMs / 3 : Math.min(500, ttlMs / 10);
      await sleep(pauseMs, undefined, { signal: ended.signal }).catch(() => {});
    }
  };
  engine.watch(lease, loseWholly, ended.signal);
  void watchClock();
  void keep();
  return { stop: () => ended.abort() };
};
