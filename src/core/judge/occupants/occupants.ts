/** Occupants: agents seen at work in a worker's directory, whether or not a lock names them. */
import { isPossiblePid } from '../../pid.ts';
import { canBeTaught } from '../../programs/by-name.ts';
import { agentNameOf, programOf } from '../../programs/classify.ts';
import { panesAround, sessionSays } from '../../town/belonging.ts';
import { paneOf } from '../../town/machine-index.ts';
import { isWithin, relativeTo } from '../../town/roles.ts';
import { whyUnlisted, whyUnreached } from '../../town/unreached.ts';
import { type PaneView, paneName, processKey, type TownIndex, type WorkerView } from '../../town/views.ts';
import type { LockFile } from '../../types/evidence.ts';
import type { Fact, Occupant, Stranger } from '../../types/judgement.ts';
import {
  type AtWork,
  isAtPlaceOf,
  isHidden,
  listAtWork,
  mayWorkAt,
  worksAt,
  worksWithin,
} from './at-work.ts';
import { bystanderReader } from './bystanders.ts';
import { closedRegistryReader } from './closed-registries.ts';
import { programAt, strangerReader } from './strangers.ts';

export interface OccupantFinding {
  readonly occupants: readonly Occupant[];
  /** False where agents may be running unseen; `why` says what was missing. */
  readonly known: boolean;
  /** What was missing, a sentence each, the plainest first; empty where `known`, or where an agent was seen anyway. */
  readonly doubts: readonly string[];
  /** What could not be looked at, a sentence fragment each, whether or not somebody was seen anyway. */
  readonly unseen: readonly string[];
  /** Unknown programs; not looked for beside an occupant. */
  readonly strangers: readonly Stranger[];
  readonly facts: readonly Fact[];
}

const occupantFact = (text: string): Fact => ({ source: 'occupants', text });

/** True where an agent that the asker does not descend from works in the asker's pane: another job of its shell. */
const isShared = ({ pane }: PaneView, agents: readonly AtWork[]): boolean =>
  agents.some(({ pids, startedFrom }) => startedFrom.length === 0 && pids.includes(pane.pid));

const isPaneOccupant = (
  view: PaneView,
  worker: WorkerView,
  index: TownIndex,
  agents: readonly AtWork[],
): boolean => {
  if (view.pane.dead || view.idle || view.mayAsk) return false;
  if (view.asking && !isShared(view, agents)) return false;
  return isAround(view, worker, index);
};

const isAround = (view: PaneView, worker: WorkerView, index: TownIndex): boolean => {
  if (worker.owner !== null && sessionSays(view, worker) === 'mine') return true;
  return view.agent !== null && view.path !== null && isAtPlaceOf(view.path, worker, index);
};

const describePane = (
  view: PaneView,
  worker: WorkerView,
  index: TownIndex,
  command = view.agent ?? view.pane.command,
): Occupant => {
  const { pane, path } = view;
  const isElsewhere = view.agent !== null && path !== null && !isAtPlaceOf(path, worker, index);
  return {
    key: view.key,
    group: view.group,
    pid: pane.pid,
    command,
    pane: paneName(view),
    isAgent: view.agent !== null,
    visiting: sessionSays(view, worker) === 'other',
    text: `${command} is running in pane ${pane.id} of session ${pane.sessionName}${isElsewhere ? `, and works in ${path}` : ''}`,
  };
};

const describeProcess = ({ process, pids }: AtWork, worker: WorkerView, index: TownIndex): Occupant => {
  const pane = paneOf(pids, index);
  // In the asker's pane another agent may run as well: the one that asks.
  if (pane !== undefined)
    return describePane(pane, worker, index, pane.asking ? agentNameOf(process) : undefined);
  const isAgent = (pid: number): boolean => {
    const above = index.machine.processes.get(pid);
    return above !== undefined && index.machine.classify(above).class === 'agent';
  };
  const top = pids.filter(isAgent).at(-1) ?? process.pid;
  const command = agentNameOf(process);
  const key = processKey(index.machine.key, top);
  return {
    key,
    group: key,
    pid: process.pid,
    command,
    pane: null,
    isAgent: true,
    visiting: false,
    text: `${command} (process ${process.pid}) ${isHidden(process) ? 'was started in this directory and hides where it works' : 'is running in this directory'}, outside tmux`,
  };
};

export const AGENTS_UNSEEN = 'agents may be running unseen';

/** The sentence that tells what could not be looked at. */
export const describeUnseen = (why: string): string => `${AGENTS_UNSEEN}: ${why}`;

/**
 * True if the lock names no PID that we can look up. In a container the number of any other lock is looked up,
 * or the lock is undecided.
 */
const namesNobody = ({ content }: LockFile): boolean =>
  content.kind === 'invalid' ||
  (content.kind === 'record' && content.record.holder === null && !isPossiblePid(content.record.pid));

/**
 * In a sandbox, agents outside may work in the same directories, so seeing nobody proves nothing. In a container that is an
 * exception, and such an agent usually has a lock: only a lock that may be anybody's is in doubt for it.
 */
const outsideDoubt = (lock: LockFile | null, index: TownIndex): string | null => {
  const { unseenOutside } = index.machine.seen.host;
  if (unseenOutside === undefined) return null;
  const isHidden = unseenOutside === 'sandbox' || (lock !== null && namesNobody(lock));
  return isHidden
    ? `processes outside of this ${unseenOutside} cannot be seen, so run doctor outside of it`
    : null;
};

const listingDoubt = (lock: LockFile | null, index: TownIndex): string | null => {
  const { listing } = index.machine.seen.processes;
  if (!listing.seen) return whyUnlisted(listing);
  const outside = outsideDoubt(lock, index);
  if (outside !== null) return outside;
  const mine = lock === null || lock.uid === index.machine.seen.host.uid;
  return listing.value === 'all' || mine ? null : "other users' processes are hidden here";
};

/** Nobody can tell whether an agent in that pane is the asker: its ancestors could not all be read. */
const paneDoubt = (around: readonly PaneView[], worker: WorkerView, index: TownIndex): string | null => {
  const view = around.find(
    (each) => each.mayAsk && !each.idle && !each.pane.dead && isAround(each, worker, index),
  );
  return view === undefined
    ? null
    : `TMUX_PANE names pane ${view.pane.id}, and it could not be checked whether this command runs in it`;
};

/** An agent that was started from here, as by sudo: the nearest process above it that shows its place works here. */
const isStartedAt = ({ process, pids }: AtWork, worker: WorkerView, index: TownIndex): boolean => {
  if (index.machine.classify(process).class !== 'agent') return false;
  const shown = pids.slice(1).flatMap((pid) => {
    const cwd = index.machine.processes.get(pid)?.cwd;
    return cwd?.seen === true ? [cwd.value] : [];
  });
  const path = shown[0] === undefined ? null : relativeTo(index.snapshot.town.root, shown[0]);
  return path !== null && isAtPlaceOf(path, worker, index);
};

/** A stranger's agent that hides where it works is no reason to leave the locks of a whole machine in doubt. */
const cwdDoubt = (
  hiding: readonly AtWork[],
  worker: WorkerView,
  lock: LockFile | null,
  index: TownIndex,
): string | null => {
  const hidden = hiding.find(
    (one) => mayWorkAt(one.process, worker, lock, index) || isStartedAt(one, worker, index),
  );
  if (hidden === undefined) return null;
  const { process } = hidden;
  const { pid, uid } = process;
  const asker = index.machine.seen.host.uid;
  const isAgent = index.machine.classify(process).class === 'agent';
  const said = programAt(isAgent ? (process.names[0] ?? 'an agent') : programOf(process), pid);
  if (uid !== null && uid !== asker) return `${said} of user ${uid} hides its working directory`;
  const remedies = [
    'end it',
    ...(isAgent || !canBeTaught(programOf(process))
      ? []
      : ['name it under "bystanders" in lock-doctor.json']),
    ...(asker === 0 ? [] : ['run doctor as root']),
  ];
  return `${said} hides its working directory: ${remedies.join(', or ')}`;
};

/** True for a process of which nobody tells where it works: it could be anywhere. */
const isHiding = ({ process, startedFrom }: AtWork): boolean =>
  process.cwd?.seen === false &&
  process.startedIn === undefined &&
  process.registered === undefined &&
  process.sentTo === undefined &&
  startedFrom.length === 0;

/** Process 1 came with the machine or the container: that a sandbox hides its directory raises no doubt. */
const isNotInit = ({ process }: AtWork): boolean => process.pid !== 1;

/**
 * Somebody who works in another repository or working tree inside of this one is no occupant of it, but works in the directory
 * that the lock of a worktree guards as a whole.
 */
const innerDoubt = ({ process, paths }: AtWork, { worker }: WorkerView): string => {
  const where = paths.find((path) => isWithin(path, worker)) ?? worker;
  return `${programAt(programOf(process), process.pid)} is running in ${where}, a repository inside of this one`;
};

/** The finding where nobody works, or where occupants do not matter. */
export const NOBODY_FOR_CERTAIN: OccupantFinding = {
  occupants: [],
  known: true,
  doubts: [],
  unseen: [],
  strangers: [],
  facts: [],
};

export type OccupantReader = (
  worker: WorkerView,
  lock: LockFile | null,
  /** A live recorded process: it and its descendants are the lock's own, not occupants. */
  ownPid: number | null,
) => OccupantFinding;

const NONE: readonly never[] = [];

/** Prepares to look for occupants of many workers in one snapshot. */
export const occupantReader = (index: TownIndex): OccupantReader => {
  const agents = listAtWork('agent', index);
  const all = [...agents, ...listAtWork('unknown', index).filter(isNotInit)];
  const hiding = all.filter(isHiding);
  const inTown = agents.filter(({ paths }) => paths.length > 0);
  const allInTown = all.filter(({ paths }) => paths.length > 0);
  const readStrangers = strangerReader(index);
  const readBystanders = bystanderReader(index);
  const readClosed = closedRegistryReader(index);
  const { tmuxAnswered, seen } = index.machine;
  const tmuxDoubt = tmuxAnswered ? null : whyUnreached(seen.tmux);
  return (worker, lock, ownPid) => {
    const around = panesAround(worker, index);
    // Lists are made only where there is something to list: nobody works at most of thousands of locks.
    const panes: readonly Occupant[] =
      around.length === 0
        ? NONE
        : around
            .filter((view) => isPaneOccupant(view, worker, index, agents))
            .map((view) => describePane(view, worker, index));
    const processes: readonly Occupant[] =
      inTown.length === 0
        ? NONE
        : inTown
            .filter((agent) => worksAt(agent, worker, ownPid, index))
            .map((agent) => describeProcess(agent, worker, index));
    const listing = listingDoubt(lock, index);
    const hidden = cwdDoubt(hiding, worker, lock, index);
    const closed = readClosed(worker, lock);
    const named = around.length === 0 ? null : paneDoubt(around, worker, index);
    const unseen: readonly string[] =
      (listing ?? hidden ?? closed ?? named ?? tmuxDoubt) === null
        ? NONE
        : [listing, hidden, closed, named, tmuxDoubt].filter((why) => why !== null);
    const strangers = panes.length + processes.length > 0 ? NONE : readStrangers(worker, ownPid);
    const idle =
      around.length === 0
        ? NONE
        : around.filter((view) => view.idle && !view.asking && sessionSays(view, worker) === 'mine');
    const bystanders = panes.length + processes.length > 0 ? null : readBystanders(worker, idle);
    const within =
      lock?.tree === undefined || panes.length + processes.length + strangers.length > 0
        ? undefined
        : allInTown.find((one) => worksWithin(one, worker, ownPid, index));
    const inner: readonly string[] = within === undefined ? NONE : [innerDoubt(within, worker)];
    const isSeen = around.length + processes.length + unseen.length + strangers.length + inner.length > 0;
    if (!isSeen && bystanders === null) return NOBODY_FOR_CERTAIN;
    const occupants = [
      ...new Map([...panes, ...processes].map((occupant) => [occupant.key, occupant])).values(),
    ];
    const doubts =
      occupants.length > 0
        ? []
        : [...strangers.map(({ text }) => text), ...inner, ...unseen.map(describeUnseen)];
    return {
      occupants,
      known: unseen.length + strangers.length + inner.length === 0,
      doubts,
      unseen,
      strangers,
      facts: [
        ...occupants.map(({ text }) => occupantFact(text)),
        ...doubts.map(occupantFact),
        ...idle.map(({ pane }) =>
          occupantFact(`pane ${pane.id} of session ${pane.sessionName} shows only ${pane.command}`),
        ),
        ...(bystanders === null ? [] : [occupantFact(bystanders)]),
      ],
    };
  };
};
