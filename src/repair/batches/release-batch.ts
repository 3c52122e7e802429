/** The one place that acts on a diagnosis: look again, judge again, journal, release, journal. Always under the guards. */
import { KEEP_RELEASED_MS } from '../../core/record/lock-names.ts';
import { namedHolder } from '../../core/record/lock-record.ts';
import { refusalOf } from '../../core/report/refusals.ts';
import type { ReleaseOutcome } from '../../core/report/report.ts';
import type { LockFile, Stamp } from '../../core/types/evidence.ts';
import type { Verdict } from '../../core/types/judgement.ts';
import type { LetGo } from '../../core/types/kind.ts';
import { isSameStamp } from '../../io/disk/stamp.ts';
import { describeFailure } from '../../io/programs/describe-failure.ts';
import { releasedPath } from '../../lock/files/names.ts';
import { tidyUp } from '../../lock/files/tidy-up.ts';
import type { Guard } from '../../lock/guard/guard.ts';
import { isProvenDead } from '../../lock/identity.ts';
import { DEEDS } from '../deeds/deeds.ts';
import { appendEntries, type ReleaseEntry } from '../journal.ts';
import { changed, failed, interrupted, replaced, skipped } from '../outcomes.ts';
import { type JudgeAgain, type ReleaseStep, type RepairContext, shortPath } from '../repair-context.ts';
import type { Held } from './in-batches.ts';

/** A release to be tried, with what was seen of its file and the deed of its kind. */
export interface TriedRelease extends ReleaseStep {
  readonly stamp: Stamp;
  readonly deed: LetGo;
}

/** Looks at all of them once, writes a journal line for each, does the deeds, and reports the outcomes. */
export const releaseBatch = async (
  batch: readonly Held<TriedRelease>[],
  run: string,
  judge: JudgeAgain,
  context: RepairContext,
): Promise<ReadonlyMap<TriedRelease, ReleaseOutcome>> => {
  const { calls, townRoot } = context;
  const outcomes = new Map<TriedRelease, ReleaseOutcome>();
  const settle = (releases: readonly Held<TriedRelease>[], outcome: ReleaseOutcome): void => {
    for (const { item } of releases) outcomes.set(item, outcome);
  };
  const tidied = batch.filter((held) => {
    const failure = tidy(held, context);
    if (failure !== null) settle([held], failure);
    return failure === null;
  });
  let agreed: readonly Held<TriedRelease>[] = tidied;
  try {
    const verdicts =
      tidied.length === 0 ? new Map<string, Verdict>() : await judge(tidied.map(({ item }) => item));
    // Ctrl-C at a terminal also ends the programs that this look asked, so that it may have seen little.
    if (context.signal?.aborted === true) {
      settle(tidied, interrupted());
      return outcomes;
    }
    agreed = tidied.filter((held) => {
      const refusal = refuse(verdicts.get(held.item.lock.id) ?? null, held.item, held.guard);
      if (refusal !== null) settle([held], refusal);
      return refusal === null;
    });
    appendEntries(
      calls,
      townRoot,
      agreed.map((held) => entryOf(held, run, context)),
    );
  } catch (error) {
    settle(agreed, failed(describeFailure(error)));
    return outcomes;
  }
  for (const held of agreed) settle([held], letGo(held, run));
  noteOutcomes(agreed, run, outcomes, context);
  return outcomes;
};

const tidy = ({ guard }: Held<TriedRelease>, { now }: RepairContext): ReleaseOutcome | null => {
  try {
    tidyUp(guard, { nowMs: now(), clearReleasedAfterMs: KEEP_RELEASED_MS });
    return null;
  } catch (error) {
    return failed(describeFailure(error));
  }
};

const idOf = ({ number }: ReleaseStep, run: string): string => `${run}-${number}`;

const backupOf = ({ item, guard }: Held<TriedRelease>, run: string): string =>
  releasedPath(guard.files, idOf(item, run));

const entryOf = (
  held: Held<TriedRelease>,
  run: string,
  { townRoot, now, by }: RepairContext,
): ReleaseEntry => {
  const { lock, stamp, state, force, deed } = held.item;
  return {
    event: 'release',
    id: idOf(held.item, run),
    run,
    at: new Date(now()).toISOString(),
    kind: lock.kind,
    deed,
    worker: lock.worker,
    lock: shortPath(townRoot, lock.path),
    backup: shortPath(townRoot, backupOf(held, run)),
    state,
    forced: force,
    stamp,
    holder: namedBy(lock),
    companion: lock.companion,
    by,
  };
};

/** The holder as the lock's record names it. */
const namedBy = ({ content }: LockFile): ReleaseEntry['holder'] => {
  if (content.kind === 'record') return namedHolder(content.record);
  if (content.kind !== 'claim' || content.claim.by !== 'number') return null;
  const { pid, name, hostname } = content.claim;
  return { pid, sessionId: name ?? '', hostname };
};

const letGo = (held: Held<TriedRelease>, run: string): ReleaseOutcome => {
  const { deed, stamp } = held.item;
  try {
    return DEEDS[deed].letGo(held.guard, stamp, backupOf(held, run));
  } catch (error) {
    return failed(describeFailure(error));
  }
};

/** Why not, decided at the moment of acting and on the exact bytes that were diagnosed; null where the release may go ahead. */
const refuse = (
  verdict: Verdict | null,
  { stamp, state, force }: TriedRelease,
  guard: Guard,
): ReleaseOutcome | null => {
  if (verdict === null) return changed('it is gone');
  if (verdict.lock.stamp === null || !isSameStamp(verdict.lock.stamp, stamp)) return replaced();
  if (verdict.state !== state) return changed(`it was ${state} and is ${verdict.state} now`);
  const refusal = refusalOf(verdict, force);
  if (refusal !== null) return skipped(refusal);
  if (force || guard.network === null || isProvenDead(verdict.lock.content)) return null;
  return skipped(`it is on a network file system (${guard.network}): only a person releases it, by name`);
};

/** Writes the outcomes. If the disk is full now, the deeds stay: the kept copies show what was done. */
const noteOutcomes = (
  done: readonly Held<TriedRelease>[],
  run: string,
  outcomes: Map<TriedRelease, ReleaseOutcome>,
  { calls, townRoot, now }: RepairContext,
): void => {
  const at = new Date(now()).toISOString();
  const entries = done.flatMap(({ item }) => {
    const outcome = outcomes.get(item);
    if (outcome === undefined) return [];
    const event = outcome.status === 'fixed' ? 'released' : 'not-released';
    return [{ event, id: idOf(item, run), at, reason: outcome.reason } as const];
  });
  try {
    appendEntries(calls, townRoot, entries);
  } catch (error) {
    const reason = `the journal could not be finished: ${describeFailure(error)}`;
    for (const { item } of done) {
      const outcome = outcomes.get(item);
      if (outcome?.status === 'fixed') outcomes.set(item, { ...outcome, reason });
    }
  }
};
