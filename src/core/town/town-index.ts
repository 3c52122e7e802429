/** One snapshot, arranged for judging: panes with what they say of themselves, processes as trees, locks by content. */

import { groupBy } from '../group-by.ts';
import { classifyNames, namesIn, type Vocabulary } from '../programs/by-name.ts';
import { agentNameOf, type Classifier, classifier, programOf } from '../programs/classify.ts';
import type {
  Asker,
  LockFile,
  PidLookup,
  ProcessInfo,
  Snapshot,
  TmuxPane,
  TmuxServer,
} from '../types/evidence.ts';
import type { Stranger } from '../types/judgement.ts';
import { claimsWorker } from './claims-worker.ts';
import {
  fitsSomePrefix,
  isWithin,
  type Owner,
  ownerOf,
  relativeTo,
  rolesOf,
  rolesOfEnvironment,
  sessionNamesOf,
} from './roles.ts';
import { isUnreached } from './unreached.ts';

/** A worker's directory and the agents that may rightfully work in it. */
export interface WorkerView {
  readonly worker: string;
  readonly owner: Owner | null;
  /** Empty where the directory is no agent's place. */
  readonly roles: readonly string[];
}

/** A pane and everything that it, its session and its processes say about whose it is. */
export interface PaneView {
  readonly key: string;
  readonly server: TmuxServer;
  readonly pane: TmuxPane;
  /** `other`: it plainly belongs to another town. */
  readonly town: 'ours' | 'other' | 'unsaid';
  /** Current path relative to the town; null outside it or unknown. */
  readonly path: string | null;
  readonly environmentRoles: readonly string[];
  /** Those of them that have a place in this town as we see it; a GT_ROLE may be relative to a town around ours. */
  readonly placedRoles: readonly string[];
  /** Roles whose session this could be by its name; several where the name fits several rigs. */
  readonly nameRoles: readonly string[];
  /** Its process's environment was read (always true where the system does not show it): its silence means something. */
  readonly environmentKnown: boolean;
  /** A known agent command in its process tree, or the foreground command itself. */
  readonly agent: string | null;
  /** What runs in its foreground and nobody knows: a script around an agent, or one that is new. */
  readonly stranger: Omit<Stranger, 'text'> | null;
  /** Neither an agent nor a stranger: nothing but a shell, an editor, a pager or a dev server. */
  readonly idle: boolean;
  /** The asking process runs in it. */
  readonly asking: boolean;
}

export interface TownIndex {
  readonly snapshot: Snapshot;
  readonly panes: readonly PaneView[];
  /** Keys of servers that show at least one pane of this town, or that are this town's by name or by request. */
  readonly townServers: ReadonlySet<TmuxServer>;
  readonly processes: ReadonlyMap<number, ProcessInfo>;
  /** What each of them counts as. */
  readonly classify: Classifier;
  readonly lookups: ReadonlyMap<number, PidLookup>;
  readonly paneByPid: ReadonlyMap<number, PaneView>;
  /** `%N` → panes of that number, on whatever server; likewise `$N`, and session names. */
  readonly panesById: ReadonlyMap<string, readonly PaneView[]>;
  readonly panesBySession: ReadonlyMap<string, readonly PaneView[]>;
  readonly panesByName: ReadonlyMap<string, readonly PaneView[]>;
  /** Role → panes that name it, or lie in its place. */
  readonly panesByRole: ReadonlyMap<string, readonly PaneView[]>;
  /** The view of any worker of the town, made once. */
  readonly viewOf: (worker: string) => WorkerView;
  /** Places of claims, and working trees: whoever works below one of them, and not below a deeper one, works there. */
  readonly homes: ReadonlySet<string>;
  /** Places of claims and every directory above them. */
  readonly aboveLocks: ReadonlySet<string>;
  /** Claims with equal bytes. */
  readonly locksByDigest: ReadonlyMap<string, readonly LockFile[]>;
  readonly tmuxAnswered: boolean;
  /** The claims whose holder has that number. */
  readonly locksNaming: (pid: number) => readonly LockFile[];
}

/** Panes of one session, or of one group of sessions, share it. */
export const sessionGroupOf = ({ server, pane }: PaneView): string =>
  `${server.socket}:${pane.sessionGroup === null ? pane.sessionId : `group:${pane.sessionGroup}`}`;

const workerViewer = ({ town: { rigs } }: Snapshot): TownIndex['viewOf'] => {
  const known = new Map<string, WorkerView>();
  return (worker) => {
    const before = known.get(worker);
    if (before !== undefined) return before;
    const owner = ownerOf(worker);
    const view = { worker, owner, roles: owner === null ? NOBODY : rolesOf(owner, rigs) };
    known.set(worker, view);
    return view;
  };
};

const NOBODY: readonly string[] = [];

/** The roles of the agents that this town is known to have. */
const rolesInTown = (
  { town: { workers }, asked, locks }: Snapshot,
  viewOf: TownIndex['viewOf'],
): ReadonlySet<string> => {
  const roles = new Set<string>();
  const add = (worker: string): void => {
    for (const role of viewOf(worker).roles) roles.add(role);
  };
  workers.forEach(add);
  asked.forEach(add);
  for (const lock of locks) if (claimsWorker(lock)) add(lock.worker);
  return roles;
};

/** Finds the roles a session name fits, among these. */
const nameReader = (
  { town: { rigs } }: Snapshot,
  roles: ReadonlySet<string>,
): ((name: string) => readonly string[]) => {
  const prefixes = new Map(rigs.map((rig) => [rig.name, rig.prefix]));
  const knownPrefixes = new Set(rigs.map((rig) => rig.prefix));
  const prefixOf = (role: string): string | null => prefixes.get(role.split('/')[0] ?? '') ?? null;
  // Without panes nobody asks.
  let similarTo: ((name: string) => readonly string[]) | null = null;
  const seen = new Map<string, readonly string[]>();
  return (name) => {
    const before = seen.get(name);
    if (before !== undefined) return before;
    similarTo ??= similarRoles(roles);
    const similar = similarTo(name);
    const exact = similar.filter((role) => sessionNamesOf(role, prefixOf(role)).includes(name));
    const prefixIsTaken = knownPrefixes.has(name.split('-')[0] ?? '');
    const loose = prefixIsTaken
      ? []
      : similar.filter((role) => prefixOf(role) === null && fitsSomePrefix(name, role));
    const found = [...new Set([...exact, ...loose])];
    seen.set(name, found);
    return found;
  };
};

/**
 * Finds the roles that end like a session name, the only ones that it can fit: every session name of a role ends in a hyphen
 * and the role's last word or, where an agent's name follows, the kind of its place.
 */
const similarRoles = (roles: ReadonlySet<string>): ((name: string) => readonly string[]) => {
  const byLastWord = groupBy(roles, lastWordOf);
  const byKind = groupBy(roles, kindOfPlace);
  return (name) => {
    const endings = [...name.matchAll(/-/g)].map(({ index }) => name.slice(index + 1));
    const similar = endings.flatMap((ending) => [
      ...(byLastWord.get(ending) ?? []),
      ...(byKind.get(ending) ?? []),
    ]);
    return [...new Set(similar)];
  };
};

const lastWordOf = (role: string): string => {
  const [first = '', place = '', name = ''] = role.split('/');
  return name || place || first;
};

const kindOfPlace = (role: string): string | null => {
  const [, place = '', name = ''] = role.split('/');
  return name === '' || place === 'crew' || place === 'polecats' ? null : place;
};

/** True where a path outside this town ends in, or passes through, the place of that role: the same layout elsewhere. */
const isPlaceElsewhere = (path: string, role: string): boolean =>
  path.endsWith(`/${role}`) || path.includes(`/${role}/`);

/**
 * A town around ours (somebody asks about one of its rigs) is no other town, and on the server that bears this town's
 * name a path alone says nothing: agents look into other places.
 */
const townOf = (
  pane: TmuxPane,
  { origin }: TmuxServer,
  { town: { root, aliases } }: Snapshot,
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

const descendantsReader = (snapshot: Snapshot): ((pid: number) => readonly ProcessInfo[]) => {
  const children = groupBy(snapshot.processes.list, (process) => process.ppid);
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
const findTownServers = (snapshot: Snapshot, panes: readonly PaneView[]): ReadonlySet<TmuxServer> => {
  const byName = snapshot.tmux.servers.filter(
    (server) => server.origin === 'flag' || server.origin === 'town',
  );
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

/** These directories and all above them: `a/b/c`, `a/b`, `a`. */
const withAncestors = (paths: Iterable<string>): ReadonlySet<string> => {
  const found = new Set<string>();
  for (const path of paths)
    for (let place = path; place !== '' && !found.has(place); ) {
      found.add(place);
      place = place.slice(0, Math.max(0, place.lastIndexOf('/')));
    }
  return found;
};

const byRole = (panes: readonly PaneView[]): ReadonlyMap<string, readonly PaneView[]> => {
  const found = new Map<string, Set<PaneView>>();
  for (const view of panes) {
    const place = view.path === null ? null : ownerOf(view.path);
    const roles = [...view.environmentRoles, ...view.nameRoles, ...(place === null ? [] : [place.role])];
    for (const role of roles) found.set(role, (found.get(role) ?? new Set()).add(view));
  }
  return new Map([...found].map(([role, views]) => [role, [...views]]));
};

/** The panes that may have to do with a worker: all that could pass any question about whose they are. */
export const panesAround = (worker: WorkerView, index: TownIndex): readonly PaneView[] => {
  if (worker.owner === null) return index.panes;
  if (worker.roles.length === 1) return index.panesByRole.get(worker.owner.role) ?? NO_PANES;
  const [first = [], ...others] = [...new Set([worker.owner.role, ...worker.roles])].map(
    (role) => index.panesByRole.get(role) ?? [],
  );
  return others.every((views) => views.length === 0) ? first : [...new Set([first, ...others].flat())];
};

const NO_PANES: readonly PaneView[] = [];

/**
 * Every tmux server that could show a pane of this town answered. tmux need not be installed where nothing of it runs: all
 * processes are listed, no server is among them, and no socket waits for one.
 */
export const hasTmuxAnswered = ({ tmux, processes: { listing } }: Snapshot): boolean =>
  tmux.enumerated &&
  (tmux.installed || (listing.seen && listing.value === 'all')) &&
  !tmux.servers.some(isUnreached);

/**
 * Who works in a pane. The name that tmux shows counts beside the processes, for they were read before: it may be that of
 * somebody who started since. It says nothing where it is the name of a process that is plainly nobody. A leading `-`
 * marks a login shell.
 */
const workersIn = (
  { command }: TmuxPane,
  tree: readonly ProcessInfo[],
  classify: Classifier,
  vocabulary: Vocabulary,
): Pick<PaneView, 'agent' | 'stranger' | 'idle'> => {
  const agents = tree.filter((process) => classify(process).class === 'agent');
  const agent = agents.find(({ registered }) => registered !== undefined) ?? agents[0];
  if (agent !== undefined) return { agent: agentNameOf(agent), stranger: null, idle: false };
  const isNobody = (process: ProcessInfo): boolean => classify(process).class !== 'unknown';
  const shown = tree.some((process) => process.names.includes(command) && isNobody(process))
    ? 'bystander'
    : classifyNames([command.replace(/^-/, '')], vocabulary)?.class;
  if (shown === 'agent') return { agent: command, stranger: null, idle: false };
  const unknown = tree.find((process) => process.inForeground === true && !isNobody(process));
  const stranger =
    unknown !== undefined
      ? { program: programOf(unknown), pid: unknown.pid }
      : shown === undefined
        ? { program: command, pid: null }
        : null;
  return { agent: null, stranger, idle: stranger === null };
};

/** Locks by the numbers that they name; arranged when it is first asked, which most runs never do. */
const lockFinder = (locks: readonly LockFile[]): TownIndex['locksNaming'] => {
  let byPid: ReadonlyMap<number, readonly LockFile[]> | null = null;
  const pidOf = ({ content, companion }: LockFile): number | null =>
    content.kind === 'record' ? (content.record.holder ?? companion ?? content.record).pid : null;
  return (pid) => {
    byPid ??= groupBy(locks, pidOf);
    return byPid.get(pid) ?? NO_LOCKS;
  };
};

const NO_LOCKS: readonly LockFile[] = [];

/** Arranges a snapshot for judging. Linear in its size. */
export const indexSnapshot = (snapshot: Snapshot): TownIndex => {
  const processes = new Map(snapshot.processes.list.map((process) => [process.pid, process]));
  const descendantsOf = descendantsReader(snapshot);
  const viewOf = workerViewer(snapshot);
  const knownRoles = rolesInTown(snapshot, viewOf);
  const rolesOfName = nameReader(snapshot, knownRoles);
  const askers = new Set(snapshot.asker.pids);
  const { agents, bystanders = [], root } = snapshot.town;
  const classify = classifier(processes, snapshot.town);

  const viewPane = (server: TmuxServer, pane: TmuxPane): PaneView => {
    const own = processes.get(pane.pid);
    const tree = [...(own === undefined ? [] : [own]), ...descendantsOf(pane.pid)];
    const vocabulary = { agents: [...agents, ...namesIn(own?.environment?.GT_PROCESS_NAMES)], bystanders };
    const environments = [pane.environment, own?.environment ?? {}];
    const environmentRoles = [...new Set(environments.flatMap(rolesOfEnvironment))];
    const nameRoles = rolesOfName(pane.sessionName);
    const town = townOf(pane, server, snapshot, [...environmentRoles, ...nameRoles]);
    return {
      key: `pane:${server.socket}:${pane.id}`,
      server,
      pane,
      town,
      path: pane.path === null ? null : relativeTo(root, pane.path),
      environmentRoles,
      placedRoles: environmentRoles.filter((role) => knownRoles.has(role)),
      nameRoles,
      environmentKnown: snapshot.host.platform !== 'linux' || (own?.environment ?? null) !== null,
      ...workersIn(pane, tree, classify, vocabulary),
      asking: askers.has(pane.pid) || isNamedBy(snapshot.asker.pane, server, pane),
    };
  };

  const answered = snapshot.tmux.servers.filter((server) => server.status === 'ok');
  const panes = answered.flatMap((server) => server.panes.map((pane) => viewPane(server, pane)));
  const claims = snapshot.locks.filter(claimsWorker);
  const lockWorkers = new Set(claims.map((lock) => lock.worker));
  const { trees = [] } = snapshot.town;
  return {
    snapshot,
    panes,
    townServers: findTownServers(snapshot, panes),
    processes,
    classify,
    lookups: new Map(snapshot.processes.lookups.map((lookup) => [lookup.pid, lookup])),
    paneByPid: new Map(panes.filter((view) => !view.pane.dead).map((view) => [view.pane.pid, view])),
    panesById: groupBy(panes, ({ pane }) => pane.id),
    panesBySession: groupBy(panes, ({ pane }) => pane.sessionId),
    panesByName: groupBy(panes, ({ pane }) => pane.sessionName),
    panesByRole: byRole(panes),
    viewOf,
    homes: trees.length === 0 ? lockWorkers : new Set([...lockWorkers, ...trees]),
    aboveLocks: withAncestors(lockWorkers),
    locksByDigest: groupBy(claims, (lock) =>
      lock.content.kind === 'record' ? (lock.stamp?.sha256 ?? null) : null,
    ),
    tmuxAnswered: hasTmuxAnswered(snapshot),
    locksNaming: lockFinder(claims),
  };
};

/** Outside Gas Towns a directory called `witness` is just that, unless a lock says otherwise. */
const isAgentsPlace = ({ dir }: Owner, { snapshot, aboveLocks }: TownIndex): boolean =>
  snapshot.town.marked || aboveLocks.has(dir);

/** The worker in whose place a path lies: its agent's directory, else the deepest of `homes` that it lies in. */
export const homeOf = (path: string, index: TownIndex): string | null => {
  const owner = ownerOf(path);
  if (owner !== null && isAgentsPlace(owner, index)) return owner.dir;
  for (let place = path; ; place = place.slice(0, place.lastIndexOf('/'))) {
    if (index.homes.has(place)) return place;
    if (!place.includes('/')) return index.homes.has('.') ? '.' : null;
  }
};

/** Walks from a process towards its ancestors, itself first. */
export function* lineage(pid: number, index: TownIndex): Generator<number> {
  const visited = new Set<number>();
  for (let next = pid; next > 0 && !visited.has(next); next = index.processes.get(next)?.ppid ?? 0) {
    visited.add(next);
    yield next;
  }
}

export type Belonging = 'mine' | 'other' | 'unsaid';

/** Whose something is that names these roles; `unsaid` where it names none. */
export const rolesSay = (roles: readonly string[], worker: WorkerView): Belonging => {
  if (roles.length === 0) return 'unsaid';
  if (worker.owner === null) {
    // A lock at a place of no agent (the town root, a rig) may be any agent's that works below it.
    return roles.some((role) => isWithin(role, worker.worker)) || worker.worker === '.' ? 'unsaid' : 'other';
  }
  return roles.some((role) => worker.roles.includes(role)) ? 'mine' : 'other';
};

const nameSays = (view: PaneView, worker: WorkerView): Belonging => {
  const verdict = rolesSay(view.nameRoles, worker);
  if (verdict !== 'mine' || view.nameRoles.length === 1 || view.path === null) return verdict;
  // The name fits several rigs: the place decides, and where it does not, the doubt is the worker's.
  const place = ownerOf(view.path);
  return place !== null && !worker.roles.includes(place.role) && view.nameRoles.includes(place.role)
    ? 'other'
    : 'mine';
};

/** Whose pane it is by what its session says: environment first, name second; a contradiction says nothing. */
export const sessionSays = (view: PaneView, worker: WorkerView): Belonging => {
  if (view.town === 'other') return 'other';
  const environment = rolesSay(worker.owner === null ? view.placedRoles : view.environmentRoles, worker);
  const name = nameSays(view, worker);
  if (environment === 'unsaid') return name === 'other' && !view.environmentKnown ? 'unsaid' : name;
  return environment === 'other' && name === 'mine' ? 'unsaid' : environment;
};

/** True where the pane is plainly somebody else's (contract, section 9): its session says so, or it idles in another's place. */
export const isPlainlyAnothers = (view: PaneView, worker: WorkerView, index: TownIndex): boolean => {
  const said = sessionSays(view, worker);
  if (said !== 'unsaid') return said === 'other';
  if (view.agent !== null || view.path === null || !view.environmentKnown) return false;
  const home = homeOf(view.path, index);
  const mine = homeOf(worker.worker, index) ?? worker.worker;
  return home !== null && home !== mine && !isWithin(home, worker.worker) && !isWithin(worker.worker, home);
};
