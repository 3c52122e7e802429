/** Waiting for a worker: cheap as long as its lock stays as it is, so that many may wait at once. Reads only. */
import { setTimeout as sleep } from 'node:timers/promises';
import { systemCalls } from '../io/disk/system-calls.ts';
import { readCompanion } from '../lock/files/companion.ts';
import { type Place, placeIn } from '../lock/files/names.ts';
import { readRecord } from '../lock/files/read-record.ts';
import { lifeNow } from '../lock/identity.ts';

/** Between two glances at the lock's file, and before the first look at everything. */
const POLL_MS = 250;

/** Each look at everything that changed nothing doubles the time to the next one, up to this. */
const LONGEST_MS = 2000;

/** Whether a holder of ours lives is one read below /proc on Linux, and a `ps` on macOS. */
const LIFE_IS_CHEAP = process.platform !== 'darwin';

/**
 * Watches the lock of a worker. The answer resolves once asking again makes sense, or at the deadline (`performance.now()`): at
 * once where the lock has changed since the last time, else less and less often.
 */
export const watchWorker = (workerDir: string, deadlineMs: number): (() => Promise<void>) => {
  const place = placeIn(`${workerDir}/.runtime`);
  let seen = glanceAt(place);
  let quietMs = POLL_MS;
  return async () => {
    for (let waitedMs = 0; performance.now() < deadlineMs; ) {
      // Spread out, so that many waiters do not ask all at once.
      const pauseMs = Math.max(0, Math.min(POLL_MS * (0.5 + Math.random()), deadlineMs - performance.now()));
      await sleep(pauseMs);
      waitedMs += pauseMs;
      const before = seen;
      seen = glanceAt(place);
      if (seen !== before) {
        quietMs = POLL_MS;
        return;
      }
      if (!LIFE_IS_CHEAP && waitedMs < quietMs) continue;
      const plainlyHeld = lifeOfHolder(place) === 'alive';
      if (plainlyHeld && LIFE_IS_CHEAP) continue;
      if (waitedMs < quietMs) continue;
      quietMs = Math.min(quietMs * 2, LONGEST_MS);
      if (!plainlyHeld) return;
      waitedMs = 0;
    }
  };
};

/** Equal as long as nobody changes the lock. */
const glanceAt = ({ lock }: Place): string => {
  try {
    const stat = systemCalls.lstat(lock);
    return stat === undefined ? 'absent' : `${stat.ino} ${stat.mtimeNs} ${stat.size}`;
  } catch {
    return 'unread';
  }
};

/** Of the true holder, where a record of ours names one: while it lives nothing else could make the worker free. */
const lifeOfHolder = (place: Place): ReturnType<typeof lifeNow> => {
  const seen = readRecord(systemCalls, place.lock);
  if (seen.kind !== 'file' || seen.content.kind !== 'record') return 'unknown';
  const holder = seen.content.record.holder ?? readCompanion(systemCalls, place);
  return holder === null ? 'unknown' : lifeNow(holder);
};
