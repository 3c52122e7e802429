/** Stories about the locks of tools around agents, each read by the real reader of its kind. */
import { Buffer } from 'node:buffer';
import beads from '../../../kinds/beads.ts';
import claudeScheduler from '../../../kinds/claude-scheduler.ts';
import codex from '../../../kinds/codex.ts';
import copilot from '../../../kinds/copilot.ts';
import daemon from '../../../kinds/daemon.ts';
import gsd from '../../../kinds/gsd.ts';
import openclaw from '../../../kinds/openclaw.ts';
import pidFile from '../../../kinds/pid-file.ts';
import pidJson from '../../../kinds/pid-json.ts';
import properLockfile from '../../../kinds/proper-lockfile.ts';
import type { LockFile, Snapshot } from '../../../src/core/types/evidence.ts';
import type { Kind } from '../../../src/core/types/kind.ts';
import { absent, aLock, aSnapshot, HOUR, NOW, present, ROOT, type SnapshotParts } from '../snapshot.ts';
import type { Story } from './story.ts';

/** PIDs: of a process that is gone, of one that has run for nine hours, and of one that started long after every lock. */
const [GONE, RUNS, YOUNG] = [4242, 4343, 4444];

const TAKEN_MS = NOW - 8 * HOUR;
const TAKEN = new Date(TAKEN_MS).toISOString();

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

type Fields = Partial<LockFile> & { readonly options?: Readonly<Record<string, string>> };

/** A lock of this kind at this path, which belongs to `worker`. */
const lock = (
  kind: Kind,
  worker: string,
  path: string,
  text: string,
  { options = {}, ...fields }: Fields = {},
): LockFile => {
  if (kind.claims === 'worker' || kind.read === null) throw new Error(`${kind.id} is read otherwise`);
  const content = kind.read(Buffer.from(text), { name: nameOf(path), options });
  return {
    ...aLock(worker, {}, { content, ...fields }),
    id: `${kind.id}:${path}`,
    kind: kind.id,
    path: `${ROOT}/${path}`,
    rules: { claims: null, witnesses: kind.witnesses, freshMs: kind.freshMs },
  };
};

/** A directory that is a lock. */
const directory = (kind: Kind, worker: string, path: string, mtimeMs: number): LockFile => {
  if (kind.claims === 'worker' || kind.readDirectory === undefined) throw new Error(`${kind.id} has none`);
  const content = kind.readDirectory({ name: nameOf(path), options: {} });
  return {
    ...aLock(worker, {}, { content, mtimeMs, isRegularFile: false, stamp: null }),
    id: `${kind.id}:${path}`,
    kind: kind.id,
    path: `${ROOT}/${path}`,
    rules: {
      claims: null,
      witnesses: kind.witnesses,
      freshMs: kind.freshMs,
      ...(kind.letGo === null ? { isNeverLetGo: true as const } : {}),
    },
  };
};

const tree = ({ lookups, over, ...parts }: SnapshotParts): Snapshot => {
  const snapshot = aSnapshot({
    lookups: lookups ?? [
      absent(GONE),
      present(RUNS, { startToken: '5000', names: ['node'] }),
      present(YOUNG, { startToken: '9000', startedAtMs: NOW - 60_000, cwd: { seen: true, value: '/' } }),
    ],
    ...parts,
    over: { ...over },
  });
  return { ...snapshot, town: { ...snapshot.town, marked: false, rigs: [], workers: [] } };
};

/** A process that holds this file by flock(2). */
const heldBy = (path: string, command: string) => ({
  files: { flocks: { uses: [{ path: `${ROOT}/${path}`, pid: 902, command }], hidden: null } },
});

const TRACKED = {
  git: { tracked: { seen: true, value: true }, ignored: { seen: true, value: false }, repository: ROOT },
} as const;

const schedule = (pid: number, more = ''): string =>
  `{"sessionId":"f3a1c406-7600","pid":${pid}${more},"acquiredAt":${TAKEN_MS}}`;

const auto = (pid: number): string =>
  JSON.stringify({ pid, startedAt: TAKEN, unitType: 'execute-task', unitId: 'M001/S01/T02' }, null, 2);

const session = (pid: number, more: object = {}): string =>
  JSON.stringify({ pid, createdAt: TAKEN, ...more }, null, 2);

export const TOOL_STORIES: readonly Story[] = [
  {
    name: 'tool-claude-scheduler',
    summary:
      'Schedulers of Claude Code: one is dead, one is running, one PID was reused, and one lock is under version control.',
    locks: {
      'claude-scheduler:committed/.claude/scheduled_tasks.lock': 'stale tracked',
      'claude-scheduler:dead/.claude/scheduled_tasks.lock': 'stale',
      'claude-scheduler:live/.claude/scheduled_tasks.lock': 'held',
      'claude-scheduler:reused/.claude/scheduled_tasks.lock': 'stale',
    },
    findings: [
      'stale-lock:claude-scheduler:committed/.claude/scheduled_tasks.lock',
      'stale-lock:claude-scheduler:dead/.claude/scheduled_tasks.lock',
      'stale-lock:claude-scheduler:reused/.claude/scheduled_tasks.lock',
      'tracked-lock:claude-scheduler:committed/.claude/scheduled_tasks.lock',
    ],
    exit: 1,
    snapshot: tree({
      locks: (
        [
          ['committed', schedule(GONE), TRACKED],
          ['dead', schedule(GONE)],
          ['live', schedule(RUNS, ',"procStart":"5000"')],
          ['reused', schedule(YOUNG, ',"procStart":"5000"')],
        ] as const
      ).map(([worker, text, fields]) =>
        lock(claudeScheduler, worker, `${worker}/.claude/scheduled_tasks.lock`, text, fields),
      ),
    }),
  },
  {
    name: 'tool-gsd',
    summary:
      'Sessions of GSD: one is dead and was copied by a sync service, one is running; two directories, one touched lately.',
    locks: {
      'gsd:dead/.gsd/auto 2.lock': 'stale',
      'gsd:dead/.gsd/auto.lock': 'stale',
      'gsd:dead/.gsd.lock': 'unknown',
      'gsd:live/.gsd/auto-M001.lock': 'held',
      'gsd:live/.gsd.lock': 'held',
    },
    findings: [
      'stale-lock:gsd:dead/.gsd/auto 2.lock',
      'stale-lock:gsd:dead/.gsd/auto.lock',
      'undecided-lock:gsd:dead/.gsd.lock',
    ],
    exit: 1,
    snapshot: tree({
      locks: [
        lock(gsd, 'dead', 'dead/.gsd/auto 2.lock', auto(GONE)),
        lock(gsd, 'dead', 'dead/.gsd/auto.lock', auto(GONE)),
        directory(gsd, 'dead', 'dead/.gsd.lock', TAKEN_MS),
        lock(gsd, 'live', 'live/.gsd/auto-M001.lock', auto(RUNS)),
        directory(gsd, 'live', 'live/.gsd.lock', NOW - 8000),
      ],
    }),
  },
  {
    name: 'tool-beads',
    summary: 'Beads: its daemon died during its start, its database server is running, and bd holds a flock.',
    locks: {
      'beads:.beads/bd.sock.startlock': 'stale',
      'beads:.beads/daemon.lock': 'held',
      'beads:.beads/dolt-server.pid': 'held',
    },
    findings: ['stale-lock:beads:.beads/bd.sock.startlock'],
    exit: 1,
    snapshot: tree({
      locks: [
        lock(beads, '.', '.beads/bd.sock.startlock', `${GONE}\n`),
        lock(beads, '.', '.beads/daemon.lock', `{"pid":${GONE},"parent_pid":1,"database":"x"}`),
        lock(beads, '.', '.beads/dolt-server.pid', `${RUNS}`),
      ],
      over: heldBy('.beads/daemon.lock', 'bd'),
    }),
  },
  {
    name: 'tool-daemon',
    summary: 'Gas Town’s daemon is dead, a poller is running, and the town is being shut down.',
    locks: {
      'daemon:.runtime/nudge_poller/gt-crew-ada.pid': 'held',
      'daemon:.runtime/pids/gt-crew-ada.pid': 'stale',
      'daemon:daemon/daemon.pid': 'stale',
      'daemon:daemon/shutdown.lock': 'held',
    },
    findings: ['stale-lock:daemon:.runtime/pids/gt-crew-ada.pid', 'stale-lock:daemon:daemon/daemon.pid'],
    exit: 1,
    snapshot: tree({
      locks: [
        lock(daemon, '.', '.runtime/nudge_poller/gt-crew-ada.pid', `${RUNS}`),
        lock(daemon, '.', '.runtime/pids/gt-crew-ada.pid', `${GONE}|Mon Nov 23 01:06:07 2026\n`),
        lock(daemon, '.', 'daemon/daemon.pid', `${GONE}\nffd3378f79d55672`),
        lock(daemon, '.', 'daemon/shutdown.lock', ''),
      ],
      over: heldBy('daemon/shutdown.lock', 'gt'),
    }),
  },
  {
    name: 'tool-openclaw',
    summary: 'OpenClaw: a gateway is dead; a live one has held a session for hours; one lock is still empty.',
    locks: {
      'openclaw:.openclaw/agents/a/sessions/dead.jsonl.lock': 'stale',
      'openclaw:.openclaw/agents/a/sessions/empty.jsonl.lock': 'invalid',
      'openclaw:.openclaw/agents/a/sessions/kept.jsonl.lock': 'unknown',
      'openclaw:.openclaw/agents/a/sessions/long.jsonl.lock': 'held',
      'openclaw:.openclaw/gateway.lock': 'held',
    },
    findings: [
      'invalid-lock:openclaw:.openclaw/agents/a/sessions/empty.jsonl.lock',
      'stale-lock:openclaw:.openclaw/agents/a/sessions/dead.jsonl.lock',
      'undecided-lock:openclaw:.openclaw/agents/a/sessions/kept.jsonl.lock',
    ],
    exit: 1,
    snapshot: tree({
      locks: [
        ...(
          [
            ['dead', session(RUNS, { starttime: 4999 })],
            ['empty', ''],
            ['kept', session(RUNS, { starttime: 5000 })],
            ['long', session(RUNS, { starttime: 5000, maxHoldMs: 24 * HOUR })],
          ] as const
        ).map(([name, text]) =>
          lock(openclaw, '.openclaw/agents/a', `.openclaw/agents/a/sessions/${name}.jsonl.lock`, text),
        ),
        lock(openclaw, '.', '.openclaw/gateway.lock', session(RUNS, { startTime: 5000 })),
      ],
    }),
  },
  {
    name: 'tool-copilot',
    summary: 'Copilot CLI: of three sessions one is open, one is dead, and one PID was reused much later.',
    locks: {
      [`copilot:.copilot/session-state/0a/inuse.${GONE}.lock`]: 'stale',
      [`copilot:.copilot/session-state/0b/inuse.${RUNS}.lock`]: 'held',
      [`copilot:.copilot/session-state/0c/inuse.${YOUNG}.lock`]: 'stale',
    },
    findings: [
      `stale-lock:copilot:.copilot/session-state/0a/inuse.${GONE}.lock`,
      `stale-lock:copilot:.copilot/session-state/0c/inuse.${YOUNG}.lock`,
    ],
    exit: 1,
    snapshot: tree({
      locks: (
        [
          ['0a', GONE],
          ['0b', RUNS],
          ['0c', YOUNG],
        ] as const
      ).map(([id, pid]) =>
        lock(copilot, '.copilot', `.copilot/session-state/${id}/inuse.${pid}.lock`, '', {
          mtimeMs: id === '0c' ? NOW - 48 * HOUR : TAKEN_MS,
        }),
      ),
    }),
  },
  {
    name: 'tool-codex',
    summary:
      'Codex: its server is dead, its updater is running with a start time that is off by an hour, and a thread may be in use.',
    locks: {
      'codex:.codex/app-server-daemon/app-server.pid': 'stale',
      'codex:.codex/app-server-daemon/updater.pid': 'held',
      'codex:.codex/thread-writer-locks/019ff9ab.lock': 'unknown',
    },
    findings: [
      'stale-lock:codex:.codex/app-server-daemon/app-server.pid',
      'undecided-lock:codex:.codex/thread-writer-locks/019ff9ab.lock',
    ],
    exit: 1,
    snapshot: tree({
      locks: [
        lock(codex, '.codex', '.codex/app-server-daemon/app-server.pid', `${GONE}`),
        lock(
          codex,
          '.codex',
          '.codex/app-server-daemon/updater.pid',
          `{"pid":${RUNS},"processStartTime":"Sun Nov 22 19:00:00 2026"}`,
        ),
        lock(codex, '.codex', '.codex/thread-writer-locks/019ff9ab.lock', ''),
      ],
      over: {
        files: {
          flocks: {
            uses: [
              {
                path: `${ROOT}/.codex/thread-writer-locks/019ff9ab.lock`,
                pid: 902,
                command: 'codex',
                mayHold: true,
              },
            ],
            hidden: null,
          },
        },
      },
    }),
  },
  {
    name: 'tool-pid-file',
    summary: 'PID files of other programs: one is dead, one is running, and one file contains no PID.',
    locks: {
      'pid-file:run/dead.pid': 'stale',
      'pid-file:run/live.pid': 'held',
      'pid-file:run/noise.pid': 'invalid',
    },
    findings: ['invalid-lock:pid-file:run/noise.pid', 'stale-lock:pid-file:run/dead.pid'],
    exit: 1,
    snapshot: tree({
      locks: [
        lock(pidFile, 'run', 'run/dead.pid', `${GONE}\n/var/lib/data\n`),
        lock(pidFile, 'run', 'run/live.pid', `${RUNS}\n`),
        lock(pidFile, 'run', 'run/noise.pid', 'starting\n'),
      ],
    }),
  },
  {
    name: 'tool-pid-json',
    summary:
      'JSON locks with configured fields: one is dead, one is running, one is of another machine, one lacks its PID.',
    locks: {
      'pid-json:a/build.lock': 'stale',
      'pid-json:b/build.lock': 'held',
      'pid-json:c/build.lock': 'foreign',
      'pid-json:d/build.lock': 'invalid',
    },
    findings: [
      'invalid-lock:pid-json:d/build.lock',
      'stale-lock:pid-json:a/build.lock',
      'undecided-lock:pid-json:c/build.lock',
    ],
    exit: 1,
    snapshot: tree({
      locks: (
        [
          ['a', { owner: GONE, at: TAKEN }],
          ['b', { owner: RUNS, at: TAKEN_MS, on: 'here' }],
          ['c', { owner: GONE, at: TAKEN_MS, on: 'elsewhere' }],
          ['d', { pid: GONE }],
        ] as const
      ).map(([worker, value]) =>
        lock(pidJson, worker, `${worker}/build.lock`, JSON.stringify(value), {
          options: { pid: 'owner', since: 'at', hostname: 'on' },
        }),
      ),
    }),
  },
  {
    name: 'tool-proper-lockfile',
    summary: 'Two directories of proper-lockfile: one was touched a moment ago, the other hours ago.',
    locks: { 'proper-lockfile:state/a.lock': 'held', 'proper-lockfile:state/b.lock': 'unknown' },
    findings: ['undecided-lock:proper-lockfile:state/b.lock'],
    exit: 22,
    snapshot: tree({
      locks: [
        directory(properLockfile, 'state', 'state/a.lock', NOW - 3000),
        directory(properLockfile, 'state', 'state/b.lock', TAKEN_MS),
      ],
    }),
  },
];
