import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { sha256Hex } from '../../../src/io/disk/digest.ts';

test('hashes are the same for the first calls and for later ones, for bytes and for strings', () => {
  for (let round = 0; round < 20; round += 1)
    for (const text of ['', `lock ${round}`, 'großer Ärger 🔒', 'x'.repeat(5000)]) {
      const expected = createHash('sha256').update(text).digest('hex');
      expect(sha256Hex(text)).toBe(expected);
      expect(sha256Hex(new TextEncoder().encode(text))).toBe(expected);
    }
});
