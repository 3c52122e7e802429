/**
 * What repairs did, one JSON line per event. Lines are only appended, and synced before anything is touched:
 * `<town>/.runtime/lock-doctor/journal.jsonl`, in a user's home `~/.local/state/lock-doctor/journal.jsonl`.
 */
import { Buffer } from 'node:buffer';
import { constants } from 'node:fs';
import { dirname } from 'node:path';
import { AGENT_HOME } from '../core/record/lock-names.ts';
import type { LockKind, Stamp, TrueHolder } from '../core/types/evidence.ts';
import type { ByWhom, NotedHolder } from '../core/types/history.ts';
import type { State } from '../core/types/judgement.ts';
import type { LetGo } from '../core/types/kind.ts';
import { isMarked } from '../evidence/town/marker.ts';
import { isSameDirectory } from '../evidence/town/place.ts';
import { entryExists } from '../io/disk/entry-exists.ts';
import { makeDirectory, openOrMake } from '../io/disk/make-files.ts';
import { openDirectory, openOwned } from '../io/disk/open-directory.ts';
import { PLAIN_FILE } from '../io/disk/small-file.ts';
import type { SystemCalls } from '../io/disk/system-calls.ts';
import { errnoOf } from '../io/errno.ts';
import { callersHome } from '../io/home-directory.ts';
import { agentsLockFiles } from '../lock/files/names.ts';
import { ignoreDirectory, syncDirectory } from '../lock/files/staging.ts';
import { escapeJson } from '../reporters/screen/safe-text.ts';

/** A release that is about to happen. */
export interface ReleaseEntry {
  readonly event: 'release';
  /** `<run>-<n>`: what `doctor undo` takes, and part of the kept copy's name. */
  readonly id: string;
  readonly run: string;
  readonly at: string;
  /** Id of the kind of the lock; `agent` in entries of versions without other kinds. */
  readonly kind: LockKind;
  /** How it was let go, and so how it is restored. */
  readonly deed: LetGo;
  readonly worker: string;
  /** Path of the lock, relative to the town where it lies inside. */
  readonly lock: string;
  /** Path of the kept copy, in the same form. */
  readonly backup: string;
  readonly state: State;
  readonly forced: boolean;
  readonly stamp: Stamp;
  /** The true holder, as the record names it; null where the file was not a record. */
  readonly holder: NotedHolder | null;
  readonly companion: TrueHolder | null;
  /** Null in entries of versions that did not record it. */
  readonly by: ByWhom | null;
}

/** The outcome of a release or of an undo, or a leftover that was finished or undone. */
export interface OutcomeEntry {
  readonly event: 'released' | 'not-released' | 'undo' | 'undone' | 'not-undone' | 'tidied';
  /** Id of the release; the worker for `tidied`. */
  readonly id: string;
  readonly at: string;
  readonly reason: string | null;
  /** Who began it (`undo`, `tidied`); left out of outcomes, and by versions that did not record it. */
  readonly by?: ByWhom;
}

/** Events that end a release. Where a run died after moving the lock, `released` is missing and an undo's event ends it. */
export const endsRelease = (event: JournalEntry['event']): boolean =>
  event === 'released' || event === 'not-released' || event === 'undone';

/** What was done to a dead holder, and cannot be undone. */
interface FinalEntry {
  /** The worker. */
  readonly id: string;
  readonly at: string;
  readonly holder: NotedHolder | null;
  readonly by: ByWhom;
}

/** The lease of a dead holder that was revoked by force. Nothing can give a lease back. Written before it is revoked. */
export interface RevokedEntry extends FinalEntry {
  readonly event: 'lease-revoked';
  /** Which lease: its key and epoch. */
  readonly reason: string;
}

/** A stale lock that `exec` took over. There is no kept copy, because the new lock took its place. */
export interface TakeOverEntry extends FinalEntry {
  readonly event: 'taken-over';
  readonly reason: null;
  /** Path of the lock, as in a release. */
  readonly lock: string;
}

export type JournalEntry = ReleaseEntry | OutcomeEntry | TakeOverEntry | RevokedEntry;

const DIRECTORIES = [AGENT_HOME, `${AGENT_HOME}/lock-doctor`];

/** In a user's home the journal lies where programs keep their state. */
const IN_HOME = ['.local', '.local/state', '.local/state/lock-doctor'];

/**
 * The directories that lead to it, relative to the root. A home that is a town, or that has a town's journal, is treated as a
 * town.
 */
const directoriesOf = (townRoot: string): readonly string[] =>
  !entryExists(`${townRoot}/${AGENT_HOME}/lock-doctor`) &&
  (isCallersHome(townRoot) || entryExists(`${townRoot}/.local/state/lock-doctor`)) &&
  !isMarked(townRoot)
    ? IN_HOME
    : DIRECTORIES;

const isCallersHome = (directory: string): boolean => {
  const home = callersHome();
  return home !== null && isSameDirectory(home, directory);
};

/** The directory of the files that all repairs of a town share. */
export const homeOfRepairs = (townRoot: string): string => `${townRoot}/${directoriesOf(townRoot).at(-1)}`;

export const journalPath = (townRoot: string): string => `${homeOfRepairs(townRoot)}/journal.jsonl`;

/**
 * Appends entries in one write and syncs them; does nothing for an empty list. Throws what the system throws, and where a symlink
 * is in the way: then the caller must not act on the entries, because some of them may be missing.
 */
export const appendEntries = (
  calls: SystemCalls,
  townRoot: string,
  entries: readonly JournalEntry[],
): void => {
  if (entries.length === 0) return;
  const isNew = makeHome(calls, townRoot);
  const path = journalPath(townRoot);
  const directory = openOwned(calls, dirname(path));
  try {
    const flags = constants.O_RDWR | constants.O_APPEND;
    const { descriptor } = openedJournal(calls, path, () => openOrMake(directory, path, flags).descriptor);
    try {
      appendLines(
        calls,
        descriptor,
        entries.map((entry) => escapeJson(JSON.stringify({ v: 1, ...entry }))),
      );
      calls.fsync(descriptor);
    } finally {
      calls.close(descriptor);
    }
    if (isNew) syncDirectory(directory.calls, directory.path);
  } finally {
    directory.close();
  }
};

/**
 * Makes the directory of the journal where there is none; true where it was made. Throws what the system throws, and where
 * another kind of file is in its place.
 */
export const makeHome = (calls: SystemCalls, townRoot: string): boolean => {
  const made = directoriesOf(townRoot)
    .map((name) => `${townRoot}/${name}`)
    .filter((path) => !isDirectory(calls, path) && makeDirectory(calls, path));
  if (made.includes(`${townRoot}/${AGENT_HOME}`)) ignoreDirectory(calls, agentsLockFiles(townRoot));
  return made.length > 0;
};

/**
 * Calls `read` with the opened journal and its owner; does nothing where there is none. Throws what the system throws, and an
 * `Error` that says what is there where it is not a journal of ours.
 */
export function* readingJournal<Read>(
  calls: SystemCalls,
  townRoot: string,
  read: (descriptor: number, uid: number) => Generator<Read, void>,
): Generator<Read, void> {
  if (!directoriesOf(townRoot).every((name) => isDirectory(calls, `${townRoot}/${name}`))) return;
  const path = journalPath(townRoot);
  const directory = openDirectory(calls, dirname(path));
  try {
    if (directory.calls.lstat(path) === undefined) return;
    const open = (): number => directory.calls.open(path, constants.O_RDONLY | PLAIN_FILE);
    const { descriptor, uid } = openedJournal(calls, path, open);
    try {
      yield* read(descriptor, uid);
    } finally {
      calls.close(descriptor);
    }
  } finally {
    directory.close();
  }
}

/** False where there is nothing. Throws for anything but a directory. */
const isDirectory = (calls: SystemCalls, path: string): boolean => {
  const stat = calls.lstat(path);
  if (stat === undefined || stat.isDirectory()) return stat !== undefined;
  throw new Error(`${path} is not a directory`);
};

/** Opens it, but not through a symlink, and no FIFO and no second name (hard link) of another file. */
const openedJournal = (
  calls: SystemCalls,
  path: string,
  open: () => number,
): { readonly descriptor: number; readonly uid: number } => {
  let descriptor: number;
  try {
    descriptor = open();
  } catch (error) {
    const code = errnoOf(error) ?? '';
    if (code === 'ELOOP') throw new Error(`${path} is a symbolic link`, { cause: error });
    if (code === 'EISDIR' || code === 'ENXIO')
      throw new Error(`${path} is not a regular file`, { cause: error });
    throw error;
  }
  try {
    const stat = calls.fstat(descriptor);
    const { nlink, uid } = stat;
    if (!stat.isFile()) throw new Error(`${path} is not a regular file`);
    if (nlink > 1n)
      throw new Error(`${path} has ${nlink} names (hard links): it may be somebody else's file`);
    return { descriptor, uid: Number(uid) };
  } catch (error) {
    calls.close(descriptor);
    throw error;
  }
};

/**
 * Appends in one write, so that two runs at once do not mix their lines. The line break at the start ends a line that a killed
 * run left torn. After a short write everything is written again: readers cope with repeated lines and a torn one.
 */
const appendLines = (calls: SystemCalls, descriptor: number, lines: readonly string[]): void => {
  const bytes = Buffer.from(`\n${lines.join('\n')}\n`);
  for (let attempt = 0; attempt < 3; attempt += 1) {
    if (calls.write(descriptor, bytes) === bytes.length) return;
  }
  throw new Error(`the disk did not take ${lines.length === 1 ? 'a whole line' : 'all the lines'}`);
};
