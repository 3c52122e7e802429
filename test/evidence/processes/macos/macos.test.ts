import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { wasLeftBehind } from '../../../../src/evidence/processes/describe.ts';
import { readProcTable } from '../../../../src/evidence/processes/linux/linux.ts';
import { parseLsof } from '../../../../src/evidence/processes/macos/lsof.ts';
import { parsePs, readPsTable } from '../../../../src/evidence/processes/macos/macos.ts';
import type { ProcessRow } from '../../../../src/evidence/processes/row.ts';
import { isTmuxServer } from '../../../../src/evidence/processes/table.ts';

const fixture = (name: string): string =>
  readFileSync(new URL(`../../../../fixtures/ps/${name}`, import.meta.url), 'utf8');

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
      startedAtMs: Date.UTC(2025, 10, 23, 9, 0, 2),
      argv: ['claude', '--resume', '2f1c'],
    });
  });

  test('shows what was left behind: adopted by launchd, without a terminal, in a group whose leader is gone', () => {
    const namesOf = ({ comm }: ProcessRow) => [comm];
    const left = [...rows.values()].filter((row) => wasLeftBehind(row, rows, namesOf));
    expect(left.map(({ pid }) => pid)).toEqual([3620]);
  });

  test('shows zombies as dead and login shells by their name', () => {
    expect([rows.get(3608)?.dead, rows.get(3609)?.comm]).toEqual([true, 'zsh']);
  });

  test('shows the tmux server as the tmux that launchd adopted', () => {
    expect([...rows.values()].filter((row) => isTmuxServer(row, rows)).map(({ pid }) => pid)).toEqual([412]);
  });

  test('is completed by the working directories that lsof could read', () => {
    expect([...parseLsof(Buffer.from(fixture('lsof-macos-documented-format.txt')))]).toEqual([
      [412, { seen: true, value: '/Users/ann/gt' }],
      [3606, { seen: true, value: '/Users/ann/gt/gastown/crew/My Ada' }],
    ]);
  });

  test('has the PID again after the kernel’s name, which separates it from arguments even with spaces in both', () => {
    const line = (comm: string, args: string) =>
      `  77     1    77   501 S    ??       Sun Nov 23 09:00:02 2025     ${comm.padEnd(16)}    77 ${args}`;
    const commOf = (comm: string, args: string) => parsePs(line(comm, args)).get(77)?.comm;
    expect(commOf('claude', '/Applications/My Agents/claude --resume')).toBe('claude');
    expect(commOf('Google Chrome He', '/Applications/Google Chrome.app/Google Chrome He')).toBe(
      'Google Chrome He',
    );
    expect(commOf('claude', '')).toBe('claude');
  });
});

/** What its locale cannot print, Apple's lsof escapes as in `safestrprt` of misc.c. */
describe("macOS's lsof", () => {
  const pathOf = (printed: string) => parseLsof(Buffer.from(`p1\nfcwd\nn${printed}\n`)).get(1);

  test.each([
    ['/Users/jörg/gt', '/Users/jörg/gt'],
    ['/Users/j\\xc3\\xb6rg/gt', '/Users/jörg/gt'],
    ['/gt/a\\\\b', '/gt/a\\b'],
    ['/gt/a\\\\xc3b', '/gt/a\\xc3b'],
    ['/gt/two\\nlines', '/gt/two\nlines'],
    ['/gt/5^2', '/gt/5^2'],
  ])('%s is %j', (printed, path) => {
    expect(pathOf(printed)).toEqual({ seen: true, value: path });
  });

  test.each(['/gt/^A', '/gt/^?', '/gt/\\xff', '/gt/\\q', '/gt/\\'])(
    '%s cannot be decoded to a path',
    (printed) => {
      expect(pathOf(printed)).toMatchObject({ seen: false });
    },
  );
});

describe('the ps of this machine', () => {
  test.each(['Asia/Tokyo', 'America/Los_Angeles'])(
    'gives start times in any time zone, as in %s',
    async (zone) => {
      const { TZ } = process.env;
      process.env.TZ = zone;
      try {
        const started = (await readPsTable()).rows.get(process.pid)?.startedAtMs ?? 0;
        const own = Date.now() - process.uptime() * 1000;
        expect(Math.abs(started - own)).toBeLessThan(60_000);
      } finally {
        if (TZ === undefined) delete process.env.TZ;
        else process.env.TZ = TZ;
      }
    },
  );

  test('shows our own process as /proc does', async () => {
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
