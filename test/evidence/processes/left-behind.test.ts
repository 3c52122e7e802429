import { expect, test } from '@jest/globals';
import { wasLeftBehind } from '../../../src/evidence/processes/describe.ts';
import type { ProcessRow } from '../../../src/evidence/processes/row.ts';

const row = (pid: number, ppid: number, leader: number, more: Partial<ProcessRow> = {}): ProcessRow => ({
  ...{ pid, ppid, leader, comm: 'server', dead: false, isKernelThread: false, inForeground: false },
  ...{ hasTerminal: false, startToken: String(pid), startedAtMs: null },
  ...more,
});

const INIT = row(1, 0, 1, { comm: 'init' });
const SUBREAPER = row(50, 1, 50, { comm: 'systemd' });

const leftBehind = (rows: readonly ProcessRow[], pid: number): boolean => {
  const table = new Map([INIT, SUBREAPER, ...rows].map((one) => [one.pid, one]));
  const asked = table.get(pid);
  if (asked === undefined) throw new Error(`no process ${pid}`);
  return wasLeftBehind(asked, table, ({ comm }) => [comm]);
};

test.each<[string, readonly ProcessRow[]]>([
  ['adopted by init after the leader of its session ended', [row(100, 1, 90)]],
  ['adopted by a subreaper', [row(100, 50, 90)]],
  ['with a terminal whose session has no leader', [row(100, 1, 90, { hasTerminal: true })]],
  ['whose session leader is a zombie', [row(100, 1, 90), row(90, 1, 90, { dead: true })]],
  ['a child of a left-behind shell', [row(100, 99, 90), row(99, 1, 90, { comm: 'sh' })]],
  [
    'a child of a shell of a left-behind package manager',
    [row(100, 99, 90), row(99, 98, 90, { comm: 'sh' }), row(98, 1, 90, { comm: 'npm' })],
  ],
])('is left behind: %s', (_what, rows) => {
  expect(leftBehind(rows, 100)).toBe(true);
});

test.each<[string, readonly ProcessRow[]]>([
  ['the leader of its session', [row(100, 1, 100)]],
  ['in the foreground of its terminal', [row(100, 1, 90, { inForeground: true, hasTerminal: true })]],
  [
    'a background job of a person, whose terminal and leader exist',
    [row(100, 1, 90, { hasTerminal: true }), row(90, 1, 90)],
  ],
  ['adopted, without a terminal, in a session whose leader is alive', [row(100, 1, 90), row(90, 1, 90)]],
  ['a child of a live launcher in its session', [row(100, 99, 90), row(99, 50, 90, { comm: 'launcher' })]],
  [
    'a child of a left-behind process that may be an agent',
    [row(100, 99, 90), row(99, 1, 90, { comm: 'kiro' })],
  ],
  ['a child of a process whose parent is not listed', [row(100, 99, 90)]],
  ['in the session of a process in another namespace', [row(100, 1, 0)]],
  ["in init's own session", [row(100, 1, 1)]],
  ['a process whose leader is unknown', [{ ...row(100, 1, 90), leader: undefined } as unknown as ProcessRow]],
])('is not left behind: %s', (_what, rows) => {
  expect(leftBehind(rows, 100)).toBe(false);
});

test('terminates on a table in which processes are their own ancestors', () => {
  expect(leftBehind([row(100, 101, 90, { comm: 'sh' }), row(101, 100, 90, { comm: 'sh' })], 100)).toBe(false);
});
