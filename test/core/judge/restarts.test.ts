/** Locks from before the start of this kernel or container, and of hosts that no longer exist. */
import { describe, expect, test } from '@jest/globals';
import { examineSnapshot } from '../../../src/core/judge/examine.ts';
import type { HostFacts, LockRecord, PidLookup, TmuxServer } from '../../../src/core/types/evidence.ts';
import type { Verdict } from '../../../src/core/types/judgement.ts';
import {
  absent,
  aLock,
  aPane,
  aServer,
  aSnapshot,
  BOOT,
  HOUR,
  NOW,
  present,
  ROOT,
  withMachine,
} from '../../support/snapshot.ts';

const ADA = 'gastown/crew/ada';
const NAMESPACE = 'pid:[4026532001]';
const CONTAINER = { initialPidNamespace: false, pidNamespace: NAMESPACE } as const;

interface Story {
  readonly record?: Partial<LockRecord>;
  readonly mtimeMs?: number;
  readonly host?: Partial<HostFacts>;
  readonly lookup?: PidLookup;
  readonly servers?: readonly TmuxServer[];
  readonly formerHosts?: readonly string[];
}

/** The lock of ada was taken 8 hours ago. */
const judge = ({ record = {}, mtimeMs, host = {}, lookup, servers = [], formerHosts }: Story): Verdict => {
  const lock = aLock(ADA, { sessionId: '', ...record }, mtimeMs === undefined ? {} : { mtimeMs });
  const base = aSnapshot({ locks: [lock], lookups: [lookup ?? absent(4242)], servers });
  const town = formerHosts === undefined ? base.town : { ...base.town, formerHosts };
  const [verdict] = examineSnapshot(
    withMachine({ ...base, town }, { host: { ...base.machine.host, ...host } }),
  ).verdicts;
  if (verdict === undefined) throw new Error('no verdict');
  return verdict;
};

const booted = (hoursAgo: number): Partial<HostFacts> => ({
  ...CONTAINER,
  bootedAtMs: NOW - hoursAgo * HOUR,
});
const contained = (hoursAgo: number): Partial<HostFacts> => ({
  ...CONTAINER,
  hostname: '4e449adbac66',
  containerStartedAtMs: NOW - hoursAgo * HOUR,
});
const ofContainer = { hostname: '4e449adbac66' };

describe('a missing PID in a container', () => {
  test('is gone if the lock is older than this boot', () => {
    expect(judge({ host: booted(6) })).toMatchObject({
      state: 'stale',
      reasons: ['rebooted', 'session-unnamed'],
      release: { allowed: true },
    });
  });

  test('is gone if the lock is older than the container whose name it has', () => {
    expect(judge({ record: ofContainer, host: contained(6) })).toMatchObject({
      state: 'stale',
      reasons: ['rebooted', 'session-unnamed'],
    });
  });

  test.each<[string, Story]>([
    ['no start time is known', { host: CONTAINER }],
    ['the lock is less than an hour older', { host: booted(7.5) }],
    ['the lock is younger', { host: booted(9) }],
    [
      'the file is younger: it was copied, or written by a clock that stepped',
      { host: booted(6), mtimeMs: NOW - HOUR },
    ],
    ['the record is younger', { host: booted(6), record: { acquiredAtMs: NOW - HOUR } }],
    ['the record has no time', { host: booted(6), record: { acquiredAtMs: null } }],
    ['the record names no host', { host: booted(6), record: { hostname: '' } }],
    [
      'the record names the container in another spelling',
      { host: contained(6), record: { hostname: '4e449adbac66.lan' } },
    ],
  ])('proves nothing if %s', (_, story) => {
    expect(judge(story).state).toBe('unknown');
  });

  test('of another host stays foreign, however old the lock', () => {
    expect(judge({ host: booted(1), record: { hostname: 'elsewhere' } }).state).toBe('foreign');
    expect(judge({ host: contained(1) }).state).toBe('foreign');
  });
});

describe('a PID that is in use', () => {
  const at = (value: string) => present(4242, { names: ['my-agent'], cwd: { seen: true, value } });

  test('belongs to another process if the lock is older than this boot and nothing ties it to the worker', () => {
    const verdict = judge({ host: { bootedAtMs: NOW - 6 * HOUR }, lookup: at(ROOT) });
    expect([verdict.state, verdict.reasons]).toEqual(['stale', ['rebooted', 'session-unnamed']]);
  });

  test.each([
    ['its process works here', at(`${ROOT}/${ADA}`)],
    ['its process hides its working directory', present(4242, { cwd: { seen: false, why: 'EACCES' } })],
  ])('counts as the holder if %s', (_, lookup) => {
    expect(judge({ host: { bootedAtMs: NOW - 6 * HOUR }, lookup }).state).toBe('held');
    expect(judge({ host: contained(6), record: ofContainer, lookup }).state).toBe('held');
  });
});

describe('our own record', () => {
  const holder = { pid: 7, startToken: '1', bootId: BOOT, pidNamespace: 'pid:[4026532777]', nonce: 'n' };

  test('from an earlier run of this container is stale', () => {
    const lookup = present(7, { startToken: '1' });
    expect(judge({ record: { ...ofContainer, holder }, host: contained(6), lookup })).toMatchObject({
      state: 'stale',
      reasons: ['rebooted', 'session-unnamed'],
    });
  });

  test('from another namespace stays foreign if its process may still live', () => {
    expect(judge({ record: { ...ofContainer, holder }, host: contained(9) }).state).toBe('foreign');
    expect(judge({ record: { holder }, host: CONTAINER }).state).toBe('foreign');
  });

  test('with our boot ID is ours under any host name', () => {
    const ours = { ...holder, pidNamespace: null };
    expect(judge({ record: { hostname: 'mac.lan', holder: ours }, lookup: absent(7) })).toMatchObject({
      state: 'stale',
      reasons: ['process-gone', 'session-unnamed'],
    });
  });
});

describe('a former host', () => {
  const formerHosts = ['4e449adbac66', 'Mac.lan'];

  test.each(['4e449adbac66', 'mac.local', 'MAC'])('%s: its PID proves nothing', (hostname) => {
    const cwd = { seen: true, value: '/home' } as const;
    const verdict = judge({ record: { hostname }, formerHosts, lookup: present(4242, { cwd }) });
    expect([verdict.state, verdict.reasons, verdict.notes]).toEqual([
      'stale',
      ['former-host', 'session-unnamed'],
      ['would-block'],
    ]);
    expect(judge({ record: { hostname }, lookup: present(4242) }).state).toBe('foreign');
  });

  test('may be this machine: a PID whose process cannot be inspected leaves doubt', () => {
    const record = { hostname: 'mac.lan' };
    const hidden = present(4242, { cwd: { seen: false, why: 'EACCES' } });
    expect(judge({ record, formerHosts, lookup: hidden }).state).toBe('unknown');
    expect(
      judge({ record, formerHosts, lookup: { ...absent(4242), answer: 'unknown', why: 'EIO' } }).state,
    ).toBe('unknown');
    expect(judge({ record, formerHosts, lookup: absent(4242) }).state).toBe('stale');
  });

  test('may be this machine: a process with that PID that works here is the holder', () => {
    const cwd = { seen: true, value: `${ROOT}/${ADA}` } as const;
    const lookup = present(4242, { names: ['my-agent'], cwd });
    expect(judge({ record: { hostname: 'mac.lan' }, formerHosts, lookup }).state).toBe('held');
  });

  test('a companion record of this boot names the live holder, whatever the lock says', () => {
    const companion = { pid: 7, startToken: '5000', bootId: BOOT, pidNamespace: null, nonce: 'n' };
    const lock = aLock(ADA, { hostname: 'mac.lan', sessionId: '' }, { companion });
    const base = aSnapshot({ locks: [lock], lookups: [present(7), absent(4242)] });
    const [verdict] = examineSnapshot({ ...base, town: { ...base.town, formerHosts } }).verdicts;
    expect([verdict?.state, verdict?.holder?.process]).toEqual(['held', 'alive']);
  });

  test('its panes count like any others', () => {
    const record = { hostname: 'mac.lan', sessionId: '%3' };
    expect(judge({ record, formerHosts, servers: [aServer([aPane()])] }).state).toBe('held');
    expect(judge({ record, formerHosts })).toMatchObject({
      state: 'stale',
      reasons: ['former-host', 'pane-gone'],
    });
    const failed = aServer([], { status: 'failed', reason: 'did not answer' });
    expect(judge({ record, formerHosts, servers: [failed] }).state).toBe('unknown');
  });

  test('is not this machine under its current name', () => {
    expect(
      judge({ formerHosts: ['here'], lookup: present(4242, { startedAtMs: NOW - 9 * HOUR }) }).state,
    ).toBe('held');
  });
});
