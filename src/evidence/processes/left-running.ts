/** What the commands of `exec` left running: the processes that carry their mark. Reads only. */
import { roleByArguments } from '../../core/programs/by-arguments.ts';
import { classifyNames } from '../../core/programs/by-name.ts';
import { givenArguments, processNames } from './process-names.ts';
import type { ProcessRow, ProcessTable } from './row.ts';
import { hasEnded, isStartingPane, isTmuxServer, runningIn } from './table.ts';

/** A process that carries the mark of one of the locks that were asked about. */
export interface Survivor {
  /** The nonce of that lock. */
  readonly nonce: string;
  readonly row: ProcessRow;
  /** The command it runs, for people. */
  readonly command: string;
  /** It runs below a tmux server with the same mark, and that server gives the mark to every pane that it makes. */
  readonly fromServer: boolean;
}

export interface LeftRunningSearch {
  /** Oldest first. */
  readonly survivors: readonly Survivor[];
  /** Processes whose environment could not be read, or was empty. */
  readonly unread: readonly ProcessRow[];
  /** Processes without any mark, including some that have ended since and some that serve the whole user. */
  readonly unmarked: readonly ProcessRow[];
}

/** How often the processes are listed again because new ones had started meanwhile. */
const LISTINGS = 8;

/**
 * Looks at every process, and at those that start meanwhile. tmux servers and other processes that serve the whole user are
 * left out. Never throws because a process ended.
 */
export const findLeftRunning = async (
  table: ProcessTable,
  nonces: ReadonlySet<string>,
): Promise<LeftRunningSearch> => {
  const marks = new Map<string, string>();
  const unread = new Map<string, ProcessRow>();
  const unmarked = new Set<string>();
  const looked = new Set<string>();
  let latest = table;
  for (let listing = 0; listing < LISTINGS; listing += 1) {
    const fresh = runningIn(latest.rows).filter((row) => !looked.has(keyOf(row)));
    if (fresh.length === 0) break;
    const seen = await latest.details.holdMarks(fresh.map(({ pid }) => pid));
    for (const row of fresh) {
      looked.add(keyOf(row));
      const mark = seen.get(row.pid);
      if (mark?.seen === true && mark.value !== null && nonces.has(mark.value))
        marks.set(keyOf(row), mark.value);
      else if (mark?.seen === false) unread.set(keyOf(row), row);
      else if (mark?.value === null) unmarked.add(keyOf(row));
    }
    // A process that forked and ended while we looked has a child that the next listing shows.
    latest = await latest.again();
  }
  const running = [...latest.rows.values()].filter((row) => !row.dead);
  // A process that was just starting another program shows its environment by now.
  const again = running.filter((row) => unread.has(keyOf(row)));
  const seen = await latest.details.holdMarks(again.map(({ pid }) => pid));
  for (const row of again) {
    const mark = seen.get(row.pid);
    if (mark?.seen !== true) continue;
    unread.delete(keyOf(row));
    if (mark.value === null) unmarked.add(keyOf(row));
    else if (nonces.has(mark.value)) marks.set(keyOf(row), mark.value);
  }
  const survivors = running.flatMap((row): Survivor[] => {
    const nonce = marks.get(keyOf(row));
    if (nonce === undefined || servesEverybody(row, latest)) return [];
    const fromServer = isBelowServer(row, nonce, marks, latest);
    return [{ nonce, row, command: commandOf(row, latest), fromServer }];
  });
  return {
    survivors: survivors.sort((one, other) => compareAges(one.row, other.row)),
    unread: running.filter((row) => unread.has(keyOf(row)) && mayBeLeft(row, latest)),
    unmarked: running.filter((row) => unmarked.has(keyOf(row))),
  };
};

/** True where it has not ended since and does not serve the whole user. */
export const mayBeLeft = (row: ProcessRow, table: ProcessTable): boolean =>
  !hasEnded(row, table) && !servesEverybody(row, table);

/** The command of a process, for people. */
export const commandOf = (row: ProcessRow, { details }: ProcessTable): string =>
  processNames(row.comm, details.argv(row.pid))[0] ?? row.comm;

const keyOf = ({ pid, startToken }: ProcessRow): string => `${pid} ${startToken}`;

const compareAges = (one: ProcessRow, other: ProcessRow): number =>
  (one.startedAtMs ?? 0) - (other.startedAtMs ?? 0) || one.pid - other.pid;

/** True for services that a command may start for the whole user, such as a tmux server or a key agent. */
const servesEverybody = (row: ProcessRow, { rows, details }: ProcessTable): boolean => {
  if (isStartingPane(row, rows)) return false;
  if (isTmuxServer(row, rows)) return true;
  const argv = details.argv(row.pid);
  const names = processNames(row.comm, argv);
  const role = roleByArguments(names, givenArguments(row.comm, argv)) ?? classifyNames(names, { agents: [] });
  return role?.class === 'infrastructure';
};

const isBelowServer = (
  row: ProcessRow,
  nonce: string,
  marks: ReadonlyMap<string, string>,
  { rows }: ProcessTable,
): boolean => {
  const passed = new Set<number>();
  for (
    let above = rows.get(row.ppid);
    above !== undefined && !passed.has(above.pid);
    above = rows.get(above.ppid)
  ) {
    if (isTmuxServer(above, rows)) return marks.get(keyOf(above)) === nonce;
    passed.add(above.pid);
  }
  return false;
};
