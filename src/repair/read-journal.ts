/**
 * Reads the journal line by line, however long it is. A line that a repair would not write, or that names a place outside
 * the town, is damage: reported with its number, and never acted upon.
 */
import { Buffer } from 'node:buffer';
import { mayLieAt } from '../evidence/locks/lock-table.ts';
import type { SystemCalls } from '../io/disk/system-calls.ts';
import { builtInTable } from '../kinds-of.ts';
import { releasedPath } from '../lock/files/names.ts';
import { journal as validateJournal } from '../schema/compiled/journal.ts';
import { problemOf, tellProblem } from '../schema/problem.ts';
import { type JournalEntry, type ReleaseEntry, readingJournal } from './journal.ts';

/** One line of the journal that is not empty; its number counts from 1. */
export type JournalLine =
  | {
      readonly kind: 'entry';
      readonly line: number;
      readonly entry: JournalEntry;
      /** The journal's owner. */
      readonly uid: number;
    }
  /** `why` is a sentence fragment: `stamp.sha256 is missing`. */
  | { readonly kind: 'damaged'; readonly line: number; readonly why: string };

/** Longer than any entry: three paths and the text of a record of 64 KiB, all of it escaped. */
const MAX_LINE_BYTES = 1024 * 1024;

const CHUNK_BYTES = 64 * 1024;

/**
 * The lines of the journal, oldest first; none where there is no journal. A line that a killed run left torn is skipped:
 * nothing was done after it. Throws what the system throws, and an `Error` that says what is there where it is not a journal
 * of ours.
 */
export const readJournal = (calls: SystemCalls, townRoot: string): Generator<JournalLine, void> =>
  readingJournal(calls, townRoot, function* (descriptor, uid) {
    let number = 0;
    for (const line of linesOf(calls, descriptor)) {
      number += 1;
      const read = line === null ? `is longer than ${MAX_LINE_BYTES} bytes` : readLine(line, townRoot);
      if (typeof read === 'string') yield { kind: 'damaged', line: number, why: read };
      else if (read !== null) yield { kind: 'entry', line: number, entry: read, uid };
    }
  });

const LINE_BREAK = 10;

/** Every line without its line break; null for one that is too long and is not kept. */
function* linesOf(calls: SystemCalls, descriptor: number): Generator<string | null, void> {
  let parts: Uint8Array[] = [];
  let length = 0;
  const finish = (): string | null => {
    const line = length > MAX_LINE_BYTES ? null : Buffer.concat(parts).toString('utf8');
    parts = [];
    length = 0;
    return line;
  };
  const keep = (part: Uint8Array): void => {
    length += part.length;
    if (length > MAX_LINE_BYTES) parts = [];
    else parts.push(part);
  };
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const count = calls.read(descriptor, chunk);
    if (count === 0) break;
    let start = 0;
    for (
      let end = chunk.indexOf(LINE_BREAK);
      end >= 0 && end < count;
      end = chunk.indexOf(LINE_BREAK, start)
    ) {
      keep(chunk.subarray(start, end));
      yield finish();
      start = end + 1;
    }
    keep(chunk.subarray(start, count));
  }
  yield finish();
}

/** Values of keys that entries of older versions do not have. */
const OLDER = { kind: 'agent', deed: 'move-aside', by: null } as const;

const BEGINNING = '{"v":1,"event":"';

/** The entry of a line, null for a line without one, or what is wrong with it. */
const readLine = (line: string, townRoot: string): JournalEntry | string | null => {
  if (line === '') return null;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // A killed run or a full disk leaves only the beginning of a line that a repair writes.
    return line.startsWith(BEGINNING) || BEGINNING.startsWith(line) ? null : 'is not JSON';
  }
  const problem = problemOf(validateJournal, value);
  if (problem !== null) return tellProblem(problem);
  const read = value as JournalEntry;
  if (read.event !== 'release') return read;
  const entry: ReleaseEntry = { ...OLDER, ...read };
  return misplaced(entry, townRoot) ?? entry;
};

/** What is wrong with the paths: they follow from the worker and the id, so other paths were not written by a repair. */
const misplaced = (
  { id, run, kind, worker, lock, backup }: ReleaseEntry,
  townRoot: string,
): string | null => {
  const known = builtInTable().kinds.get(kind);
  // A plug-in's kind: it need not be loaded to put its locks back.
  const isPlugged = known === undefined && kind.includes('/');
  if (known === undefined && !isPlugged) return `unknown kind of lock: ${kind}`;
  // A working tree may lie outside the town, with its lock inside.
  const place = known?.claims === 'worker' ? worker : worker.replace(/^(?:\.\.\/)+/, '');
  if (!isInTown(place)) return `worker names no place in the town: ${worker}`;
  if (known?.claims === 'worker') {
    const home = worker === '.' ? '' : `${worker}/`;
    const places = Object.keys(known.where.homes).map((name) => `${home}${name}/${known.where.name}`);
    if (!places.includes(lock)) return `lock is not one of that worker: ${lock}`;
  } else if (!isInTown(lock) || (known !== undefined && !mayLieAt(known, `${townRoot}/${lock}`)))
    return `no lock of that kind lies there: ${lock}`;
  if (!id.startsWith(`${run}-`)) return `id is not of that run: ${id}`;
  return backup === releasedPath({ lock }, id) ? null : `backup is not a copy of that lock: ${backup}`;
};

const isInTown = (worker: string): boolean =>
  worker === '.' ||
  (!worker.includes('\0') && worker.split('/').every((name) => name !== '' && name !== '.' && name !== '..'));
