import { afterEach, expect, jest, test } from '@jest/globals';
import { progressLine } from '../../../src/cli/terminal/progress-line.ts';
import type { Terminal } from '../../../src/cli/terminal/terminal.ts';

let now = 1000;
const clock = jest.spyOn(performance, 'now').mockImplementation(() => now);

afterEach(() => {
  now = 1000;
});

const makeTerminal = (
  isTTY: boolean,
  term: string,
): { readonly terminal: Terminal; readonly written: string[] } => {
  const written: string[] = [];
  const stderr = { isTTY, write: (text: string) => written.push(text) };
  return { terminal: { stderr, env: { TERM: term } } as unknown as Terminal, written };
};

test('counts in one line, at most ten times a second, and erases it', () => {
  const { terminal, written } = makeTerminal(true, 'xterm');
  const line = progressLine(terminal, 'Releasing locks');
  line.expect(1000);
  line.step();
  now += 99;
  line.step();
  expect(written).toEqual([]);
  now += 1;
  line.step();
  expect(written).toEqual(['\r\x1b[KReleasing locks: 3 of 1000']);
  now += 99;
  line.step();
  expect(written).toHaveLength(1);
  line.end();
  line.end();
  expect(written.slice(1)).toEqual(['\r\x1b[K']);
});

test.each([
  ['a pipe', false, 'xterm'],
  ['a terminal that cannot move the cursor', true, 'dumb'],
])('writes nothing to %s', (_what, isTTY, term) => {
  const { terminal, written } = makeTerminal(isTTY, term);
  const line = progressLine(terminal, 'Releasing locks');
  line.step();
  now += 1000;
  line.step();
  line.end();
  expect(written).toEqual([]);
  expect(clock).toHaveBeenCalled();
});
