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
