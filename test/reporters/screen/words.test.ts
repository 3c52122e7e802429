import { execFileSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { displayWidth, padToWidth, wrapText } from '../../../src/reporters/screen/display-width.ts';
import { escapeControls, escapeToAscii, hasControls } from '../../../src/reporters/screen/safe-text.ts';
import { quoteCommand } from '../../../src/reporters/screen/shell-quote.ts';

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
  ])('%j', (argv, expected) => {
    expect(quoteCommand(argv)).toBe(expected);
  });

  test('come out of a shell as they went in, in ASCII as well', () => {
    const argument = fc
      .string({ unit: 'grapheme' })
      // A path that ends with a line break gets a slash.
      .filter((text) => !text.includes('\0') && !/\p{Cs}/u.test(text) && !text.endsWith('\n'));
    fc.assert(
      fc.property(fc.array(argument, { minLength: 1, maxLength: 4 }), fc.boolean(), (argv, ascii) => {
        const line = quoteCommand(argv, ascii);
        if (ascii) expect(line).toMatch(/^[ -~]*$/);
        expect(hasControls(line)).toBe(false);
        const printed = execFileSync('bash', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' });
        expect(printed).toBe(argv.map((word) => `${word}\0`).join(''));
      }),
      { numRuns: 30 },
    );
  });
});

describe('foreign text', () => {
  test('holds nothing that steers a terminal once it was escaped', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(hasControls(escapeControls(text))).toBe(false);
        expect(escapeToAscii(text)).toMatch(/^[ -~]*$/);
      }),
    );
  });

  test('that is harmless stays as it is', () => {
    expect(escapeControls('gastown/crew/ádá 町 🔒')).toBe('gastown/crew/ádá 町 🔒');
  });
});

describe('widths', () => {
  test('count columns, not characters', () => {
    expect(displayWidth('ada')).toBe(3);
    expect(displayWidth('町')).toBe(2);
    expect(displayWidth('e\u0301')).toBe(1);
    expect(padToWidth('町', 4)).toBe('町  ');
  });

  test('text is broken at spaces, but not between a number and its unit', () => {
    expect(wrapText('process 4242 gone, pane %55 gone, 8 h', 35)).toEqual([
      'process 4242 gone, pane %55 gone,',
      '8 h',
    ]);
  });

  test('a path that is wider than the line is broken after a slash, and the sentence goes on behind it', () => {
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

  test('below 20 columns nothing is broken', () => {
    expect(wrapText('a b c d e f g h i j k l m', 0)).toHaveLength(1);
  });
});
