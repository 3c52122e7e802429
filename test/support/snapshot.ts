/** Builders for snapshots: a healthy town by default, in which each fact can be overridden. Pure data, without a clock. */
import type {
  GitFacts,
  LockContent,
  LockFile,
  LockRecord,
  MachineEvidence,
  PidLookup,
  ProcessInfo,
  Snapshot,
  TmuxPane,
  TmuxServer,
} from '../../src/core/types/evidence.ts';

/** The time of all built snapshots. */
export const NOW = Date.UTC(2026, 10, 23, 3, 0, 0);
export const HOUR = 3_600_000;
export const ROOT = '/town';
export const BOOT = 'b0070000-0000-4000-8000-000000000001';
export const INITIAL_NAMESPACE = 'pid:[4026531836]';
export const SOCKET = '/tmp/tmux-1000/town-1a2b3c';

const UNTRACKED: GitFacts = {
  tracked: { seen: true, value: false },
  ignored: { seen: true, value: true },
  repository: null,
};

export const aRecord = (fields: Partial<LockRecord> = {}): LockRecord => ({
  pid: 4242,
  acquiredAt: new Date(NOW - 8 * HOUR).toISOString(),
  acquiredAtMs: NOW - 8 * HOUR,
  sessionId: '%3',
  hostname: 'here',
  holder: null,
  ...fields,
});

/** A lock with a record; its digest depends only on the record, so locks with equal records are copies of each other. */
export const aLock = (
  worker: string,
  record: Partial<LockRecord> = {},
  fields: Partial<LockFile> = {},
): LockFile => {
  const content: LockContent = fields.content ?? { kind: 'record', record: aRecord(record) };
  const path = `${ROOT}/${worker}/.runtime/agent.lock`;
  return {
    id: `agent:${worker}`,
    kind: 'agent',
    worker,
    path,
    pathBytes: null,
    layout: 'runtime',
    isRegularFile: true,
    stamp: { dev: '1', ino: worker, mtimeNs: '1', size: 100, sha256: JSON.stringify(content) },
    mtimeMs: NOW - 8 * HOUR,
    uid: 1000,
    content,
    companion: null,
    git: UNTRACKED,
    ...fields,
  };
};

export const aPane = (fields: Partial<TmuxPane> = {}): TmuxPane => ({
  id: '%3',
  sessionId: '$1',
  sessionName: 'gt-crew-ada',
  sessionGroup: null,
  sessionCreatedMs: NOW - 9 * HOUR,
  pid: 700,
  dead: false,
  command: 'claude',
  path: `${ROOT}/gastown/crew/ada`,
  otherTown: null,
  environment: {},
  ...fields,
});

export const aServer = (panes: readonly TmuxPane[], fields: Partial<TmuxServer> = {}): TmuxServer => ({
  socket: SOCKET,
  origin: 'town',
  status: 'ok',
  reason: null,
  pid: 600,
  startedAtMs: NOW - 9 * HOUR,
  sessions: new Set(panes.map((pane) => pane.sessionId)).size,
  panes,
  outsideTown: false,
  ...fields,
});

export const aProcess = (pid: number, fields: Partial<ProcessInfo> = {}): ProcessInfo => ({
  pid,
  ppid: 1,
  uid: 1000,
  names: ['claude'],
  startToken: '5000',
  startedAtMs: NOW - 9 * HOUR,
  cwd: null,
  environment: {},
  ...fields,
});

export const absent = (pid: number): PidLookup => ({
  pid,
  answer: 'absent',
  signalable: false,
  process: null,
  why: null,
});

export const present = (pid: number, fields: Partial<ProcessInfo> = {}): PidLookup => ({
  pid,
  answer: 'exists',
  signalable: true,
  process: aProcess(pid, fields),
  why: null,
});

export interface SnapshotParts {
  readonly locks?: readonly LockFile[];
  readonly servers?: readonly TmuxServer[];
  readonly lookups?: readonly PidLookup[];
  readonly processes?: readonly ProcessInfo[];
  /** Overrides parts of the snapshot and of its machine. */
  readonly over?: Partial<Omit<Snapshot, 'machine'>> & Partial<MachineEvidence>;
}

/** Contains each pane's own process, as the real reader does; `processes` adds more. */
export const aSnapshot = (parts: SnapshotParts = {}): Snapshot => {
  const servers = parts.servers ?? [];
  const more = parts.processes ?? [];
  const roots = servers
    .flatMap(({ panes }) => panes)
    .filter(({ pid }) => !more.some((process) => process.pid === pid))
    .map(({ pid, command }) => aProcess(pid, { names: [command], ppid: 600 }));
  const locks = parts.locks ?? [];
  const { host, asker, processes, tmux, files, ...over } = parts.over ?? {};
  return {
    snapshotVersion: 1,
    takenAtMs: NOW,
    scan: 'default',
    asked: [],
    directories: 10,
    town: {
      root: ROOT,
      source: 'flag',
      why: 'named on the command line',
      aliases: [],
      marked: true,
      rigs: [{ name: 'gastown', prefix: 'gt' }],
      workers: [
        'gastown/crew/ada',
        'gastown/crew/bob',
        'gastown/crew/joe',
        'gastown/polecats/joe',
        'gastown/witness',
      ],
      agents: [],
    },
    locks,
    leftovers: [],
    legacy: [],
    machine: {
      host: host ?? {
        hostname: 'here',
        platform: 'linux',
        uid: 1000,
        bootId: BOOT,
        pidNamespace: INITIAL_NAMESPACE,
        initialPidNamespace: true,
      },
      asker: asker ?? { pids: [99, 1], pane: null },
      processes: processes ?? {
        listing: { seen: true, value: 'all' },
        lookups: parts.lookups ?? [absent(4242)],
        list: [...roots, ...more].sort((a, b) => a.pid - b.pid),
      },
      tmux: tmux ?? { installed: true, servers, enumerated: true },
      ...(files === undefined ? {} : { files }),
    },
    gaps: [],
    ...over,
  };
};

/** The same snapshot with other facts about its machine. */
export const withMachine = (snapshot: Snapshot, change: Partial<MachineEvidence>): Snapshot => ({
  ...snapshot,
  machine: { ...snapshot.machine, ...change },
});
