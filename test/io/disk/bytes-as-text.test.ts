import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bytesAsText } from '../../../src/io/disk/bytes-as-text.ts';

describe('bytes as text', () => {
  test('are unchanged if they are UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(bytesAsText(Buffer.from(text, 'utf8'))).toBe(text);
      }),
    );
  });

  test('show each byte that is not UTF-8, and keep the rest', () => {
    expect(bytesAsText(Buffer.from([0x61, 0xff, 0xe7, 0x94, 0xba, 0xe7, 0x94]))).toBe('a\\xFF町\\xE7\\x94');
  });

  test('never fail', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(bytesAsText(bytes).length).toBeLessThanOrEqual(4 * bytes.length);
      }),
    );
  });
});
