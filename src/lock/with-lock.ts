/** Holds a lock while a function runs. */
import type { AcquireRequest } from './acquire.ts';
import { Lock, type LockOptions } from './agent-lock.ts';
import { LockError, LockedError, NotLockedError } from './errors.ts';

export interface WithLockOptions
  extends LockOptions,
    Omit<AcquireRequest, 'holder' | 'recordedPid' | 'nonce'> {}

/**
 * Takes the lock of a worker directory in this process's name, runs a function, and gives the lock back however the function
 * ends. Rejects as `Lock.acquire` does where the lock cannot be taken (then the function did not run), otherwise with what the
 * function throws. A lock that is somebody else's by then, or cannot be removed, stays; it becomes stale with this process.
 */
export const withLock = async <Result>(
  workerDir: string,
  options: WithLockOptions,
  run: (lock: Lock) => Promise<Result> | Result,
): Promise<Result> => {
  const { sessionId, companion, needsGuard, ...rest } = options;
  const lock = new Lock(workerDir, rest);
  await lock.acquire({
    ...(sessionId === undefined ? {} : { sessionId }),
    ...(companion === undefined ? {} : { companion }),
    ...(needsGuard === undefined ? {} : { needsGuard }),
  });
  try {
    return await run(lock);
  } finally {
    await giveBack(lock);
  }
};

/**
 * Gives the lock back: null, or one sentence about why it is still there. A lock whose holder has ended may be taken over by
 * others at any time: with `mayBeTaken` that is not reported.
 */
export const giveBack = async (lock: Lock, mayBeTaken = false): Promise<string | null> => {
  try {
    const released = await lock.release();
    return released.kind === 'left' ? released.why : null;
  } catch (error) {
    if (mayBeTaken && (error instanceof NotLockedError || error instanceof LockedError)) return null;
    if (error instanceof LockError) return error.message;
    throw error;
  }
};
