import { describe, expect, test } from '@jest/globals';
import { mergeSightings } from '../../../src/core/fleet/merge-sightings.ts';
import type { MachineView } from '../../../src/core/fleet/taker.ts';
import { examineSnapshot } from '../../../src/core/judge/examine.ts';
import type { HostFacts, LockFile, LockRecord } from '../../../src/core/types/evidence.ts';
import {
  absent,
  aLock,
  aProcess,
  aSnapshot,
  BOOT,
  INITIAL_NAMESPACE,
  present,
  ROOT,
  type SnapshotParts,
} from '../../support/snapshot.ts';

const ADA = 'gastown/crew/ada';
const OTHER_BOOT = 'b0070000-0000-4000-8000-000000000002';

const hostOf = (fields: Partial<HostFacts>): HostFacts => ({ ...aSnapshot().machine.host, ...fields });

/** What one machine sees of the shared town. */
const sighting = (
  machine: string,
  host: Partial<HostFacts>,
  parts: SnapshotParts,
  names: readonly string[] = [machine],
): MachineView => ({
  machine,
  isHere: machine === 'here',
  names,
  examination: examineSnapshot(aSnapshot({ ...parts, over: { ...parts.over, host: hostOf(host) } })),
});

const MINI2 = { hostname: 'mini2', bootId: OTHER_BOOT };
const HERE = { hostname: 'here', bootId: BOOT };
const NO_SESSION: Partial<LockRecord> = { sessionId: '', hostname: 'mini2' };
const LOCK = aLock(ADA, NO_SESSION);

const here = (parts: SnapshotParts = { locks: [LOCK] }): MachineView => sighting('here', HERE, parts);
/** By default mini2 took the lock, and its PID is no longer in use. */
const mini2 = (parts: SnapshotParts = { locks: [LOCK], lookups: [absent(4242)] }): MachineView =>
  sighting('mini2', MINI2, parts);

const merge = (sightings: readonly [MachineView, ...MachineView[]], unreached: readonly string[] = []) => {
  const { examination, seenBy } = mergeSightings(sightings, unreached);
  const [verdict] = examination.verdicts;
  if (verdict === undefined) throw new Error('no lock was judged');
  return { verdict, examination, seen: seenBy.get(verdict.lock.id) };
};

describe('a lock in a directory that several machines share', () => {
  test('is foreign to one machine, and judged by the machine that took it if that was asked', () => {
    expect(here().examination.verdicts[0]?.state).toBe('foreign');
    const { verdict, seen, examination } = merge([here(), mini2()]);
    expect(verdict.state).toBe('stale');
    expect(verdict.release.allowed).toBe(true);
    expect(seen).toEqual({ machine: 'mini2', witnesses: ['here', 'mini2'] });
    expect(examination.verdicts).toHaveLength(1);
  });

  test('is held if that machine sees the holder', () => {
    const { verdict, seen } = merge([
      here(),
      mini2({ locks: [LOCK], lookups: [present(4242)], processes: [aProcess(4242)] }),
    ]);
    expect(verdict.state).toBe('held');
    expect(seen?.machine).toBe('mini2');
  });

  test('stays foreign if no machine that was asked took it', () => {
    const lock = aLock(ADA, { ...NO_SESSION, hostname: 'mini3' });
    const { verdict } = merge([here({ locks: [lock] }), mini2({ locks: [lock], lookups: [absent(4242)] })]);
    expect(verdict.state).toBe('foreign');
  });

  test('is held if an agent works there on another machine, whatever the machine that took it says', () => {
    const cwd = { seen: true, value: `${ROOT}/${ADA}` } as const;
    const working = aProcess(77, { cwd });
    const { verdict, seen } = merge([here({ locks: [LOCK], processes: [working] }), mini2()]);
    expect(verdict.state).toBe('held');
    expect(seen?.machine).toBe('here');
  });

  test('is not proven dead while a machine that shares it does not answer', () => {
    const { verdict } = merge([here(), mini2()], ['box']);
    expect(verdict.state).toBe('unknown');
    expect(verdict.release.allowed).toBe(false);
    expect(verdict.facts[0]?.text).toBe(
      'box could not be asked: an agent may be at work there in this directory',
    );
  });

  test('is not proven dead if another machine cannot see who works there', () => {
    const blind = here({
      locks: [LOCK],
      over: { tmux: { installed: true, servers: [], enumerated: false } },
    });
    const { verdict } = merge([blind, mini2()]);
    expect(verdict.state).toBe('unknown');
    expect(verdict.facts[0]?.text).toBe('here could not see who works in this directory');
  });

  test('is unknown if the machines see different bytes', () => {
    const newer = aLock(ADA, { ...NO_SESSION, pid: 4243 });
    const { verdict } = merge([here({ locks: [newer] }), mini2()]);
    expect(verdict.state).toBe('unknown');
    expect(verdict.release.allowed).toBe(false);
  });

  test('that names no machine is stale only if no machine sees its holder', () => {
    const lock = aLock(ADA, { sessionId: '', hostname: '' });
    const seenHere = { locks: [lock], lookups: [absent(4242)] };
    const alive = { locks: [lock], lookups: [present(4242)], processes: [aProcess(4242)] };
    expect(merge([here(seenHere), mini2(seenHere)]).verdict.state).toBe('stale');
    expect(merge([here(seenHere), mini2(alive)]).verdict.state).toBe('held');
    expect(merge([here(alive), mini2(seenHere)]).verdict.state).toBe('held');
  });

  test('is judged by its boot ID before any host name', () => {
    // Two machines with one name: by name alone the lock would be the twin's, from before a restart.
    const holder = {
      pid: 4242,
      startToken: '5000',
      bootId: OTHER_BOOT,
      pidNamespace: INITIAL_NAMESPACE,
      nonce: 'n',
    };
    const lock = aLock(ADA, { sessionId: '', hostname: 'mini2', holder });
    const twin = sighting(
      'twin',
      { hostname: 'mini2', bootId: BOOT },
      { locks: [lock], lookups: [absent(4242)] },
      ['mini2'],
    );
    expect(twin.examination.verdicts[0]?.reasons).toContain('rebooted');
    const alive = mini2({ locks: [lock], lookups: [present(4242)], processes: [aProcess(4242)] });
    expect(merge([twin, alive]).verdict.state).toBe('held');
    expect(merge([twin, alive]).seen?.machine).toBe('mini2');
  });
});

describe('a machine that lies', () => {
  /** A machine that claims the host name and boot ID of the lock, and sees no process there. */
  const liar = (lock: LockFile, lockThere: LockFile = lock): MachineView =>
    sighting('evil', MINI2, { locks: [lockThere], lookups: [absent(4242)] }, ['evil']);

  const holder = {
    pid: 4242,
    startToken: '5000',
    bootId: OTHER_BOOT,
    pidNamespace: INITIAL_NAMESPACE,
    nonce: 'n',
  };

  test.each([
    ['that names its host', aLock(ADA, NO_SESSION)],
    ['that names its boot', aLock(ADA, { ...NO_SESSION, holder })],
    ['that names no machine', aLock(ADA, { sessionId: '', hostname: '', holder })],
  ])('does not prove the death of the holder of a lock %s', (_, lock) => {
    const { verdict } = merge([here({ locks: [lock] }), liar(lock)]);
    expect(['unknown', 'foreign']).toContain(verdict.state);
    expect(verdict.release.allowed).toBe(false);
  });

  test('proves nothing by calling the same bytes invalid', () => {
    const invalid = { kind: 'invalid', problem: 'not-json', detail: 'not JSON' } as const;
    const there: LockFile = { ...LOCK, content: invalid };
    const { verdict } = merge([here(), liar(LOCK, there)]);
    expect(verdict.state).toBe('unknown');
    expect(verdict.release.allowed).toBe(false);
  });

  test('cannot make a lock of ours look dead, nor replace it', () => {
    const own = aLock(ADA, { sessionId: '', hostname: 'here' });
    const alive = { locks: [own], lookups: [present(4242)], processes: [aProcess(4242)] };
    const evil = sighting('evil', HERE, { locks: [own], lookups: [absent(4242)] }, ['evil']);
    expect(merge([here(alive), evil]).verdict.state).toBe('held');
    const elsewhere: LockFile = { ...own, path: `${ROOT}/gastown/crew/eve/.runtime/agent.lock` };
    const moved = sighting('evil', HERE, { locks: [elsewhere], lookups: [absent(4242)] }, ['evil']);
    const { examination } = merge([here(alive), moved]);
    expect(examination.verdicts.map(({ lock, state }) => [lock.path, state])).toEqual([[own.path, 'held']]);
  });

  test('is believed if the configuration gives it that name', () => {
    const named = sighting('evil', MINI2, { locks: [LOCK], lookups: [absent(4242)] }, ['evil', 'mini2']);
    expect(merge([here(), named]).verdict.state).toBe('stale');
  });
});

describe('agents of several machines in one directory', () => {
  const working = (pid: number): SnapshotParts => ({
    locks: [LOCK],
    processes: [aProcess(pid, { cwd: { seen: true, value: `${ROOT}/${ADA}` } })],
  });

  test('collide', () => {
    const { examination } = merge([here(working(77)), mini2(working(88))]);
    expect(examination.collisions).toMatchObject([
      { kind: 'agents', workers: [ADA], who: ['here pid 77', 'mini2 pid 88'] },
    ]);
  });

  test('are one if both machines run on one kernel and see the same process', () => {
    const box = sighting('box', { hostname: 'box', bootId: BOOT, pidNamespace: 'pid:[7]' }, working(9));
    expect(merge([here(working(77)), box]).examination.collisions).toEqual([]);
  });
});
