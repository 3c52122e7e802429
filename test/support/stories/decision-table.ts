/** The decision table as towns: one polecat per cell, named `<process>-<session>`. */
import type { LockFile, PidLookup, TmuxPane } from '../../../src/core/types/evidence.ts';
import type { ProcessState, SessionState } from '../../../src/core/types/judgement.ts';
import { absent, aLock, aServer, aSnapshot, HOUR, NOW, present } from '../snapshot.ts';
import { at, type Story, shellPane } from './story.ts';

const PROCESSES: readonly ProcessState[] = ['alive', 'gone', 'recycled', 'unknown'];

const lookUp = (process: ProcessState, pid: number): PidLookup => {
  if (process === 'alive') return present(pid, { names: ['sleep'] });
  if (process === 'gone') return absent(pid);
  if (process === 'unknown')
    return { ...absent(pid), answer: 'unknown', why: 'it could not be looked up (EIO)' };
  return present(pid, {
    names: ['firefox'],
    startedAtMs: NOW - HOUR,
    cwd: { seen: true, value: '/home/user' },
  });
};

interface Cell {
  readonly worker: string;
  readonly lock: LockFile;
  readonly lookup: PidLookup;
  /** Shows only a shell, so that the session decides and no occupant does. */
  readonly pane: TmuxPane | null;
}

const cell = (process: ProcessState, session: SessionState, number: number): Cell => {
  const name = `${process}-${session}`;
  const worker = `gastown/polecats/${name}`;
  const pid = 4200 + number;
  const id = `%${number}`;
  return {
    worker,
    lock: aLock(worker, { pid, sessionId: session === 'unnamed' ? '' : id }),
    lookup: lookUp(process, pid),
    pane:
      session === 'live'
        ? shellPane({
            id,
            sessionId: `$${number}`,
            sessionName: `gt-${name}`,
            pid: 700 + number,
            path: at(worker),
          })
        : null,
  };
};

const townOf = (sessions: readonly SessionState[], reached: boolean): Story['snapshot'] => {
  const cells = PROCESSES.flatMap((process, row) =>
    sessions.map((session, column) => cell(process, session, 1 + row * sessions.length + column)),
  );
  const silent = {
    socket: '/tmp/tmux-1000/default',
    origin: 'default',
    status: 'failed',
    reason: 'did not answer within 2000 ms',
    pid: null,
    startedAtMs: null,
  } as const;
  return aSnapshot({
    locks: cells.map(({ lock }) => lock).sort((a, b) => (a.worker < b.worker ? -1 : 1)),
    lookups: cells.map(({ lookup }) => lookup),
    servers: [
      aServer(cells.flatMap(({ pane }) => (pane === null ? [] : [pane]))),
      ...(reached ? [] : [aServer([], silent)]),
    ],
  });
};

const polecat = (name: string): string => `gastown/polecats/${name}`;

export const TABLE_STORIES: readonly Story[] = [
  {
    name: 'decision-table',
    summary: 'Every process state with a live, a gone and an unnamed session; everything was reached.',
    snapshot: townOf(['live', 'gone', 'unnamed'], true),
    locks: {
      [polecat('alive-live')]: 'held would-block',
      [polecat('alive-gone')]: 'orphaned would-block',
      [polecat('alive-unnamed')]: 'held would-block',
      [polecat('gone-live')]: 'held idle',
      [polecat('gone-gone')]: 'stale',
      [polecat('gone-unnamed')]: 'stale',
      [polecat('recycled-live')]: 'held idle would-block',
      [polecat('recycled-gone')]: 'stale would-block',
      [polecat('recycled-unnamed')]: 'stale would-block',
      [polecat('unknown-live')]: 'held',
      [polecat('unknown-gone')]: 'unknown',
      [polecat('unknown-unnamed')]: 'unknown',
    },
    findings: [
      ...['gone-gone', 'gone-unnamed', 'recycled-gone', 'recycled-unnamed'].map(
        (name) => `stale-lock:${polecat(name)}`,
      ),
      `orphaned-lock:${polecat('alive-gone')}`,
      ...['gone-live', 'recycled-live'].map((name) => `idle-session:${polecat(name)}`),
      ...['unknown-gone', 'unknown-unnamed'].map((name) => `undecided-lock:${polecat(name)}`),
    ],
    exit: 1,
  },
  {
    name: 'decision-table-unreached',
    summary: 'The same with an unknown session: one server was not reached, so nothing is stale.',
    snapshot: townOf(['live', 'unnamed', 'unknown'], false),
    locks: {
      [polecat('alive-live')]: 'held would-block',
      [polecat('alive-unnamed')]: 'held would-block',
      [polecat('alive-unknown')]: 'held would-block',
      [polecat('gone-live')]: 'held',
      [polecat('gone-unnamed')]: 'unknown',
      [polecat('gone-unknown')]: 'unknown',
      [polecat('recycled-live')]: 'held would-block',
      [polecat('recycled-unnamed')]: 'unknown would-block',
      [polecat('recycled-unknown')]: 'unknown would-block',
      [polecat('unknown-live')]: 'held',
      [polecat('unknown-unnamed')]: 'unknown',
      [polecat('unknown-unknown')]: 'unknown',
    },
    findings: [
      'gone-unknown',
      'gone-unnamed',
      'recycled-unknown',
      'recycled-unnamed',
      'unknown-unknown',
      'unknown-unnamed',
    ].map((name) => `undecided-lock:${polecat(name)}`),
    exit: 22,
  },
];
