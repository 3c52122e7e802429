/** Process evidence: which processes the PIDs in locks are, and who works where. Reads only. */
import { isAgentCommand } from '../../core/programs/by-name.ts';
import { relativeTo } from '../../core/town/roles.ts';
import type {
  ContainerEvidence,
  Observed,
  PidLookup,
  ProcessEvidence,
  ProcessInfo,
  RegisteredSession,
} from '../../core/types/evidence.ts';
import type { Registrations } from '../registries/registries.ts';
import { unreadPids } from '../registries/registry.ts';
import { askTheUnknown, type Describe, describer, ownEnvironment, type SessionReader } from './describe.ts';
import { type Container, findContainers } from './linux/containers.ts';
import { withoutStackTraces } from './linux/proc-files.ts';
import { lookUpPid } from './pid-lookup.ts';
import { cwdsWorthAsking, startReader, withTownPlaces } from './places.ts';
import { processNames, runsScripts } from './process-names.ts';
import type { ProcessQuestion } from './question.ts';
import type { ProcessRow, ProcessTable } from './row.ts';
import { shellCodeOf } from './shell-code.ts';
import { directoriesIn, hasEnded, isTmuxServer, runningIn, treeBelow } from './table.ts';

export { takenElsewhere } from './linux/containers.ts';
export type { ProcessTable } from './row.ts';
export { readProcessTable, workingDirectories } from './table.ts';

const NO_REGISTRATIONS: Registrations = { sessionsOf: () => [], closed: [] };

/**
 * Looks the numbers up and lists the processes that matter: all whose working directory lies in the town, known agents
 * whose working directory may not be read or whose kernel name says so, those whose own record was not read, the trees below panes, tmux servers, the asker,
 * and every ancestor of these. A table older than one of the panes is read again. Never throws because a process ended.
 */
export const processEvidence = async (
  listed: ProcessTable,
  question: ProcessQuestion,
): Promise<ProcessEvidence> => {
  const { panePids, agents, root, asker } = question;
  const table = panePids.every((pid) => listed.rows.has(pid)) ? listed : await listed.again();
  const running = runningIn(table.rows);
  const shown = await table.details.workingDirectories(cwdsWorthAsking(running, table, question));
  question.onDirectories?.(directoriesIn(shown));
  const containers = withoutStackTraces(() => findContainers(question.elsewhere ?? [], root, table));
  // Processes in a container know the town by other paths.
  const named = containers.flatMap(({ numbers }) => [...numbers.values()].filter((pid) => pid !== null));
  const recorded = [...question.pids, ...named];
  const cwds = withTownPlaces(shown, table, { ...question, pids: recorded });
  const registrations = (await question.askRegistries?.(table)) ?? NO_REGISTRATIONS;
  const sessionsOf = sessionReader(registrations, question);
  const startOf = startReader(cwds, table, question);
  const describe = describer(table, cwds, question, sessionsOf, startOf);

  const unread = unreadPids(registrations.closed);
  const isOfInterest = (row: ProcessRow): boolean => {
    const cwd = cwds.get(row.pid);
    if (unread.has(row.pid)) return true;
    if (sessionsOf(row).some((session) => relativeTo(root, session.cwd) !== null)) return true;
    if (isTmuxServer(row, table.rows) || (cwd?.seen === true && relativeTo(root, cwd.value) !== null))
      return true;
    if (isAgentCommand([row.comm], agents)) return true;
    if (cwd?.seen !== false) return false;
    if (isAgentCommand(processNames(row.comm, table.details.argv(row.pid)), agents)) return true;
    const start = startOf(row);
    return (
      start !== null && relativeTo(root, start) !== null && table.details.uid(row.pid) === process.getuid?.()
    );
  };
  const chosen = new Set([
    ...treeBelow(table.rows, panePids),
    ...asker.pids,
    ...running.filter(isOfInterest).map(({ pid }) => pid),
  ]);
  // A shell counts by what it has started, wherever that works.
  const children = childrenOfShells(chosen, table);
  for (const pid of [...children.values()].flat()) chosen.add(pid);
  // Iterating a set includes entries that are added meanwhile, so this climbs up to the top.
  for (const pid of chosen) chosen.add(table.rows.get(pid)?.ppid ?? 0);

  const lookups = withoutStackTraces(() => {
    const inside = numbersInside(question.ofSomePlace ?? [], running, table);
    return lookUpAll(question.pids, table, describe).map((lookup) => {
      const pids = inside.get(lookup.pid);
      return pids === undefined ? lookup : { ...lookup, inside: pids };
    });
  });
  const alive = [...chosen].flatMap((pid) => table.rows.get(pid) ?? []).filter((row) => !row.dead);
  const vague = await untilSettled(alive, cwds, children, table);
  // Processes that have ended since the listing raise no doubt: agents start short-lived helpers all the time.
  const asItIsNow = (row: ProcessRow): readonly ProcessRow[] => {
    const isSure = cwds.get(row.pid)?.seen !== false && !vague.has(row.pid);
    const now = isSure ? row : table.details.row(row.pid);
    if (now === 'hidden') return [row];
    return now?.startToken === row.startToken && !now.dead ? [now] : [];
  };
  const list = alive
    .flatMap(asItIsNow)
    .map(describe)
    .concat(unlistedIn(table, cwds, question))
    .sort((a, b) => a.pid - b.pid);
  return {
    listing: table.listing,
    lookups,
    list: askTheUnknown(list, table, question),
    ...(registrations.closed.length > 0 ? { closedRegistries: registrations.closed } : {}),
    ...(containers.length > 0
      ? { containers: containers.map((container) => lookInside(container, table, describe)) }
      : {}),
  };
};

/** The processes that were started by those of these that are shells with commands without a loop: shell → its children. */
const childrenOfShells = (
  pids: ReadonlySet<number>,
  { rows, details }: ProcessTable,
): ReadonlyMap<number, readonly number[]> => {
  const shells = [...pids].flatMap((pid) => rows.get(pid) ?? []);
  const children = new Map(
    shells
      .filter((row) => !row.dead && shellCodeOf(row, { rows, details }) === 'commands')
      .map(({ pid }): [number, number[]] => [pid, []]),
  );
  if (children.size > 0)
    for (const { pid, ppid, dead } of rows.values()) if (!dead) children.get(ppid)?.push(pid);
  return children;
};

/** Our own processes that are not listed and that a process in the town started. Nothing else is known of them. */
const unlistedIn = (
  { unlisted = [] }: ProcessTable,
  cwds: ReadonlyMap<number, Observed<string>>,
  { root, asker }: ProcessQuestion,
): ProcessInfo[] =>
  unlisted.flatMap(({ pid, ppid }): ProcessInfo[] => {
    const cwd = cwds.get(ppid);
    if (cwd?.seen !== true || relativeTo(root, cwd.value) === null || asker.pids.includes(pid)) return [];
    return [
      {
        ...{ pid, ppid, uid: process.getuid?.() ?? null, names: [], startToken: null, startedAtMs: null },
        ...{ startedIn: cwd.value, cwd: { seen: false, why: 'it is not listed' }, environment: null },
      },
    ];
  });

/** Ending, and starting another program, take microseconds, unless the machine is busy. */
const PAUSES_MS = [1, 2, 4, 8, 16];

/** A fork that is older will stay what it is, as a part of a shell does. */
const YOUNG_MS = 10_000;

/**
 * Waits a moment for processes that show nothing of themselves: they are ending, as a refused rival of `exec` does, or start
 * another program, as the child of a doctor does, and a shell whose commands run nothing just then. A young fork still shows its
 * parent: the next program of a shell, or of a tmux server, may be an agent. What has ended raises no doubt.
 * Answers with those that it waited for.
 */
const untilSettled = async (
  rows: readonly ProcessRow[],
  cwds: ReadonlyMap<number, Observed<string>>,
  childrenOf: ReadonlyMap<number, readonly number[]>,
  table: ProcessTable,
): Promise<ReadonlySet<number>> => {
  const { details } = table;
  if (!details.lookingIsCheap) return new Set();
  const isVague = ({ comm, pid, ppid, startedAtMs }: ProcessRow): boolean => {
    const cwd = cwds.get(pid);
    return (
      // A directory that may not be read stays unread. One that is not there belongs to a process that is ending.
      (cwd?.seen === false && cwd.why === 'ENOENT') ||
      childrenOf.get(pid)?.length === 0 ||
      (runsScripts(comm) && details.argv(pid).join('') === '') ||
      (Date.now() - (startedAtMs ?? 0) < YOUNG_MS && details.isForkOf(pid, ppid))
    );
  };
  const vague = rows.filter(isVague);
  let waiting = vague;
  for (const pauseMs of PAUSES_MS) {
    waiting = waiting.filter((row) => isVague(row) && !hasEnded(row, table));
    if (waiting.length === 0) break;
    // `node:timers/promises` would be loaded by every start, and few wait.
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return new Set(vague.map(({ pid }) => pid));
};

/** Looks up the PIDs of a container's locks. Certain only where all processes are listed and one is meant. */
const lookInside = (
  { hostname, owner, pidNamespace, numbers, pids }: Container,
  table: ProcessTable,
  describe: Describe,
): ContainerEvidence => ({
  ...{ hostname, owner, pidNamespace },
  lookups: pids.map((pid): PidLookup => {
    const here = numbers.get(pid);
    if (here != null) return { ...lookUp(here, table, describe), pid };
    const isListed = table.listing.seen && table.listing.value === 'all';
    const hidden = isListed ? null : "other users' processes are hidden here";
    const why = here === null ? `several containers of this machine may be ${hostname}` : hidden;
    return { pid, answer: why === null ? 'absent' : 'unknown', signalable: false, process: null, why };
  }),
});

/** The sessions that a tool's registry names for a process: those in the town first, with the town's names for their places. */
const sessionReader =
  (registrations: Registrations, { root, placeInTown }: ProcessQuestion): SessionReader =>
  (row) => {
    const sessions = registrations.sessionsOf(row);
    if (sessions.length === 0) return sessions;
    const placed = sessions.map((session) => ({
      ...session,
      cwd: placeInTown?.(session.cwd, session.cwd) ?? session.cwd,
    }));
    const isInTown = ({ cwd }: RegisteredSession): boolean => relativeTo(root, cwd) !== null;
    return [...placed.filter(isInTown), ...placed.filter((session) => !isInTown(session))];
  };

/** For each of these numbers the processes that have it in a deeper PID namespace than ours, such as a container's. */
const numbersInside = (
  pids: readonly number[],
  running: readonly ProcessRow[],
  { details }: ProcessTable,
): ReadonlyMap<number, readonly number[]> => {
  const found = new Map<number, number[]>();
  if (pids.length === 0) return found;
  const wanted = new Set(pids);
  for (const { pid } of running)
    for (const number of new Set(details.numbers(pid).slice(1)))
      if (wanted.has(number)) found.set(number, [...(found.get(number) ?? []), pid]);
  return found;
};

const lookUpAll = (pids: readonly number[], table: ProcessTable, describe: Describe): readonly PidLookup[] =>
  [...new Set(pids)].sort((a, b) => a - b).map((pid) => lookUp(pid, table, describe));

const lookUp = (pid: number, table: ProcessTable, describe: Describe): PidLookup => {
  const { answer, signalable, row, why } = lookUpPid(pid, table);
  if (row === null) return { pid, answer, signalable, process: null, why };
  if (answer !== 'exists') return { pid, answer, signalable, process: describe(row), why };
  const startToken = table.details.recordedStart(row);
  const process = withTies({ ...describe(row), startToken }, row, table);
  return { pid, answer, signalable, process, why };
};

/** Adds what tells to whom a process with a recorded PID belongs. Kernel threads belong to nobody, and hide their directory. */
const withTies = (process: ProcessInfo, row: ProcessRow, table: ProcessTable): ProcessInfo => {
  const isOfSystem = row.isKernelThread || (row.pid === 1 && isFirstNamespace(table));
  const known = isOfSystem ? { ...process, isOfSystem } : process;
  return row.isKernelThread
    ? { ...known, cwd: { seen: true, value: '/' }, environment: {} }
    : { ...known, environment: process.environment ?? ownEnvironment(row, table) };
};

/** Only there process 1 is the machine's: in a container it may be an agent. Kernel threads are seen only there. */
const isFirstNamespace = ({ rows }: ProcessTable): boolean => rows.get(2)?.isKernelThread === true;
