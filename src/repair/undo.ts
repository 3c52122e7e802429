/** Puts released locks back from their kept copies, never over a newer lock. */
import type { UNDO_STATUSES } from '../core/types/history.ts';
import { describeFailure } from '../io/programs/describe-failure.ts';
import { callerUid, isStranger } from '../io/trust.ts';
import type { Guard } from '../lock/guard/guard.ts';
import { describeBusy } from '../lock/guard/take-guard.ts';
import { type Held, inBatches, type Refused } from './batches/in-batches.ts';
import { DEEDS } from './deeds/deeds.ts';
import { findReleases, type JournalDamage, type PastRelease } from './find-releases.ts';
import { removedSince } from './history/removed-since.ts';
import { appendEntries, type OutcomeEntry, type ReleaseEntry } from './journal.ts';
import {
  contextOf,
  longPath,
  type RepairContext,
  type RepairOptions,
  symlinkOnTheWay,
} from './repair-context.ts';

export interface UndoOutcome {
  readonly id: string;
  readonly worker: string;
  /** Absolute path of the lock. */
  readonly lock: string;
  /**
   * `newer-lock`: somebody took the lock since. `missing`: the kept copy is gone, or is not what was released. `busy`,
   * `no-guard`: not now. `already`: it was restored before. `removed`: its directory is gone, or another one has its
   * name, and the kept copy is gone with it, so nothing is left to restore.
   */
  readonly status: (typeof UNDO_STATUSES)[number];
  readonly reason: string;
  readonly holder: ReleaseEntry['holder'];
}

export interface UndoReport {
  /** The run whose releases were restored; null where there is no such run. */
  readonly run: string | null;
  readonly outcomes: readonly UndoOutcome[];
  /** How many locks an interrupted run did not come to: they have no outcome. */
  readonly notBegun: number;
  /** Lines of the journal that were ignored because no repair writes such lines; null where there are none. */
  readonly damage: JournalDamage | null;
}

export interface UndoOptions extends RepairOptions {
  /** Before the first change: how many locks are to be restored. */
  readonly onPlan?: (total: number) => void;
  /** After each lock that was tried. */
  readonly onStep?: () => void;
}

/**
 * Restores the releases of one run (`id` is a run's or a single release's), or of the last run that released anything.
 * Throws `E_IO` where the journal cannot be read, or another kind of file is in its place: then nothing was changed.
 */
export const undoReleases = async (id: string | null, options: UndoOptions): Promise<UndoReport> => {
  const { onPlan, onStep } = options;
  const context = contextOf(options);
  const { run, releases, damage } = findReleases(id, context);
  const latestFirst = [...releases].reverse();
  const answers = new Map<PastRelease, UndoAnswer>();
  const toDo: PastRelease[] = [];
  for (const release of latestFirst) {
    const answer = withoutGuard(release, context);
    if (answer === null) toDo.push(release);
    else answers.set(release, answer);
  }
  onPlan?.(toDo.length);
  const settle: Settle = (release, answer) => {
    answers.set(release, answer);
    onStep?.();
  };
  const left = await inBatches(
    toDo,
    {
      lockOf: ({ entry }) => longPath(context.townRoot, entry.lock),
      act: (batch) => putBackBatch(batch, settle, context),
      refuse: (release, why) => settle(release, refusalFor(why)),
    },
    context,
  );
  const outcomes = latestFirst.flatMap((release) => {
    const answer = answers.get(release);
    return answer === undefined ? [] : [outcome(release.entry, context, answer)];
  });
  return { run, outcomes, notBegun: left.length, damage };
};

interface UndoAnswer {
  readonly status: UndoOutcome['status'];
  /** A sentence fragment. */
  readonly reason: string;
}

type Settle = (release: PastRelease, answer: UndoAnswer) => void;

/** The answer that needs no guard; null where the lock is to be restored. */
const withoutGuard = (
  { entry, undone }: PastRelease,
  { calls, townRoot }: RepairContext,
): UndoAnswer | null => {
  if (undone) return { status: 'already', reason: 'it was already restored' };
  try {
    const symlink = symlinkOnTheWay(calls, townRoot, longPath(townRoot, entry.lock));
    if (symlink !== null) return { status: 'failed', reason: `${symlink} is a symbolic link` };
    const removed = removedSince(entry, calls, townRoot);
    return removed === null
      ? null
      : { status: 'removed', reason: `${removed}, so there is nothing to restore` };
  } catch (error) {
    return { status: 'failed', reason: describeFailure(error) };
  }
};

const refusalFor = (why: Refused): UndoAnswer => {
  if (why.kind === 'busy') return { status: 'busy', reason: describeBusy(why) };
  return why.cause === 'io'
    ? { status: 'failed', reason: why.why }
    : { status: 'no-guard', reason: `${why.why}. ${why.hint}` };
};

/** Under all of their guards: looks what is there, writes a journal line for each, does the deeds, and reports the outcomes. */
const putBackBatch = (batch: readonly Held<PastRelease>[], settle: Settle, context: RepairContext): void => {
  const ready = batch.flatMap(({ item, guard }) => {
    const found = attempt(() => lookWhether(item, guard, context));
    if (typeof found === 'function') return [{ item, putBack: found }];
    settle(item, found);
    return [];
  });
  const failure = attempt(() => {
    note(
      ready.map(({ item }) => ({ event: 'undo', id: item.entry.id, reason: null })),
      context,
    );
    return null;
  });
  if (failure !== null) {
    for (const { item } of ready) settle(item, failure);
    return;
  }
  const done = ready.flatMap(({ item, putBack }): readonly Noted[] => {
    const answer = attempt(putBack);
    settle(item, answer);
    const { id } = item.entry;
    if (answer.status === 'restored') return [{ event: 'undone', id, reason: null }];
    return answer.status === 'failed' ? [] : [{ event: 'not-undone', id, reason: answer.reason }];
  });
  // The disk shows what was done, so an outcome that can no longer be written is not a failure. The next undo finds the lock at
  // its place and the kept copy gone.
  attempt(() => note(done, context));
};

const attempt = <Done>(act: () => Done): Done | (UndoAnswer & { readonly status: 'failed' }) => {
  try {
    return act();
  } catch (error) {
    return { status: 'failed', reason: describeFailure(error) };
  }
};

/**
 * True where root must not act on the journal: its owner may not be trusted in the lock's directory. Other users can only do
 * what the system lets them.
 */
const isStrangersWord = (journalUid: number, directoryUid: number): boolean =>
  callerUid() === 0 && isStranger(journalUid, directoryUid);

const lookWhether = (
  { entry, journalUid }: PastRelease,
  guard: Guard,
  { townRoot }: RepairContext,
): UndoAnswer | (() => UndoAnswer) => {
  if (isStrangersWord(journalUid, guard.directory.uid))
    return {
      status: 'failed',
      reason: `its journal belongs to user ${journalUid}, so root does not act on it there`,
    };
  const { stamp, companion, deed } = entry;
  return DEEDS[deed].putBack(guard, { backup: longPath(townRoot, entry.backup), stamp, companion });
};

type Noted = Pick<OutcomeEntry, 'event' | 'id' | 'reason'>;

const note = (entries: readonly Noted[], { calls, townRoot, now, by }: RepairContext): void => {
  const at = new Date(now()).toISOString();
  appendEntries(
    calls,
    townRoot,
    entries.map(({ event, id, reason }) => ({ event, id, at, reason, ...(event === 'undo' ? { by } : {}) })),
  );
};

const outcome = (
  { id, worker, lock, holder }: ReleaseEntry,
  { townRoot }: RepairContext,
  answer: UndoAnswer,
): UndoOutcome => ({ id, worker, lock: longPath(townRoot, lock), ...answer, holder: holder ?? null });
