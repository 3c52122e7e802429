/** Finds running tmux servers that were not reached by a socket, among the processes. */
import { relativeTo } from '../../core/town/roles.ts';
import type { TmuxServer } from '../../core/types/evidence.ts';
import type { ProcessRow, ProcessTable } from '../processes/row.ts';
import { hasEnded, isTmuxServer, treeBelow } from '../processes/table.ts';
import { townPlaceFinder } from '../town/place.ts';
import { accessTo, numberThere, type ServerHere } from './other-namespaces.ts';

/** A running server that was not reached. */
export interface HiddenServer {
  readonly pid: number;
  readonly startToken: string;
  /** Absolute path by which we reach the socket on which it listens, or `process <pid>`. */
  readonly socket: string;
  /** Prefix for its paths where it is in another mount namespace; otherwise empty. */
  readonly door: string;
  /** Why it cannot even be asked; null where it can. */
  readonly obstacle: string | null;
}

export interface Reckoning {
  /** The servers that were asked; failed ones have their PID where the process behind the socket is known. */
  readonly known: readonly TmuxServer[];
  readonly hidden: readonly HiddenServer[];
  /** Those of `known` that answered out of another PID namespace, with their processes here. */
  readonly apart: ReadonlyMap<TmuxServer, ServerHere>;
}

const UNKNOWN_ACCESS = { path: null, door: '', obstacle: 'its socket is not known' };

/** Compares the answers with the tmux server processes of these users. */
export const findUnreached = (
  asked: readonly TmuxServer[],
  uids: readonly number[],
  table: ProcessTable,
): Reckoning => {
  const reached = new Set(asked.map(({ pid }) => pid));
  const isOurs = ({ pid }: ProcessRow): boolean => uids.includes(table.details.uid(pid) ?? -1);
  const unreached = [...table.rows.values()].filter(
    (row) => isTmuxServer(row, table.rows) && !reached.has(row.pid) && isOurs(row),
  );
  const known = [...asked];
  const hidden: HiddenServer[] = [];
  const apart = new Map<TmuxServer, ServerHere>();
  for (const { pid, startToken } of unreached) {
    const [listening] = table.details.listeningSockets(pid);
    const access = listening === undefined ? UNKNOWN_ACCESS : accessTo(listening, pid, table);
    const place = known.findIndex((server) => server.socket === access.path);
    const before = known[place];
    const { door } = access;
    if (before?.status === 'failed') known[place] = { ...before, pid };
    else if (before?.status === 'ok' && before.pid === numberThere(pid, table))
      apart.set(before, { pid, door });
    else {
      const taken =
        before?.status === 'ok' ? `another server (process ${before.pid}) took its socket's place` : null;
      hidden.push({
        ...{ pid, startToken, door },
        socket: access.path ?? `process ${pid}`,
        obstacle: taken ?? access.obstacle,
      });
    }
  }
  return { known, hidden, apart };
};

/**
 * True where everything that a server started provably works outside the town: the processes are listed, share our view
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
