import { describe, expect, test } from '@jest/globals';
import { judgeAll } from '../../../src/core/judge/judge.ts';
import { SPARE_PROCESS } from '../../../src/core/programs/known-programs.ts';
import { indexSnapshot } from '../../../src/core/town/town-index.ts';
import type { ClosedRegistry, ProcessInfo } from '../../../src/core/types/evidence.ts';
import type { Verdict } from '../../../src/core/types/judgement.ts';
import { aLock, aProcess, aSnapshot, ROOT, withMachine } from '../../support/snapshot.ts';

const ADA = 'gastown/crew/ada';
const HOME = { seen: true, value: `${ROOT}/${ADA}` } as const;
const SESSION = { tool: 'claude', name: 'fix-login', status: 'busy', cwd: `${ROOT}/${ADA}/src` };

const judge = (process: Partial<ProcessInfo>, closed: readonly Partial<ClosedRegistry>[] = []): Verdict => {
  const base = aSnapshot({
    locks: [aLock(ADA, { sessionId: '' })],
    lookups: [{ pid: 4242, answer: 'absent', signalable: false, process: null, why: null }],
    processes: [aProcess(800, { names: ['thing'], uid: 1000, ...process })],
  });
  const closedRegistries = closed.map((one) => ({
    ...{ uid: 1000, tool: 'claude', path: '/home/ada/.claude/sessions', why: 'permission denied (EACCES)' },
    ...one,
  }));
  const [verdict] = judgeAll(
    indexSnapshot(withMachine(base, { processes: { ...base.machine.processes, closedRegistries } })),
  );
  if (verdict === undefined) throw new Error('no verdict');
  return verdict;
};

describe('a session that a registry names', () => {
  test('is an agent where the registry says, whatever its command name and working directory', () => {
    const elsewhere = { seen: true, value: '/' } as const;
    expect(judge({ cwd: elsewhere, registered: SESSION })).toMatchObject({
      state: 'held',
      occupants: [{ command: 'claude "fix-login" (busy)', isAgent: true }],
    });
    expect(judge({ cwd: elsewhere, registered: { ...SESSION, cwd: `${ROOT}/gastown/crew/bob` } }).state).toBe(
      'stale',
    );
    const [of, also] = [{ ...SESSION, cwd: '/other' }, [SESSION]];
    expect(judge({ cwd: elsewhere, registered: of, alsoRegistered: also }).state).toBe('held');
  });

  test('does not count as hidden, because the registry says where it works', () => {
    const hidden = { seen: false, why: 'EACCES' } as const;
    expect(judge({ names: ['claude'], cwd: hidden }).state).toBe('unknown');
    expect(judge({ names: ['claude'], cwd: hidden, registered: { ...SESSION, cwd: '/other' } }).state).toBe(
      'stale',
    );
  });

  test('is called by its tool if it has no name', () => {
    const nameless = { ...SESSION, name: null, status: null };
    expect(judge({ cwd: HOME, registered: nameless }).occupants).toMatchObject([{ command: 'claude' }]);
  });
});

describe('an unreadable registry', () => {
  const spare = {
    names: ['claude'],
    cwd: HOME,
    role: { class: 'infrastructure', why: SPARE_PROCESS },
  } as const;
  const leftBehind = { names: ['node', 'server.js', 'server'], cwd: HOME, leftBehind: true } as const;

  test('with one unreadable record casts doubt only on the process with its PID', () => {
    expect(judge(leftBehind, [{ pid: 800, why: 'it is not JSON' }])).toMatchObject({ state: 'unknown' });
    expect(judge(leftBehind, [{ pid: 801, why: 'it is not JSON' }])).toMatchObject({ state: 'stale' });
  });

  test.each([
    ['a spare process of Claude Code', spare],
    ['a dev server that was left behind', leftBehind],
  ])('casts doubt on %s, which does not count otherwise', (_, process) => {
    expect(judge(process).state).toBe('stale');
    const doubted = judge(process, [{}]);
    expect(doubted).toMatchObject({
      state: 'unknown',
      reasons: expect.arrayContaining(['occupants-unknown']),
    });
    expect(doubted.facts.map(({ text }) => text).join()).toContain(
      "may be one, but its user's registry of sessions /home/ada/.claude/sessions could not be read",
    );
  });

  test('with one unreadable record casts doubt on its process whatever that is called', () => {
    expect(judge({ names: ['vim'], cwd: HOME }, [{ pid: 800, why: 'it is a fifo' }]).state).toBe('unknown');
    expect(judge({ names: ['vim'], cwd: HOME }, [{ pid: 801, why: 'it is a fifo' }]).state).toBe('stale');
  });

  test('casts no doubt unless a process of its user that may be a session works there', () => {
    expect(judge(spare, [{ uid: 1001 }]).state).toBe('stale');
    expect(judge({ ...spare, cwd: { seen: true, value: '/' } }, [{}]).state).toBe('stale');
    expect(judge({ names: ['vim'], cwd: HOME }, [{}]).state).toBe('stale');
  });
});
