/** Occupants: agents seen at work in a worker's directory, whether or not a lock names them. */
import { isAgentCommand } from '../town/agent-commands.ts';
import { isWithin, ownerOf, relativeTo } from '../town/roles.ts';
import {
  homeOf,
  lineage,
  type PaneView,
  panesAround,
  sessionGroupOf,
  sessionSays,
  type TownIndex,
  type WorkerView,
} from '../town/town-index.ts';
import type { LockFile, ProcessInfo } from '../types/evidence.ts';
import type { Fact, Occupant } from '../types/judgement.ts';

export interface OccupantFinding {
  readonly occupants: readonly Occupant[];
  /** False where agents could be at work unseen; `why` says what was missing. */
  readonly known: boolean;
  /** The same without tmux: processes alone left no doubt. */
  readonly processesKnown: boolean;
  readonly facts: readonly Fact[];
}

const occupantFact = (text: string): Fact => ({ source: 'occupants', text });

/**
 * True where somebody at `path` is at this worker's place, and not at that of a worker further down. An agent's place is
 * the whole of it: its lock may lie in `polecats/<n>/<rig>` while it works in `polecats/<n>`.
 */
export const isAtPlaceOf = (path: string, worker: WorkerView, index: TownIndex): boolean => {
  if (!isWithin(path, worker.owner?.canonical ? worker.owner.dir : worker.worker)) return false;
  if (worker.owner !== null) {
    const owner = ownerOf(path);
    return owner !== null && (owner.role === worker.owner.role || worker.roles.includes(owner.role));
  }
  const home = homeOf(path, index);
  return home === null || isWithin(worker.worker, home);
};

const isPaneOccupant = (view: PaneView, worker: WorkerView, index: TownIndex): boolean => {
  if (view.pane.dead || view.asking || view.idle) return false;
  if (worker.owner !== null && sessionSays(view, worker) === 'mine') return true;
  return view.agent !== null && view.path !== null && isAtPlaceOf(view.path, worker, index);
};

const describePane = (view: PaneView, worker: WorkerView): Occupant => {
  const { pane, server } = view;
  const command = view.agent ?? pane.command;
  return {
    key: view.key,
    group: sessionGroupOf(view),
    pid: pane.pid,
    command,
    pane: { socket: server.socket, id: pane.id, sessionName: pane.sessionName },
    isAgent: view.agent !== null,
    visiting: sessionSays(view, worker) === 'other',
    text: `${command} is at work in pane ${pane.id} of session ${pane.sessionName}`,
  };
};

interface AgentProcess {
  readonly process: ProcessInfo;
  readonly pids: readonly number[];
  /** Where the asker's pane and the agents that it descends from work, if they started this one; null: somewhere unknown. */
  readonly startedFrom: readonly (string | null)[];
  /** Its working directory relative to the town; null outside it, or hidden. */
  readonly path: string | null;
}

const pathInTown = (path: string | null, index: TownIndex): readonly (string | null)[] => {
  if (path === null) return [null];
  const inside = relativeTo(index.snapshot.town.root, path);
  return inside === null ? [] : [inside];
};

const placesOfAskers = (
  pids: readonly number[],
  index: TownIndex,
  askers: ReadonlySet<number>,
): readonly (string | null)[] =>
  pids.flatMap((pid, depth) => {
    const pane = index.paneByPid.get(pid);
    const fromPane = pane?.asking === true ? pathInTown(pane.pane.path, index) : [];
    const process = index.processes.get(pid);
    const isAgent = isAgentCommand(process?.names ?? [], index.snapshot.town.agents);
    if (depth === 0 || !isAgent || !askers.has(pid)) return fromPane;
    return [...fromPane, ...pathInTown(process?.cwd?.seen === true ? process.cwd.value : null, index)];
  });

/** The asker's agent and what it started beside itself are nobody; what it started at another worker is life there. */
const isAskersOwn = ({ startedFrom }: AgentProcess, worker: WorkerView, index: TownIndex): boolean =>
  startedFrom.some((path) => path === null || isAtPlaceOf(path, worker, index));

const describeProcess = ({ process, pids }: AgentProcess, worker: WorkerView, index: TownIndex): Occupant => {
  const pane = pids.map((pid) => index.paneByPid.get(pid)).find((view) => view !== undefined);
  if (pane !== undefined) return describePane(pane, worker);
  const { agents } = index.snapshot.town;
  const top =
    pids.filter((pid) => isAgentCommand(index.processes.get(pid)?.names ?? [], agents)).at(-1) ?? process.pid;
  const command = process.names[0] ?? 'agent';
  return {
    key: `process:${top}`,
    group: `process:${top}`,
    pid: process.pid,
    command,
    pane: null,
    isAgent: true,
    visiting: false,
    text: `${command} (process ${process.pid}) is at work in this directory outside tmux`,
  };
};

const listingDoubt = (lock: LockFile | null, index: TownIndex): string | null => {
  const { listing } = index.snapshot.processes;
  if (!listing.seen) return `processes could not be listed: ${listing.why}`;
  const mine = lock === null || lock.uid === index.snapshot.host.uid;
  return listing.value === 'all' || mine ? null : "other users' processes are hidden here";
};

const cwdDoubt = (
  hiding: readonly AgentProcess[],
  lock: LockFile | null,
  index: TownIndex,
): string | null => {
  const hidden = hiding.find(
    ({ process: { uid } }) => uid === null || uid === index.snapshot.host.uid || uid === lock?.uid,
  );
  return hidden === undefined
    ? null
    : `${hidden.process.names[0] ?? 'an agent'} (process ${hidden.process.pid}) hides its working directory`;
};

/** Agents whose working directory cannot be seen: they could be at work anywhere. */
const isHiding = ({ process, startedFrom }: AgentProcess): boolean =>
  process.cwd?.seen === false && startedFrom.length === 0;

/** Agents by command, with their lineage, those that ask left out. */
const listAgents = (index: TownIndex): readonly AgentProcess[] => {
  const { agents } = index.snapshot.town;
  const askers = new Set(index.snapshot.asker.pids);
  return index.snapshot.processes.list
    .filter((process) => isAgentCommand(process.names, agents) && !askers.has(process.pid))
    .map((process) => {
      const pids = [...lineage(process.pid, index)];
      const path =
        process.cwd?.seen === true ? relativeTo(index.snapshot.town.root, process.cwd.value) : null;
      return { process, pids, startedFrom: placesOfAskers(pids, index, askers), path };
    });
};

const NOBODY_FOR_CERTAIN: OccupantFinding = { occupants: [], known: true, processesKnown: true, facts: [] };

export type OccupantReader = (
  worker: WorkerView,
  lock: LockFile | null,
  /** A live recorded process: it and its descendants are the lock's own, not occupants. */
  ownPid: number | null,
) => OccupantFinding;

/** Prepares to look for occupants of many workers in one snapshot. */
export const occupantReader = (index: TownIndex): OccupantReader => {
  const agents = listAgents(index);
  const hiding = agents.filter(isHiding);
  const inTown = agents.filter(
    (agent): agent is AgentProcess & { readonly path: string } => agent.path !== null,
  );
  const tmuxDoubt = index.tmuxAnswered ? null : 'tmux was not reached';
  return (worker, lock, ownPid) => {
    const around = panesAround(worker, index);
    const panes = around
      .filter((view) => isPaneOccupant(view, worker, index))
      .map((view) => describePane(view, worker));
    const processes = inTown
      .filter(
        (agent) =>
          isAtPlaceOf(agent.path, worker, index) &&
          !isAskersOwn(agent, worker, index) &&
          (ownPid === null || !agent.pids.includes(ownPid)),
      )
      .map((agent) => describeProcess(agent, worker, index));
    const processDoubts = [listingDoubt(lock, index), cwdDoubt(hiding, lock, index)];
    const doubts = [...processDoubts, tmuxDoubt].filter((why) => why !== null);
    // Most of many locks are as lonely as this.
    if (around.length + processes.length + doubts.length === 0) return NOBODY_FOR_CERTAIN;
    const occupants = [
      ...new Map([...panes, ...processes].map((occupant) => [occupant.key, occupant])).values(),
    ];
    const idle = around.filter((view) => view.idle && !view.asking && sessionSays(view, worker) === 'mine');
    return {
      occupants,
      known: doubts.length === 0,
      processesKnown: processDoubts.every((why) => why === null),
      facts: [
        ...occupants.map(({ text }) => occupantFact(text)),
        ...idle.map(({ pane }) =>
          occupantFact(`pane ${pane.id} of session ${pane.sessionName} shows only ${pane.command}`),
        ),
        ...(occupants.length === 0
          ? doubts.map((why) => occupantFact(`agents could be at work unseen: ${why}`))
          : []),
      ],
    };
  };
};
