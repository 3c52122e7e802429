import { describe, expect, test } from '@jest/globals';
import check from '../../checks/undecided-lock.ts';
import { examineSnapshot } from '../../src/core/judge/examine.ts';
import type { LockFile, PidLookup } from '../../src/core/types/evidence.ts';
import { absent, aLock, aPane, aProcess, aServer, aSnapshot, present } from '../support/snapshot.ts';
import { runOn } from './run-on.ts';

const ADA = 'gastown/crew/ada';

describe('undecided-lock reports', () => {
  test.each([
    [
      'a tmux server that did not answer',
      { servers: [aServer([], { status: 'failed', reason: 'did not answer within 2000 ms' })] },
      'was not reached: did not answer within 2000 ms',
    ],
    [
      'a process that could not be looked up',
      { lookups: [{ ...absent(4242), answer: 'unknown' as const, why: 'EIO' }] },
      'process 4242: EIO',
    ],
    [
      'an agent that hides its working directory',
      { processes: [aProcess(800, { cwd: { seen: false, why: 'permission denied' } })] },
      'claude (process 800) hides its working directory',
    ],
  ])('%s as doubt, with the evidence that is missing', (_, parts, said) => {
    const [finding, ...more] = runOn(check, { locks: [aLock(ADA)], ...parts });
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ severity: 'warning', worker: ADA, fix: { action: 'advice' } });
    expect(finding?.message).toMatch(/^cannot tell: /);
    expect(finding?.message).toContain(said);
  });

  test('a lock that names a thread of the kernel, with the doctor that can judge it', () => {
    const lookups = [present(4242, { names: ['kthreadd'], isOfSystem: true })];
    const [finding] = runOn(check, { locks: [aLock(ADA)], lookups });
    expect(finding?.message).toMatch(/^cannot tell: process 4242: it is a thread of the kernel/);
    expect(finding?.fix).toMatchObject({ text: expect.stringMatching(/^run doctor in the container/) });
  });

  describe('a lock for which nothing was out of reach, with a next step of its own:', () => {
    const fixFor = (
      lock: LockFile,
      lookups: readonly PidLookup[] = [],
      formerHosts: readonly string[] = [],
    ) => {
      const snapshot = aSnapshot({ locks: [lock], lookups });
      const examination = examineSnapshot({ ...snapshot, town: { ...snapshot.town, formerHosts } });
      return check.run(examination).map(({ fix }) => fix);
    };

    test('the start of its process is in the form of another system', () => {
      const claim = {
        by: 'number',
        pid: 4242,
        start: 'Wed Aug 26 10:25:14 2026',
        isStartNative: true,
        hostname: '',
        since: null,
        name: 'claude agent agent-ab12',
        isShared: true,
      } as const;
      const lock = aLock(
        'a',
        {},
        {
          kind: 'git-worktree',
          path: '/town/.git/worktrees/a/locked',
          rules: { claims: null, witnesses: ['process', 'agents', 'git'], freshMs: 60_000 },
          content: { kind: 'claim', claim },
          tree: { path: '/town/a', exists: { seen: true, value: true }, isUnfinished: false },
        },
      );
      expect(fixFor(lock, [absent(4242)])).toEqual([
        {
          action: 'advice',
          text: 'run doctor on the system that took it; if no other system shares this directory, or its agent is done, unlock the worktree yourself (git worktree unlock)',
          commands: [['ls', '-l', lock.path]],
        },
      ]);
    });

    test('it is of a former host, and its number is in use here', () => {
      expect(fixFor(aLock(ADA, { hostname: 'mac.lan' }), [present(4242)], ['mac.lan'])).toEqual([
        {
          action: 'advice',
          text: 'look at that process; once it ends, --fix can release the lock',
          commands: [['ps', '-fp', '4242']],
        },
      ]);
    });
  });

  test('a lock file that could not be read', () => {
    const lock = aLock(ADA, {}, { content: { kind: 'unread', why: 'permission denied' }, stamp: null });
    expect(runOn(check, { locks: [lock] })).toMatchObject([
      {
        severity: 'warning',
        message: 'cannot tell: it could not be read: permission denied; written 8 h ago',
        fix: { text: 'let doctor read the file, then run it again', commands: [['ls', '-l', lock.path]] },
      },
    ]);
  });

  test('a lock of another host as information', () => {
    expect(runOn(check, { locks: [aLock(ADA, { hostname: '4e449adbac66' })] })).toMatchObject([
      { severity: 'info', message: 'taken on another host, 4e449adbac66, 8 h ago' },
    ]);
  });

  test.each([
    ['4e449adbac66', /looks like a container id/],
    ['mac.lan', /if that is this machine under another name/],
    ['build2.example.org', /run doctor on build2.example.org; it can't be checked from here/],
  ])(
    'a lock of %s whose PID is in use here, as a warning that the configuration can resolve',
    (hostname, says) => {
      const parts = { locks: [aLock(ADA, { hostname })], lookups: [present(4242)] };
      const [finding] = runOn(check, parts);
      expect(finding).toMatchObject({ severity: 'warning', doubt: false });
      expect(finding?.message).toMatch(/; its PID is in use here$/);
      expect(finding?.fix).toMatchObject({
        text: expect.stringMatching(says),
        commands: [['doctor', 'locks', '--former-host', hostname, '--town', '/town']],
      });
      expect(finding?.fix).toMatchObject({
        text: expect.stringContaining(`add "${hostname}" to "formerHosts" in lock-doctor.json`),
      });
    },
  );

  test('a dead PID in a container, with advice on where to run the doctor', () => {
    const { host } = aSnapshot().machine;
    const inside = { ...host, initialPidNamespace: false, pidNamespace: 'pid:[4026532001]' };
    expect(runOn(check, { locks: [aLock(ADA)], over: { host: inside } })).toMatchObject([
      {
        severity: 'warning',
        fix: { text: 'run doctor outside this container or sandbox, where the holder may be' },
      },
    ]);
  });

  test('a lock of another PID namespace of this host, without calling it another host', () => {
    const holder = { pid: 7, startToken: '1', bootId: null, pidNamespace: 'pid:[4026532001]', nonce: null };
    expect(runOn(check, { locks: [aLock(ADA, { holder })] })).toMatchObject([
      { severity: 'info', message: 'taken in another PID namespace, 8 h ago' },
    ]);
  });

  test('doubt, which makes a run incomplete rather than failed', () => {
    expect(check.reportsDoubt).toBe(true);
  });
});

describe('undecided-lock is silent about', () => {
  test('a stale lock', () => {
    expect(runOn(check, { locks: [aLock(ADA)] })).toEqual([]);
  });

  test('a held lock even though a server did not answer', () => {
    const servers = [aServer([aPane()]), aServer([], { socket: '/tmp/x', status: 'failed', reason: 'no' })];
    expect(runOn(check, { locks: [aLock(ADA)], servers })).toEqual([]);
  });

  test('a foreign lock where a local agent works', () => {
    const parts = {
      locks: [aLock(ADA, { hostname: 'elsewhere' })],
      servers: [aServer([aPane({ id: '%8' })])],
    };
    expect(runOn(check, parts)).toEqual([]);
  });

  test('an orphaned and an invalid lock', () => {
    const broken = aLock(
      'gastown/crew/bob',
      {},
      {
        content: { kind: 'invalid', problem: 'empty', detail: 'the file is empty' },
      },
    );
    expect(runOn(check, { locks: [aLock(ADA), broken], lookups: [present(4242)] })).toEqual([]);
  });

  test('gaps that affect no lock', () => {
    expect(
      check.run({
        snapshot: { ...aSnapshot(), gaps: [{ what: 'rigs', why: 'x' }] },
        verdicts: [],
        collisions: [],
        lockless: [],
      }),
    ).toEqual([]);
  });
});
