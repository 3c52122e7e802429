/** Finds running tmux servers that were not reached by a socket, among the processes. */
import { isShell } from '../../core/programs/known-programs.ts';
import { relativeTo } from '../../core/town/roles.ts';
import type { TmuxServer } from '../../core/types/evidence.ts';
import { mayWrite } from '../../io/trust.ts';
import { otherNames } from '../processes/linux/other-names.ts';
import type { ProcessTable } from '../processes/row.ts';
import { hasEnded, tmuxServersOf, treeBelow } from '../processes/table.ts';
import { isSameDirectory, townPlaceFinder } from '../town/place.ts';
import { accessTo, numberThere, type ServerHere } from './other-namespaces.ts';
import { belongsTo } from './permission.ts';

/** A running server that was not reached. */
export interface HiddenServer {
  readonly pid: number;
  readonly startToken: string;
  readonly startedAtMs: number | null;
  /** Absolute path by which we reach the socket on which it listens, or `process <pid>`. */
  readonly socket: string;
  /** Prefix for its paths where it is in another mount namespace; otherwise empty. */
  readonly door: string;
  /** Why it cannot even be asked; null where it can. */
  readonly obstacle: string | null;
  /** Whose it is, where that is none of the users whose servers are asked; null: nobody knows. */
  readonly strangersUid?: number | null;
}

export interface Reckoning {
  /** The servers that were asked; failed ones have their PID where the process behind the socket is known. */
  readonly known: readonly TmuxServer[];
  readonly hidden: readonly HiddenServer[];
  /** Those of `known` that answered out of another PID namespace, with their processes here. */
  readonly apart: ReadonlyMap<TmuxServer, ServerHere>;
}

const UNKNOWN_ACCESS = { path: null, door: '', obstacle: 'its socket is not known' };

/**
 * Compares the answers with the tmux server processes of these users, or of everybody. Servers of others than `uids` are told
 * of and must not be asked.
 */
export const findUnreached = (
  asked: readonly TmuxServer[],
  uids: readonly number[],
  table: ProcessTable,
  whose: 'ours' | 'all',
): Reckoning => {
  const reached = new Set(asked.map(({ pid }) => pid));
  const running = tmuxServersOf(whose === 'ours' ? uids : null, table);
  const unreached = running.filter(({ pid }) => !reached.has(pid));
  const known = [...asked];
  const hidden: HiddenServer[] = [];
  const apart = new Map<TmuxServer, ServerHere>();
  for (const { pid, startToken, startedAtMs } of unreached) {
    const uid = table.details.uid(pid);
    const isOurs = uid !== null && uids.includes(uid);
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
        ...{ pid, startToken, startedAtMs, door },
        socket: access.path ?? `process ${pid}`,
        ...(isOurs
          ? { obstacle: taken ?? access.obstacle }
          : { obstacle: `process ${pid} ${belongsTo(uid)}`, strangersUid: uid }),
      });
    }
  }
  return { known, hidden, apart };
};

/**
 * True where everything that a server started provably works outside the town: the processes are listed, show their working
 * directories, and share our view of the file system or have one without the town.
 */
export const worksOutside = async (root: string, server: number, table: ProcessTable): Promise<boolean> =>
  (await whereItWorks(root, server, table)) === 'outside';

/**
 * True where a server of another user than `uids` may have a session that a lock in one of these directories names: what it
 * started works in the town, or hides where it works and either belongs to one of `uids` or could change such a directory. A
 * shell that does nothing in the town counts like one that hides.
 */
export const mayHaveSessions = async (
  { pid, strangersUid = null }: HiddenServer,
  uids: readonly number[],
  { root, directories }: { readonly root: string; readonly directories: readonly string[] },
  table: ProcessTable,
): Promise<boolean> => {
  const place = await whereItWorks(root, pid, table);
  if (place !== 'hidden') return place === 'inside';
  const isOfOurs = (one: number): boolean => uids.includes(table.details.uid(one) ?? -1);
  return (
    strangersUid === null ||
    startedBy(pid, table).some(isOfOurs) ||
    [root, ...directories].some((directory) => mayWrite(directory, strangersUid))
  );
};

/** Where what a server started works, as seen from the town; `hidden` where that is not known of all of it. */
const whereItWorks = async (
  root: string,
  server: number,
  table: ProcessTable,
): Promise<'inside' | 'outside' | 'hidden'> => {
  if (!table.listing.seen || !table.rows.has(server)) return 'hidden';
  const tree = startedBy(server, table);
  const cwds = await table.details.workingDirectories(tree);
  const placeInTown = townPlaceFinder(root, []);
  const { serverAt, mayLead, nameOf } = otherNames([root], table.details);
  const places = tree.map((pid) => {
    const cwd = cwds.get(pid);
    const row = table.rows.get(pid);
    if (cwd?.seen !== true) return row === undefined || hasEnded(row, table) ? 'outside' : 'hidden';
    const inside = isIdleShell(pid, table) ? 'hidden' : 'inside';
    const door = table.details.doorToCwd(pid) ?? cwd.value;
    const isApart = !table.details.sharesOurPaths(pid);
    // Where the town is not mounted the same path is another directory, unless it was entered before.
    const isOurs = !isApart || mayLead(pid) || isSameDirectory(door, cwd.value);
    if (relativeTo(root, cwd.value) !== null) return isOurs ? inside : 'outside';
    if (isApart && mayLead(pid)) {
      const name = nameOf(pid, cwd.value);
      if (name !== null) return name === 'untold' ? 'hidden' : inside;
    }
    if (serverAt(pid, cwd.value) !== null) return 'outside';
    return placeInTown(cwd.value, door) === null ? 'outside' : inside;
  });
  if (places.includes('inside')) return 'inside';
  return places.includes('hidden') ? 'hidden' : 'outside';
};

/** A shell that was given nothing to run: what runs in it is a process of its own. */
const isIdleShell = (pid: number, { rows, details }: ProcessTable): boolean =>
  isShell(rows.get(pid)?.comm ?? '') &&
  details
    .argv(pid)
    .slice(1)
    .every((argument) => /^--?[a-z-]+$/.test(argument) && !/^-[a-z]*[cs]/.test(argument));

/** Everything that lives below a server. */
const startedBy = (server: number, { rows }: ProcessTable): readonly number[] =>
  [...treeBelow(rows, [server])].filter((pid) => pid !== server && rows.get(pid)?.dead !== true);
