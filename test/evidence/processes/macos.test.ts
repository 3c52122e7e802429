import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { wasLeftBehind } from '../../../src/evidence/processes/left-behind.ts';
import { readProcTable } from '../../../src/evidence/processes/linux.ts';
import { parseLsof, parsePs, readPsTable } from '../../../src/evidence/processes/macos.ts';
import { isTmuxServer, type ProcessRow } from '../../../src/evidence/processes/table.ts';

const fixture = (name: string): string =>
  readFileSync(new URL(`../../../fixtures/ps/${name}`, import.meta.url), 'utf8');

describe("macOS's ps", () => {
  const rows = parsePs(fixture('ps-macos-documented-format.txt'));

  test('lists processes with parent, owner, start and command', () => {
    expect([...rows.keys()]).toEqual([1, 412, 3606, 3607, 3608, 3609, 3610, 3611, 3620, 3621, 3622]);
    expect(rows.get(3606)).toEqual({
      pid: 3606,
      ppid: 412,
      uid: 501,
      comm: 'claude',
      dead: false,
      isKernelThread: false,
      inForeground: true,
      hasTerminal: true,
      startToken: 'Sun Nov 23 09:00:02 2025',
      startedAtMs: new Date(2025, 10, 23, 9, 0, 2).getTime(),
      argv: ['claude', '--resume', '2f1c'],
    });
  });

  test('tells who was left behind: adopted by launchd, without a terminal, of a group whose leader is gone', () => {
    const namesOf = ({ comm }: ProcessRow) => [comm];
    const left = [...rows.values()].filter((row) => wasLeftBehind(row, rows, namesOf));
    expect(left.map(({ pid }) => pid)).toEqual([3620]);
  });

  test('shows zombies as dead and login shells by their name', () => {
    expect([rows.get(3608)?.dead, rows.get(3609)?.comm]).toEqual([true, 'zsh']);
  });

  test('shows the tmux server as the tmux that launchd adopted', () => {
    expect([...rows.values()].filter(isTmuxServer).map(({ pid }) => pid)).toEqual([412]);
  });

  test('tells working directories through lsof, and none that lsof could not read', () => {
    expect([...parseLsof(fixture('lsof-macos-documented-format.txt'))]).toEqual([
      [412, '/Users/ann/gt'],
      [3606, '/Users/ann/gt/gastown/crew/My Ada'],
    ]);
  });
});

describe('the ps of this machine', () => {
  test('knows our own process as well as /proc does', async () => {
    const table = await readPsTable();
    expect(table.listing).toEqual({ seen: true, value: 'all' });
    const own = table.rows.get(process.pid);
    expect(own).toMatchObject({ ppid: process.ppid, dead: false });
    expect(table.details.uid(process.pid)).toBe(process.getuid?.());
    if (process.platform !== 'linux') return;
    const proc = readProcTable('/proc').rows.get(process.pid);
    expect(Math.abs((own?.startedAtMs ?? 0) - (proc?.startedAtMs ?? 0))).toBeLessThan(3000);
  });
});
