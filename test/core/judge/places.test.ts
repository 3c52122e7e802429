/** Which directories count as the place of an agent. */
import { describe, expect, test } from '@jest/globals';
import { judgeAll } from '../../../src/core/judge/judge.ts';
import { indexSnapshot } from '../../../src/core/town/town-index.ts';
import type { LockFile } from '../../../src/core/types/evidence.ts';
import type { State } from '../../../src/core/types/judgement.ts';
import { aLock, aProcess, aSnapshot, ROOT } from '../../support/snapshot.ts';

/** The states of these locks, whose holders are all dead, while an agent outside tmux works at `path`. */
const judge = (path: string, locks: readonly LockFile[], marked = true): readonly State[] => {
  const processes = [aProcess(800, { cwd: { seen: true, value: `${ROOT}/${path}` } })];
  const town = { ...aSnapshot().town, marked, ...(marked ? {} : { rigs: [], workers: [] }) };
  return judgeAll(indexSnapshot(aSnapshot({ locks, processes, over: { town } }))).map(({ state }) => state);
};

describe('a directory tree that is not a Gas Town', () => {
  test('an agent in a directory that only happens to be called witness, mayor or crew works for the lock above it', () => {
    for (const path of ['internal/witness', 'src/mayor/x', 'deacon', 'packages/crew/lib'])
      expect([path, ...judge(path, [aLock('.')], false)]).toEqual([path, 'held']);
  });

  test('a lock makes such a directory a worker of its own', () => {
    const locks = [aLock('.'), aLock('rig/crew/bob', { pid: 4242, sessionId: '%7' })];
    expect(judge('rig/crew/bob/src', locks, false)).toEqual(['stale', 'held']);
  });
});

test('in a Gas Town an agent in a witness’s directory does not hold the lock of the root', () => {
  expect(judge('gastown/witness', [aLock('.')])).toEqual(['stale']);
});

test('a polecat one directory above its lock works for it', () => {
  expect(judge('gastown/polecats/joe', [aLock('gastown/polecats/joe/gastown')])).toEqual(['held']);
  expect(judge('gastown/polecats', [aLock('gastown/polecats/joe/gastown')])).toEqual(['stale']);
  expect(judge('gastown/crew/ada', [aLock('gastown/crew/ada/sub')])).toEqual(['stale']);
});

describe('an unknown program that a dev server has started', () => {
  const DEV = { class: 'bystander', why: 'a dev server' } as const;

  /** The state of a lock at `worker` while the server works in `from` and the program in `path`. */
  const stateWith = (
    worker: string,
    [from, path]: readonly [string, string],
    { marked = true, trees = [], locked = [] }: Options = {},
  ): State | undefined => {
    const at = (place: string) => ({ seen: true, value: place === '.' ? ROOT : `${ROOT}/${place}` }) as const;
    const processes = [
      aProcess(800, { names: ['npm run dev'], role: DEV, cwd: at(from) }),
      aProcess(801, { ppid: 800, names: ['node', 'server.js', 'server'], cwd: at(path) }),
    ];
    const town = { ...aSnapshot().town, marked, trees, ...(marked ? {} : { rigs: [], workers: [] }) };
    const locks = [aLock(worker), ...locked.map((other) => aLock(other, { pid: 4242, sessionId: '%7' }))];
    return judgeAll(indexSnapshot(aSnapshot({ locks, processes, over: { town } })))[0]?.state;
  };

  interface Options {
    readonly marked?: boolean;
    readonly trees?: readonly string[];
    readonly locked?: readonly string[];
  }

  test('is a part of it in a directory of the same worker', () => {
    expect(stateWith('gastown/crew/ada', ['gastown/crew/ada', 'gastown/crew/ada/web'])).toBe('stale');
    expect(stateWith('.', ['.', 'packages/web'], { marked: false })).toBe('stale');
  });

  test('is in doubt at another worker', () => {
    expect(stateWith('gastown/crew/bob', ['gastown/crew/ada', 'gastown/crew/bob'])).toBe('unknown');
    expect(stateWith('gastown/crew/ada', ['.', 'gastown/crew/ada'])).toBe('unknown');
    expect(stateWith('sub', ['.', 'sub'], { marked: false, locked: ['.'] })).toBe('unknown');
    const trees = ['.', '.claude/worktrees/x'];
    expect(stateWith('.claude/worktrees/x', ['.', '.claude/worktrees/x'], { marked: false, trees })).toBe(
      'unknown',
    );
  });
});
