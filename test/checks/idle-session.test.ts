import { describe, expect, test } from '@jest/globals';
import check from '../../checks/idle-session.ts';
import { absent, aLock, aPane, aProcess, aServer, present, ROOT, SOCKET } from '../support/snapshot.ts';
import { runOn } from './run-on.ts';

const ADA = 'gastown/crew/ada';
const shell = aPane({ command: 'bash' });
const lookups = [absent(4242)];

describe('idle-session reports', () => {
  test('a session in which only a shell is left, with the commands that attach to it and end it', () => {
    expect(runOn(check, { locks: [aLock(ADA)], servers: [aServer([shell])], lookups })).toMatchObject([
      {
        severity: 'info',
        worker: ADA,
        message: 'the agent has exited: only a shell is left in pane %3 of session gt-crew-ada',
        fix: {
          commands: [
            ['tmux', '-S', SOCKET, 'attach-session', '-t', '%3'],
            ['tmux', '-S', SOCKET, 'kill-session', '-t', '$1'],
          ],
        },
      },
    ]);
  });

  test('the editor that is left in the pane, without a command that ends it', () => {
    const servers = [aServer([aPane({ command: 'vim' })])];
    expect(runOn(check, { locks: [aLock(ADA)], servers, lookups })).toMatchObject([
      {
        message: 'the agent has exited: no agent is left, but vim in pane %3 of session gt-crew-ada',
        fix: {
          text: expect.stringContaining('save what is open in vim'),
          commands: [['tmux', '-S', SOCKET, 'attach-session', '-t', '%3']],
        },
      },
    ]);
  });

  test('an idle pane beside a busy one, with a command that kills only the idle pane', () => {
    const servers = [aServer([shell, aPane({ id: '%4', pid: 701, command: 'vim' })])];
    expect(runOn(check, { locks: [aLock(ADA)], servers, lookups })).toMatchObject([
      { fix: { commands: [{}, ['tmux', '-S', SOCKET, 'kill-pane', '-t', '%3']] } },
    ]);
  });

  const inBackground = (cwd: string) =>
    runOn(check, {
      locks: [aLock(ADA)],
      servers: [aServer([shell])],
      lookups,
      processes: [
        aProcess(shell.pid, { names: ['bash'], inForeground: true }),
        aProcess(5000, { ppid: shell.pid, names: ['sh'] }),
        aProcess(4999, { ppid: 5000, names: ['some-agent'], cwd: { seen: true, value: cwd } }),
      ],
    });

  test('a pane in whose background something works at another worker, without a command that ends it', () => {
    expect(inBackground(`${ROOT}/gastown/crew/bob`)).toMatchObject([
      {
        fix: {
          text: expect.stringContaining('some-agent (process 4999) runs in its background'),
          commands: [['tmux', '-S', SOCKET, 'attach-session', '-t', '%3']],
        },
      },
    ]);
    expect(inBackground('/')).toMatchObject([
      {
        fix: {
          text: expect.stringContaining('some-agent'),
          commands: [expect.arrayContaining(['attach-session'])],
        },
      },
    ]);
  });

  test('the pane of the asker, without a command that ends it', () => {
    const over = { asker: { pids: [99, 1], pane: { socket: SOCKET, id: '%3' } } };
    expect(runOn(check, { locks: [aLock(ADA)], servers: [aServer([shell])], lookups, over })).toMatchObject([
      { fix: { commands: [] } },
    ]);
  });
});

describe('idle-session is silent about', () => {
  test.each([
    ['an agent in its pane', { servers: [aServer([aPane()])] }],
    [
      'an agent at work here outside tmux',
      {
        servers: [aServer([shell])],
        processes: [aProcess(800, { cwd: { seen: true as const, value: `${ROOT}/${ADA}` } })],
      },
    ],
    ['a live recorded process', { servers: [aServer([shell])], lookups: [present(4242)] }],
    ['no session at all', {}],
    ['a process that could not be looked up', { servers: [aServer([shell])], lookups: [] }],
    [
      'an agent that hides its working directory',
      {
        servers: [aServer([shell])],
        processes: [aProcess(800, { cwd: { seen: false as const, why: 'EACCES' } })],
      },
    ],
  ])('%s', (_, parts) => {
    expect(runOn(check, { locks: [aLock(ADA)], lookups, ...parts })).toEqual([]);
  });

  test('a session whose name is in a lock of another host', () => {
    const lock = aLock(ADA, { hostname: 'elsewhere', sessionId: 'gt-crew-ada' });
    expect(runOn(check, { locks: [lock], servers: [aServer([shell])], lookups })).toEqual([]);
  });
});
