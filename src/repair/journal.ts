/**
 * What repairs did, one JSON line per event, only ever appended to and synced before anything is touched:
 * `<town>/.runtime/lock-doctor/journal.jsonl`.
 */
import { Buffer } from 'node:buffer';
import { constants } from 'node:fs';
import { dirname } from 'node:path';
import type { Stamp, TrueHolder } from '../core/types/evidence.ts';
import type { State } from '../core/types/judgement.ts';
import { errnoOf } from '../io/errno.ts';
import { makeDirectory, openOrMake } from '../io/make-files.ts';
import { openOwned } from '../io/open-directory.ts';
import type { SystemCalls } from '../io/system-calls.ts';
import { syncDirectory } from '../lock/files/staging.ts';

/** A release that is about to happen. */
export interface ReleaseEntry {
  readonly event: 'release';
  /** `<run>-<n>`: what `doctor undo` takes, and part of the kept copy's name. */
  readonly id: string;
  readonly run: string;
  readonly at: string;
  readonly worker: string;
  /** Path of the lock, relative to the town where it lies inside. */
  readonly lock: string;
  /** Path of the kept copy, in the same form. */
  readonly backup: string;
  readonly state: State;
  readonly forced: boolean;
  readonly stamp: Stamp;
  /** From whom: the record's own words, or null where it was none. */
  readonly holder: { readonly pid: number; readonly sessionId: string; readonly hostname: string } | null;
  readonly companion: TrueHolder | null;
}

/** What became of it, or of taking it back, or a leftover that was finished or undone. */
export interface OutcomeEntry {
  readonly event: 'released' | 'not-released' | 'undo' | 'undone' | 'not-undone' | 'tidied';
  /** Of the release that it is about; the worker for `tidied`. */
  readonly id: string;
  readonly at: string;
  readonly reason: string | null;
}

export type JournalEntry = ReleaseEntry | OutcomeEntry;

const DIRECTORIES = ['.runtime', '.runtime/lock-doctor'];

export const journalPath = (townRoot: string): string => `${townRoot}/.runtime/lock-doctor/journal.jsonl`;

/**
 * Appends an entry and syncs it. Throws what the system throws, and where a symlink stands in the way: then nothing
 * that can be read as an entry was written.
 */
export function appendEntry(calls: SystemCalls, townRoot: string, entry: JournalEntry): void {
  // Each in turn: `&&` and `||` would leave the second out.
  const isNew = DIRECTORIES.map((name) => makeDirectory(calls, `${townRoot}/${name}`)).includes(true);
  const path = journalPath(townRoot);
  const directory = openOwned(calls, dirname(path));
  try {
    const flags = constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const { descriptor } = openOrMake(directory, path, flags);
    try {
      if (!calls.fstat(descriptor).isFile()) throw new Error(`${path} is no regular file`);
      appendLine(calls, descriptor, JSON.stringify({ v: 1, ...entry }));
      calls.fsync(descriptor);
    } finally {
      calls.close(descriptor);
    }
    if (isNew) syncDirectory(directory.calls, directory.path);
  } finally {
    directory.close();
  }
}

/**
 * Every entry that can be read, oldest first; torn and foreign lines are passed over, a missing journal is empty.
 * Throws what the system throws for everything else.
 */
export function readJournal(calls: SystemCalls, townRoot: string): readonly JournalEntry[] {
  for (const directory of DIRECTORIES) {
    const stat = calls.lstat(`${townRoot}/${directory}`);
    if (stat === undefined) return [];
    if (!stat.isDirectory()) throw new Error(`${townRoot}/${directory} is no directory of its own`);
  }
  let descriptor: number;
  try {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    descriptor = calls.open(journalPath(townRoot), flags);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
  try {
    return readText(calls, descriptor).split('\n').flatMap(parseLine);
  } finally {
    calls.close(descriptor);
  }
}

/**
 * One write, so that two runs at once do not mix their lines. The line break before it ends a line that a killed run
 * left torn; what was cut short is written again whole, and its fragment passes for a torn line.
 */
function appendLine(calls: SystemCalls, descriptor: number, line: string): void {
  const bytes = Buffer.from(`\n${line}\n`);
  for (let attempt = 0; attempt < 3; attempt += 1) {
    if (calls.write(descriptor, bytes) === bytes.length) return;
  }
  throw new Error('the disk did not take a whole line');
}

function readText(calls: SystemCalls, descriptor: number): string {
  const parts: Uint8Array[] = [];
  for (;;) {
    const part = new Uint8Array(65_536);
    const count = calls.read(descriptor, part);
    if (count === 0) return Buffer.concat(parts).toString('utf8');
    parts.push(part.subarray(0, count));
  }
}

const OUTCOMES = ['released', 'not-released', 'undo', 'undone', 'not-undone', 'tidied'];

function parseLine(line: string): readonly JournalEntry[] {
  if (line === '') return [];
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return []; // torn by a kill or a full disk
  }
  return isEntry(value) ? [value] : [];
}

/** The fields that anything is done with; a line of another version or hand is not acted upon. */
function isEntry(value: unknown): value is JournalEntry {
  if (typeof value !== 'object' || value === null) return false;
  const entry = value as Readonly<Record<string, unknown>>;
  if (typeof entry.id !== 'string' || typeof entry.at !== 'string') return false;
  if (entry.event !== 'release') return OUTCOMES.includes(String(entry.event));
  const stamp = entry.stamp as Readonly<Record<string, unknown>> | null | undefined;
  return (
    ['run', 'worker', 'lock', 'backup', 'state'].every((key) => typeof entry[key] === 'string') &&
    typeof stamp?.sha256 === 'string'
  );
}
