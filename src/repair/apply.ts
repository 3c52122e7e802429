/** The one place where a diagnosis becomes a deed: look again, judge again, journal, let go, journal. */
import { dirname } from 'node:path';
import { immovable } from '../core/judge/may-release.ts';
import { KEEP_RELEASED_MS } from '../core/record/lock-names.ts';
import { REFUSALS, refusalOf } from '../core/report/refusals.ts';
import type { ReleaseOutcome } from '../core/report/report.ts';
import type { LockFile, Stamp } from '../core/types/evidence.ts';
import type { State, Verdict } from '../core/types/judgement.ts';
import type { LetGo } from '../core/types/kind.ts';
import { builtInTable } from '../evidence/locks/lock-table.ts';
import { isSameStamp } from '../io/disk/stamp.ts';
import { isAbsence } from '../io/errno.ts';
import { describeFailure } from '../io/programs/describe-failure.ts';
import { placeIn, releasedPath } from '../lock/files/names.ts';
import { tidyUp } from '../lock/files/tidy-up.ts';
import { type Guard, takeGuard } from '../lock/guard/guard.ts';
import { isProvenDead } from '../lock/identity.ts';
import { contextOf, type RepairContext, type RepairOptions, shortPath, symlinkOnTheWay } from './context.ts';
import type { Deed } from './deeds/deed.ts';
import { DEEDS } from './deeds/deeds.ts';
import { appendEntry } from './journal.ts';
import { changed, failed, skipped } from './outcomes.ts';

/** One lock to be released, as it was diagnosed. */
export interface ReleaseStep {
  readonly lock: LockFile;
  readonly state: State;
  /** A person asked for this very worker: the state does not matter, everything else does. */
  readonly force: boolean;
}

/**
 * Releases one lock, if it still is the file with the bytes and the verdict that were diagnosed. Expected failures are
 * outcomes; nothing is thrown for what the disk does.
 * @param run of `makeRunId`, one for all steps of a run
 * @param number of the step within the run, from 1
 */
export const applyRelease = async (
  step: ReleaseStep,
  run: string,
  number: number,
  options: RepairOptions,
): Promise<ReleaseOutcome> => {
  const context = contextOf(options);
  const { lock } = step;
  if (context.signal?.aborted) return interrupted();
  const { stamp } = lock;
  const kind = builtInTable.kinds.get(lock.kind);
  if (kind === undefined) return skipped(`nobody here knows locks of the kind ${lock.kind}`);
  const problem = immovable(lock);
  if (problem !== null || stamp === null) return skipped(REFUSALS[problem ?? 'not-a-file']);
  try {
    const symlink = symlinkOnTheWay(context.calls, context.townRoot, lock.path);
    if (symlink !== null) return skipped(`${symlink} is a symbolic link`);
  } catch (error) {
    return failed(describeFailure(error));
  }
  const taken = await takeGuard(placeIn(dirname(lock.path)), context.guard);
  if (taken.kind === 'busy') return skipped(`somebody else is changing it: waited ${taken.waitedMs} ms`);
  if (taken.kind === 'none') {
    if (taken.cause !== 'io') return skipped(`${taken.why}. ${taken.hint}`);
    return isAbsence(taken.error) ? changed('its directory is gone') : failed(taken.why);
  }
  try {
    return await releaseGuarded(
      taken.guard,
      { ...step, stamp, deed: kind.letGo },
      `${run}-${number}`,
      run,
      context,
    );
  } catch (error) {
    return failed(describeFailure(error));
  } finally {
    taken.guard.letGo();
  }
};

const releaseGuarded = async (
  guard: Guard,
  step: ReleaseStep & { readonly stamp: Stamp; readonly deed: LetGo },
  id: string,
  run: string,
  context: RepairContext,
): Promise<ReleaseOutcome> => {
  const { calls, townRoot, now, by } = context;
  const { lock, stamp, state, force, deed } = step;
  tidyUp(guard, { nowMs: now(), clearReleasedAfterMs: KEEP_RELEASED_MS });
  const verdict = await context.judge(dirname(guard.place.directory), lock.path);
  const refusal = refuse(verdict, step, guard);
  if (refusal !== null) return refusal;
  if (context.signal?.aborted) return interrupted();

  const backup = releasedPath(guard.place, id);
  const { content } = lock;
  appendEntry(calls, townRoot, {
    event: 'release',
    id,
    run,
    at: new Date(now()).toISOString(),
    kind: lock.kind,
    deed,
    worker: lock.worker,
    lock: shortPath(townRoot, lock.path),
    backup: shortPath(townRoot, backup),
    state,
    forced: force,
    stamp,
    holder:
      content.kind === 'record'
        ? { pid: content.record.pid, sessionId: content.record.sessionId, hostname: content.record.hostname }
        : null,
    companion: lock.companion,
    by,
  });
  const outcome = letGo(DEEDS[deed], guard, stamp, backup);
  const note = noteOutcome(outcome, id, context);
  return outcome.status === 'fixed' && note !== null ? { ...outcome, reason: note } : outcome;
};

const letGo = (deed: Deed, guard: Guard, stamp: Stamp, backup: string): ReleaseOutcome => {
  try {
    return deed.letGo(guard, stamp, backup);
  } catch (error) {
    return failed(describeFailure(error));
  }
};

/** The decision of the moment of acting, on the very bytes that were diagnosed; null where nothing speaks against it. */
const refuse = (
  verdict: Verdict | null,
  { stamp, state, force }: ReleaseStep & { readonly stamp: Stamp },
  guard: Guard,
): ReleaseOutcome | null => {
  if (verdict === null) return changed('it is gone');
  if (verdict.lock.stamp === null || !isSameStamp(verdict.lock.stamp, stamp))
    return changed('it is another one now');
  if (verdict.state !== state) return changed(`it was ${state} and is ${verdict.state} now`);
  const refusal = refusalOf(verdict, force);
  if (refusal !== null) return skipped(refusal);
  if (force || guard.network === null || isProvenDead(verdict.lock.content)) return null;
  return skipped(`it lies on a network file system (${guard.network}): only a person releases it, by name`);
};

/** The disk itself tells what was done, by the kept copy: a journal that is full now must not undo the deed. */
const noteOutcome = (
  outcome: ReleaseOutcome,
  id: string,
  { calls, townRoot, now }: RepairContext,
): string | null => {
  const at = new Date(now()).toISOString();
  const event = outcome.status === 'fixed' ? 'released' : 'not-released';
  try {
    appendEntry(calls, townRoot, { event, id, at, reason: outcome.reason });
    return outcome.reason;
  } catch (error) {
    return `the journal could not be finished: ${describeFailure(error)}`;
  }
};

const interrupted = (): ReleaseOutcome => skipped('the run was interrupted before it came to this');
