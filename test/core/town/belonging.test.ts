/** Panes that seemed to belong to another worker, or to be gone, while the agent of the lock lived in them. */
import { describe, expect, test } from '@jest/globals';
import { judgeAll } from '../../../src/core/judge/judge.ts';
import { indexSnapshot } from '../../../src/core/town/town-index.ts';
import type { Snapshot } from '../../../src/core/types/evidence.ts';
import type { Verdict } from '../../../src/core/types/judgement.ts';
import { aLock, aPane, aProcess, aServer, aSnapshot, HOUR, NOW, ROOT } from '../../support/snapshot.ts';

/** The town, for the tests whose root is only one of its rigs. */
const AROUND = ROOT;
const ADA = 'gastown/crew/ada';
const UNKNOWN_AGENT = 'unheard-of';
const {
  town,
  machine: { host },
} = aSnapshot();

const judge = (snapshot: Snapshot): Verdict => {
  const [verdict] = judgeAll(indexSnapshot(snapshot));
  if (verdict === undefined) throw new Error('nothing was judged');
  return verdict;
};

describe('a question about one rig of a town (doctor --town <town>/<rig>)', () => {
  const rig = { ...town, root: `${AROUND}/gastown`, marked: false, rigs: [], workers: [] };
  const environment = { GT_ROLE: ADA, GT_ROOT: AROUND };
  const lock = aLock('crew/ada');

  test('GT_ROLE and GT_ROOT of the surrounding town do not make the pane foreign', () => {
    const pane = aPane({ command: UNKNOWN_AGENT, path: `${AROUND}/${ADA}`, environment });
    const servers = [aServer([pane], { origin: 'default' })];
    expect(judge(aSnapshot({ locks: [lock], servers, over: { town: rig } })).state).toBe('held');
  });

  test('nor does a working directory in the surrounding town, or outside both', () => {
    for (const pane of [
      aPane({ path: `${AROUND}/mayor`, otherTown: AROUND, environment }),
      aPane({ path: `${AROUND}/mayor`, otherTown: AROUND }),
      aPane({ path: '/tmp', environment }),
    ]) {
      const other = aPane({ id: '%4', command: 'bash', path: rig.root });
      const servers = [aServer([pane, other], { origin: 'default' })];
      expect(judge(aSnapshot({ locks: [lock], servers, over: { town: rig } })).state).toBe('held');
    }
  });
});

test('a lock outside every role’s directory is held by an agent there whose GT_ROLE names a symlink to it', () => {
  const environment = { GT_ROLE: 'gastown/crew/linked', GT_ROOT: ROOT };
  const pane = aPane({
    command: UNKNOWN_AGENT,
    sessionName: 'work',
    path: `${ROOT}/store/linked`,
    environment,
  });
  expect(judge(aSnapshot({ locks: [aLock('store/linked')], servers: [aServer([pane])] })).state).toBe('held');
});

test('on the server with the town’s name an agent may work in another town', () => {
  const pane = aPane({ path: '/other/docs', otherTown: '/other' });
  expect(judge(aSnapshot({ locks: [aLock(ADA)], servers: [aServer([pane])] })).state).toBe('held');
});

test('a server that seems younger than the lock after a clock change is dated by its process', () => {
  const pane = aPane({ command: UNKNOWN_AGENT, sessionName: 'work', path: '/home/user' });
  const server = aServer([pane], { startedAtMs: NOW - HOUR });
  const started = (startedAtMs: number): Snapshot => {
    const processes = [aProcess(server.pid ?? 0, { names: ['tmux: server'], startedAtMs })];
    return aSnapshot({ locks: [aLock(ADA)], servers: [server], processes });
  };
  expect(judge(started(NOW - 9 * HOUR)).state).toBe('held');
  expect(judge(started(NOW - HOUR)).reasons).toContain('pane-recycled');
});

test('a pane in the directory of a copied lock belongs to the worker that its GT_ROLE names', () => {
  const record = { sessionId: '%3' };
  const environment = { GT_ROLE: ADA };
  const pane = aPane({ pid: 99, path: `${ROOT}/gastown/crew/bob`, environment });
  const locks = [aLock(ADA, record), aLock('gastown/crew/bob', record)];
  expect(judge(aSnapshot({ locks, servers: [aServer([pane])] })).state).toBe('held');
});

test('in a container a missing PID proves death only if the town’s own tmux was reached', () => {
  const inside = {
    ...host,
    initialPidNamespace: false,
    pidNamespace: 'pid:[4026532999]',
    numbersAreOurs: true,
  };
  const pane = aPane({ id: '%1', sessionName: 'mine', path: '/home/u', command: 'bash' });
  const askedFrom = (fields: Parameters<typeof aServer>[1], path = '/home/u'): Snapshot =>
    aSnapshot({
      locks: [aLock(ADA)],
      servers: [aServer([{ ...pane, path }], fields)],
      processes: [aProcess(600, { names: ['tmux: server'] })],
      over: { host: inside },
    });
  expect(judge(askedFrom({ origin: 'default' })).state).toBe('unknown');
  expect(judge(askedFrom({ origin: 'default' }, `${ROOT}/mayor`)).state).toBe('stale');
  expect(judge(askedFrom({ origin: 'town' })).state).toBe('stale');
});

test('a drifted lock is held if the session’s pane shows a container client', () => {
  const pane = aPane({ id: '%9', command: 'docker' });
  expect(judge(aSnapshot({ locks: [aLock(ADA)], servers: [aServer([pane])] })).state).toBe('held');
});

test('a pane that variables name is in doubt if the asker’s ancestors are hidden, unless its server has ended', () => {
  const server = aServer([aPane({ id: '%9' })]);
  const askedFrom = (serverPid: number, over: Partial<Snapshot['machine']['asker']> = {}): Snapshot => {
    const pane = { socket: server.socket, serverPid, id: '%9' };
    const asker = { pids: [99, 1], pane, ...over };
    return aSnapshot({ locks: [aLock(ADA)], servers: [server], over: { asker } });
  };
  expect(judge(askedFrom(600)).state).toBe('held');
  const verdict = judge(askedFrom(600, { pids: [99], isCutOff: true }));
  expect([verdict.state, verdict.facts.map(({ text }) => text)]).toEqual([
    'unknown',
    expect.arrayContaining([expect.stringContaining('TMUX_PANE names pane %9')]),
  ]);
  expect(judge(askedFrom(599, { pids: [99], isCutOff: true })).state).toBe('held');
  expect(judge(askedFrom(600, { pids: [99, server.panes[0]?.pid ?? 0], isCutOff: true })).state).toBe(
    'stale',
  );
});
