/** Finds releases in the journal. It is read twice and only the wanted entries are kept, because a journal may be long. */
import { Failure } from '../core/failure.ts';
import { describeFailure } from '../io/programs/describe-failure.ts';
import { findAside } from '../lock/files/aside.ts';
import { endsRelease, type JournalEntry, journalPath, type ReleaseEntry } from './journal.ts';
import { type JournalLine, readJournal } from './read-journal.ts';
import { longPath, type RepairContext } from './repair-context.ts';

/** A release that happened. */
export interface PastRelease {
  readonly entry: ReleaseEntry;
  /** It was restored. */
  readonly undone: boolean;
  /** Owner of the journal that says so. */
  readonly journalUid: number;
}

/** Lines of a journal that no repair could have written. */
export interface JournalDamage {
  /** Absolute path of the journal. */
  readonly journal: string;
  /** How many lines. */
  readonly lines: number;
  /** Number of the first one, from 1. */
  readonly firstLine: number;
  /** What is wrong with the first one: a sentence fragment. */
  readonly why: string;
}

export interface FoundReleases {
  /** The run that they belong to; null where there is none. */
  readonly run: string | null;
  /** In the order in which they were made. */
  readonly releases: readonly PastRelease[];
  readonly damage: JournalDamage | null;
}

/**
 * The releases of the run, or the single release, of that id; for null those of the last run that released anything.
 * Throws `E_IO` where the journal cannot be read, or another kind of file is in its place.
 */
export const findReleases = (id: string | null, context: RepairContext): FoundReleases => {
  let damage: JournalDamage | null = null;
  const onDamage = (line: number, why: string): void => {
    damage = {
      journal: journalPath(context.townRoot),
      lines: (damage?.lines ?? 0) + 1,
      firstLine: damage?.firstLine ?? line,
      why: damage?.why ?? why,
    };
  };
  const run = findRun(id, context, onDamage);
  if (run === null) return { run, releases: [], damage };
  const releases = releasesOf(run, context);
  return {
    run,
    releases: id === null || id === run ? releases : releases.filter(({ entry }) => entry.id === id),
    damage,
  };
};

type OnDamage = (line: number, why: string) => void;

function* entriesOf(
  { calls, townRoot }: RepairContext,
  onDamage: OnDamage,
): Generator<Extract<JournalLine, { kind: 'entry' }>, void> {
  try {
    for (const read of readJournal(calls, townRoot)) {
      if (read.kind === 'entry') yield read;
      else onDamage(read.line, read.why);
    }
  } catch (cause) {
    const path = journalPath(townRoot);
    throw new Failure('E_IO', `the journal ${path} cannot be read: ${describeFailure(cause)}`, null, {
      cause,
    });
  }
}

/** The run with the release that began last, among releases that happened. */
const findRun = (id: string | null, context: RepairContext, onDamage: OnDamage): string | null => {
  let last: { readonly run: string; readonly line: number } | null = null;
  const open = new Map<string, { readonly entry: ReleaseEntry; readonly line: number }>();
  for (const { line, entry } of entriesOf(context, onDamage)) {
    if (entry.event === 'release') {
      if (id === null || entry.run === id || entry.id === id) open.set(entry.id, { entry, line });
    } else if (endsRelease(entry.event)) {
      const begun = open.get(entry.id);
      open.delete(entry.id);
      if (begun !== undefined && entry.event !== 'not-released' && (last?.line ?? 0) < begun.line)
        last = { run: begun.entry.run, line: begun.line };
    }
  }
  // Releases of runs that died: the lock is in its new place, so they happened.
  for (const { entry, line } of open.values())
    if ((last?.line ?? 0) < line && wasMoved(entry, context)) last = { run: entry.run, line };
  return last?.run ?? null;
};

/**
 * True where the kept copy is there, or the lock still lies aside. Where that cannot be looked at it counts as there: an undo
 * will say what prevents it.
 */
const wasMoved = ({ lock, backup, stamp }: ReleaseEntry, { calls, townRoot }: RepairContext): boolean => {
  try {
    if (calls.lstat(longPath(townRoot, backup)) !== undefined) return true;
    return findAside(calls, longPath(townRoot, lock), stamp) !== null;
  } catch {
    return true;
  }
};

const releasesOf = (run: string, context: RepairContext): readonly PastRelease[] => {
  const entries = new Map<string, { readonly entry: ReleaseEntry; readonly journalUid: number }>();
  const events = new Map<string, Set<JournalEntry['event']>>();
  for (const { entry, uid } of entriesOf(context, () => {})) {
    if (!entry.id.startsWith(`${run}-`)) continue;
    if (entry.event === 'release') entries.set(entry.id, entries.get(entry.id) ?? { entry, journalUid: uid });
    else events.set(entry.id, (events.get(entry.id) ?? new Set()).add(entry.event));
  }
  return [...entries.values()].flatMap(({ entry, journalUid }) => {
    const seen = events.get(entry.id);
    if (seen?.has('not-released') === true) return [];
    const undone = seen?.has('undone') === true;
    const happened = undone || seen?.has('released') === true || wasMoved(entry, context);
    return happened ? [{ entry, undone, journalUid }] : [];
  });
};
