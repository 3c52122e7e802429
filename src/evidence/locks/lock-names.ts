import type { Leftover } from '../../core/types/evidence.ts';

/** File name of every lock. */
export const LOCK_NAME = 'agent.lock';

/** Name of the second record beside a lock, which keeps the true holder. */
export const COMPANION_NAME = 'agent.lock.holder';

/** Where runtime state was kept before December 2025. */
export const OLD_HOME = '.gastown';

/** Directories that hold locks, and what each says about the age of the layout. */
export const LOCK_HOMES = { '.runtime': 'runtime', '.gastown': 'legacy' } as const;

/** True for the names of directories in which locks are kept. */
export const isLockHome = (name: string): name is keyof typeof LOCK_HOMES => Object.hasOwn(LOCK_HOMES, name);

/** True for a lock and everything that is kept beside it under a name derived from it. */
export const isLockName = (name: string): boolean => name.startsWith(LOCK_NAME);

/** What a killed run, ours or another tool's, left behind under this name; null for anything else. */
export function leftoverKind(name: string): Leftover['kind'] | null {
  if (name === `${LOCK_NAME}.tmp`) return 'tmp';
  if (!name.startsWith(`${LOCK_NAME}.`)) return null;
  if (name.startsWith(`${LOCK_NAME}.released-`)) return 'released';
  if (/\.[^.]+\.new$/.test(name.slice(LOCK_NAME.length))) return 'new';
  return /\.[^.]+\.old$/.test(name.slice(LOCK_NAME.length)) ? 'old' : null;
}
