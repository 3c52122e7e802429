/** Putting released locks back: from their kept copies, never over a newer lock. */
import { basename, dirname } from 'node:path';
import { LOCK_NAME } from '../evidence/locks/lock-names.ts';
import { describeFailure } from '../io/describe-failure.ts';
import { bringBack } from '../lock/files/aside.ts';
import { readCompanion, writeCompanion } from '../lock/files/companion.ts';
import { ownFileOf, placeIn } from '../lock/files/names.ts';
import { isSameFile, look } from '../lock/files/sight.ts';
import { type Guard, takeGuard } from '../lock/guard/guard.ts';
import { contextOf, longPath, type RepairContext, type RepairOptions, symlinkOnTheWay } from './context.ts';
import { appendEntry, type JournalEntry, type ReleaseEntry, readJournal } from './journal.ts';

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
}

/**
 * Puts back the releases of one run (`id` is a run's or a single release's), or of the last run that released anything.
 * Throws what the system throws where the journal cannot be read.
 */
export async function undoReleases(id: string | null, options: RepairOptions): Promise<UndoReport> {
  const context = contextOf(options);
  const releases = releasesOf(readJournal(context.calls, context.townRoot), context);
  const run =
    id === null
      ? releases.at(-1)?.entry.run
      : releases.find(({ entry }) => entry.run === id || entry.id === id)?.entry.run;
  if (run === undefined) return { run: null, outcomes: [] };
  const chosen = releases.filter(
    ({ entry }) => entry.run === run && (id === null || id === run || entry.id === id),
  );
  const outcomes: UndoOutcome[] = [];
  for (const { entry, undone } of chosen.reverse()) {
    if (context.signal?.aborted) break;
    outcomes.push(
      undone ? outcome(entry, context, 'already', 'it was put back before') : await undo(entry, context),
    );
  }
  return { run, outcomes };
}

interface Release {
  readonly entry: ReleaseEntry;
  readonly undone: boolean;
}

/** The releases that happened: noted so, or begun by a run that died, with a kept copy to show for it. */
function releasesOf(
  entries: readonly JournalEntry[],
  { calls, townRoot }: RepairContext,
): readonly Release[] {
  const events = new Map<string, Set<string>>();
  for (const { id, event } of entries) events.set(id, (events.get(id) ?? new Set()).add(event));
  const has = (id: string, event: JournalEntry['event']): boolean => events.get(id)?.has(event) === true;
  return entries.flatMap((entry) => {
    if (entry.event !== 'release' || has(entry.id, 'not-released')) return [];
    const happened = has(entry.id, 'released') || calls.lstat(longPath(townRoot, entry.backup)) !== undefined;
    return happened ? [{ entry, undone: has(entry.id, 'undone') }] : [];
  });
}

async function undo(entry: ReleaseEntry, context: RepairContext): Promise<UndoOutcome> {
  const { calls, townRoot } = context;
  const lock = longPath(townRoot, entry.lock);
  const answer = (status: UndoOutcome['status'], reason: string): UndoOutcome =>
    outcome(entry, context, status, reason);
  try {
    if (!isPlausible(lock, longPath(townRoot, entry.backup)))
      return answer('failed', 'the journal is damaged');
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
      const done = restore(taken.guard, entry, context);
      return answer(done.status, done.reason);
    } finally {
      taken.guard.letGo();
    }
  } catch (error) {
    return answer('failed', describeFailure(error));
  }
}

function restore(
  guard: Guard,
  entry: ReleaseEntry,
  context: RepairContext,
): { readonly status: UndoOutcome['status']; readonly reason: string } {
  const { townRoot } = context;
  const { place } = guard;
  const { calls } = guard.directory;
  const backup = longPath(townRoot, entry.backup);
  const kept = look(calls, backup);
  const current = look(calls, place.lock);
  if (kept.kind === 'absent' && current.kind === 'file' && current.stamp.sha256 === entry.stamp.sha256) {
    return { status: 'already', reason: 'it is back at its place' };
  }
  if (kept.kind !== 'file') return { status: 'missing', reason: `its kept copy ${backup} is gone` };
  if (kept.stamp.sha256 !== entry.stamp.sha256) {
    return { status: 'missing', reason: `its kept copy ${backup} is not what was released` };
  }
  if (!guard.stands())
    return { status: 'no-guard', reason: 'somebody removed its guard file (agent.lock.flock)' };
  const existing = calls.lstat(place.lock);
  const copy = calls.lstat(backup);
  // An undo that died after linking left two names of one file: only the rest is to be done.
  const isLinked = existing !== undefined && copy !== undefined && isSameFile(existing, copy);
  if (existing !== undefined && !isLinked)
    return { status: 'newer-lock', reason: 'a newer lock stands there' };
  note('undo', entry, null, context);
  if (!isLinked && !bringBack(calls, backup, place.lock)) {
    noteIfPossible('not-undone', entry, 'a newer lock stands there', context);
    return { status: 'newer-lock', reason: 'a newer lock stands there' };
  }
  if (entry.companion !== null && readCompanion(calls, place) === null)
    writeCompanion(calls, place, entry.companion);
  if (calls.lstat(backup) !== undefined) calls.unlink(backup);
  noteIfPossible('undone', entry, null, context);
  return { status: 'restored', reason: 'it is back at its place' };
}

/** Both names are our own, in one directory: a journal that says otherwise was not written by us. */
const isPlausible = (lock: string, backup: string): boolean =>
  dirname(lock) === dirname(backup) &&
  basename(lock) === LOCK_NAME &&
  ownFileOf(basename(backup)) === 'released';

function note(
  event: 'undo' | 'undone' | 'not-undone',
  { id }: ReleaseEntry,
  reason: string | null,
  { calls, townRoot, now }: RepairContext,
): void {
  appendEntry(calls, townRoot, { event, id, at: new Date(now()).toISOString(), reason });
}

/** What was done shows on the disk too: a journal that is full by now does not make it a failure. */
function noteIfPossible(...entry: Parameters<typeof note>): void {
  try {
    note(...entry);
  } catch {
    // The next undo finds the lock at its place and the kept copy gone.
  }
}

const outcome = (
  { id, worker, lock, holder }: ReleaseEntry,
  { townRoot }: RepairContext,
  status: UndoOutcome['status'],
  reason: string,
): UndoOutcome => ({ id, worker, lock: longPath(townRoot, lock), status, reason, holder: holder ?? null });
