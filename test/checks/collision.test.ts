import { describe, expect, test } from '@jest/globals';
import check from '../../checks/collision.ts';
import type { LockFile } from '../../src/core/types/evidence.ts';
import { absent, aLock, aPane, aServer, ROOT } from '../support/snapshot.ts';
import { runOn } from './run-on.ts';

const ADA = 'gastown/crew/ada';
const BOB = 'gastown/crew/bob';
const elsewhere = { socket: '/tmp/tmux-1000/default', pid: 601 };

describe('collision reports', () => {
  test('one identity alive on two sockets, as an error with both agents in evidence', () => {
    const servers = [aServer([aPane()]), aServer([aPane({ pid: 750 })], elsewhere)];
    const [finding, ...more] = runOn(check, { locks: [aLock(ADA)], servers });
    expect(more).toEqual([]);
    expect(finding).toMatchObject({
      severity: 'error',
      worker: ADA,
      workers: [ADA],
      lock: `agent:${ADA}`,
      message: '2 live agents share this worker',
      fix: { action: 'advice' },
    });
    expect(finding?.evidence.map(({ text }) => text)).toEqual([
      expect.stringContaining('/tmp/tmux-1000/town-1a2b3c'),
      expect.stringContaining('/tmp/tmux-1000/default'),
    ]);
  });

  test('two agents at a worker without a lock', () => {
    const servers = [aServer([aPane()]), aServer([aPane({ pid: 750 })], elsewhere)];
    expect(runOn(check, { servers })).toMatchObject([{ worker: ADA, lock: null }]);
  });

  test('the lock of the agents, beside a lock of another kind there', () => {
    const servers = [aServer([aPane()]), aServer([aPane({ pid: 750 })], elsewhere)];
    const daemons: LockFile = {
      ...aLock(ADA),
      id: `daemon:${ADA}/z.pid`,
      kind: 'daemon',
      path: `${ROOT}/${ADA}/z.pid`,
      rules: { claims: null, witnesses: ['process'], freshMs: 60_000 },
    };
    expect(runOn(check, { locks: [aLock(ADA), daemons], servers })).toMatchObject([{ lock: `agent:${ADA}` }]);
    expect(runOn(check, { locks: [daemons], servers })).toMatchObject([{ worker: ADA, lock: null }]);
  });

  test('one pane claimed by the locks of two workers, as a single finding that names both', () => {
    const parts = {
      locks: [aLock(ADA), aLock(BOB, { pid: 4243 })],
      lookups: [absent(4242), absent(4243)],
      servers: [aServer([aPane({ sessionName: 'main', path: '/home' })])],
    };
    const [finding, ...more] = runOn(check, parts);
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ worker: ADA, workers: [ADA, BOB] });
    expect(finding?.message).toContain(`(${ADA}, ${BOB})`);
  });
});

describe('collision is silent about', () => {
  test('a pane that grouped sessions show twice', () => {
    const panes = [
      aPane({ sessionGroup: 'ada' }),
      aPane({ sessionGroup: 'ada', sessionId: '$2', sessionName: 'gt-crew-ada-2' }),
    ];
    expect(runOn(check, { locks: [aLock(ADA)], servers: [aServer(panes)] })).toEqual([]);
  });

  test('a shell beside the agent', () => {
    const panes = [aPane(), aPane({ id: '%4', pid: 701, command: 'bash' })];
    expect(runOn(check, { locks: [aLock(ADA)], servers: [aServer(panes)] })).toEqual([]);
  });

  test('two dead locks that share a PID and a pane', () => {
    expect(runOn(check, { locks: [aLock(ADA), aLock(BOB)] })).toEqual([]);
  });

  test('a copied lock beside the original', () => {
    expect(runOn(check, { locks: [aLock(ADA), aLock(BOB)], servers: [aServer([aPane()])] })).toEqual([]);
  });

  test('one agent with a lock in the directory above its own', () => {
    const locks = ['gastown/polecats/nux', 'gastown/polecats/nux/gastown'].map((worker) => aLock(worker));
    const pane = aPane({ sessionName: 'gt-nux', path: `${ROOT}/gastown/polecats/nux/gastown` });
    expect(runOn(check, { locks, servers: [aServer([pane])] })).toEqual([]);
  });
});
