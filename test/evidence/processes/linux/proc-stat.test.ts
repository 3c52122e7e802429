import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isDeadStat, parseProcStat } from '../../../../src/evidence/processes/linux/proc-stat.ts';

const captured = (name: string) =>
  parseProcStat(
    readFileSync(new URL(`../../../../fixtures/proc/stat-linux-6.18-${name}.txt`, import.meta.url), 'utf8'),
  );

describe('a line of /proc/<pid>/stat', () => {
  test('is read from after the last parenthesis of the command', () => {
    expect(captured('command-with-parentheses')).toEqual({
      pid: 17354,
      comm: 'a) S 1 (b',
      state: 'S',
      ppid: 17317,
      session: 2563,
      hasTerminal: false,
      inForeground: false,
      isKernelThread: false,
      threads: 1,
      startTicks: '265364',
    });
  });

  test('shows whether the process is in the foreground of its terminal', () => {
    const line = (group: number, terminal: number, foreground: number) =>
      parseProcStat(`7 (sh) S 1 ${group} 7 ${terminal} ${foreground} 4194304 0 0 0 0 0 0 0 0 20 0 1 0 55 0`);
    expect(line(7, 34816, 7)?.inForeground).toBe(true);
    expect(line(7, 34816, 9)?.inForeground).toBe(false);
    expect(line(0, 0, 0)?.inForeground).toBe(false);
    expect(line(7, 0, -1)?.inForeground).toBe(false);
  });

  test('shows a kernel thread by its flag', () => {
    expect(captured('kernel-thread')).toMatchObject({ comm: 'kthreadd', ppid: 0, isKernelThread: true });
  });

  test('of a process that is being reaped is valid, and shows it as dead', () => {
    const line = '28302 (bash) X 0 -1 -1 0 -1 4227084 194 0 0 0 0 0 0 0 20 0 0 0 319417 0 0 0';
    const stat = parseProcStat(line);
    expect(stat).toMatchObject({ pid: 28302, state: 'X', session: 0, startTicks: '319417' });
    expect(stat !== null && isDeadStat(stat)).toBe(true);
  });

  test('of a zombie shows it as dead, but not that of a zombie leader with a live thread', () => {
    const zombie = captured('zombie');
    const leader = captured('zombie-leader-with-thread');
    expect([zombie?.state, leader?.state]).toEqual(['Z', 'Z']);
    expect([zombie && isDeadStat(zombie), leader && isDeadStat(leader)]).toEqual([true, false]);
  });

  test('gives any command unchanged', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 15 }), fc.nat(), fc.nat(), (comm, ppid, ticks) => {
        const rest = `R ${ppid} 1 1 0 -1 0 1 2 3 4 5 6 7 8 20 0 3 0 ${ticks} 0 0 0\n`;
        const expected = { pid: 7, comm, ppid, threads: 3, startTicks: String(ticks) };
        expect(parseProcStat(`7 (${comm}) ${rest}`)).toMatchObject(expected);
      }),
    );
  });

  test('that is truncated or invalid gives null, never an error', () => {
    const whole = '7 (x) R 1 1 1 0 -1 0 1 2 3 4 5 6 7 8 20 0 3 0 99 0';
    for (let length = 0; length < whole.indexOf('99'); length += 1)
      expect(parseProcStat(whole.slice(0, length))).toBeNull();
    fc.assert(
      fc.property(fc.string(), (text) => {
        const stat = parseProcStat(text);
        expect(stat === null || stat.pid > 0).toBe(true);
      }),
    );
  });
});
