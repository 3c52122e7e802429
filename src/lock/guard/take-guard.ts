/** Takes the guard of one lock, waiting for it a limited time. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LockFiles } from '../files/names.ts';
import { type GuardOptions, type GuardOutcome, heldHere, tryGuard } from './guard.ts';

const GUARD_TIMEOUT_MS = 5000;
const URGENT_TIMEOUT_MS = 30_000;
const FIRST_PAUSE_MS = 4;
const MAX_PAUSE_MS = 100;
const MAX_URGENT_PAUSE_MS = 16;

/** Takes the guard of a lock, waiting a limited time. Expected failures are returned; nothing is thrown. */
export const takeGuard = async (files: LockFiles, options: GuardOptions = {}): Promise<GuardOutcome> => {
  const timeoutMs = options.guardTimeoutMs ?? (options.urgent ? URGENT_TIMEOUT_MS : GUARD_TIMEOUT_MS);
  const longestPauseMs = options.urgent ? MAX_URGENT_PAUSE_MS : MAX_PAUSE_MS;
  const startedAt = performance.now();
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    const isOurs = heldHere.has(files.guard);
    const outcome = tryGuard(files, options);
    if (outcome.kind !== 'busy') return outcome;
    const waitedMs = Math.round(performance.now() - startedAt);
    if (waitedMs >= timeoutMs) return { kind: 'busy', waitedMs };
    const leftMs = timeoutMs - waitedMs;
    if (isOurs) await letGoHere(files.guard, leftMs);
    // A random pause, so that many waiters do not all try at once.
    else await sleep(Math.min(pauseMs * (0.5 + Math.random()), leftMs));
  }
};

/** Why nothing was done where the guard was busy. */
export const describeBusy = ({ waitedMs }: { readonly waitedMs: number }): string =>
  `somebody else is changing it: waited ${waitedMs} ms`;

/** Resolves when this process releases the guard, or after `timeoutMs`. */
const letGoHere = (guard: string, timeoutMs: number): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, timeoutMs);
    heldHere.get(guard)?.add(() => {
      clearTimeout(timer);
      resolve();
    });
  });
