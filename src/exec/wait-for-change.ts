/** Waits for a worker, cheaply as long as its lock does not change, so that many may wait at once. Reads only. */
import { setTimeout as sleep } from 'node:timers/promises';
import { systemCalls } from '../io/disk/system-calls.ts';
import { tryOr } from '../io/try-or.ts';
import { readCompanion } from '../lock/files/companion.ts';
import { agentsLockFiles, type LockFiles } from '../lock/files/names.ts';
import { readRecord } from '../lock/files/read-record.ts';
import { lifeNow } from '../lock/identity.ts';

/** Milliseconds between two looks at the lock's file, and before the first full look. */
const POLL_MS = 250;

/** Milliseconds. Each full look that found no change doubles the time to the next one, up to this. */
const MAX_WAIT_MS = 2000;

/** To see whether a holder of ours lives takes one read in /proc on Linux, but a `ps` on macOS. */
const LIFE_IS_CHEAP = process.platform !== 'darwin';

/**
 * Watches the lock of a worker. The returned function resolves when asking again makes sense, or at the deadline
 * (`performance.now()`): at once where the lock has changed since the last time, otherwise less and less often.
 */
export const watchWorker = (workerDir: string, deadlineMs: number): (() => Promise<void>) => {
  const files = agentsLockFiles(workerDir);
  let seen = glanceAt(files);
  let quietMs = POLL_MS;
  return async () => {
    for (let waitedMs = 0; performance.now() < deadlineMs; ) {
      // A random pause, so that many waiters do not all ask at once.
      const pauseMs = Math.max(0, Math.min(POLL_MS * (0.5 + Math.random()), deadlineMs - performance.now()));
      await sleep(pauseMs);
      waitedMs += pauseMs;
      const before = seen;
      seen = glanceAt(files);
      if (seen !== before) {
        quietMs = POLL_MS;
        return;
      }
      if (!LIFE_IS_CHEAP && waitedMs < quietMs) continue;
      const plainlyHeld = lifeOfHolder(files) === 'alive';
      if (plainlyHeld && LIFE_IS_CHEAP) continue;
      if (waitedMs < quietMs) continue;
      quietMs = Math.min(quietMs * 2, MAX_WAIT_MS);
      if (!plainlyHeld) return;
      waitedMs = 0;
    }
  };
};

/** A text that stays the same while the lock does not change. */
const glanceAt = ({ lock }: LockFiles): string =>
  tryOr(() => {
    const stat = systemCalls.lstat(lock);
    return stat === undefined ? 'absent' : `${stat.ino} ${stat.mtimeNs} ${stat.size}`;
  }, 'unread');

/** Life of the true holder, where a record of ours names one: while it lives, the worker cannot become free. */
const lifeOfHolder = (files: LockFiles): ReturnType<typeof lifeNow> => {
  const seen = readRecord(systemCalls, files.lock);
  if (seen.kind !== 'file' || seen.content.kind !== 'record') return 'unknown';
  const holder = seen.content.record.holder ?? readCompanion(systemCalls, files);
  return holder === null ? 'unknown' : lifeNow(holder);
};
