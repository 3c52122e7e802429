/** Command lines as ps of macOS prints them: joined with single spaces, whatever spaces the arguments contain. */
import { describe, expect, test } from '@jest/globals';
import { classifyNames } from '../../../src/core/programs/by-name.ts';
import { readCommandLine } from '../../../src/evidence/processes/command-line.ts';
import { processNames } from '../../../src/evidence/processes/process-names.ts';

const classOf = (comm: string, line: string): string | undefined =>
  classifyNames(processNames(comm, readCommandLine(comm, line)), { agents: [] })?.class;

describe('a command line without spaces in its arguments is split exactly', () => {
  test.each([
    ['claude', 'claude --resume 2f1c'],
    ['node', 'claude --resume /opt/node'],
    ['node', 'node /opt/homebrew/lib/node_modules/@anthropic-ai/claude-code/cli.js --model opus'],
    ['python3.11', 'python3 -m aider /srv/x y'],
    ['python3.11', 'python3 -c import os'],
    ['node', 'node server.js claude'],
    ['zsh', '-zsh'],
  ])('%s: %s', (comm, line) => {
    expect(readCommandLine(comm, line)).toEqual(line.split(' '));
  });
});

describe('an agent is recognized by a path with spaces', () => {
  test.each([
    ['claude', '/Applications/My Agents/claude --resume'],
    [
      'node',
      'node /Users/ann/Library/Application Support/x/node_modules/@anthropic-ai/claude-code/cli.js --model opus',
    ],
    ['node', 'node /Users/ann/npm stuff/node_modules/@anthropic-ai/claude-code/cli.js'],
    ['node', '/Users/ann/My Tools/node /Users/ann/My Tools/claude'],
    ['python3.11', '/opt/My Pythons/python3.11 /Users/ann/my venv/bin/aider --yes'],
  ])('%s: %s', (comm, line) => {
    expect(classOf(comm, line)).toBe('agent');
  });
});

test('the program ends at the name that the kernel gives it, and a script at its suffix', () => {
  expect(readCommandLine('Some Browser', '/Applications/Some Browser.app/Some Browser --type=x')).toEqual([
    '/Applications/Some Browser.app/Some Browser',
    '--type=x',
  ]);
  expect(readCommandLine('node', 'node /Users/ann/my app/server.js --port 1')).toEqual([
    'node',
    '/Users/ann/my app/server.js',
    '--port',
    '1',
  ]);
});

test('a script that cannot be recognized is dropped, with everything after it', () => {
  expect(readCommandLine('node', 'node /Users/ann/npm stuff/run --token s3cret')).toEqual(['node']);
  expect(classOf('node', 'node /Users/ann/npm stuff/run')).toBeUndefined();
});
