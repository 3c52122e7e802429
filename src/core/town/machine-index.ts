/**
 * What one machine showed, arranged for judging: panes with what they say of themselves, and processes as trees. Each machine
 * has an index of its own. Pure.
 */
import { groupBy } from '../group-by.ts';
import { classifyNames, namesIn, type Vocabulary } from '../programs/by-name.ts';
import { agentNameOf, type Classifier, classifier, programOf } from '../programs/classify.ts';
import type {
  Asker,
  MachineEvidence,
  ProcessEvidence,
  ProcessInfo,
  TmuxPane,
  TmuxServer,
  TownFacts,
} from '../types/evidence.ts';
import { isWithin, ownerOf, relativeTo, rolesOfEnvironment } from './roles.ts';
import { nameReader } from './session-names.ts';
import { isUnreached } from './unreached.ts';
import { type MachineIndex, type PaneView, paneKey, sessionGroupKey, type TownIndex } from './views.ts';

/** True where a path outside this town ends in, or passes through, the place of that role: the same layout elsewhere. */
const isPlaceElsewhere = (path: string, role: string): boolean =>
  path.endsWith(`/${role}`) || path.includes(`/${role}/`);

/**
 * A town around ours (the question is about one of its rigs) does not count as another town, and on the server that has this
 * town's name a path alone says nothing: agents visit other places.
 */
const townOf = (
  pane: TmuxPane,
  { origin }: TmuxServer,
  { root, aliases }: TownFacts,
  claimed: readonly string[],
): PaneView['town'] => {
  const isAroundUs = (place: string): boolean => relativeTo(place, root) !== null;
  const { path, otherTown } = pane;
  if (path !== null && relativeTo(root, path) !== null) return 'ours';
  const named = [pane.environment.GT_TOWN_ROOT, pane.environment.GT_ROOT].filter(
    (value) => value !== undefined,
  );
  if (named.some((value) => value === root || aliases.includes(value))) return 'ours';
  if (named.length > 0) return named.some(isAroundUs) ? 'unsaid' : 'other';
  if (origin === 'town') return 'unsaid';
  if (otherTown !== null && !isAroundUs(otherTown)) return 'other';
  return path !== null && claimed.some((role) => isPlaceElsewhere(path, role)) ? 'other' : 'unsaid';
};

/** All that run below a process, each once, in no special order; a damaged list may be a ring. */
export const descendantsReader = ({ list }: ProcessEvidence): ((pid: number) => readonly ProcessInfo[]) => {
  const children = groupBy(list, (process) => process.ppid);
  return (pid) => {
    const found: ProcessInfo[] = [];
    const waiting = [pid];
    const visited = new Set(waiting);
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      for (const child of children.get(next) ?? []) {
        if (visited.has(child.pid)) continue;
        visited.add(child.pid);
        found.push(child);
        waiting.push(child.pid);
      }
    }
    return found;
  };
};

/** Servers whose panes can be this town's: asked for by name, or showing a pane that says so. */
const findTownServers = (
  { tmux: { servers } }: MachineEvidence,
  panes: readonly PaneView[],
): ReadonlySet<TmuxServer> => {
  const byName = servers.filter((server) => server.origin === 'flag' || server.origin === 'town');
  const byPane = panes
    .filter(
      (view) =>
        view.town === 'ours' ||
        (view.path === null && view.pane.path === null && !view.pane.dead) ||
        (view.town === 'unsaid' && view.nameRoles.length + view.environmentRoles.length > 0),
    )
    .map((view) => view.server);
  return new Set([...byName, ...byPane]);
};

const isNamedBy = (named: Asker['pane'], server: TmuxServer, pane: TmuxPane): boolean =>
  named !== null &&
  named.id === pane.id &&
  named.socket === server.socket &&
  (named.serverPid === undefined || named.serverPid === server.pid);

const byRole = (panes: readonly PaneView[]): ReadonlyMap<string, readonly PaneView[]> => {
  const found = new Map<string, Set<PaneView>>();
  for (const view of panes) {
    const place = view.path === null ? null : ownerOf(view.path);
    const roles = [...view.environmentRoles, ...view.nameRoles, ...(place === null ? [] : [place.role])];
    for (const role of roles) found.set(role, (found.get(role) ?? new Set()).add(view));
  }
  return new Map([...found].map(([role, views]) => [role, [...views]]));
};

/**
 * True where every tmux server that could show a pane of this town answered. Where tmux is not installed that is true as well,
 * if all processes are listed, no server is among them, and there is no socket of one.
 */
export const hasTmuxAnswered = ({ tmux, processes: { listing } }: MachineEvidence): boolean =>
  tmux.enumerated &&
  (tmux.installed || (listing.seen && listing.value === 'all')) &&
  !tmux.servers.some(isUnreached);

/** Its working directory, or where it was started if it hides that; null where neither is known. */
export const directoryOf = ({ cwd, startedIn }: ProcessInfo): string | null =>
  cwd?.seen === true ? cwd.value : (startedIn ?? null);

/** The places where a process works, relative to the town; null for each one that is hidden or lies outside. */
const placesIn = (root: string, process: ProcessInfo): readonly (string | null)[] => {
  const { sentTo, registered } = process;
  return [
    relativeTo(root, sentTo ?? directoryOf(process) ?? ''),
    ...(registered === undefined ? [] : [relativeTo(root, registered.cwd)]),
  ];
};

/**
 * Where the processes in a pane work, if all of them show the same place in the town. Otherwise the directory that tmux tells:
 * that is the one of the foreground's leader, which may have sent them elsewhere.
 */
const pathOf = ({ path }: TmuxPane, root: string, workers: readonly ProcessInfo[]): string | null => {
  const places = workers.flatMap((process) => placesIn(root, process));
  const isAround = (place: string | null): boolean =>
    place !== null && places.every((other) => other !== null && isWithin(other, place));
  return places.find(isAround) ?? (path === null ? null : relativeTo(root, path));
};

/**
 * Who works in a pane, and where. The name that tmux shows counts besides the processes: they were read earlier, and a program
 * may have started since. It is ignored where it is the name of a process that does not count. A leading `-` marks a login
 * shell.
 */
const workIn = (
  pane: TmuxPane,
  tree: readonly ProcessInfo[],
  root: string,
  classify: Classifier,
  vocabulary: Vocabulary,
): Pick<PaneView, 'agent' | 'stranger' | 'idle' | 'path'> => {
  const { command } = pane;
  const agents = tree.filter((process) => classify(process).class === 'agent');
  const path = pathOf(pane, root, agents);
  const agent =
    agents.find(({ registered }) => registered !== undefined) ??
    agents.find((process) => placesIn(root, process).includes(path)) ??
    agents[0];
  if (agent !== undefined) return { agent: agentNameOf(agent), stranger: null, idle: false, path };
  const isNobody = (process: ProcessInfo): boolean => classify(process).class !== 'unknown';
  const shown = tree.some((process) => process.names.includes(command) && isNobody(process))
    ? 'bystander'
    : classifyNames([command.replace(/^-/, '')], vocabulary)?.class;
  if (shown === 'agent') return { agent: command, stranger: null, idle: false, path };
  const unknown = tree.find((process) => process.inForeground === true && !isNobody(process));
  if (unknown !== undefined) {
    const stranger = { program: programOf(unknown), pid: unknown.pid };
    return { agent: null, stranger, idle: false, path: pathOf(pane, root, [unknown]) };
  }
  const stranger = shown === undefined ? { program: command, pid: null } : null;
  return { agent: null, stranger, idle: stranger === null, path };
};

/** Walks from a process towards its ancestors, itself first. */
export function* lineage(pid: number, index: TownIndex): Generator<number> {
  const visited = new Set<number>();
  for (let next = pid; next > 0 && !visited.has(next); next = index.machine.processes.get(next)?.ppid ?? 0) {
    visited.add(next);
    yield next;
  }
}

/** True where a process is the other one, or was started below it. */
export const isFrom = (pid: number, other: number, index: TownIndex): boolean =>
  [...lineage(pid, index)].includes(other);

/** The pane of the first of these processes that is a pane's own. */
export const paneOf = (pids: readonly number[], { machine }: TownIndex): PaneView | undefined =>
  pids.map((pid) => machine.paneByPid.get(pid)).find((view) => view !== undefined);

/**
 * Arranges what a machine showed of a town. Linear in its size.
 *
 * @param knownRoles roles of the agents that the town is known to have
 * @param key the machine's key, unique among machines
 * @param isSamePlace whether two directories are at the place of the same worker; default: only where they are the same
 */
export const indexMachine = (
  seen: MachineEvidence,
  town: TownFacts,
  knownRoles: ReadonlySet<string>,
  key: string,
  isSamePlace?: Parameters<typeof classifier>[2],
): MachineIndex => {
  const { host, asker, tmux } = seen;
  const processes = new Map(seen.processes.list.map((process) => [process.pid, process]));
  const descendantsOf = descendantsReader(seen.processes);
  const rolesOfName = nameReader(town, knownRoles);
  const askers = new Set(asker.pids);
  const isCutOff = asker.isCutOff === true || host.initialPidNamespace !== true;
  const { agents, bystanders = [], root } = town;
  const classify = classifier(processes, town, isSamePlace);

  /** @param shown the same pane in every session to which its window is linked */
  const viewPane = (server: TmuxServer, pane: TmuxPane, shown: readonly TmuxPane[]): PaneView => {
    const own = processes.get(pane.pid);
    const tree = [...(own === undefined ? [] : [own]), ...descendantsOf(pane.pid)];
    const vocabulary = { agents: [...agents, ...namesIn(own?.environment?.GT_PROCESS_NAMES)], bystanders };
    const ownRoles = rolesOfEnvironment(own?.environment ?? {});
    const ofSessions = shown.flatMap(({ environment }) => rolesOfEnvironment(environment));
    // Of a window in several sessions, only its process's own variables tell to which it belongs.
    const isSaid = shown.length > 1 && ownRoles.length > 0;
    const environmentRoles = [...new Set(isSaid ? ownRoles : [...ofSessions, ...ownRoles])];
    const nameRoles = [...new Set(shown.flatMap(({ sessionName }) => rolesOfName(sessionName)))];
    const place = townOf(pane, server, town, [...environmentRoles, ...nameRoles]);
    return {
      key: paneKey(key, server.socket, pane.id),
      group: sessionGroupKey(key, server.socket, pane),
      server,
      pane,
      town: place,
      environmentRoles,
      placedRoles: environmentRoles.filter((role) => knownRoles.has(role)),
      nameRoles,
      environmentKnown: host.platform !== 'linux' || (own?.environment ?? null) !== null,
      ...workIn(pane, tree, root, classify, vocabulary),
      asking: askers.has(pane.pid),
      mayAsk: isCutOff && !askers.has(pane.pid) && isNamedBy(asker.pane, server, pane),
    };
  };

  const answered = tmux.servers.filter((server) => server.status === 'ok');
  const panes = answered.flatMap((server) => {
    const shown = groupBy(server.panes, ({ id }) => id);
    return server.panes.map((pane) => viewPane(server, pane, shown.get(pane.id) ?? [pane]));
  });
  const open = panes.filter((view) => !view.pane.dead);
  /** Of several sessions that show a window, the one whose agent's place it shows. */
  const isAtHome = ({ nameRoles, path, pane }: PaneView): boolean => {
    const place = nameRoles.length < 2 || path === null ? null : ownerOf(path);
    return place !== null && rolesOfName(pane.sessionName).includes(place.role);
  };
  return {
    key,
    seen,
    panes,
    townServers: findTownServers(seen, panes),
    processes,
    classify,
    lookups: new Map(seen.processes.lookups.map((lookup) => [lookup.pid, lookup])),
    paneByPid: new Map([...open, ...open.filter(isAtHome)].map((view) => [view.pane.pid, view])),
    panesById: groupBy(panes, ({ pane }) => pane.id),
    panesBySession: groupBy(panes, ({ pane }) => pane.sessionId),
    panesByName: groupBy(panes, ({ pane }) => pane.sessionName),
    panesByRole: byRole(panes),
    tmuxAnswered: hasTmuxAnswered(seen),
  };
};
