/** Putting released locks back: from their kept copies, never over a newer lock. */
import { dirname } from 'node:path';
import { describeFailure } from '../io/programs/describe-failure.ts';
import { callerUid, isStranger } from '../io/trust.ts';
import { placeIn } from '../lock/files/names.ts';
import { type Guard, takeGuard } from '../lock/guard/guard.ts';
import { contextOf, longPath, type RepairContext, type RepairOptions, symlinkOnTheWay } from './context.ts';
import { DEEDS } from './deeds/deeds.ts';
import { findReleases, type JournalDamage, type PastRelease } from './find-releases.ts';
import { appendEntry, type ReleaseEntry } from './journal.ts';

export interface UndoOutcome {
  readonly id: string;
  readonly worker: string;
  /** Absolute path of the lock. */
  readonly lock: string;
  /**
   * `newer-lock`: somebody took the lock since. `missing`: the kept copy is gone, or is not what was released. `busy`,
   * `no-guard`: not now. `already`: it was put back before.
   */
  readonly status: 'restored' | 'already' | 'newer-lock' | 'missing' | 'busy' | 'no-guard' | 'failed';
  readonly reason: string;
  readonly holder: ReleaseEntry['holder'];
}

export interface UndoReport {
  /** The run whose releases were put back; null where there is none, or none of that name. */
  readonly run: string | null;
  readonly outcomes: readonly UndoOutcome[];
  /** Lines of the journal that were not acted upon, for no repair writes such; null where there is none. */
  readonly damage: JournalDamage | null;
}

/**
 * Puts back the releases of one run (`id` is a run's or a single release's), or of the last run that released anything.
 * Throws `E_IO` where the journal cannot be read, or something else stands in its place: then nothing was changed.
 */
export const undoReleases = async (id: string | null, options: RepairOptions): Promise<UndoReport> => {
  const context = contextOf(options);
  const { run, releases, damage } = findReleases(id, context);
  const outcomes: UndoOutcome[] = [];
  for (const release of [...releases].reverse()) {
    const { entry, undone } = release;
    if (context.signal?.aborted) break;
    outcomes.push(
      undone ? outcome(entry, context, 'already', 'it was put back before') : await undo(release, context),
    );
  }
  return { run, outcomes, damage };
};

const undo = async ({ entry, journalUid }: PastRelease, context: RepairContext): Promise<UndoOutcome> => {
  const { calls, townRoot } = context;
  const lock = longPath(townRoot, entry.lock);
  const answer = (status: UndoOutcome['status'], reason: string): UndoOutcome =>
    outcome(entry, context, status, reason);
  try {
    const symlink = symlinkOnTheWay(calls, townRoot, lock);
    if (symlink !== null) return answer('failed', `${symlink} is a symbolic link`);
    const taken = await takeGuard(placeIn(dirname(lock)), context.guard);
    if (taken.kind === 'busy')
      return answer('busy', `somebody else is changing it: waited ${taken.waitedMs} ms`);
    if (taken.kind === 'none') {
      return taken.cause === 'io'
        ? answer('failed', taken.why)
        : answer('no-guard', `${taken.why}. ${taken.hint}`);
    }
    try {
      if (isStrangersWord(journalUid, taken.guard.directory.uid))
        return answer(
          'failed',
          `the journal that tells of it belongs to user ${journalUid}: root does not act on it there`,
        );
      const done = restore(taken.guard, entry, context);
      return answer(done.status, done.reason);
    } finally {
      taken.guard.letGo();
    }
  } catch (error) {
    return answer('failed', describeFailure(error));
  }
};

/**
 * Root acts in a directory for its owner, so that the journal's owner must be trusted there. Everybody else can only do what
 * the system lets them.
 */
const isStrangersWord = (journalUid: number, directoryUid: number): boolean =>
  callerUid() === 0 && isStranger(journalUid, directoryUid);

const restore = (
  guard: Guard,
  entry: ReleaseEntry,
  context: RepairContext,
): { readonly status: UndoOutcome['status']; readonly reason: string } => {
  const { stamp, companion, deed } = entry;
  let begun = false;
  const released = { backup: longPath(context.townRoot, entry.backup), stamp, companion };
  const done = DEEDS[deed].putBack(guard, released, () => {
    note('undo', entry, null, context);
    begun = true;
  });
  if (!begun) return done;
  if (done.status === 'restored') noteIfPossible('undone', entry, null, context);
  else noteIfPossible('not-undone', entry, done.reason, context);
  return done;
};

const note = (
  event: 'undo' | 'undone' | 'not-undone',
  { id }: ReleaseEntry,
  reason: string | null,
  { calls, townRoot, now, by }: RepairContext,
): void => {
  const whose = event === 'undo' ? { by } : {};
  appendEntry(calls, townRoot, { event, id, at: new Date(now()).toISOString(), reason, ...whose });
};

/** What was done shows on the disk too: a journal that is full by now does not make it a failure. */
const noteIfPossible = (...entry: Parameters<typeof note>): void => {
  try {
    note(...entry);
  } catch {
    // The next undo finds the lock at its place and the kept copy gone.
  }
};

const outcome = (
  { id, worker, lock, holder }: ReleaseEntry,
  { townRoot }: RepairContext,
  status: UndoOutcome['status'],
  reason: string,
): UndoOutcome => ({ id, worker, lock: longPath(townRoot, lock), status, reason, holder: holder ?? null });
