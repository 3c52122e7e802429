/** Texts that are kept for many locks. */
import { expect, test } from '@jest/globals';
import { flat } from '../../../src/core/record/flat.ts';

test.each(['', 'a', 'a lock', 'worker \u{1f512}', '\ud800'])('%j stays as it is', (text) => {
  expect(flat(text)).toBe(text);
  expect(flat(`${text} of ${text}`)).toBe([text, 'of', text].join(' '));
});
