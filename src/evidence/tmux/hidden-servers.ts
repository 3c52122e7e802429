/** tmux servers that run and were not reached by their sockets: found among the processes. */
import { realpathSync, statSync } from 'node:fs';
import { relativeTo } from '../../core/town/roles.ts';
import type { TmuxServer } from '../../core/types/evidence.ts';
import { hasEnded, isTmuxServer, type ProcessRow, type ProcessTable, treeBelow } from '../processes/table.ts';
import { townPlaceFinder } from '../town/place.ts';

/** A running server that was not reached. */
export interface HiddenServer {
  readonly pid: number;
  readonly startToken: string;
  /** Absolute path on which it listens, or `process <pid>`. */
  readonly socket: string;
  /** Why it cannot even be asked; null where it can. */
  readonly obstacle: string | null;
}

export interface Reckoning {
  /** What was asked, the failed ones with their pid where the process behind the socket is known. */
  readonly known: readonly TmuxServer[];
  readonly hidden: readonly HiddenServer[];
}

/** Holds the answers against the tmux server processes of these users. */
export const findUnreached = (
  asked: readonly TmuxServer[],
  uids: readonly number[],
  table: ProcessTable,
): Reckoning => {
  const reached = new Set(asked.map(({ pid }) => pid));
  const isOurs = ({ pid }: ProcessRow): boolean => uids.includes(table.details.uid(pid) ?? -1);
  const unreached = [...table.rows.values()].filter(
    (row) => isTmuxServer(row) && !reached.has(row.pid) && isOurs(row),
  );
  const known = [...asked];
  const hidden: HiddenServer[] = [];
  for (const { pid, startToken } of unreached) {
    const socket = table.details.listeningSockets(pid).map(canonical)[0] ?? null;
    const place = known.findIndex((server) => server.socket === socket);
    const before = known[place];
    if (before?.status === 'failed') known[place] = { ...before, pid };
    else
      hidden.push({
        ...{ pid, startToken },
        socket: socket ?? `process ${pid}`,
        obstacle: obstacleTo(socket, pid, before),
      });
  }
  return { known, hidden };
};

const obstacleTo = (socket: string | null, pid: number, before: TmuxServer | undefined): string | null => {
  if (socket === null) return 'its socket is not known';
  if (before?.status === 'ok') return `another server (process ${before.pid}) took its socket's place`;
  return isSocket(socket) ? null : `its socket was removed (kill -USR1 ${pid} makes it again)`;
};

/**
 * True where everything that a server started demonstrably works outside the town: processes are listed, share our view
 * of the file system, and show their working directories.
 */
export const worksOutside = async (root: string, server: number, table: ProcessTable): Promise<boolean> => {
  if (!table.listing.seen || !table.rows.has(server)) return false;
  const tree = [...treeBelow(table.rows, [server])].filter(
    (pid) => pid !== server && !table.rows.get(pid)?.dead,
  );
  const cwds = await table.details.workingDirectories(tree);
  const placeInTown = townPlaceFinder(root, []);
  return tree.every((pid) => {
    const cwd = cwds.get(pid);
    const row = table.rows.get(pid);
    if (cwd?.seen !== true) return row === undefined || hasEnded(row, table);
    if (relativeTo(root, cwd.value) !== null || !table.details.sharesOurPaths(pid)) return false;
    return placeInTown(cwd.value, table.details.doorToCwd(pid) ?? cwd.value) === null;
  });
};

const canonical = (path: string): string => {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
};

const isSocket = (path: string): boolean => {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isSocket() === true;
  } catch {
    // Behind a closed directory: the client will say so.
    return true;
  }
};
