import { expect, test } from '@jest/globals';
import { progressLine } from '../../../src/cli/terminal/progress-line.ts';
import type { Terminal } from '../../../src/cli/terminal/terminal.ts';
import { until } from '../../support/index.ts';

const terminalThat = (
  isTTY: boolean,
  term: string,
): { readonly terminal: Terminal; readonly said: string[] } => {
  const said: string[] = [];
  const stderr = { isTTY, write: (text: string) => said.push(text) };
  return { terminal: { stderr, env: { TERM: term } } as unknown as Terminal, said };
};

test('counts in one line, at most ten times a second, and wipes it off', async () => {
  const { terminal, said } = terminalThat(true, 'xterm');
  const line = progressLine(terminal, 'Releasing locks');
  line.expect(1000);
  let steps = 0;
  await until(() => {
    line.step();
    steps += 1;
    return said.length > 0;
  }, 'the line');
  expect(said).toEqual([`\r\x1b[KReleasing locks: ${steps} of 1000`]);
  line.step();
  expect(said).toHaveLength(1);
  line.end();
  line.end();
  expect(said.slice(1)).toEqual(['\r\x1b[K']);
});

test.each([
  ['a pipe', false, 'xterm'],
  ['a terminal that shows what is written', true, 'dumb'],
])('says nothing to %s', async (_what, isTTY, term) => {
  const { terminal, said } = terminalThat(isTTY, term);
  const line = progressLine(terminal, 'Releasing locks');
  const endsAt = performance.now() + 150;
  await until(() => {
    line.step();
    return performance.now() > endsAt;
  }, 'the time after which it would be written');
  line.end();
  expect(said).toEqual([]);
});
