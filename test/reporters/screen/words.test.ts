import { execFileSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { displayWidth, padToWidth, wrapText } from '../../../src/reporters/screen/display-width.ts';
import { escapeControls, escapeToAscii, hasControls } from '../../../src/reporters/screen/safe-text.ts';
import { quoteCommand } from '../../../src/reporters/screen/shell-quote.ts';
import { nameOfReleased } from '../../../src/reporters/screen/words.ts';

describe('quoted commands', () => {
  test.each([
    [['doctor', '--town', '/srv/gt'], 'doctor --town /srv/gt'],
    [['doctor', "it's"], "doctor 'it'\\''s'"],
    [['doctor', 'a b', ''], "doctor 'a b' ''"],
    [['doctor', '町'], "doctor '町'"],
    [['doctor', 'a\u001b[0m'], `doctor "$(printf 'a\\033\\1330m')"`],
    [['doctor', '-\u001b'], `doctor "$(printf '\\055\\033')"`],
    [['doctor', 'a\\b'], "doctor 'a'\\\\'b'"],
    [['doctor', '=ls'], "doctor '=ls'"],
  ])('%j is quoted', (argv, expected) => {
    expect(quoteCommand(argv)).toBe(expected);
  });

  test('are read back unchanged by a shell, in ASCII as well', () => {
    const argument = fc
      .string({ unit: 'grapheme' })
      // A path that ends with a line break gets a slash.
      .filter((text) => !text.includes('\0') && !/\p{Cs}/u.test(text) && !text.endsWith('\n'));
    fc.assert(
      fc.property(fc.array(argument, { minLength: 1, maxLength: 4 }), fc.boolean(), (argv, ascii) => {
        const line = quoteCommand(argv, ascii);
        if (ascii) expect(line).toMatch(/^[ -~]*$/);
        expect(hasControls(line)).toBe(false);
        const printed = execFileSync('bash', ['--norc', '-c', `printf '%s\\0' ${line}`], {
          encoding: 'utf8',
        });
        expect(printed).toBe(argv.map((word) => `${word}\0`).join(''));
      }),
      { numRuns: 30 },
    );
  });
});

describe('foreign text', () => {
  test('contains no control characters once it is escaped', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(hasControls(escapeControls(text))).toBe(false);
        expect(escapeToAscii(text)).toMatch(/^[ -~]*$/);
      }),
    );
  });

  test('is unchanged if it is harmless', () => {
    expect(escapeControls('gastown/crew/ádá 町 🔒')).toBe('gastown/crew/ádá 町 🔒');
  });
});

describe('text on a screen', () => {
  test('is measured in columns, not in characters', () => {
    expect(displayWidth('ada')).toBe(3);
    expect(displayWidth('町')).toBe(2);
    expect(displayWidth('e\u0301')).toBe(1);
    expect(padToWidth('町', 4)).toBe('町  ');
  });

  test('is broken at spaces, but not between a number and its unit', () => {
    expect(wrapText('process 4242 gone, pane %55 gone, 8 h', 35)).toEqual([
      'process 4242 gone, pane %55 gone,',
      '8 h',
    ]);
  });

  test('is broken after a slash if a path is wider than the line, and continues on the same line', () => {
    expect(wrapText('kept as /srv/gt/gastown/crew/ada/.runtime/agent.lock now', 24)).toEqual([
      'kept as',
      '/srv/gt/gastown/crew/',
      'ada/.runtime/agent.lock',
      'now',
    ]);
    expect(wrapText('both gastown/crew/ada/.gastown/agent.lock (old) and', 34)).toEqual([
      'both gastown/crew/ada/.gastown/',
      'agent.lock (old) and',
    ]);
    expect(wrapText(`backup ${'x'.repeat(50)} now`, 40)).toEqual(['backup', 'x'.repeat(50), 'now']);
  });

  test('is not broken below 20 columns', () => {
    expect(wrapText('a b c d e f g h i j k l m', 0)).toHaveLength(1);
  });
});

test("the lock of a branch called agent is told apart from its worker's own lock", () => {
  const released = (lock: string) => nameOfReleased({ worker: 'a', lock: `/srv/gt/a/${lock}` }, '/srv/gt');
  expect(released('.runtime/agent.lock')).toBe('a');
  expect(released('.git/refs/heads/agent.lock')).toBe('a, a/.git/refs/heads/agent.lock');
});
