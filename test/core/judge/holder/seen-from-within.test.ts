import { describe, expect, test } from '@jest/globals';
import { judgeAll } from '../../../../src/core/judge/judge.ts';
import { indexSnapshot } from '../../../../src/core/town/town-index.ts';
import type {
  ContainerEvidence,
  LockRecord,
  PidLookup,
  Snapshot,
} from '../../../../src/core/types/evidence.ts';
import type { Verdict } from '../../../../src/core/types/judgement.ts';
import { aLock, aProcess, aSnapshot, BOOT, withMachine } from '../../../support/snapshot.ts';

const ADA = 'gastown/crew/ada';
const ID = '4e449adbac66';
const NAMESPACE = 'pid:[4026532777]';

const absent: PidLookup = { pid: 17, answer: 'absent', signalable: false, process: null, why: null };
const running: PidLookup = { ...absent, answer: 'exists', signalable: true, process: aProcess(9000) };

const judge = (
  record: Partial<LockRecord>,
  lookup: PidLookup,
  {
    over = {},
    container = {},
  }: {
    readonly over?: Partial<Snapshot['machine']['processes']>;
    readonly container?: Partial<ContainerEvidence>;
  } = {},
): Verdict => {
  const base = aSnapshot({ locks: [aLock(ADA, { pid: 17, sessionId: '', hostname: ID, ...record })] });
  const containers = [
    { hostname: ID, owner: 1000, pidNamespace: NAMESPACE, lookups: [lookup], ...container },
  ];
  const [verdict] = judgeAll(
    indexSnapshot(withMachine(base, { processes: { ...base.machine.processes, containers, ...over } })),
  );
  if (verdict === undefined) throw new Error('no verdict');
  return verdict;
};

/** The process that the holder in our record names. */
const same: PidLookup = { ...running, process: aProcess(9000, { startToken: '555' }) };
const holder = { pid: 17, startToken: '555', bootId: BOOT, pidNamespace: NAMESPACE, nonce: 'n' };

describe('a lock of a container of this machine', () => {
  test('is judged by the PIDs of the container', () => {
    expect(judge({}, running)).toMatchObject({
      state: 'held',
      reasons: ['process-alive', 'session-unnamed'],
    });
    expect(judge({}, absent)).toMatchObject({ state: 'stale', release: { allowed: true } });
    expect(judge({}, { ...absent, answer: 'unknown', why: 'hidden' }).state).toBe('unknown');
  });

  test('is unknown if its PID is absent but not all processes are listed', () => {
    expect(judge({}, absent, { over: { listing: { seen: true, value: 'own' } } }).state).toBe('unknown');
  });

  test('with a holder in our record is judged by its start token', () => {
    expect(judge({ holder }, same)).toMatchObject({ state: 'held' });
    const later = { ...running, process: aProcess(9000, { startToken: '556' }) };
    expect(judge({ holder }, later)).toMatchObject({
      state: 'stale',
      reasons: ['process-recycled', 'session-unnamed'],
    });
  });

  test('is foreign if its name, owner, namespace or boot is not that of the container', () => {
    expect(judge({}, absent, { container: { hostname: '0123456789ab' } }).state).toBe('foreign');
    expect(judge({}, absent, { container: { owner: 1001 } }).state).toBe('foreign');
    expect(judge({ holder: { ...holder, pidNamespace: 'pid:[4026532999]' } }, absent).state).toBe('foreign');
    expect(judge({ holder: { ...holder, bootId: 'another' } }, absent).state).toBe('foreign');
  });

  test('under our own name, in another PID namespace, is judged by the PIDs of that namespace too', () => {
    const container = { hostname: 'here' };
    expect(judge({ hostname: 'here', holder }, absent, { container })).toMatchObject({ state: 'stale' });
    expect(judge({ hostname: 'here', holder }, same, { container })).toMatchObject({ state: 'held' });
  });
});
