/** The built-in checks, in the order in which they run and print. */
import type { Check } from '../src/check.ts';
import collision from './collision.ts';
import idleSession from './idle-session.ts';
import invalidLock from './invalid-lock.ts';
import legacyLayout from './legacy-layout.ts';
import lockDebris from './lock-debris.ts';
import orphanedLock from './orphaned-lock.ts';
import staleLock from './stale-lock.ts';
import trackedLock from './tracked-lock.ts';
import undecidedLock from './undecided-lock.ts';

export const builtInChecks: readonly Check[] = [
  invalidLock,
  staleLock,
  orphanedLock,
  idleSession,
  collision,
  undecidedLock,
  trackedLock,
  legacyLayout,
  lockDebris,
];
