/**
 * The evidence as the judge reads it: workers, panes, the town, and what one machine showed. Types, and the one place where
 * panes and processes get the keys that appear in reports.
 */
import type { Classifier } from '../programs/classify.ts';
import type {
  LockFile,
  MachineEvidence,
  PidLookup,
  ProcessInfo,
  Snapshot,
  TmuxPane,
  TmuxServer,
} from '../types/evidence.ts';
import type { PaneName, Stranger } from '../types/judgement.ts';
import type { Owner } from './roles.ts';

/** The name of this machine in reports, and its key. */
export const HERE = 'here';

/** A worker's directory and the agents that may rightfully work in it. */
export interface WorkerView {
  readonly worker: string;
  readonly owner: Owner | null;
  /** Empty where the directory is not an agent's place. */
  readonly roles: readonly string[];
}

/** A pane, with everything that it, its session and its processes say about whom it belongs to. */
export interface PaneView {
  readonly key: string;
  /** Panes of one session, or of one group of sessions, share it. */
  readonly group: string;
  readonly server: TmuxServer;
  readonly pane: TmuxPane;
  /** `other`: it plainly belongs to another town. */
  readonly town: 'ours' | 'other' | 'unsaid';
  /** Where its agents work, else its current path, relative to the town; null outside it or unknown. */
  readonly path: string | null;
  readonly environmentRoles: readonly string[];
  /** Those of them that have a place in this town as we see it; a GT_ROLE may be relative to a town around ours. */
  readonly placedRoles: readonly string[];
  /** Roles whose session this could be by its name; several where the name fits several rigs, or several sessions show the window. */
  readonly nameRoles: readonly string[];
  /** Its process's environment was read, so that a missing variable means something; always true where the system hides them. */
  readonly environmentKnown: boolean;
  /** A known agent command in its process tree, or the foreground command itself. */
  readonly agent: string | null;
  /** An unknown program in its foreground: a script around an agent, or one that is new. */
  readonly stranger: Omit<Stranger, 'text'> | null;
  /** Neither an agent nor a stranger: nothing but a shell, an editor, a pager or a dev server. */
  readonly idle: boolean;
  /** The asking process descends from its process. */
  readonly asking: boolean;
  /** The asker's variables name it, and whether the asker runs in it could not be read. */
  readonly mayAsk: boolean;
}

/**
 * What one machine showed. Its numbers (of processes, panes and sessions) mean something on that machine only; `key` tells them
 * from another machine's.
 */
export interface MachineIndex {
  /** `here` for the machine that the doctor runs on. */
  readonly key: string;
  readonly seen: MachineEvidence;
  readonly panes: readonly PaneView[];
  /** Servers that show at least one pane of this town, or that are this town's by name or by request. */
  readonly townServers: ReadonlySet<TmuxServer>;
  readonly processes: ReadonlyMap<number, ProcessInfo>;
  /** Gives the class of each process. */
  readonly classify: Classifier;
  readonly lookups: ReadonlyMap<number, PidLookup>;
  readonly paneByPid: ReadonlyMap<number, PaneView>;
  /** `%N` → panes of that number, on whatever server; likewise `$N`, and session names. */
  readonly panesById: ReadonlyMap<string, readonly PaneView[]>;
  readonly panesBySession: ReadonlyMap<string, readonly PaneView[]>;
  readonly panesByName: ReadonlyMap<string, readonly PaneView[]>;
  /** Role → panes that name it, or lie in its place. */
  readonly panesByRole: ReadonlyMap<string, readonly PaneView[]>;
  readonly tmuxAnswered: boolean;
}

/** The town on disk, and the machine on which its agents are looked for. */
export interface TownIndex {
  readonly snapshot: Snapshot;
  readonly machine: MachineIndex;
  /** The view of any worker of the town, made once. */
  readonly viewOf: (worker: string) => WorkerView;
  /** Places of claims, and working trees: a process below one of them, and not below a deeper one, works there. */
  readonly homes: ReadonlySet<string>;
  /** Places of claims and every directory above them. */
  readonly aboveLocks: ReadonlySet<string>;
  /** Claims with equal bytes. */
  readonly locksByDigest: ReadonlyMap<string, readonly LockFile[]>;
  /** The claims whose holder has that number. */
  readonly locksNaming: (pid: number) => readonly LockFile[];
}

/** A pane as people know it, for reports. */
export const paneName = ({ server, pane }: PaneView): PaneName => ({
  socket: server.socket,
  id: pane.id,
  sessionName: pane.sessionName,
});

/** The key of a pane, unique across machines. */
export const paneKey = (machine: string, socket: string, pane: string): string =>
  `${machine}:pane:${socket}:${pane}`;

/** The key of a process, unique across machines. */
export const processKey = (machine: string, pid: number): string => `${machine}:process:${pid}`;

/** The number in the key of a process of this machine; null for any other key. */
export const pidOfKey = (machine: string, key: string): number | null =>
  key.startsWith(`${machine}:process:`) ? Number(key.slice(`${machine}:process:`.length)) : null;

/** Panes of one session, or of one group of sessions, share it. */
export const sessionGroupKey = (
  machine: string,
  socket: string,
  { sessionGroup, sessionId }: TmuxPane,
): string => `${machine}:${socket}:${sessionGroup === null ? sessionId : `group:${sessionGroup}`}`;
