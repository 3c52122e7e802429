import { expect, test } from '@jest/globals';
import type { ReportFinding } from '../../../src/core/types/report.ts';
import { describeFix } from '../../../src/reporters/screen/sentences.ts';

test.each([
  [undefined, 'doctor --fix releases it'],
  ['mini2', 'doctor --fix --on mini2 releases it'],
  ['nice -n 0', "doctor --fix --on 'nice -n 0' releases it"],
])('a command that would release a lock of %s works when it is pasted', (machine, said) => {
  const fix = { action: 'release', status: 'planned', safe: true, reason: null, backup: null };
  expect(describeFix({ fix, machine } as ReportFinding)).toBe(said);
});
