import { hostname } from 'node:os';
import { describe, expect, test } from '@jest/globals';
import { readAsker, readHost, socketInTmuxVariable } from '../../src/evidence/host.ts';
import { readProcessTable } from '../../src/evidence/processes/processes.ts';

describe('this host', () => {
  test('has a name, a user and, on Linux, a boot ID and a PID namespace', () => {
    const host = readHost();
    expect(host).toMatchObject({ hostname: hostname(), platform: process.platform, uid: process.getuid?.() });
    if (process.platform !== 'linux') return;
    expect(host.bootId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(host.pidNamespace).toMatch(/^pid:\[\d+\]$/);
    expect(host.initialPidNamespace).toBe(host.pidNamespace === 'pid:[4026531836]');
  });
});

describe('the asker', () => {
  test('is this process and all its ancestors, with or without a process table', async () => {
    const { pids, pane } = readAsker({});
    expect(pids.slice(0, 2)).toEqual([process.pid, process.ppid]);
    expect(pane).toBeNull();
    expect(readAsker({}, await readProcessTable()).pids).toEqual(pids);
  });

  test('is in the pane that TMUX and TMUX_PANE name, whatever the name of its socket', () => {
    expect(readAsker({ TMUX: '/nowhere/a,b c,123,4', TMUX_PANE: '%7' }).pane).toEqual({
      socket: '/nowhere/a,b c',
      serverPid: 123,
      id: '%7',
    });
  });

  test.each([
    [{ TMUX: '/nowhere/x,123,4' }],
    [{ TMUX_PANE: '%7' }],
    [{ TMUX: '', TMUX_PANE: '%7' }],
    [{ TMUX: 'x', TMUX_PANE: '%7' }],
    [{ TMUX: '/nowhere/x,123,4', TMUX_PANE: '$7' }],
  ])('is in no pane with %j', (env) => {
    expect(readAsker(env).pane).toBeNull();
  });

  test('has no socket if TMUX is invalid', () => {
    expect([undefined, '', 'x,1,2', '/x', '/x,a,2'].map(socketInTmuxVariable)).toEqual(Array(5).fill(null));
  });
});
