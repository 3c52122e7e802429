import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MAX_NESTING } from '../../../src/core/record/go-json.ts';
import { formatGoTime, parseGoTime } from '../../../src/core/record/go-time.ts';
import {
  formatCompanion,
  formatLockRecord,
  MAX_LOCK_BYTES,
  parseCompanion,
  parseLockRecord,
} from '../../../src/core/record/lock-record.ts';
import type { LockContent, LockProblem, LockRecord, TrueHolder } from '../../../src/core/types/evidence.ts';

const read = (text: string): LockContent => parseLockRecord(new TextEncoder().encode(text));
const latin = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

const recordOf = (content: LockContent): LockRecord => {
  if (content.kind !== 'record') throw new Error(`no record: ${JSON.stringify(content)}`);
  return content.record;
};

interface Fields {
  readonly pid: number;
  readonly acquiredAtMs: number | null;
  readonly sessionId: string;
  readonly hostname: string;
}

const zero: Fields = { pid: 0, acquiredAtMs: null, sessionId: '', hostname: '' };

/** What Go's json.Unmarshal makes of these bytes (checked with a Go program, as were 120,000 random ones). */
const ACCEPTED: readonly (readonly [string, Partial<Fields>])[] = [
  ['null', {}],
  [' \t\r\n{}\n', {}],
  ['{"pid":12}', { pid: 12 }],
  ['{"PID":12,"Session_ID":"%1","HOSTNAME":"h"}', { pid: 12, sessionId: '%1', hostname: 'h' }],
  ['{"\u017fe\u017fsion_id":"%1","ho\\u017ftname":"h"}', { sessionId: '%1', hostname: 'h' }],
  ['{"\\u0070id":7}', { pid: 7 }],
  ['{"p\u0131d":7}', {}],
  ['{"pid":1,"pid":2,"PID":3}', { pid: 3 }],
  ['{"pid":5,"pid":null,"session_id":"a","session_id":null}', { pid: 5, sessionId: 'a' }],
  ['{"pid":-0}', { pid: 0 }],
  ['{"pid":-5}', { pid: -5 }],
  ['{"pid":9223372036854775807}', { pid: 2 ** 63 }],
  ['{"pid":-9223372036854775808}', { pid: -(2 ** 63) }],
  ['{"x":{"pid":"no"},"y":[1,2,{"z":[]}],"w":1e5,"__proto__":{"pid":9}}', {}],
  ['{"acquired_at":null}', {}],
  ['{"acquired_at":"0001-01-01T00:00:00Z"}', {}],
  ['{"acquired_at":"0001-01-01T01:00:00+01:00"}', {}],
  ['{"acquired_at":"2026-03-29T12:33:08.793959788-07:00"}', { acquiredAtMs: 1774812788793 }],
  ['{"acquired_at":"2026-08-11T09:00:00.5+02:00"}', { acquiredAtMs: 1786431600500 }],
  ['{"acquired_at":"2026-08-11T7:00:00,25Z"}', { acquiredAtMs: 1786431600250 }],
  ['{"acquired_at":"2026-08-11T07:00:00.9999999999Z"}', { acquiredAtMs: 1786431600999 }],
  ['{"acquired_at":"2024-02-29T00:00:00+24:60"}', { acquiredAtMs: 1709074800000 }],
  ['{"session_id":"\\ud800x\\udc00\\ud83d\\ude00"}', { sessionId: '\ufffdx\ufffd\u{1f600}' }],
  ['{"session_id":"\\ud800\\ud800\\udc00"}', { sessionId: '\ufffd\u{10000}' }],
  ['{"session_id":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000"}', { sessionId: '"\\/\b\f\n\r\t\0' }],
];

const REFUSED: readonly (readonly [string, LockProblem])[] = [
  ['', 'empty'],
  [' \n\t', 'empty'],
  ['\ufeff{"pid":1}', 'not-json'],
  ['{"pid":1}x', 'not-json'],
  ['{"pid":1}{"pid":2}', 'not-json'],
  ['{"pid":1}\0', 'not-json'],
  ['{"pid":1', 'not-json'],
  ['{"pid":1,}', 'not-json'],
  ['{pid:1}', 'not-json'],
  ["{'pid':1}", 'not-json'],
  ['{"pid":01}', 'not-json'],
  ['{"pid":+1}', 'not-json'],
  ['{"pid":1.}', 'not-json'],
  ['{"pid":.5}', 'not-json'],
  ['{"pid":NaN}', 'not-json'],
  ['{"session_id":"a\tb"}', 'not-json'],
  ['{"session_id":"\\x41"}', 'not-json'],
  ['{"session_id":"\\u12g4"}', 'not-json'],
  ['{"pid":1,"x":[1,]}', 'not-json'],
  ['{"pid":"no","x":[1,]}', 'not-json'],
  ['{"x":nul}', 'not-json'],
  ['{\u00a0}', 'not-json'],
  ['{\f}', 'not-json'],
  ['[]', 'wrong-type'],
  ['12', 'wrong-type'],
  ['true', 'wrong-type'],
  ['"text"', 'wrong-type'],
  ['{"pid":"12"}', 'wrong-type'],
  ['{"pid":1.5}', 'wrong-type'],
  ['{"pid":1e3}', 'wrong-type'],
  ['{"pid":true}', 'wrong-type'],
  ['{"pid":{}}', 'wrong-type'],
  ['{"pid":[1]}', 'wrong-type'],
  ['{"pid":9223372036854775808}', 'wrong-type'],
  ['{"pid":-9223372036854775809}', 'wrong-type'],
  ['{"pid":"x","pid":1}', 'wrong-type'],
  ['{"session_id":1}', 'wrong-type'],
  ['{"hostname":["h"]}', 'wrong-type'],
  ['{"acquired_at":1774812788}', 'wrong-type'],
  ['{"acquired_at":{}}', 'wrong-type'],
  ['{"acquired_at":""}', 'bad-time'],
  ['{"acquired_at":"yesterday"}', 'bad-time'],
  ['{"acquired_at":"2026-08-11 07:00:00Z"}', 'bad-time'],
  ['{"acquired_at":"2026-08-11T07:00:00"}', 'bad-time'],
  ['{"acquired_at":"2026-08-11t07:00:00z"}', 'bad-time'],
  ['{"acquired_at":"2026-02-29T07:00:00Z"}', 'bad-time'],
  ['{"acquired_at":"2026-13-01T07:00:00Z"}', 'bad-time'],
  ['{"acquired_at":"2026-08-11T24:00:00Z"}', 'bad-time'],
  ['{"acquired_at":"2026-08-11T23:59:60Z"}', 'bad-time'],
  ['{"acquired_at":"2026-08-11T07:00:00.Z"}', 'bad-time'],
  ['{"acquired_at":"2026-08-11T07:00:00+25:00"}', 'bad-time'],
  ['{"acquired_at":"2026-08-11T07:00:00+0100"}', 'bad-time'],
  // Go does not unescape times before it parses them.
  ['{"acquired_at":"2026-08-11T07:00:00\\u005a"}', 'bad-time'],
];

describe('a lock record is read as Go reads it', () => {
  test.each(ACCEPTED)('%s is a record', (text, expected) => {
    const { acquiredAt: _text, holder, ...fields } = recordOf(read(text));
    expect(fields).toEqual({ ...zero, ...expected });
    expect(holder).toBeNull();
  });

  test.each(REFUSED)('%j is invalid: %s', (text, problem) => {
    expect(read(text)).toEqual({ kind: 'invalid', problem, detail: expect.stringMatching(/\S/) });
  });

  test('the time is kept as written', () => {
    expect(recordOf(read('{"acquired_at":"2026-08-11T7:00:00,25Z"}')).acquiredAt).toBe(
      '2026-08-11T7:00:00,25Z',
    );
    expect(recordOf(read('{}')).acquiredAt).toBe('');
  });

  test.each([
    ['\xe2\x82', '\ufffd\ufffd'],
    ['\xed\xa0\x80', '\ufffd\ufffd\ufffd'],
    ['\xf0\x9f\x98', '\ufffd\ufffd\ufffd'],
    ['\xc0\x80', '\ufffd\ufffd'],
    ['\xf4\x90\x80\x80', '\ufffd\ufffd\ufffd\ufffd'],
    ['\xe2\x28\xa1', '\ufffd(\ufffd'],
    ['\xff\xc3\xa9', '\ufffd\u00e9'],
  ])('bytes %j that are not UTF-8 become one U+FFFD each', (bytes, text) => {
    expect(recordOf(parseLockRecord(latin(`{"hostname":"${bytes}"}`))).hostname).toBe(text);
  });

  test('nesting is allowed to the same depth as in Go, and does not overflow the stack', () => {
    const nest = (depth: number): string => `{"x":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
    expect(read(nest(MAX_NESTING)).kind).toBe('record');
    expect(read(nest(MAX_NESTING + 1))).toMatchObject({ problem: 'not-json' });
    expect(read('['.repeat(MAX_LOCK_BYTES))).toMatchObject({ problem: 'not-json' });
  });

  test('more than 64 KiB is too large, 64 KiB are not', () => {
    expect(read(`{"pid":1}${' '.repeat(MAX_LOCK_BYTES)}`)).toMatchObject({ problem: 'too-large' });
    expect(read(`{"pid":1}${' '.repeat(MAX_LOCK_BYTES - 9)}`).kind).toBe('record');
  });
});

describe('the holder in our own fields', () => {
  const own = '"holder_pid":7,"holder_start":"b:1","boot_id":"b","pid_ns":"pid:[1]","nonce":"n"';

  test('is read', () => {
    expect(recordOf(read(`{"pid":1,${own}}`)).holder).toEqual({
      pid: 7,
      startToken: 'b:1',
      bootId: 'b',
      pidNamespace: 'pid:[1]',
      nonce: 'n',
    });
  });

  test.each(['"7"', '0', '-1', '1.5', '2147483648', 'null', '{}'])(
    'a holder_pid of %s names no holder and leaves the record valid',
    (pid) => {
      const record = recordOf(read(`{"pid":1,"holder_pid":${pid},"nonce":"n"}`));
      expect(record).toMatchObject({ pid: 1, holder: null });
    },
  );

  test('a malformed companion field counts as missing', () => {
    const record = recordOf(read('{"holder_pid":7,"holder_start":5,"boot_id":null,"pid_ns":[],"nonce":""}'));
    expect(record.holder).toEqual({
      pid: 7,
      startToken: null,
      bootId: null,
      pidNamespace: null,
      nonce: null,
    });
  });

  test('the companion record is read as it was written, and a damaged one names no holder', () => {
    const holder: TrueHolder = {
      pid: 7,
      startToken: 'b:1',
      bootId: null,
      pidNamespace: 'pid:[1]',
      nonce: 'n',
    };
    expect(parseCompanion(new TextEncoder().encode(formatCompanion(holder)))).toEqual(holder);
    expect(parseCompanion(latin('{"holder_pid":7'))).toBeNull();
    expect(parseCompanion(latin('{}'))).toBeNull();
    expect(parseCompanion(latin(`{"holder_pid":7}${' '.repeat(MAX_LOCK_BYTES)}`))).toBeNull();
  });
});

describe('a written record', () => {
  test('has the format of Go: two spaces, no final newline, HTML characters escaped, empty strings omitted', () => {
    const text = formatLockRecord({
      pid: 41,
      acquiredAtNs: 1774812788793959788n,
      sessionId: '<a>&\u2028"\\\u0001\ud800',
      hostname: '',
      holder: null,
    });
    expect(text).toBe(
      '{\n  "pid": 41,\n  "acquired_at": "2026-03-29T19:33:08.793959788Z",\n' +
        '  "session_id": "\\u003ca\\u003e\\u0026\\u2028\\"\\\\\\u0001\ufffd"\n}',
    );
  });

  test.each([
    [0n, '1970-01-01T00:00:00Z'],
    [500_000_000n, '1970-01-01T00:00:00.5Z'],
    [1n, '1970-01-01T00:00:00.000000001Z'],
    [-1n, '1969-12-31T23:59:59.999999999Z'],
    [120_000n, '1970-01-01T00:00:00.00012Z'],
  ])('%s ns is %s', (ns, text) => {
    expect(formatGoTime(ns)).toBe(text);
  });

  test('is read back as it was written', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -(2 ** 31), max: 2 ** 31 }),
        fc.bigInt({ min: 1_600_000_000_000_000_000n, max: 4_000_000_000_000_000_000n }),
        fc.string({ unit: 'grapheme' }),
        fc.string({ unit: 'binary' }),
        fc.option(
          fc.record({
            pid: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
            startToken: fc.option(fc.string({ minLength: 1 })),
            bootId: fc.option(fc.string({ minLength: 1 })),
            pidNamespace: fc.constant('pid:[4026531836]'),
            nonce: fc.constant('0f'),
          }),
        ),
        (pid, acquiredAtNs, sessionId, hostname, holder) => {
          const fields = { pid, acquiredAtNs, sessionId, hostname, holder };
          const text = formatLockRecord(fields);
          expect(recordOf(read(text))).toEqual({
            pid,
            acquiredAt: formatGoTime(acquiredAtNs),
            acquiredAtMs: Number(acquiredAtNs / 1_000_000n),
            sessionId,
            hostname,
            holder,
          });
          // Readers of the four fields alone see plain JSON.
          expect(JSON.parse(text)).toMatchObject({ pid });
        },
      ),
    );
  });
});

describe('arbitrary bytes', () => {
  const fragments = fc.constantFrom(
    ...['{', '}', '[', ']', ',', ':', '"pid"', '"acquired_at"', '"session_id"', '"2026-08-11T07:00:00Z"'],
    ...[
      '12',
      '-0',
      '1.5',
      '1e9',
      'null',
      'true',
      '"\\ud800"',
      '"',
      '\\',
      ' ',
      '\n',
      '"holder_pid"',
      '\xff',
      '\0',
    ],
  );

  test('never make the reader throw', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void parseLockRecord(bytes)));
    fc.assert(
      fc.property(fc.array(fragments, { maxLength: 30 }), (parts) => {
        const bytes = latin(parts.join(''));
        parseLockRecord(bytes);
        parseCompanion(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  test('are JSON for the reader exactly if they are JSON for JSON.parse', () => {
    fc.assert(
      fc.property(fc.array(fragments, { minLength: 1, maxLength: 12 }), (parts) => {
        const text = parts.join('').replaceAll('\xff', '');
        const content = read(text);
        const isJson = content.kind !== 'invalid' || !['not-json', 'empty'].includes(content.problem);
        expect(isJson).toBe(parses(text));
      }),
      { numRuns: 3000 },
    );
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), (text) => {
        expect(read(text)).not.toMatchObject({ problem: 'not-json' });
      }),
    );
  });

  test('RFC 3339 times mean the same as to Date', () => {
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-12-31') }), (date) => {
        expect(parseGoTime(date.toISOString())).toEqual({ ok: true, ms: date.getTime() });
      }),
    );
  });
});

const parses = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

describe('the fast path for usual records', () => {
  /** Leading white space changes nothing, but makes a file too long for the fast path. */
  const slowPath = (bytes: Uint8Array): LockContent =>
    parseLockRecord(latin(' '.repeat(2000) + asLatin(bytes)));
  const asLatin = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
  /** Details of invalid records name the byte, which differs. */
  const comparable = (content: LockContent): unknown =>
    content.kind === 'invalid' ? { kind: content.kind, problem: content.problem } : content;

  const usual = fc
    .record({
      pid: fc.oneof(fc.integer(), fc.constantFrom(0, 999_999_999_999_999, 9_007_199_254_740_992)),
      acquiredAtNs: fc.bigInt({ min: -62_135_596_800_000_000_000n, max: 253_402_300_799_999_999_999n }),
      sessionId: fc.oneof(fc.constantFrom('', '%756', 'gastown/joe', '/'), fc.string({ unit: 'binary' })),
      hostname: fc.oneof(fc.constantFrom('', 'larch', 'annMBP.local'), fc.string()),
    })
    .map((fields) => new TextEncoder().encode(formatLockRecord({ ...fields, holder: null })));

  test('gives the same as the JSON reader', () => {
    fc.assert(
      fc.property(usual, (bytes) => {
        expect(parseLockRecord(bytes)).toEqual(slowPath(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  test('gives the same as the JSON reader for records that were tampered with', () => {
    const edit = fc.record({
      at: fc.nat({ max: 200 }),
      remove: fc.nat({ max: 3 }),
      insert: fc.constantFrom(
        '',
        '"',
        '\\',
        ',',
        '}',
        '{',
        ' ',
        '\t',
        '\v',
        '0',
        '-',
        '.5',
        'e',
        '\u00ff',
        '\0',
        '"pid":1,',
      ),
    });
    fc.assert(
      fc.property(usual, fc.array(edit, { minLength: 1, maxLength: 3 }), (bytes, edits) => {
        let text = asLatin(bytes);
        for (const { at, remove, insert } of edits)
          text = text.slice(0, at) + insert + text.slice(at + remove);
        const edited = latin(text);
        expect(comparable(parseLockRecord(edited))).toEqual(comparable(slowPath(edited)));
      }),
      { numRuns: 5000 },
    );
  });
});
