import { describe, expect, test } from '@jest/globals';
import { decide } from '../../../src/core/judge/decide.ts';
import { examineSnapshot } from '../../../src/core/judge/examine.ts';
import type { ProcessInfo, Snapshot, TmuxServer } from '../../../src/core/types/evidence.ts';
import type { Verdict } from '../../../src/core/types/judgement.ts';
import {
  absent,
  aLock,
  aPane,
  aProcess,
  aServer,
  aSnapshot,
  BOOT,
  HOUR,
  NOW,
  present,
  ROOT,
  SOCKET,
  withMachine,
} from '../../support/snapshot.ts';

const ADA = 'gastown/crew/ada';
const judge = (snapshot: Snapshot, worker = ADA): Verdict => {
  const verdict = examineSnapshot(snapshot).verdicts.find(({ lock }) => lock.worker === worker);
  if (verdict === undefined) throw new Error(`no lock of ${worker}`);
  return verdict;
};
const collisionsOf = (snapshot: Snapshot) => examineSnapshot(snapshot).collisions;
const lockOfAda = aLock(ADA);
const shell = (fields: Parameters<typeof aPane>[0]) => aPane({ command: 'bash', ...fields });

describe('the decision table', () => {
  const calm = { foreign: false, own: false, occupied: false, occupantsKnown: true, young: false };
  const table = [
    ['alive', 'live', 'held'],
    ['alive', 'gone', 'orphaned'],
    ['alive', 'unnamed', 'held'],
    ['alive', 'unknown', 'held'],
    ['gone', 'live', 'held'],
    ['gone', 'gone', 'stale'],
    ['gone', 'unnamed', 'stale'],
    ['gone', 'unknown', 'unknown'],
    ['recycled', 'live', 'held'],
    ['recycled', 'gone', 'stale'],
    ['recycled', 'unnamed', 'stale'],
    ['recycled', 'unknown', 'unknown'],
    ['unknown', 'live', 'held'],
    ['unknown', 'gone', 'unknown'],
    ['unknown', 'unnamed', 'unknown'],
    ['unknown', 'unknown', 'unknown'],
  ] as const;

  test.each(table)('process %s and session %s make it %s', (process, session, state) => {
    expect(decide({ ...calm, process, session })).toBe(state);
  });

  test.each(table)('process %s and session %s with an occupant make it held', (process, session, _state) => {
    expect(decide({ ...calm, process, session, occupied: true })).toBe('held');
    expect(decide({ ...calm, process, session, occupied: true, foreign: true })).toBe('held');
  });

  test.each(table)(
    'process %s and session %s are never stale if occupants could not be looked for',
    (process, session, _state) => {
      expect(decide({ ...calm, process, session, occupantsKnown: false })).not.toBe('stale');
    },
  );

  test('a record of ours with a dead start token is stale even if its session is still open', () => {
    expect(decide({ ...calm, own: true, process: 'gone', session: 'live' })).toBe('stale');
    expect(decide({ ...calm, own: true, process: 'gone', session: 'unknown' })).toBe('unknown');
  });

  test('a foreign lock is foreign unless life is seen here', () => {
    expect(decide({ ...calm, foreign: true, process: 'unknown', session: 'unknown' })).toBe('foreign');
    expect(decide({ ...calm, foreign: true, process: 'unknown', session: 'live' })).toBe('held');
  });
});

describe('situations of the field notes', () => {
  test('an agent alive in its pane holds the lock even if the recorded helper is dead', () => {
    const verdict = judge(aSnapshot({ locks: [lockOfAda], servers: [aServer([aPane()])] }));
    expect(verdict.state).toBe('held');
    expect(verdict.reasons).toEqual(['process-gone', 'pane-live', 'occupied']);
    expect(verdict.notes).toEqual([]);
  });

  test('a window split elsewhere makes %N and $N diverge, which changes no verdict', () => {
    const panes = [
      aPane({ sessionId: '$3' }),
      aPane({ id: '%4', sessionId: '$3', pid: 701, command: 'bash' }),
    ];
    expect(judge(aSnapshot({ locks: [lockOfAda], servers: [aServer(panes)] })).state).toBe('held');
    const other = shell({
      id: '%9',
      sessionId: '$3',
      sessionName: 'gt-crew-bob',
      path: `${ROOT}/gastown/crew/bob`,
    });
    expect(judge(aSnapshot({ locks: [lockOfAda], servers: [aServer([other])] })).state).toBe('stale');
  });

  test("a pane that is now another worker's shell proves the holder gone", () => {
    const pane = shell({ sessionName: 'gt-crew-bob', path: `${ROOT}/gastown/crew/bob` });
    const verdict = judge(aSnapshot({ locks: [lockOfAda], servers: [aServer([pane])] }));
    expect(verdict.state).toBe('stale');
    expect(verdict.reasons).toContain('pane-recycled');
    expect(verdict.release).toEqual({ allowed: true });
  });

  test('an agent that changed to the directory of another worker keeps its own pane', () => {
    const pane = aPane({ sessionName: 'main', path: `${ROOT}/gastown/crew/bob` });
    expect(judge(aSnapshot({ locks: [lockOfAda], servers: [aServer([pane])] })).state).toBe('held');
  });

  test('an identity is matched to the session of this worker only', () => {
    const joe = 'gastown/crew/joe';
    const lock = aLock(joe, { sessionId: 'gastown/joe' });
    const crew = aPane({ sessionName: 'gt-crew-joe', path: `${ROOT}/${joe}` });
    expect(judge(aSnapshot({ locks: [lock], servers: [aServer([crew])] }), joe).state).toBe('held');
    const polecat = aPane({ sessionName: 'gt-joe', path: `${ROOT}/gastown/polecats/joe` });
    const verdict = judge(aSnapshot({ locks: [lock], servers: [aServer([polecat])] }), joe);
    expect(verdict.state).toBe('stale');
    expect(verdict.reasons).toContain('session-gone');
  });

  test('a dead process and no tmux server make the lock stale', () => {
    expect(judge(aSnapshot({ locks: [lockOfAda] })).state).toBe('stale');
  });

  test.each([
    [
      'a server that did not answer',
      {
        installed: true,
        enumerated: true,
        servers: [aServer([], { status: 'failed', reason: 'did not answer within 2000 ms' })],
      },
    ],
    [
      'tmux missing while a tmux server runs',
      {
        installed: false,
        enumerated: true,
        servers: [aServer([], { status: 'failed', reason: 'tmux is not installed' })],
      },
    ],
    ['servers that could not be counted', { installed: true, enumerated: false, servers: [] }],
  ] as const)('%s makes the lock unknown and prevents its release', (_, tmux) => {
    const verdict = judge(aSnapshot({ locks: [lockOfAda], over: { tmux } }));
    expect(verdict.state).toBe('unknown');
    expect(verdict.release.allowed).toBe(false);
  });

  test.each([
    ['all processes are listed', { seen: true, value: 'all' }, 'stale'],
    ["others' processes are hidden", { seen: true, value: 'own' }, 'unknown'],
    ['no process could be listed', { seen: false, why: 'no /proc' }, 'unknown'],
  ] as const)('tmux missing, no server and no socket, and %s', (_, listing, state) => {
    const tmux = { installed: false, enumerated: true, servers: [] };
    const seen = aSnapshot({ locks: [lockOfAda], over: { tmux } });
    expect(judge(withMachine(seen, { processes: { ...seen.machine.processes, listing } })).state).toBe(state);
  });

  test('a failed server that demonstrably works outside the town casts no doubt', () => {
    const servers = [aServer([], { status: 'failed', origin: 'process', outsideTown: true })];
    expect(judge(aSnapshot({ locks: [lockOfAda], servers })).state).toBe('stale');
  });

  describe("another user's server, which is not queried", () => {
    const silent = (fields: Partial<TmuxServer> = {}) =>
      aServer([], {
        ...{ socket: '/odd/path', origin: 'process', status: 'failed', strangersUid: 1234 },
        ...{ reason: 'process 600 belongs to user 1234: not asked' },
        ...fields,
      });

    test('may have the session of a lock, by whatever name: unknown, with the server in the evidence', () => {
      for (const sessionId of ['%3', '$1', 'gt-crew-ada', 'gastown/ada']) {
        const locks = [aLock(ADA, { sessionId })];
        const { state, reasons, facts } = judge(aSnapshot({ locks, servers: [silent(), aServer([])] }));
        expect([state, reasons]).toEqual(['unknown', ['process-gone', 'session-unknown']]);
        expect(facts).toContainEqual({
          source: 'tmux',
          text: `${sessionId} may be on tmux server /odd/path: process 600 belongs to user 1234: not asked`,
        });
      }
    });

    test('may have it even if another server has the same pane number by coincidence', () => {
      const bob = { path: `${ROOT}/gastown/crew/bob`, sessionName: 'gt-crew-bob' };
      const recycled = aServer([aPane(bob)]);
      const judged = (servers: readonly TmuxServer[]) => judge(aSnapshot({ locks: [lockOfAda], servers }));
      expect(judged([recycled]).reasons).toContain('pane-recycled');
      expect(judged([recycled, silent()])).toMatchObject({
        state: 'unknown',
        reasons: ['process-gone', 'session-unknown'],
      });
    });

    test('casts no doubt if it started more than ten minutes after the lock', () => {
      const started = (lateMs: number) => [silent({ startedAtMs: NOW - 8 * HOUR + lateMs })];
      expect(judge(aSnapshot({ locks: [lockOfAda], servers: started(11 * 60_000) })).state).toBe('stale');
      expect(judge(aSnapshot({ locks: [lockOfAda], servers: started(9 * 60_000) })).state).toBe('unknown');
    });

    test('casts no doubt on a lock that names no session, nor on a live session', () => {
      const unnamed = aLock(ADA, { sessionId: '' });
      expect(judge(aSnapshot({ locks: [unnamed], servers: [silent()] })).state).toBe('stale');
      const live = judge(aSnapshot({ locks: [lockOfAda], servers: [silent(), aServer([aPane()])] }));
      expect(live).toMatchObject({ state: 'held', reasons: ['process-gone', 'pane-live', 'occupied'] });
    });
  });

  test('a server without sessions makes the lock stale', () => {
    expect(judge(aSnapshot({ locks: [lockOfAda], servers: [aServer([])] })).state).toBe('stale');
  });

  test('agents on a socket of any name count', () => {
    const servers = [
      aServer([], { socket: '/tmp/a' }),
      aServer([aPane()], { socket: '/tmp/odd', origin: 'process' }),
    ];
    expect(judge(aSnapshot({ locks: [lockOfAda], servers })).state).toBe('held');
  });

  test("towns with the same base name never match each other's panes", () => {
    const elsewhere = aPane({ path: '/other/town/gastown/crew/ada', otherTown: '/other/town' });
    expect(
      judge(aSnapshot({ locks: [lockOfAda], servers: [aServer([elsewhere], { origin: 'default' })] })).state,
    ).toBe('stale');
    const unmarked = aPane({ path: '/other/town/gastown/crew/ada' });
    expect(
      judge(aSnapshot({ locks: [lockOfAda], servers: [aServer([unmarked], { origin: 'default' })] })).state,
    ).toBe('stale');
  });

  test('a PID reused by a browser is stale, with the note would-block', () => {
    const cwd = { seen: true, value: '/home/user' } as const;
    const lookups = [present(4242, { names: ['firefox'], startedAtMs: NOW - HOUR, cwd })];
    const verdict = judge(aSnapshot({ locks: [lockOfAda], lookups }));
    expect([verdict.state, verdict.notes]).toEqual(['stale', ['would-block']]);
    const alive = judge(aSnapshot({ locks: [lockOfAda], lookups, servers: [aServer([aPane()])] }));
    expect([alive.state, alive.notes]).toEqual(['held', ['would-block']]);
  });

  test('a PID that now belongs to a daemon of root, started after the lock, is stale', () => {
    const lookups = [
      { ...present(4242, { names: ['crond'], uid: 0, startedAtMs: NOW - HOUR }), signalable: false },
    ];
    const verdict = judge(aSnapshot({ locks: [lockOfAda], lookups }));
    expect([verdict.state, verdict.notes]).toEqual(['stale', []]);
  });

  test.each([
    ['an agent', ['claude']],
    ['a helper that takes locks', ['gt']],
    ['a command that could not be read', []],
  ])('a later start alone does not make %s another process', (_, names) => {
    const lookups = [present(4242, { names, startedAtMs: NOW - HOUR })];
    expect(judge(aSnapshot({ locks: [lockOfAda], lookups })).state).toBe('orphaned');
  });

  test('a running helper holds a young lock, with the note priming', () => {
    const at = NOW - 5000;
    const lock = aLock(ADA, { acquiredAtMs: at }, { mtimeMs: at });
    const lookups = [present(4242, { names: ['gt'], startedAtMs: at })];
    const verdict = judge(aSnapshot({ locks: [lock], lookups }));
    expect([verdict.state, verdict.notes]).toEqual(['held', ['priming', 'would-block']]);
  });

  test('a young lock of a kind that no agent takes is not said to wait for an agent', () => {
    const claim = {
      by: 'number',
      pid: 4242,
      start: null,
      hostname: '',
      since: null,
      name: 'acme',
      isShared: false,
    } as const;
    const lock = aLock(
      ADA,
      {},
      {
        kind: 'acme/pid',
        content: { kind: 'claim', claim },
        mtimeMs: NOW - 1000,
        rules: { claims: null, witnesses: ['process', 'agents'], freshMs: 60_000 },
      },
    );
    const lookups = [present(4242, { names: ['sleep'] })];
    const verdict = judge(aSnapshot({ locks: [lock], lookups }));
    expect([verdict.state, verdict.notes]).toEqual(['held', []]);
  });

  test('a lock from the future does not stay young for ever', () => {
    const at = NOW + 2 * HOUR;
    const lock = aLock(ADA, { acquiredAtMs: at }, { mtimeMs: at });
    expect(judge(aSnapshot({ locks: [lock], lookups: [present(4242)] })).state).toBe('orphaned');
  });

  test('a lock of a container whose PID is alive here is foreign', () => {
    const lock = aLock(ADA, { hostname: '4e449adbac66' });
    const verdict = judge(
      aSnapshot({
        locks: [lock],
        lookups: [present(4242)],
        servers: [aServer([shell({ sessionName: 'x', path: '/home' })])],
      }),
    );
    expect(verdict.state).toBe('foreign');
    expect(verdict.holder?.process).toBeNull();
    expect(verdict.reasons).toContain('other-host');
    const occupied = judge(aSnapshot({ locks: [lock], servers: [aServer([aPane({ id: '%8' })])] }));
    expect(occupied.state).toBe('held');
  });

  test.each(['HERE', 'here.local', 'Here.lan', 'here.us-west-2.corp.example', ''])(
    'host %p is this host',
    (hostname) => {
      expect(judge(aSnapshot({ locks: [aLock(ADA, { hostname })] })).state).toBe('stale');
    },
  );

  test('a tracked lock is never released', () => {
    const git = {
      tracked: { seen: true, value: true },
      ignored: { seen: true, value: false },
      repository: ROOT,
    } as const;
    const verdict = judge(aSnapshot({ locks: [aLock(ADA, {}, { git })] }));
    expect([verdict.state, verdict.notes, verdict.release]).toEqual([
      'stale',
      ['tracked'],
      { allowed: false, why: 'tracked', retryInSeconds: null },
    ]);
  });

  test('a lock is not released if git gives no answer', () => {
    const git = {
      tracked: { seen: false, why: 'dubious ownership' },
      ignored: { seen: false, why: 'x' },
      repository: ROOT,
    } as const;
    expect(judge(aSnapshot({ locks: [aLock(ADA, {}, { git })] })).release).toMatchObject({
      allowed: false,
      why: 'tracked-unknown',
    });
  });

  test('locks of a worker and of its parent directory that name one pane are one agent', () => {
    const locks = ['gastown/polecats/nux', 'gastown/polecats/nux/gastown'].map((worker) => aLock(worker));
    const pane = aPane({ sessionName: 'gt-nux', path: `${ROOT}/gastown/polecats/nux/gastown` });
    const examination = examineSnapshot(aSnapshot({ locks, servers: [aServer([pane])] }));
    expect(examination.verdicts.map(({ state }) => state)).toEqual(['held', 'held']);
    expect(examination.collisions).toEqual([]);
  });

  test('a copied worker leaves the original held and the copy stale', () => {
    const locks = [aLock(ADA), aLock('gastown/crew/bob')];
    for (const sessionName of ['gt-crew-ada', 'main']) {
      const examination = examineSnapshot(aSnapshot({ locks, servers: [aServer([aPane({ sessionName })])] }));
      expect(examination.verdicts.map(({ state, notes }) => [state, notes])).toEqual([
        ['held', []],
        ['stale', ['copy']],
      ]);
      expect(examination.collisions).toEqual([]);
    }
  });

  test('an agent resumed in a new pane holds its lock, with the note drifted', () => {
    const verdict = judge(aSnapshot({ locks: [lockOfAda], servers: [aServer([aPane({ id: '%7' })])] }));
    expect([verdict.state, verdict.notes]).toEqual(['held', ['drifted']]);
  });

  test('a respawned pane keeps the lock even if its process is younger', () => {
    const processes = [aProcess(700, { startedAtMs: NOW - 1000 })];
    expect(judge(aSnapshot({ locks: [lockOfAda], servers: [aServer([aPane()])], processes })).state).toBe(
      'held',
    );
  });

  test('a restarted server whose %3 is now the witness proves the holder gone', () => {
    const pane = aPane({ sessionName: 'gt-witness', path: `${ROOT}/gastown/witness` });
    const verdict = judge(
      aSnapshot({ locks: [lockOfAda], servers: [aServer([pane], { startedAtMs: NOW - HOUR })] }),
    );
    expect(verdict.state).toBe('stale');
    expect(verdict.reasons).toContain('pane-recycled');
  });

  test('a session that shows only a shell is live, and the evidence says so', () => {
    const verdict = judge(aSnapshot({ locks: [lockOfAda], servers: [aServer([shell({})])] }));
    expect(verdict.state).toBe('held');
    expect(verdict.facts.map(({ text }) => text).join('\n')).toMatch(/exists and shows only bash/);
  });

  test('a pane whose process has ended is gone', () => {
    const verdict = judge(aSnapshot({ locks: [lockOfAda], servers: [aServer([aPane({ dead: true })])] }));
    expect([verdict.state, verdict.reasons]).toEqual(['stale', ['process-gone', 'pane-dead']]);
  });

  test('{} is stale: PID 0 is not a process, and it names no session', () => {
    const lock = aLock(ADA, { pid: 0, acquiredAt: '', acquiredAtMs: null, sessionId: '', hostname: '' });
    const verdict = judge(aSnapshot({ locks: [lock] }));
    expect([verdict.state, verdict.reasons]).toEqual(['stale', ['pid-invalid', 'session-unnamed']]);
  });

  test('an unknown program counts in the foreground of a pane, but not in the background of its shell', () => {
    const pane = aPane({ id: '%9', command: 'bash' });
    const child = (inForeground: boolean) =>
      aProcess(701, { ppid: 700, names: ['my-agent'], ...(inForeground ? { inForeground } : {}) });
    const shellOf = aProcess(700, { names: ['bash'] });
    const stateWith = (inForeground: boolean) =>
      judge(
        aSnapshot({
          locks: [lockOfAda],
          servers: [aServer([pane])],
          processes: [shellOf, child(inForeground)],
        }),
      ).state;
    expect([stateWith(true), stateWith(false)]).toEqual(['held', 'stale']);
  });

  test('GT_PROCESS_NAMES of a pane names the commands of its agent', () => {
    const pane = aPane({ id: '%9', sessionName: 'main', command: 'bash' });
    const wrapped = aProcess(701, { ppid: 700, names: ['my-agent'] });
    const named = aProcess(700, { names: ['bash'], environment: { GT_PROCESS_NAMES: 'node, my-agent' } });
    const servers = [aServer([pane])];
    expect(judge(aSnapshot({ locks: [lockOfAda], servers, processes: [named, wrapped] })).state).toBe('held');
    const silent = aProcess(700, { names: ['bash'] });
    expect(judge(aSnapshot({ locks: [lockOfAda], servers, processes: [silent, wrapped] })).state).toBe(
      'stale',
    );
  });

  test('an agent outside tmux in the worker holds the lock', () => {
    const processes = [aProcess(800, { cwd: { seen: true, value: `${ROOT}/${ADA}/src` } })];
    expect(judge(aSnapshot({ locks: [lockOfAda], processes })).reasons).toContain('occupied');
  });

  test('an agent that outlived its tmux session is orphaned, not its own occupant', () => {
    const cwd = { seen: true, value: `${ROOT}/${ADA}` } as const;
    const processes = [aProcess(4242, { cwd }), aProcess(4300, { ppid: 4242, cwd })];
    expect(judge(aSnapshot({ locks: [lockOfAda], lookups: [present(4242, { cwd })], processes })).state).toBe(
      'orphaned',
    );
  });

  test('the asker, its ancestors and its pane never count', () => {
    const processes = [aProcess(99, { cwd: { seen: true, value: `${ROOT}/${ADA}` } })];
    expect(judge(aSnapshot({ locks: [lockOfAda], processes })).state).toBe('stale');
    const pane = aPane({ id: '%9', pid: 99 });
    expect(judge(aSnapshot({ locks: [lockOfAda], servers: [aServer([pane])] })).state).toBe('stale');
  });

  test('what an asking agent of an unknown place started counts where it is seen, and hides nowhere', () => {
    const asker = { pids: [99, 98], pane: null };
    const hidden = { seen: false, why: 'EACCES' } as const;
    const here = { seen: true, value: `${ROOT}/${ADA}` } as const;
    const started = (process: Partial<ProcessInfo>): string => {
      const processes = [aProcess(98, { cwd: hidden }), aProcess(800, { ppid: 98, ...process })];
      return judge(aSnapshot({ locks: [lockOfAda], processes, over: { asker } })).state;
    };
    expect(started({ cwd: here })).toBe('held');
    expect(started({ cwd: here, names: ['my-agent'], inForeground: true })).toBe('unknown');
    // Else an agent whose helpers hide like itself would block every worker.
    expect(started({ cwd: hidden })).toBe('stale');
  });

  test('a lock that names nobody may be of an agent outside of a container or sandbox', () => {
    const inside = {
      ...aSnapshot().machine.host,
      initialPidNamespace: false,
      pidNamespace: 'pid:[4026532999]',
    };
    const locks = [aLock(ADA, { pid: 0, sessionId: '', hostname: '' })];
    expect(judge(aSnapshot({ locks, over: { host: inside } })).state).toBe('stale');
    for (const unseenOutside of ['container', 'sandbox'] as const)
      expect(judge(aSnapshot({ locks, over: { host: { ...inside, unseenOutside } } })).state).toBe('unknown');
  });

  test('an agent that hides its working directory leaves doubt', () => {
    const processes = [aProcess(800, { cwd: { seen: false, why: 'EACCES' } })];
    const verdict = judge(aSnapshot({ locks: [lockOfAda], processes }));
    expect([verdict.state, verdict.reasons]).toEqual([
      'unknown',
      ['process-gone', 'pane-gone', 'occupants-unknown'],
    ]);
  });

  test('a shell, an editor and a dev server are not occupants, but are in the evidence', () => {
    const panes = ['bash', 'vim', 'vite'].map((command, i) =>
      aPane({ id: `%${i + 10}`, pid: 710 + i, command }),
    );
    const verdict = judge(aSnapshot({ locks: [lockOfAda], servers: [aServer(panes)] }));
    expect(verdict.state).toBe('stale');
    expect(verdict.facts.filter(({ source }) => source === 'occupants')).toHaveLength(3);
  });

  test('a stale lock under 30 s old keeps its verdict, but is not released yet', () => {
    const verdict = judge(aSnapshot({ locks: [aLock(ADA, {}, { mtimeMs: NOW - 10_000 })] }));
    expect([verdict.state, verdict.notes]).toEqual(['stale', ['fresh']]);
    expect(verdict.release).toEqual({ allowed: false, why: 'fresh', retryInSeconds: 20 });
  });

  test('a misplaced lock in the old layout is judged like any other, with notes', () => {
    const verdict = judge(
      aSnapshot({ locks: [aLock('gastown/crew/ada/src', {}, { layout: 'legacy' })] }),
      'gastown/crew/ada/src',
    );
    expect([verdict.state, verdict.notes]).toEqual(['stale', ['misplaced', 'legacy-path']]);
  });

  test('inside a container a missing PID proves nothing unless its own tmux was reached', () => {
    const host = {
      ...aSnapshot().machine.host,
      initialPidNamespace: false,
      pidNamespace: 'pid:[4026532000]',
      numbersAreOurs: true,
    };
    expect(judge(aSnapshot({ locks: [lockOfAda], over: { host } })).state).toBe('unknown');
    const reached = { locks: [lockOfAda], servers: [aServer([])], over: { host } };
    const server = aProcess(600, { names: ['tmux: server'] });
    expect(judge(aSnapshot({ ...reached, processes: [server] })).state).toBe('stale');
    // The socket is mounted into this container: the server and the agents run outside.
    expect(judge(aSnapshot(reached)).state).toBe('unknown');
    expect(judge(aSnapshot({ ...reached, processes: [aProcess(600)] })).state).toBe('unknown');
  });

  test('a tmux server inside a sandbox does not make the PIDs of the host valid there', () => {
    const inside = {
      ...aSnapshot().machine.host,
      initialPidNamespace: false,
      pidNamespace: 'pid:[4026532000]',
    };
    const askedBy = (host: Snapshot['machine']['host'], hostname = host.hostname): string =>
      judge(
        aSnapshot({
          locks: [aLock(ADA, { hostname })],
          servers: [aServer([aPane({ id: '%1', sessionName: 'mine', path: `${ROOT}/mayor` })])],
          processes: [aProcess(600, { names: ['tmux: server'] })],
          over: { host },
        }),
      ).state;
    expect(askedBy(inside)).toBe('unknown');
    expect(askedBy({ ...inside, numbersAreOurs: false })).toBe('unknown');
    // A lock that does not say where it was taken may be of the host.
    expect(askedBy({ ...inside, numbersAreOurs: true }, '')).toBe('unknown');
    expect(askedBy({ ...inside, numbersAreOurs: true })).toBe('stale');
  });
});

describe('our own records', () => {
  const holder = { pid: 5000, startToken: '777', bootId: BOOT, pidNamespace: 'pid:[4026531836]', nonce: 'n' };
  const own = (fields = {}, record = {}) =>
    aLock(ADA, { holder: { ...holder, ...fields }, sessionId: '', ...record });

  test('the PID of the holder is judged, not the one in `pid`', () => {
    const lookups = [absent(4242), present(5000, { startToken: '777', names: ['sleep'] })];
    expect(judge(aSnapshot({ locks: [own()], lookups })).state).toBe('held');
    expect(judge(aSnapshot({ locks: [own()], lookups: [present(4242), absent(5000)] })).state).toBe('stale');
  });

  test('another start token means another process', () => {
    const verdict = judge(aSnapshot({ locks: [own()], lookups: [present(5000, { startToken: '778' })] }));
    expect([verdict.state, verdict.reasons[0]]).toEqual(['stale', 'process-recycled']);
  });

  test('another boot of the same machine proves death, of an unnamed machine it leaves doubt', () => {
    const before = { bootId: 'another' };
    expect(judge(aSnapshot({ locks: [own(before)], lookups: [present(5000)] })).reasons[0]).toBe('rebooted');
    expect(judge(aSnapshot({ locks: [own(before, { hostname: '' })], lookups: [absent(5000)] })).state).toBe(
      'unknown',
    );
  });

  test('another PID namespace is foreign', () => {
    const verdict = judge(
      aSnapshot({ locks: [own({ pidNamespace: 'pid:[4026532999]' })], lookups: [absent(5000)] }),
    );
    expect([verdict.state, verdict.reasons[0]]).toEqual(['foreign', 'other-namespace']);
  });

  test('a dead start token outweighs an open session without an agent', () => {
    const lock = own({}, { sessionId: '%3' });
    expect(
      judge(aSnapshot({ locks: [lock], lookups: [absent(5000)], servers: [aServer([shell({})])] })).state,
    ).toBe('stale');
    expect(
      judge(aSnapshot({ locks: [lock], lookups: [absent(5000)], servers: [aServer([aPane()])] })).state,
    ).toBe('held');
  });

  test('a companion record decides about a lock that another tool overwrote, while its holder lives', () => {
    const lock = aLock(ADA, {}, { companion: holder });
    expect(
      judge(
        aSnapshot({
          locks: [lock],
          lookups: [absent(4242), present(5000, { startToken: '777' })],
          servers: [aServer([])],
        }),
      ).state,
    ).toBe('orphaned');
    expect(judge(aSnapshot({ locks: [lock], lookups: [absent(4242), absent(5000)] })).state).toBe('stale');
    expect(judge(aSnapshot({ locks: [lock], lookups: [absent(4242)] })).state).toBe('unknown');
  });
});

describe('collisions', () => {
  test('one identity alive on two sockets collides', () => {
    const servers = [
      aServer([aPane()]),
      aServer([aPane({ pid: 900 })], { socket: '/tmp/tmux-1000/default' }),
    ];
    const [collision] = collisionsOf(aSnapshot({ locks: [lockOfAda], servers }));
    expect([collision?.kind, collision?.workers]).toEqual(['agents', [ADA]]);
    expect(collision?.facts).toHaveLength(2);
  });

  test('two agents in two panes of one session collide, and need no lock for it', () => {
    const panes = [aPane(), aPane({ id: '%4', pid: 701 })];
    expect(collisionsOf(aSnapshot({ servers: [aServer(panes)] }))).toHaveLength(1);
  });

  test('an agent in tmux and one outside collide', () => {
    const processes = [aProcess(800, { cwd: { seen: true, value: `${ROOT}/${ADA}` } })];
    const collisions = collisionsOf(
      aSnapshot({ locks: [lockOfAda], servers: [aServer([aPane()])], processes }),
    );
    expect(collisions.map(({ who }) => who)).toEqual([['%3', 'pid 800']]);
  });

  test('a holder among processes that name each other as their parents is compared with the agent in the pane', () => {
    const holder = {
      pid: 800,
      startToken: '777',
      bootId: BOOT,
      pidNamespace: 'pid:[4026531836]',
      nonce: 'n',
    };
    const held = present(800, { startToken: '777', names: ['sleep'], ppid: 801 });
    const processes = [held.process, aProcess(801, { names: ['sh'], ppid: 800 })].filter(
      (one) => one !== null,
    );
    const locks = [aLock(ADA, { holder, sessionId: '' })];
    const [collision] = collisionsOf(
      aSnapshot({ locks, lookups: [held], servers: [aServer([aPane()])], processes }),
    );
    expect(collision?.who).toEqual(['%3', 'pid 800']);
  });

  test('sub-processes of one agent, extra shells, a log pane and a visitor do not collide', () => {
    const panes = [
      aPane(),
      aPane({ id: '%4', pid: 701, command: 'bash' }),
      aPane({ id: '%5', pid: 702, command: 'sleep' }),
      aPane({ id: '%6', pid: 703, sessionName: 'gt-crew-bob', sessionId: '$2' }),
    ];
    const processes = [
      aProcess(750, { ppid: 700, cwd: { seen: true, value: `${ROOT}/${ADA}` } }),
      aProcess(700, { ppid: 600 }),
    ];
    expect(collisionsOf(aSnapshot({ locks: [lockOfAda], servers: [aServer(panes)], processes }))).toEqual([]);
  });

  test('grouped sessions that show one pane twice do not collide', () => {
    const panes = [
      aPane({ sessionGroup: 'g' }),
      aPane({ sessionId: '$2', sessionName: 'gt-crew-ada-view', sessionGroup: 'g' }),
    ];
    expect(collisionsOf(aSnapshot({ locks: [lockOfAda], servers: [aServer(panes)] }))).toEqual([]);
  });

  test('one pane that two workers claim is a collision, their dead locks alone are not', () => {
    const pane = aPane({ sessionName: 'main', path: '/home/ada', command: 'claude' });
    const town = aPane({ id: '%8', pid: 710, sessionName: 'gt-witness', path: `${ROOT}/gastown/witness` });
    const locks = [aLock(ADA), aLock('gastown/crew/bob', { pid: 77 })];
    const lookups = [absent(77), absent(4242)];
    const [collision] = collisionsOf(aSnapshot({ locks, lookups, servers: [aServer([pane, town])] }));
    expect([collision?.kind, collision?.workers]).toEqual(['claims', [ADA, 'gastown/crew/bob']]);
    expect(collisionsOf(aSnapshot({ locks, lookups }))).toEqual([]);
  });
});

test('a verdict has the pane of its holder, with its socket', () => {
  const verdict = judge(aSnapshot({ locks: [lockOfAda], servers: [aServer([aPane()])] }));
  expect(verdict.holder?.pane).toEqual({ socket: SOCKET, id: '%3', sessionName: 'gt-crew-ada' });
});
