import { describe, expect, test } from '@jest/globals';
import { preflightCode } from '../../../src/core/preflight/clear-to-start.ts';
import { answerPreflight } from '../../../src/core/preflight/with-locks.ts';
import type { LockFile, Snapshot } from '../../../src/core/types/evidence.ts';
import type { Answer, PreflightResult } from '../../../src/core/types/report.ts';
import { gitFacts, TRACKED } from '../../checks/run-on.ts';
import {
  absent,
  aLock,
  aPane,
  aProcess,
  aServer,
  aSnapshot,
  NOW,
  present,
  ROOT,
  type SnapshotParts,
} from '../../support/snapshot.ts';

const ADA = 'gastown/crew/ada';
const EXPLAIN = [['doctor', 'explain', ADA, '--town', ROOT]];
const ask = (parts: SnapshotParts): PreflightResult => {
  const [result] = answerPreflight(aSnapshot({ ...parts, over: { asked: [ADA], ...parts.over } }));
  if (result === undefined) throw new Error('no answer');
  return result;
};
const failing = aServer([], { status: 'failed', reason: 'did not answer within 2000 ms' });
const broken = (fields: Partial<LockFile> = {}): LockFile =>
  aLock(ADA, {}, { content: { kind: 'invalid', problem: 'empty', detail: 'the file is empty' }, ...fields });
const noTmux = (fields: Partial<Snapshot['machine']['tmux']> = {}): Snapshot['machine']['tmux'] => ({
  installed: false,
  enumerated: true,
  servers: [],
  ...fields,
});

describe('without a lock', () => {
  test('nobody at work: free', () => {
    expect(ask({})).toEqual({
      worker: ADA,
      answer: 'free',
      state: null,
      reasons: [],
      notes: [],
      message: 'no lock, no agent running',
      evidence: [],
      retryInSeconds: null,
      next: [],
    });
  });

  test('an agent in a pane: held', () => {
    expect(ask({ servers: [aServer([aPane()])] })).toMatchObject({
      answer: 'held',
      state: null,
      reasons: ['occupied'],
      message: 'no lock, but claude is running in pane %3 of session gt-crew-ada',
      next: EXPLAIN,
    });
  });

  test('an agent outside tmux: held', () => {
    const processes = [aProcess(800, { cwd: { seen: true, value: `${ROOT}/${ADA}` } })];
    expect(ask({ processes }).answer).toBe('held');
  });

  test('the asker itself in the worker: free', () => {
    const processes = [aProcess(99, { cwd: { seen: true, value: `${ROOT}/${ADA}` } })];
    expect(ask({ processes }).answer).toBe('free');
  });

  test('a shell in the worker: free', () => {
    expect(ask({ servers: [aServer([aPane({ command: 'bash', sessionName: 'desk' })])] }).answer).toBe(
      'free',
    );
  });

  test('a tmux server that did not answer: unsure', () => {
    expect(ask({ servers: [failing] })).toMatchObject({ answer: 'unsure', reasons: ['occupants-unknown'] });
  });

  test('tmux not installed, no server running, processes readable: free', () => {
    expect(ask({ over: { asked: [ADA], tmux: noTmux() } }).answer).toBe('free');
  });

  test.each([
    ['tmux servers could not be counted', { tmux: noTmux({ enumerated: false }) }],
    [
      'a tmux server runs nevertheless',
      { tmux: noTmux({ servers: [aServer([], { status: 'failed', reason: 'tmux is not installed' })] }) },
    ],
    [
      'processes could not be listed',
      { tmux: noTmux(), processes: { listing: { seen: false, why: 'x' } as const, lookups: [], list: [] } },
    ],
    [
      "others' processes are hidden",
      {
        tmux: noTmux(),
        processes: { listing: { seen: true, value: 'own' } as const, lookups: [], list: [] },
      },
    ],
    [
      'an agent hides its working directory',
      {
        tmux: noTmux(),
        processes: {
          listing: { seen: true, value: 'all' } as const,
          lookups: [],
          list: [aProcess(800, { cwd: { seen: false, why: 'permission denied' } })],
        },
      },
    ],
  ])('tmux not installed and %s: unsure', (_, over) => {
    expect(ask({ over: { asked: [ADA], ...over } }).answer).toBe('unsure');
  });
});

describe('with a lock', () => {
  test('held by a live agent: held', () => {
    expect(ask({ locks: [aLock(ADA)], servers: [aServer([aPane()])] })).toMatchObject({
      answer: 'held',
      state: 'held',
      message: 'held: claude is running in pane %3 of session gt-crew-ada',
      next: EXPLAIN,
    });
  });

  test('held by a live process: held, with its PID', () => {
    expect(ask({ locks: [aLock(ADA, { sessionId: '' })], lookups: [present(4242)] }).message).toBe(
      'held: process 4242 (claude) is running',
    );
  });

  test('a session with only a shell: held, and called idle', () => {
    const servers = [aServer([aPane({ command: 'bash' })])];
    expect(ask({ locks: [aLock(ADA)], servers })).toMatchObject({
      answer: 'held',
      message: 'held: idle, its agent has exited: pane %3 of session gt-crew-ada exists and shows only bash',
      notes: ['idle'],
    });
  });

  test('orphaned: held', () => {
    expect(ask({ locks: [aLock(ADA)], lookups: [present(4242)] })).toMatchObject({
      answer: 'held',
      state: 'orphaned',
    });
  });

  test('two agents: held, with both in the message', () => {
    const servers = [aServer([aPane()]), aServer([aPane({ pid: 750 })], { socket: '/tmp/b', pid: 601 })];
    expect(ask({ locks: [aLock(ADA)], servers })).toMatchObject({
      answer: 'held',
      message: expect.stringMatching(/^2 agents are running there: .*; /),
    });
  });

  test('stale: repair, with the command that does it', () => {
    expect(ask({ locks: [aLock(ADA)] })).toMatchObject({
      answer: 'repair',
      state: 'stale',
      message: 'stale lock: no process 4242',
      next: [['doctor', 'preflight', '--fix', ADA, '--town', ROOT]],
    });
  });

  test('invalid and old, nobody at work: repair', () => {
    expect(ask({ locks: [broken()] })).toMatchObject({ answer: 'repair', state: 'invalid' });
  });

  test.each([
    ['stale and fresh', aLock(ADA, { acquiredAtMs: NOW - 10_000 }, { mtimeMs: NOW - 10_000 }), 20],
    ['invalid and young', broken({ mtimeMs: NOW - 29_500 }), 1],
  ])('%s: unsure, with the seconds until a retry', (_, lock, seconds) => {
    expect(ask({ locks: [lock] })).toMatchObject({
      answer: 'unsure',
      retryInSeconds: seconds,
      message: expect.stringContaining(`retry in ${seconds} s`),
    });
  });

  test.each([
    ['stale and tracked', aLock(ADA, {}, { git: TRACKED })],
    [
      'stale without an answer from git',
      aLock(ADA, {}, { git: gitFacts({ tracked: { seen: false, why: 'x' } }) }),
    ],
    ['a directory', broken({ isRegularFile: false, stamp: null })],
    ['invalid and tracked', broken({ git: TRACKED })],
    ['foreign', aLock(ADA, { hostname: 'elsewhere' })],
    ['unreadable', aLock(ADA, {}, { content: { kind: 'unread', why: 'permission denied' }, stamp: null })],
  ])('%s: unsure, without a time to retry', (_, lock) => {
    expect(ask({ locks: [lock] })).toMatchObject({ answer: 'unsure', retryInSeconds: null, next: EXPLAIN });
  });

  test.each([
    ['an empty file', broken()],
    ['an empty file that was written just now', broken({ mtimeMs: NOW - 1000 })],
    ['an empty file that git tracks', broken({ git: TRACKED })],
    ['a directory in its place', broken({ isRegularFile: false, stamp: null })],
    ['a foreign lock', aLock(ADA, { hostname: 'elsewhere' })],
    ['a file that cannot be read', aLock(ADA, {}, { content: { kind: 'unread', why: 'x' }, stamp: null })],
  ])('%s with an agent at work beside it: held', (_, lock) => {
    expect(ask({ locks: [lock], servers: [aServer([aPane({ id: '%8' })])] }).answer).toBe('held');
  });

  test('unknown: unsure, with the missing evidence', () => {
    expect(ask({ locks: [aLock(ADA)], servers: [failing] })).toMatchObject({
      answer: 'unsure',
      state: 'unknown',
      message: expect.stringMatching(/^cannot tell: tmux server .* did not answer within 2000 ms$/),
    });
  });

  test("another worker's lock that names the same live pane is not mentioned", () => {
    const parts: SnapshotParts = {
      locks: [aLock(ADA), aLock('gastown/crew/bob', { pid: 4243 })],
      lookups: [absent(4242), absent(4243)],
      servers: [aServer([aPane({ sessionName: 'main', path: '/home' })])],
    };
    expect(ask(parts).message).not.toContain('agents share');
  });

  test('in both layouts: the lock in the current layout decides', () => {
    const legacy = aLock(ADA, { pid: 4243, sessionId: '' }, { id: `agent:${ADA}#legacy`, layout: 'legacy' });
    const now = aLock(ADA, { sessionId: '' });
    const lookups = [present(4242), absent(4243)];
    for (const locks of [
      [legacy, now],
      [now, legacy],
    ])
      expect(ask({ locks, lookups }).state).toBe('held');
  });
});

describe('several workers', () => {
  test('are answered in the order of the question', () => {
    const asked = ['gastown/crew/bob', ADA, 'gastown/crew/joe'];
    const snapshot = aSnapshot({ locks: [aLock(ADA)], over: { asked } });
    expect(answerPreflight(snapshot).map(({ worker, answer }) => [worker, answer])).toEqual([
      ['gastown/crew/bob', 'free'],
      [ADA, 'repair'],
      ['gastown/crew/joe', 'free'],
    ]);
  });

  test.each<[readonly Answer[], number]>([
    [['free'], 0],
    [['held'], 20],
    [['repair'], 21],
    [['unsure'], 22],
    [['free', 'repair'], 21],
    [['repair', 'held', 'free'], 20],
    [['held', 'unsure', 'repair', 'free'], 22],
    [[], 0],
  ])('%p exit with %p', (answers, code) => {
    expect(preflightCode(answers)).toBe(code);
  });
});
