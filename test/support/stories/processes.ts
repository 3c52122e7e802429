/** Stories about the process in a lock. */
import { absent, aLock, aPane, aProcess, aServer, aSnapshot, HOUR, NOW, present } from '../snapshot.ts';
import { ADA, at, NUX, type Story, shellPane } from './story.ts';

const later = { startedAtMs: NOW - HOUR, startToken: '900000' };
const elsewhere = { cwd: { seen: true, value: '/home/user' } } as const;

export const PROCESS_STORIES: readonly Story[] = [
  {
    name: 'recycled-pid-browser',
    summary:
      'Browsers reused the PIDs in two locks: the lock without a pane is stale, the one with its agent is held.',
    snapshot: aSnapshot({
      locks: [aLock(ADA, { pid: 4242 }), aLock('gastown/crew/bob', { pid: 4243, sessionId: '%7' })],
      lookups: [
        present(4242, { names: ['firefox'], ...later, ...elsewhere }),
        present(4243, { names: ['chromium'], ...later, ...elsewhere }),
      ],
      servers: [aServer([aPane({ id: '%7', sessionName: 'gt-crew-bob', path: at('gastown/crew/bob') })])],
    }),
    locks: { [ADA]: 'stale would-block', 'gastown/crew/bob': 'held would-block' },
    findings: [`stale-lock:${ADA}`],
    exit: 1,
  },
  {
    name: 'root-daemon-pid',
    summary:
      'A daemon of root that started after the lock reused its PID: kill fails with EPERM, and it is not the holder.',
    snapshot: aSnapshot({
      locks: [aLock(ADA)],
      lookups: [{ ...present(4242, { names: ['crond'], uid: 0, ...later }), signalable: false }],
    }),
    locks: { [ADA]: 'stale' },
    findings: [`stale-lock:${ADA}`],
    exit: 1,
  },
  {
    name: 'clock-stepped',
    summary:
      'The process seems to have started after the lock was taken, but it works here: the clock was set.',
    snapshot: aSnapshot({
      locks: [aLock(ADA, { sessionId: '' })],
      lookups: [present(4242, { names: ['my-agent'], ...later, cwd: { seen: true, value: at(ADA) } })],
    }),
    locks: { [ADA]: 'held would-block' },
    findings: [],
    exit: 0,
  },
  {
    name: 'zombie-and-thread',
    summary: 'Both PIDs still accept signals: one is a zombie, the other a thread of another process.',
    snapshot: aSnapshot({
      locks: [aLock(ADA, { sessionId: '' }), aLock(NUX, { pid: 4243, sessionId: '' })],
      lookups: [
        { ...absent(4242), answer: 'zombie', signalable: true },
        { ...absent(4243), answer: 'thread', signalable: true },
      ],
    }),
    locks: { [ADA]: 'stale would-block', [NUX]: 'stale would-block' },
    findings: [`stale-lock:${ADA}`, `stale-lock:${NUX}`],
    exit: 1,
  },
  {
    name: 'outlived-its-session',
    summary: 'tmux was killed, and the agent runs on without a terminal: orphaned, and not its own occupant.',
    snapshot: aSnapshot({
      locks: [aLock(ADA)],
      lookups: [present(4242, { cwd: { seen: true, value: at(ADA) } })],
      processes: [
        aProcess(4242, { cwd: { seen: true, value: at(ADA) } }),
        aProcess(4300, { ppid: 4242, names: ['node', 'claude'], cwd: { seen: true, value: at(ADA) } }),
      ],
    }),
    locks: { [ADA]: 'orphaned would-block' },
    findings: [`orphaned-lock:${ADA}`],
    exit: 1,
  },
  {
    name: 'agent-outside-tmux',
    summary: 'The lock looks dead, but an agent without tmux works in the directory.',
    snapshot: aSnapshot({
      locks: [aLock(ADA)],
      processes: [aProcess(800, { cwd: { seen: true, value: `${at(ADA)}/src` } })],
    }),
    locks: { [ADA]: 'held drifted' },
    findings: [],
    exit: 0,
  },
  {
    name: 'hidden-working-directory',
    summary: "A known agent's working directory cannot be read: it may be this one.",
    snapshot: aSnapshot({
      locks: [aLock(ADA)],
      processes: [aProcess(800, { cwd: { seen: false, why: 'permission denied' } })],
    }),
    locks: { [ADA]: 'unknown' },
    findings: [`undecided-lock:${ADA}`],
    exit: 22,
  },
  {
    name: 'hidepid',
    summary:
      "Other users' processes are hidden, and the lock belongs to another user: its holder cannot be looked up.",
    snapshot: aSnapshot({
      locks: [aLock(ADA, {}, { uid: 2000 })],
      over: { processes: { listing: { seen: true, value: 'own' }, lookups: [absent(4242)], list: [] } },
    }),
    locks: { [ADA]: 'unknown' },
    findings: [`undecided-lock:${ADA}`],
    exit: 22,
  },
  {
    name: 'hidepid-eperm',
    summary: 'kill fails with EPERM and the process cannot be read: it exists, so it is alive.',
    snapshot: aSnapshot({
      locks: [aLock(ADA)],
      over: {
        processes: {
          listing: { seen: true, value: 'own' },
          lookups: [{ ...absent(4242), answer: 'exists', signalable: false }],
          list: [],
        },
      },
    }),
    locks: { [ADA]: 'orphaned' },
    findings: [`orphaned-lock:${ADA}`],
    exit: 1,
  },
  {
    name: 'processes-unlisted',
    summary: 'Processes could not be listed: a dead PID alone proves nothing about the directory.',
    snapshot: aSnapshot({
      locks: [aLock(ADA)],
      over: {
        processes: {
          listing: { seen: false, why: '/proc is not mounted' },
          lookups: [absent(4242)],
          list: [],
        },
      },
    }),
    locks: { [ADA]: 'unknown' },
    findings: [`undecided-lock:${ADA}`],
    exit: 22,
  },
  {
    name: 'priming',
    summary:
      'The start hook took the lock five seconds ago and is still running; the pane does not exist yet.',
    snapshot: aSnapshot({
      locks: [
        aLock(
          ADA,
          { acquiredAt: new Date(NOW - 5000).toISOString(), acquiredAtMs: NOW - 5000 },
          { mtimeMs: NOW - 5000 },
        ),
      ],
      lookups: [present(4242, { names: ['gt'], startedAtMs: NOW - 5500 })],
    }),
    locks: { [ADA]: 'held priming would-block' },
    findings: [],
    exit: 0,
  },
  {
    name: 'fresh',
    summary: 'The holder is gone, but the file was written ten seconds ago: stale, and left for now.',
    snapshot: aSnapshot({
      locks: [
        aLock(
          ADA,
          { acquiredAt: new Date(NOW - 10_000).toISOString(), acquiredAtMs: NOW - 10_000 },
          { mtimeMs: NOW - 10_000 },
        ),
      ],
    }),
    locks: { [ADA]: 'stale fresh' },
    findings: [`stale-lock:${ADA}`],
    exit: 1,
  },
  {
    name: 'zero-record',
    summary: 'The file contains {}: PID 0 is not a process, and no session is named.',
    snapshot: aSnapshot({
      locks: [aLock(ADA, { pid: 0, acquiredAt: '', acquiredAtMs: null, sessionId: '', hostname: '' })],
    }),
    locks: { [ADA]: 'stale' },
    findings: [`stale-lock:${ADA}`],
    exit: 1,
  },
  {
    name: 'asked-from-inside',
    summary: "A start hook asks from the worker's own pane: the caller does not count as alive.",
    snapshot: aSnapshot({
      locks: [aLock(ADA, { sessionId: '%55' })],
      servers: [aServer([aPane({ id: '%3' })])],
      processes: [
        aProcess(700, { ppid: 600, cwd: { seen: true, value: at(ADA) } }),
        aProcess(99, { ppid: 700, names: ['node', 'doctor'], cwd: { seen: true, value: at(ADA) } }),
      ],
      over: { asker: { pids: [99, 700, 600, 1], pane: null } },
    }),
    locks: { [ADA]: 'stale' },
    findings: [`stale-lock:${ADA}`],
    exit: 1,
  },
  {
    name: 'shell-left-behind',
    summary: "The agent and its session are gone; an editor and a shell remain in the worker's directory.",
    snapshot: aSnapshot({
      locks: [aLock(ADA, { sessionId: '%55' })],
      servers: [
        aServer([
          shellPane({ id: '%8', sessionName: 'desk', path: at(ADA) }),
          aPane({ id: '%9', sessionName: 'desk', command: 'vim', pid: 701, path: at(ADA) }),
        ]),
      ],
    }),
    locks: { [ADA]: 'stale' },
    findings: [`stale-lock:${ADA}`],
    exit: 1,
  },
];
