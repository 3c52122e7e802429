/** Process evidence: what the numbers in locks stand for, and who works where. Reads only. */
import { isAgentCommand } from '../../core/town/agent-commands.ts';
import { relativeTo } from '../../core/town/roles.ts';
import type {
  Asker,
  GasTownEnvironment,
  Observed,
  PidLookup,
  ProcessEvidence,
  ProcessInfo,
  RegisteredSession,
} from '../../core/types/evidence.ts';
import type { Registrations } from '../registries/registries.ts';
import { withoutInherited } from '../tmux/gas-town-variables.ts';
import type { TownPlaceFinder } from '../town/place.ts';
import { processNames, runsScripts } from './names.ts';
import { lookUpPid } from './pid-lookup.ts';
import { withoutStackTraces } from './proc-files.ts';
import { hasEnded, isTmuxServer, type ProcessRow, type ProcessTable, treeBelow } from './table.ts';

export { type ProcessTable, readProcessTable, workingDirectories } from './table.ts';

export interface ProcessQuestion {
  /** Numbers that locks name, the true holders of records of ours included; whatever stands there. */
  readonly pids: readonly number[];
  /** Processes of tmux panes: each with everything below it belongs to the evidence. */
  readonly panePids: readonly number[];
  /** Agent commands to know besides the built-in ones. */
  readonly agents: readonly string[];
  /** Town root, symlinks resolved. */
  readonly root: string;
  /** The town's name for what goes by another one; default: names are all there is. */
  readonly placeInTown?: TownPlaceFinder;
  readonly asker: Asker;
  /** Asks tools' own registries of live sessions about the processes of a table; default: nobody is asked. */
  readonly askRegistries?: (table: ProcessTable) => Registrations;
}

/**
 * Looks the numbers up and lists the processes that matter: all whose working directory lies in the town, known agents
 * whose working directory is closed to us or whose kernel name says so, the trees below panes, tmux servers, the asker,
 * and every ancestor of these. A table older than one of the panes is read again. Never throws because a process ended.
 */
export const processEvidence = async (
  listed: ProcessTable,
  question: ProcessQuestion,
): Promise<ProcessEvidence> => {
  const { panePids, agents, root, asker } = question;
  const table = panePids.every((pid) => listed.rows.has(pid)) ? listed : await listed.again();
  const running = [...table.rows.values()].filter((row) => !row.dead && !row.isKernelThread);
  const shown = await table.details.workingDirectories(cwdsWorthAsking(running, table, question));
  const cwds = withTownPlaces(shown, table, question);
  const registrations = question.askRegistries?.(table) ?? NO_REGISTRATIONS;
  const sessionsOf = sessionReader(registrations, question);
  const describe = describer(table, cwds, new Set(panePids), sessionsOf);

  const isOfInterest = (row: ProcessRow): boolean => {
    const cwd = cwds.get(row.pid);
    if (sessionsOf(row).some((session) => relativeTo(root, session.cwd) !== null)) return true;
    if (isTmuxServer(row) || (cwd?.seen === true && relativeTo(root, cwd.value) !== null)) return true;
    if (isAgentCommand([row.comm], agents)) return true;
    return cwd?.seen === false && isAgentCommand(processNames(row.comm, table.details.argv(row.pid)), agents);
  };
  const chosen = new Set([
    ...treeBelow(table.rows, panePids),
    ...asker.pids,
    ...running.filter(isOfInterest).map(({ pid }) => pid),
  ]);
  // A set goes on with what is added while it is walked: this climbs to the top.
  for (const pid of chosen) chosen.add(table.rows.get(pid)?.ppid ?? 0);

  const lookups = withoutStackTraces(() => lookUpAll(question.pids, table, describe));
  const list = [...chosen]
    .flatMap((pid) => table.rows.get(pid) ?? [])
    .filter((row) => !row.dead)
    // What ended since the listing hides nothing: agents start short-lived helpers all the time.
    .filter((row) => cwds.get(row.pid)?.seen !== false || !hasEnded(row, table))
    .sort((a, b) => a.pid - b.pid)
    .map(describe);
  return {
    listing: table.listing,
    lookups,
    list,
    ...(registrations.closed.length > 0 ? { closedRegistries: registrations.closed } : {}),
  };
};

type SessionReader = (row: ProcessRow) => readonly RegisteredSession[];

/** The sessions of a process that its tool's registry names, those in the town first and by the town's name for their places. */
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

const NO_REGISTRATIONS: Registrations = { sessionsOf: () => [], closed: [] };

/** Everybody's where a look is cheap (a readlink), else those of agents and of everything below panes. */
const cwdsWorthAsking = (
  running: readonly ProcessRow[],
  { rows, details }: ProcessTable,
  { pids, panePids, agents }: ProcessQuestion,
): readonly number[] => {
  const trees = treeBelow(rows, panePids);
  const recorded = new Set(pids);
  const isWorthIt = ({ pid, comm }: ProcessRow): boolean =>
    details.lookingIsCheap ||
    trees.has(pid) ||
    recorded.has(pid) ||
    isAgentCommand(processNames(comm, details.argv(pid)), agents);
  return running.filter(isWorthIt).map(({ pid }) => pid);
};

/** Agents under a bind mount or in a container of the town's directories work in the town, whatever they call it. */
const withTownPlaces = (
  cwds: ReadonlyMap<number, Observed<string>>,
  { rows, details }: ProcessTable,
  { pids, panePids, agents, root, placeInTown }: ProcessQuestion,
): ReadonlyMap<number, Observed<string>> => {
  if (placeInTown === undefined) return cwds;
  const trees = treeBelow(rows, panePids);
  const recorded = new Set(pids);
  // Most processes stand at `/`, and their kernel names rule out most others: few command lines are read.
  const isAgent = (pid: number): boolean => {
    const comm = rows.get(pid)?.comm ?? '';
    if (isAgentCommand([comm], agents)) return true;
    return runsScripts(comm) && isAgentCommand(processNames(comm, details.argv(pid)), agents);
  };
  const placed = new Map(cwds);
  for (const [pid, cwd] of cwds) {
    if (!cwd.seen || cwd.value === '/' || relativeTo(root, cwd.value) !== null) continue;
    const value =
      trees.has(pid) || recorded.has(pid) || isAgent(pid)
        ? placeInTown(cwd.value, details.doorToCwd(pid) ?? cwd.value)
        : null;
    if (value !== null) placed.set(pid, { seen: true, value });
  }
  return placed;
};

type Describe = (row: ProcessRow) => ProcessInfo;

const describer =
  (
    table: ProcessTable,
    cwds: ReadonlyMap<number, Observed<string>>,
    panes: ReadonlySet<number>,
    sessionsOf: SessionReader,
  ): Describe =>
  (row) => {
    const [registered, ...others] = sessionsOf(row);
    return {
      pid: row.pid,
      ppid: row.ppid,
      uid: table.details.uid(row.pid),
      names: processNames(row.comm, table.details.argv(row.pid)),
      startToken: row.startToken,
      startedAtMs: row.startedAtMs,
      ...(row.inForeground === true ? { inForeground: true } : {}),
      ...(registered === undefined ? {} : { registered }),
      ...(others.length === 0 ? {} : { alsoRegistered: others }),
      cwd: cwds.get(row.pid) ?? null,
      environment: panes.has(row.pid) ? ownEnvironment(row, table) : null,
    };
  };

/** A server that was started inside an agent's shell hands that agent's variables to every pane it ever makes. */
const ownEnvironment = (pane: ProcessRow, { rows, details }: ProcessTable): GasTownEnvironment | null => {
  const environment = details.environment(pane.pid);
  const parent = rows.get(pane.ppid);
  const inherited = parent !== undefined && isTmuxServer(parent) ? details.environment(parent.pid) : null;
  return environment === null || inherited === null ? environment : withoutInherited(environment, inherited);
};

const lookUpAll = (pids: readonly number[], table: ProcessTable, describe: Describe): readonly PidLookup[] =>
  [...new Set(pids)]
    .sort((a, b) => a - b)
    .map((pid) => {
      const { answer, signalable, row, why } = lookUpPid(pid, table);
      if (row === null) return { pid, answer, signalable, process: null, why };
      const process = answer === 'exists' ? withTies(describe(row), row, table) : describe(row);
      return { pid, answer, signalable, process, why };
    });

/** What tells whose process got a recorded number. Kernel threads work for nobody, and hide it. */
const withTies = (process: ProcessInfo, row: ProcessRow, table: ProcessTable): ProcessInfo =>
  row.isKernelThread
    ? { ...process, cwd: { seen: true, value: '/' }, environment: {} }
    : { ...process, environment: process.environment ?? ownEnvironment(row, table) };
