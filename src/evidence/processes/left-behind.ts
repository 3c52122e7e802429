/** Which processes were left behind: their starter is gone and did not end them. Pure. */
import { classifyNames } from '../../core/programs/by-name.ts';
import type { ProcessRow } from './row.ts';

type Rows = ReadonlyMap<number, ProcessRow>;

const isAlive = (row: ProcessRow | undefined): boolean => row !== undefined && !row.dead;

/** It leads no session and is in no foreground: no person sees it, and it was not detached on purpose to live on. */
const isInBackground = ({ pid, leader, inForeground }: ProcessRow): boolean =>
  leader !== undefined && leader !== 0 && leader !== pid && inForeground !== true;

/**
 * True where its parent belongs to another session. A process starts in its parent's session and only leaders leave it, so init
 * or a subreaper has taken it over. A process that still has its terminal and its session's leader is a person's background job.
 */
const wasAdopted = ({ ppid, leader, hasTerminal }: ProcessRow, rows: Rows): boolean => {
  const parent = rows.get(ppid);
  if (parent === undefined || leader === undefined || parent.leader === leader) return false;
  return !isAlive(rows.get(leader)) || hasTerminal === false;
};

const NO_WORDS = { agents: [] };

/**
 * True where this process was left behind, or belongs to a shell, a package manager or another bystander that was. False
 * also means that it could not be told.
 */
export const wasLeftBehind = (
  row: ProcessRow,
  rows: Rows,
  namesOf: (row: ProcessRow) => readonly string[],
): boolean => {
  // A process cannot be its own ancestor, but a table is read line by line while PIDs are reused.
  const seen = new Set<number>();
  let member = row;
  while (isInBackground(member) && !seen.has(member.pid)) {
    if (wasAdopted(member, rows)) return true;
    seen.add(member.pid);
    const parent = rows.get(member.ppid);
    if (parent === undefined || classifyNames(namesOf(parent), NO_WORDS)?.class !== 'bystander') return false;
    member = parent;
  }
  return false;
};
