import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readsItsStartAs } from '../../../../src/evidence/processes/linux/recorded-start.ts';

/** Whether a process whose clock is that much ahead of ours, and whose start we read as 5000, reads these starts. */
const readsAs = (offset: string | null, ...starts: readonly string[]): readonly boolean[] => {
  const directory = mkdtempSync(join(tmpdir(), 'offsets-'));
  try {
    const offsets = `monotonic           0         0\nboottime   ${offset}\n`;
    if (offset !== null) writeFileSync(join(directory, 'timens_offsets'), offsets);
    return starts.map((start) => readsItsStartAs(directory, '5000', start));
  } finally {
    rmSync(directory, { recursive: true });
  }
};

test('a start is compared by the difference of the clocks', () => {
  expect(readsAs('1000         0', '105000', '5000', '105001')).toEqual([true, false, false]);
  expect(readsAs('-10         0', '4000', '6000')).toEqual([true, false]);
  expect(readsAs('0         0', '5000', '5001')).toEqual([true, false]);
});

test('clocks that are no whole number of ticks apart may be rounded either way', () => {
  expect(readsAs('10   5000000', '5999', '6000', '6001', '6002')).toEqual([true, true, true, false]);
  expect(readsAs('10   10000000', '6001', '6000')).toEqual([true, false]);
});

test('where the kernel has no such namespaces, and of text that is no start', () => {
  expect(readsAs(null, '5000', '5001', '', '5000x', '-5000')).toEqual([true, false, false, false, false]);
});
