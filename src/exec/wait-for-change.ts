/** Waiting for a worker: cheap while its holder plainly lives, so that many may wait at once. Reads only. */
import { setTimeout as sleep } from 'node:timers/promises';
import { systemCalls } from '../io/system-calls.ts';
import { readCompanion } from '../lock/files/companion.ts';
import { type Place, placeIn } from '../lock/files/names.ts';
import { look } from '../lock/files/sight.ts';
import { lifeOf } from '../lock/identity.ts';

/** Between two looks at a worker that is held. */
const POLL_MS = 250;

/** Resolves once asking again makes sense, or at the deadline (`performance.now()`). */
export const waitForChange = async (workerDir: string, deadlineMs: number): Promise<void> => {
  const place = placeIn(`${workerDir}/.runtime`);
  do {
    const leftMs = deadlineMs - performance.now();
    // Spread out, so that many waiters do not ask all at once.
    await sleep(Math.max(0, Math.min(POLL_MS * (0.5 + Math.random()), leftMs)));
  } while (performance.now() < deadlineMs && isPlainlyHeld(place));
};

/** A record of ours whose holder lives: nothing else could make the worker free. */
const isPlainlyHeld = (place: Place): boolean => {
  const seen = look(systemCalls, place.lock);
  if (seen.kind !== 'file' || seen.content.kind !== 'record') return false;
  const holder = seen.content.record.holder ?? readCompanion(systemCalls, place);
  return holder !== null && lifeOf(holder) === 'alive';
};
