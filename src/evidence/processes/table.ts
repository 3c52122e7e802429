/** Every process of the machine, listed once, and how to learn more about single ones. */
import { groupBy } from '../../core/group-by.ts';
import type { Observed } from '../../core/types/evidence.ts';
import { readProcTable } from './linux/linux.ts';
import type { ProcessRow, ProcessTable } from './row.ts';

/** Lists all processes: one pass over /proc on Linux, one `ps` on macOS. Never throws: what failed is in `listing`. */
export const readProcessTable = async (): Promise<ProcessTable> =>
  process.platform === 'darwin' ? (await import('./macos/macos.ts')).readPsTable() : readProcTable('/proc');

/** All working directories that can be read, each once: `--quick` looks for locks there besides the layout. */
export const workingDirectories = async (table: ProcessTable): Promise<readonly string[]> => {
  const pids = runningIn(table.rows).map(({ pid }) => pid);
  return directoriesIn(await table.details.workingDirectories(pids));
};

/** Without those that have ended, and the kernel's own. */
export const runningIn = (rows: ProcessTable['rows']): readonly ProcessRow[] =>
  [...rows.values()].filter((row) => !row.dead && !row.isKernelThread);

/** Those that could be read, each once. */
export const directoriesIn = (seen: ReadonlyMap<number, Observed<string>>): readonly string[] => [
  ...new Set([...seen.values()].flatMap((cwd) => (cwd.seen ? [cwd.value] : []))),
];

/** Every process below `roots` in the table, these included, in no special order. */
export const treeBelow = (
  rows: ReadonlyMap<number, ProcessRow>,
  roots: readonly number[],
): ReadonlySet<number> => {
  const children = groupBy(rows.values(), ({ ppid }) => ppid);
  const found = new Set<number>();
  const waiting = roots.filter((pid) => rows.has(pid));
  for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
    if (found.has(pid)) continue;
    found.add(pid);
    for (const child of children.get(pid) ?? []) waiting.push(child.pid);
  }
  return found;
};

/** True where the process that the table shows has ended since, whether or not its number is in use again. */
export const hasEnded = (
  { pid, startToken }: Pick<ProcessRow, 'pid' | 'startToken'>,
  { details }: ProcessTable,
): boolean => {
  const now = details.row(pid);
  return now === null || (now !== 'hidden' && (now.dead || now.startToken !== startToken));
};

/** A tmux server by its kernel name; on macOS a `tmux` whose parent is launchd. */
export const isTmuxServer = (row: ProcessRow, rows: ProcessTable['rows']): boolean =>
  !row.dead && (isNamedServer(row) ? !isStartingPane(row, rows) : row.comm === 'tmux' && row.ppid === 1);

/**
 * What tmux and its offshoot tmate call a server: `tmux: server`, by the name under which the program was started. Of a longer
 * name (`tmux-3.5a:`) the second word is left out, for clients as well.
 */
const SERVER_NAME = /^\S*(?:tmux|tmate)\S*:(?: server)?$/;

const hasServerName = (comm: string): boolean =>
  (comm.endsWith(':') || comm.endsWith(': server')) && SERVER_NAME.test(comm);

/** A server is a daemon, and a client has a terminal or is what a script runs. */
const isNamedServer = ({ comm, pid, leader, hasTerminal }: ProcessRow): boolean =>
  hasServerName(comm) && (!comm.endsWith(':') || (leader === pid && hasTerminal === false));

/** The processes that are tmux servers: those of these users, or with null everybody's. */
export const tmuxServersOf = (
  uids: readonly number[] | null,
  { rows, details }: ProcessTable,
): readonly ProcessRow[] =>
  [...rows.values()].filter(
    (row) => isTmuxServer(row, rows) && (uids === null || uids.includes(details.uid(row.pid) ?? -1)),
  );

/** True for a child of a server that still has the server's name and arguments: it will become a pane. */
export const isStartingPane = (row: ProcessRow, rows: ProcessTable['rows']): boolean => {
  if (!hasServerName(row.comm)) return false;
  const parent = rows.get(row.ppid);
  return parent?.comm === row.comm && isNamedServer(parent);
};
