/** Arguments may be as long as the system allows, two megabytes on Linux: a prompt, or text that is meant to stop the doctor. */
import { expect, test } from '@jest/globals';
import { readCommandLine } from '../../../src/evidence/processes/command-line.ts';
import { processNames } from '../../../src/evidence/processes/process-names.ts';
import type { ProcessRow } from '../../../src/evidence/processes/row.ts';
import { shellCodeOf } from '../../../src/evidence/processes/shell-code.ts';

const TWO_MEGABYTES = 2_000_000;

const textOf = (piece: string): string => piece.repeat(TWO_MEGABYTES / piece.length);

const codeIn = (argv: readonly string[]): string | undefined => {
  const row: ProcessRow = {
    ...{ pid: 7, ppid: 1, comm: 'sh', startToken: '7', startedAtMs: null },
    ...{ dead: false, isKernelThread: false },
  };
  const details = {
    argv: () => argv,
    readsTerminal: () => null,
    hasPrompt: () => false,
    isForkOf: () => false,
  };
  return shellCodeOf(row, { rows: new Map([[7, row]]), details });
};

test('a shell with a long prompt behind its code is read in time that grows with its length', () => {
  expect(codeIn(['sh', '-c', 'my-agent "$1"; true', '_', textOf('for ')])).toBe('commands');
  expect(codeIn(['sh', '-c', 'my-agent "$1"; true', '_', `${textOf('for ')} do`])).toBe('loop');
  expect(codeIn(['sh', '-c', `my-agent '${textOf('while ')}'`])).toBe('commands');
  expect(codeIn(['sh', '-c', `my-agent ${textOf('a=b ')}`])).toBe('commands');
});

test('so is a tool that repeats a command', () => {
  expect(processNames('watch', ['watch', `claude ${textOf(';a=')}`])).toContain('claude');
});

test('so is a line of ps with a long prompt', () => {
  const line = `node /srv/tools/my-tool ${textOf('word ')}`;
  expect(readCommandLine('node', line)).toEqual(['node']);
});
