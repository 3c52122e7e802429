import { describe, expect, test } from '@jest/globals';
import check from '../../checks/lock-debris.ts';
import { examineSnapshot } from '../../src/core/judge/examine.ts';
import type { GoneTree, Leftover, LockFile } from '../../src/core/types/evidence.ts';
import { aLock, aSnapshot, NOW, ROOT } from '../support/snapshot.ts';
import { runOn } from './run-on.ts';

const ADA = 'gastown/crew/ada';
const file = (name: string, kind: Leftover['kind'], ageMs: number): Leftover => ({
  worker: ADA,
  path: `${ROOT}/${ADA}/.runtime/${name}`,
  kind,
  mtimeMs: NOW - ageMs,
});
const findingsFor = (...leftovers: Leftover[]) => runOn(check, { over: { leftovers } });

describe('lock-debris reports', () => {
  test.each([
    ['agent.lock.tmp', 'tmp', 'its writer died'],
    ['agent.lock.000000000000001f.new', 'new', 'before it put this lock in place'],
    ['agent.lock.000000000000001f.old', 'old', 'this may still be the lock'],
  ] as const)('an abandoned %s, with the command that cleans it up', (name, kind, said) => {
    expect(findingsFor(file(name, kind, 61_000))).toMatchObject([
      {
        severity: kind === 'old' ? 'warning' : 'info',
        worker: ADA,
        lock: null,
        message: expect.stringMatching(new RegExp(`^${name}: .*${said}`)),
        fix: {
          action: 'advice',
          commands: [['doctor', '--fix', '--worker', ADA, '--town', ROOT]],
        },
      },
    ]);
  });

  test('a file whose modification time is far in the future', () => {
    expect(findingsFor(file('agent.lock.tmp', 'tmp', -3_600_000))).toHaveLength(1);
  });

  test('a lock moved aside as a warning at any age if no lock is there, else as debris after a minute', () => {
    const aside = (ageMs: number) => file('agent.lock.0000000000000002.old', 'old', ageMs);
    expect(findingsFor(aside(1000))).toMatchObject([{ severity: 'warning' }]);
    const beside = (ageMs: number) =>
      runOn(check, { locks: [aLock(ADA)], over: { leftovers: [aside(ageMs)] } });
    expect(beside(61_000)).toMatchObject([{ severity: 'info' }]);
    expect(beside(59_000)).toEqual([]);
  });

  test('each file separately', () => {
    expect(
      findingsFor(
        file('agent.lock.tmp', 'tmp', 90_000),
        file('agent.lock.0000000000000002.old', 'old', 90_000),
      ),
    ).toHaveLength(2);
  });
});

const goneTree = (isLocked: boolean): GoneTree => ({
  name: 'login',
  path: `${ROOT}/login`,
  gitDir: `${ROOT}/.git`,
  isLocked,
});
const findingsAbout = (tree: GoneTree, locks: readonly LockFile[] = []) => {
  const snapshot = aSnapshot({ locks });
  return check.run(examineSnapshot({ ...snapshot, town: { ...snapshot.town, goneTrees: [tree] } }));
};

test.each([
  [
    'without a lock: it names what makes git forget it',
    false,
    ['git', '-C', `${ROOT}/.git`, 'worktree', 'remove', `${ROOT}/login`],
  ],
  [
    'with a lock that was not looked for: no command unlocks it',
    true,
    ['doctor', 'explain', `${ROOT}/login`, '--town', ROOT],
  ],
])('lock-debris reports a deleted worktree %s', (_, isLocked, command) => {
  expect(findingsAbout(goneTree(isLocked))).toMatchObject([
    { severity: 'info', worker: 'login', lock: null, fix: { commands: [command] } },
  ]);
});

describe('lock-debris is silent about', () => {
  test.each(['tmp', 'new'] as const)('a %s file that may still be in use', (kind) => {
    expect(findingsFor(file('agent.lock.x', kind, 59_000))).toEqual([]);
  });

  test('backups of released locks, however old', () => {
    expect(findingsFor(file('agent.lock.released-20260401T120000Z-00000a-1', 'released', 9e9))).toEqual([]);
  });

  test('a deleted worktree whose lock is a finding that says so', () => {
    const lock = aLock(
      'login',
      {},
      { kind: 'git-worktree', rules: { claims: null, witnesses: ['process'], freshMs: 60_000 } },
    );
    expect(findingsAbout(goneTree(true), [lock])).toEqual([]);
  });

  test('a lock with no files beside it', () => {
    expect(runOn(check, { locks: [aLock(ADA)] })).toEqual([]);
  });
});
