import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  cannotQuote,
  overviewCommand,
  parseOverview,
  parseSessionEnvironments,
  sessionEnvironmentCommand,
} from '../../../src/evidence/tmux/format.ts';

const MARK = '0123456789abcdef01234567';
const captured = (name: string): Buffer =>
  readFileSync(new URL(`../../../fixtures/tmux/${name}.txt`, import.meta.url));
const overview = captured('overview-3.3a');
const ODD_PATH = '/tmp/fixture-town/gastown/crew/ada lace\nline\\n "q" #{x} \\xFF町';

describe("tmux's overview", () => {
  const server = parseOverview(overview, MARK, '');

  test('has the server, its sessions and its global environment', () => {
    expect(server).toMatchObject({ version: '3.3a', sessions: 4 });
    expect(server?.globals).toEqual({ GT_ROLE: 'gastown/crew/outer', GT_RIG: 'gastown' });
    expect(server?.startedAtMs).toBeGreaterThan(Date.UTC(2020));
  });

  test('distinguishes pane IDs from session IDs, and a dead pane from a live one', () => {
    expect(
      server?.panes.map(({ sessionId, windowId, paneId, dead }) => [sessionId, windowId, paneId, dead]),
    ).toEqual([
      ['$3', '@3', '%4', true],
      ['$0', '@0', '%0', false],
      ['$0', '@1', '%1', false],
      ['$1', '@2', '%2', false],
      ['$2', '@2', '%2', false],
    ]);
  });

  test('keeps names and paths whole: spaces, quotes, line breaks, backslashes, bytes that are not UTF-8', () => {
    expect(server?.panes.find(({ paneId }) => paneId === '%1')).toMatchObject({
      sessionName: 'gt-crew-ada "1" #x',
      sessionGroup: null,
      command: 'sleep',
      path: ODD_PATH,
      environment: { GT_ROLE: 'gastown/crew/ada lace', GT_RIG: 'gastown', GT_ROOT: '/tmp/fixture-town' },
    });
  });

  test('shows the group of grouped sessions', () => {
    const groups = server?.panes
      .filter(({ paneId }) => paneId === '%2')
      .map(({ sessionGroup }) => sessionGroup);
    expect(groups).toEqual(['gt-joe', 'gt-joe']);
  });

  test('of a server without sessions has none, if tmux complained about that', () => {
    const empty = captured('overview-3.3a-no-sessions');
    expect(parseOverview(empty, MARK, 'no current target\n')).toMatchObject({ sessions: 0, panes: [] });
    expect(parseOverview(empty, MARK, '')).toBeNull();
    expect(parseOverview(empty, MARK, 'server exited unexpectedly\n')).toBeNull();
  });

  test('that is truncated anywhere before its end mark is refused', () => {
    const end = overview.indexOf(`${MARK}Z`) + 2 * MARK.length + 3;
    for (let length = 0; length < end; length += 1)
      expect(parseOverview(overview.subarray(0, length), MARK, 'no current target')?.panes.length ?? 0).toBe(
        0,
      );
    expect(parseOverview(overview.subarray(0, end), MARK, '')?.panes.length).toBe(5);
  });

  test('with a missing or an extra record or field is refused', () => {
    const text = overview.toString('latin1');
    const damaged = [
      text.replace(`${MARK}L $1${MARK}.\n`, ''),
      text.replace(/[0-9a-f]{24}P \$1[^\n]*\n/, ''),
      text.replace(' sleep ', ' '),
      text.replace('P $1 ', 'P $1  '),
      text.replace('P $1 @2 %2', 'P $1 @2 $2'),
      text.replace('P $1 @2 %2', 'P %2 @2 $1'),
      text.replace('P $1 @2 %2', 'P $1 %2'),
      text.replace(`${MARK}S`, `${MARK}T`),
      text.replace(`${MARK}S`, `x${MARK}S`),
      text.replace(`${MARK}Z${MARK}.\n`, ''),
      text.replace('.\n', '.\nsurprise\n'),
      text.replaceAll(MARK, 'another'),
      '',
    ];
    for (const answer of damaged) {
      expect(answer).not.toBe(text);
      expect(parseOverview(Buffer.from(answer, 'latin1'), MARK, '')).toBeNull();
    }
  });

  test('with any one byte damaged never has fewer panes', () => {
    fc.assert(
      fc.property(fc.nat(overview.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        const damaged = Buffer.from(overview);
        damaged[at] = byte;
        const parsed = parseOverview(damaged, MARK, '');
        expect(parsed === null || parsed.panes.length === 5).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('of arbitrary bytes never throws', () => {
    const piece = fc.oneof(
      fc.constantFrom(MARK, '.\n', 'S 1 2 3.3a', 'L $0', 'P $0 @0 %0 1 0 1', 'Z', ' ', '\\', '\\1', '\n'),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const answer = Buffer.from(pieces.join(''), 'utf8');
        expect(() => parseOverview(answer, MARK, 'no current target')).not.toThrow();
        expect(() => parseSessionEnvironments(answer, ['$0'], MARK)).not.toThrow();
      }),
    );
  });

  /** As tmux expands `#{q:…}`: format_quote_shell in its sources. */
  const quote = (text: string): string => text.replace(/[|&;<>()$`\\"'*?[# =%]/g, '\\$&');
  /** From 3.4 on, control characters of the finished line become C escapes; backslashes are not doubled. */
  const CONTROLS = new Map([
    ['\n', '\\n'],
    ['\t', '\\t'],
    ['\x07', '\\a'],
    ['\x1b', '\\033'],
  ]);
  const vis = (text: string): string =>
    [...text].map((character) => CONTROLS.get(character) ?? character).join('');
  const answerWith = (name: string, path: string, print: (text: string) => string): Buffer => {
    const record = (body: string): string => `${MARK}${body}${MARK}.\n`;
    const pane = `P $0 @0 %0 12 0 1700000000 ${quote(name)}${' '.repeat(8)}sleep ${quote(path)}`;
    return Buffer.from(
      [record('S 1 1700000000 3.4'), record('L $0'), record(print(pane)), record('Z')].join(''),
      'utf8',
    );
  };

  test.each([
    ['3.3a', (text: string) => text],
    ['3.4', vis],
  ])('gives any session name and path unchanged, as tmux %s prints them', (_version, print) => {
    const text = fc.string({
      unit: fc.oneof(
        fc.constantFrom('\n', '\\', ' ', 'n', '0', '\t', '#', '町', '\x07'),
        fc.string({ minLength: 1, maxLength: 1 }),
      ),
    });
    fc.assert(
      // Every session has a name.
      fc.property(
        text.filter((name) => name !== ''),
        text,
        (name, path) => {
          const [pane] = parseOverview(answerWith(name, path, print), MARK, '')?.panes ?? [];
          expect(pane).toMatchObject({
            sessionName: name,
            path: path === '' ? null : path,
            command: 'sleep',
          });
        },
      ),
    );
  });
});

describe('tmux before 2.9, which expands the unknown #{q:…} to nothing', () => {
  const END = 'fedcba9876543210fedcba98';
  const record = (...fields: string[]): string => `${MARK}${fields.join(' ')}${MARK}.\n`;
  const plain = (...fields: string[]): string => `${MARK}${fields.join(END)}${MARK}.\n`;
  const bytes = (...records: string[]): Buffer => Buffer.from(records.join(''), 'utf8');
  const quotedAnswer = (version: string): Buffer =>
    bytes(
      record('S', '1', '1700000000', version),
      record('L', '$0'),
      record('P', '$0', '@0', '%0', '12', '0', '1700000000', ...Array(10).fill('')),
      record('Z'),
    );

  test.each(['2.7', '2.8', '3.3a', 'master'])(
    'has an answer without session names, which is refused (%s)',
    (version) => {
      expect(parseOverview(quotedAnswer(version), MARK, '')).toBeNull();
    },
  );

  test('is recognized by its version, and by nothing else', () => {
    expect(['1.8', '2.3', '2.7', '2.8'].map((version) => cannotQuote(quotedAnswer(version), MARK))).toEqual(
      Array(4).fill(true),
    );
    for (const version of ['2.9', '2.9a', '3.0', '3.4', 'next-3.6', 'master', 'openbsd-7.1', ''])
      expect(cannotQuote(quotedAnswer(version), MARK)).toBe(false);
    expect(cannotQuote(Buffer.from(''), MARK)).toBe(false);
  });

  test('is asked without quotes, with a second mark between the fields', () => {
    const words = overviewCommand(MARK, END).join('\n');
    expect(words).not.toContain('#{q:');
    expect(words).toContain(`#{session_name}${END}#{session_group}${END}`);
  });

  test('gives any session name and path unchanged, with spaces, line breaks and backslashes', () => {
    const text = fc.string({ unit: fc.constantFrom('a', ' ', '\\', '\n', 'n', '#', '町') });
    fc.assert(
      fc.property(
        text.filter((name) => name !== ''),
        text,
        (name, path) => {
          const pane = plain(
            'P',
            '$0',
            '@0',
            '%0',
            '12',
            '0',
            '1700000000',
            name,
            ...Array(7).fill(''),
            'sh',
            path,
          );
          const answer = bytes(plain('S', '1', '1700000000', '2.7'), plain('L', '$0'), pane, plain('Z'));
          expect(parseOverview(answer, MARK, '', END)?.panes).toMatchObject([
            { sessionName: name, path: path === '' ? null : path, command: 'sh' },
          ]);
          expect(parseOverview(answer, MARK, '')).toBeNull();
        },
      ),
    );
  });
});

describe("tmux's answer about single sessions", () => {
  const answer = captured('session-environments-3.3a');

  test('has what each sets itself', () => {
    expect([...(parseSessionEnvironments(answer, ['$0', '$1'], MARK) ?? [])]).toEqual([
      ['$0', { GT_ROLE: 'gastown/crew/ada lace', GT_ROOT: '/tmp/fixture-town' }],
      ['$1', { GT_POLECAT: 'joe' }],
    ]);
  });

  test('is refused if it is about other sessions, or truncated', () => {
    expect(parseSessionEnvironments(answer, ['$0'], MARK)).toBeNull();
    expect(parseSessionEnvironments(answer, ['$1', '$0'], MARK)).toBeNull();
    expect(parseSessionEnvironments(answer.subarray(0, -1), ['$0', '$1'], MARK)).toBeNull();
  });
});

describe('the commands for tmux', () => {
  test('never name a target that may not exist, except sessions that were just seen', () => {
    expect(overviewCommand(MARK)).not.toContain('-t');
    expect(sessionEnvironmentCommand(['$0', '$1'], MARK).filter((word) => word === ';')).toHaveLength(3);
  });
});
