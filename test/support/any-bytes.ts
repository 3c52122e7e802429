/** Tests what the reader of every kind promises: it accepts any bytes. */
import { expect } from '@jest/globals';
import fc from 'fast-check';
import type { Kind } from '../../src/core/types/kind.ts';

/** Arbitrary bytes, and arbitrary JSON with the keys of locks. */
const BYTES = fc.oneof(
  fc.uint8Array({ maxLength: 400 }),
  fc.string().map((text) => new TextEncoder().encode(text)),
  fc
    .dictionary(
      fc.constantFrom('pid', 'procStart', 'startedAt', 'createdAt', 'starttime', 'maxHoldMs', 'sessionId'),
      fc.jsonValue(),
    )
    .map((value) => new TextEncoder().encode(JSON.stringify(value))),
  fc.integer().map((number) => new TextEncoder().encode(`${number}\n`)),
);

/** Reads any bytes as a claim that a snapshot can contain, with a possible PID, or as the reason why not; never throws. */
export const readsAnyBytes = ({ read }: Kind, names: readonly string[]): void => {
  fc.assert(
    fc.property(BYTES, fc.constantFrom(...names), (bytes, name) => {
      const content = read?.(bytes, { name, options: {} });
      expect(JSON.parse(JSON.stringify(content))).toEqual(content);
      if (content?.kind === 'claim' && content.claim.by === 'number') {
        const { pid, name: holder } = content.claim;
        expect(Number.isInteger(pid) && pid >= 1 && pid < 2 ** 31).toBe(true);
        expect(holder ?? '').not.toMatch(/[\n\r]/);
      } else expect(['claim', 'invalid']).toContain(content?.kind);
    }),
  );
};

/** Values that are not a PID, in the text that a tool writes around them. */
export const NOT_NUMBERS = [
  '-1',
  '0',
  '2147483648',
  '1e3',
  '12abc',
  '0x1f',
  '1.5',
  '',
  ' \n',
  'null',
  '１２',
];
