/**
 * tmux servers in other namespaces of this machine: finds the path to them from here, and translates their PIDs and
 * directories into ours. Reads only.
 */
import { statSync } from 'node:fs';
import type { TmuxPane, TmuxServer } from '../../core/types/evidence.ts';
import { realOrSame } from '../../io/disk/real-path.ts';
import type { ProcessTable } from '../processes/row.ts';
import { isSameDirectory } from '../town/place.ts';

/** Where we find the socket of a process. */
export interface Access {
  readonly path: string;
  /** Prefix that makes a path of that process valid here; empty where none is needed. */
  readonly door: string;
  /** Why it cannot be reached; null where it can. */
  readonly obstacle: string | null;
}

/** Finds the way to a socket on which a process listens; `path` is as that process sees it. */
export const accessTo = (path: string, pid: number, { details }: ProcessTable): Access => {
  const here = realOrSame(path);
  if (details.sharesOurPaths(pid)) {
    const removed = `its socket was removed (kill -USR1 ${pid} makes it again)`;
    return { path: here, door: '', obstacle: isSocket(here) ? null : removed };
  }
  const door = details.doorToRoot(pid);
  const identity = door === null ? null : socketIdentity(`${door}${path}`);
  if (door === null || identity === null)
    return { path, door: '', obstacle: 'its socket is in another mount namespace: permission denied' };
  // The file system of the socket may be the same in both.
  if (identity !== 'none' && identity === socketIdentity(here)) return { path: here, door, obstacle: null };
  const obstacle = identity === 'none' ? 'its socket was removed from another mount namespace' : null;
  return { path: `${door}${path}`, door, obstacle };
};

const isSocket = (path: string): boolean => socketIdentity(path) !== 'none';

/** Device and inode of a socket, `none` where it is not a socket; null where we may not look, and the client will say so. */
const socketIdentity = (path: string): string | null => {
  try {
    const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stats?.isSocket() ? `${stats.dev}:${stats.ino}` : 'none';
  } catch {
    return null;
  }
};

/** The number that a process has in its own PID namespace. */
export const numberThere = (pid: number, { details }: ProcessTable): number =>
  details.numbers(pid).at(-1) ?? pid;

/** A server's process as seen from here, and the prefix of its paths. */
export interface ServerHere {
  readonly pid: number;
  readonly door: string;
}

/**
 * The answer of that server with our numbers and our paths instead of its own. A pane without a process here has the
 * number 0.
 */
export const asSeenFromHere = async (
  server: TmuxServer,
  { pid, door }: ServerHere,
  table: ProcessTable,
  otherTownOf: (path: string) => string | null,
): Promise<TmuxServer> => {
  const seen = door === '' ? server.panes : server.panes.map((pane) => withOurPath(pane, door, otherTownOf));
  if (server.pid === pid) return { ...server, panes: seen };
  const before = childrenOf(pid, table);
  // Panes may be younger than the table.
  const known = seen.every((pane) => pane.dead || before.has(pane.pid));
  const ours = known ? before : childrenOf(pid, await table.again());
  return { ...server, pid, panes: seen.map((pane) => ({ ...pane, pid: ours.get(pane.pid) ?? 0 })) };
};

/** A directory with another path here gets the prefixed path, from which the town's own name for it can be found. */
const withOurPath = (
  pane: TmuxPane,
  door: string,
  otherTownOf: (path: string) => string | null,
): TmuxPane => {
  const path = pane.path === null ? null : `${door}${pane.path}`;
  if (path === null || isSameDirectory(path, pane.path ?? '')) return pane;
  return { ...pane, path, otherTown: otherTownOf(path) };
};

/** The children's PIDs there → their PIDs here: every pane's process is a child of the server. */
const childrenOf = (parent: number, table: ProcessTable): ReadonlyMap<number, number> =>
  new Map(
    [...table.rows.values()]
      .filter(({ ppid }) => ppid === parent)
      .map(({ pid }) => [numberThere(pid, table), pid]),
  );
