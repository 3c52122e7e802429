/** Who was left behind: what somebody started and did not end, and nobody waits for any more. Pure. */
import { classifyNames } from '../../core/programs/by-name.ts';
import type { ProcessRow } from './row.ts';

type Rows = ReadonlyMap<number, ProcessRow>;

const isAlive = (row: ProcessRow | undefined): boolean => row !== undefined && !row.dead;

/** It leads no session and is in no foreground: it does not face a person, and nobody set it apart to live on. */
const isInBackground = ({ pid, leader, inForeground }: ProcessRow): boolean =>
  leader !== undefined && leader !== 0 && leader !== pid && inForeground !== true;

/**
 * Its parent belongs to another session. A process is born into its parent's, and only leaders leave it: so init or a
 * subreaper has taken the place of the one that started it. What still has its terminal and the leader of its session is a
 * person's own background job.
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
  // A process cannot be its own ancestor, but a table is read line by line while numbers are used again.
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
