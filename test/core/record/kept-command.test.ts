/** What the journal keeps of a command line, and what it must never keep. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { keptCommand } from '../../../src/core/record/kept-command.ts';

const kept = (line: string): string => keptCommand(line.split(' ')).join(' ');

describe('a command line in the journal', () => {
  test.each([
    'doctor --fix --yes --worker gastown/crew/ada --town /srv/gt',
    'doctor undo 20261128T000000Z-abcdef-1',
    'doctor --fix --socket /tmp/tmux-1000/default --only stale-lock',
    'node /home/me/.nvm/versions/node/v20.19.0/lib/node_modules/agent/dist/main.js',
    'doctor --fix -w monkey/keyboard/author',
  ])('%s: is kept as typed', (line) => {
    expect(kept(line)).toBe(line);
  });

  test.each([
    ['agent --api-key hunter2 run', 'agent --api-key *** run'],
    ['agent --token=hunter2', 'agent --token=***'],
    ['GITHUB_TOKEN=hunter2 agent', 'GITHUB_TOKEN=*** agent'],
    ['agent --password hunter2', 'agent --password ***'],
    ['agent sk-ant-api03-abcdefgh', 'agent ***'],
    ['agent --header x:ghp_0123456789abcdef', 'agent --header ***'],
    ['agent --url https://me:hunter2@example.org/x', 'agent --url https://***@example.org/x'],
    ['agent 0123456789abcdef0123456789abcdef', 'agent ***'],
    ['agent --id=0123456789abcdef0123456789abcdef', 'agent --id=***'],
    ['agent eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x', 'agent ***'],
  ])('%s: hides what looks like a secret', (line, expected) => {
    expect(kept(line)).toBe(expected);
  });

  test('keeps only the program of the command after --', () => {
    expect(kept('doctor exec ada -- claude --resume hunter2')).toBe('doctor exec ada -- claude …');
    expect(kept('doctor exec ada -- claude')).toBe('doctor exec ada -- claude');
  });

  test('has a bounded length for any input', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 1000, unit: 'binary' }), { maxLength: 200 }), (words) => {
        const result = keptCommand(words);
        expect(result.length).toBeLessThanOrEqual(25);
        for (const word of result) expect(word.length).toBeLessThanOrEqual(201);
      }),
    );
  });
});
