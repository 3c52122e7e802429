/** Names are listed as people count, in one order that is the same in every run. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { inNameOrder } from '../../../src/core/town/name-order.ts';
import { rowsOf } from '../../../src/reporters/screen/lock-rows.ts';
import { reportOf } from '../../reporters/reports.ts';
import { aLock } from '../../support/snapshot.ts';

describe('the order of names', () => {
  test.each([
    [
      ['w10', 'w2', 'w1'],
      ['w1', 'w2', 'w10'],
    ],
    [
      ['../feature-10', '../feature-9', '../feature'],
      ['../feature', '../feature-9', '../feature-10'],
    ],
    [
      ['a2/b10', 'a10/b1', 'a2/b9', 'a2'],
      ['a2', 'a2/b9', 'a2/b10', 'a10/b1'],
    ],
    [
      ['v1.10', 'v1.9', 'v1.9.1'],
      ['v1.9', 'v1.9.1', 'v1.10'],
    ],
    [
      ['w01', 'w1', 'w001', 'w0', 'w2'],
      ['w0', 'w1', 'w01', 'w001', 'w2'],
    ],
    [
      ['b', 'B', 'a', '9', '-'],
      ['-', '9', 'B', 'a', 'b'],
    ],
    [
      ['90071992547409931', '90071992547409930', '9'],
      ['9', '90071992547409930', '90071992547409931'],
    ],
  ])('%j', (names, sorted) => {
    expect(inNameOrder(names)).toEqual(sorted);
  });

  test('is one order of all names, in whatever order they come', () => {
    const name = fc.string({ unit: fc.constantFrom('0', '1', '9', 'a', '/', '-', 'é'), maxLength: 6 });
    fc.assert(
      fc.property(name, name, name, (a, b, c) => {
        const sorted = inNameOrder([a, b, c]);
        for (const names of [
          [c, b, a],
          [b, a, c],
        ])
          expect(inNameOrder(names)).toEqual(sorted);
        expect(inNameOrder([`${a}/x`, a])).toEqual([a, `${a}/x`]);
      }),
      { numRuns: 2000 },
    );
  });

  test('is that of every list of locks', () => {
    const report = reportOf({ locks: ['w1', 'w10', 'w2'].map((name) => aLock(name)) });
    expect(rowsOf(report, false).map(({ worker }) => worker)).toEqual(['w1', 'w2', 'w10']);
  });
});
