/** Which agents at one worker belong together, and which collide. */
import { describe, expect, test } from '@jest/globals';
import { examineSnapshot } from '../../../../src/core/judge/examine.ts';
import type { ProcessInfo, TmuxPane } from '../../../../src/core/types/evidence.ts';
import { aLock, aPane, aProcess, aServer, aSnapshot, ROOT } from '../../../support/snapshot.ts';

const ADA = 'gastown/crew/ada';
const here = { seen: true, value: `${ROOT}/${ADA}` } as const;

const judge = (panes: readonly TmuxPane[], processes: readonly ProcessInfo[] = []) => {
  const { collisions, verdicts } = examineSnapshot(
    aSnapshot({ locks: [aLock(ADA)], servers: [aServer(panes)], processes }),
  );
  return { collisions: collisions.length, isTeam: verdicts[0]?.notes.includes('team') };
};

const lead = aPane({ windowId: '@1' });
const beside = aPane({ id: '%4', pid: 701, windowId: '@1' });
const apart = aPane({ id: '%4', pid: 701, windowId: '@2' });
const elsewhere = aPane({ id: '%4', pid: 701, windowId: '@2', sessionId: '$2', sessionName: 'work' });
const teammate = aProcess(701, { teammate: true, ppid: 600 });

describe('one party', () => {
  test.each<[string, readonly TmuxPane[], readonly ProcessInfo[]]>([
    ['two agents in panes of one window', [lead, beside], []],
    ['a teammate in its own window', [lead, apart], [teammate]],
    ['a teammate in its own session', [lead, elsewhere], [teammate]],
    [
      'teammates whose leader is elsewhere',
      [lead, apart],
      [teammate, aProcess(700, { teammate: true, ppid: 600 })],
    ],
    [
      'a teammate behind a shell, outside tmux',
      [lead],
      [aProcess(800, { names: ['sh'], cwd: here }), aProcess(801, { ppid: 800, teammate: true, cwd: here })],
    ],
  ])('%s', (_, panes, processes) => {
    expect(judge(panes, processes)).toEqual({ collisions: 0, isTeam: true });
  });
});

describe('a collision', () => {
  test.each<[string, readonly TmuxPane[], readonly ProcessInfo[]]>([
    ['two agents in two windows of one session', [lead, apart], []],
    ['two agents in two sessions', [lead, elsewhere], []],
    ['two agents outside tmux', [], [aProcess(800, { cwd: here }), aProcess(801, { cwd: here })]],
    ['panes whose windows are unknown', [aPane(), aPane({ id: '%4', pid: 701 })], []],
    [
      'a leader whose child process has the arguments of a teammate',
      [lead, elsewhere],
      [aProcess(701, { ppid: 600 }), aProcess(702, { ppid: 701, teammate: true })],
    ],
  ])('%s', (_, panes, processes) => {
    expect(judge(panes, processes)).toEqual({ collisions: 1, isTeam: false });
  });

  test('two leaders, with a teammate of one of them', () => {
    const third = aPane({ id: '%5', pid: 702, windowId: '@3', sessionId: '$3', sessionName: 'team' });
    const processes = [aProcess(702, { teammate: true, ppid: 600 })];
    expect(judge([lead, elsewhere, third], processes)).toEqual({ collisions: 1, isTeam: true });
  });
});

test('an agent alone is not a team, nor is one beside a shell', () => {
  expect(judge([lead])).toEqual({ collisions: 0, isTeam: false });
  expect(judge([lead, aPane({ ...beside, command: 'bash' })])).toEqual({ collisions: 0, isTeam: false });
});
