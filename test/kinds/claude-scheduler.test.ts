/** The kind `claude-scheduler`: what its bytes mean, in the formats of two releases. */
import { Buffer } from 'node:buffer';
import { expect, test } from '@jest/globals';
import kind from '../../kinds/claude-scheduler.ts';
import { readsAnyBytes } from '../support/any-bytes.ts';

const read = (text: string) => kind.read(Buffer.from(text), { name: 'scheduled_tasks.lock', options: {} });

const CLAIM = {
  by: 'number',
  pid: 41008,
  start: null,
  isStartNative: true,
  hostname: '',
  since: { text: '1775984761270', ms: 1775984761270 },
  name: 'session fdae8610-601c-4587-871b-7f6c2bf301ef',
  isShared: false,
};

test.each([
  ['without a start time', '', null],
  ['with a start time in ticks', '"procStart":"18273645",', '18273645'],
  ['with a start time as a date', '"procStart":"Mon May  4 10:06:07 2026",', 'Mon May  4 10:06:07 2026'],
])('a record %s', (_, field, start) => {
  const text = `{"sessionId":"fdae8610-601c-4587-871b-7f6c2bf301ef","pid":41008,${field}"acquiredAt":1775984761270}`;
  expect(read(text)).toEqual({ kind: 'claim', claim: { ...CLAIM, start } });
});

test.each([
  ['', 'empty'],
  ['{"sessionId":"a"', 'not-json'],
  ['[41008]', 'not-json'],
  ['{"sessionId":"a"}', 'wrong-type'],
  ['{"pid":"41008"}', 'wrong-type'],
  ['{"pid":-1}', 'wrong-type'],
  ['{"pid":2147483648}', 'wrong-type'],
  ['{"pid":1.5}', 'wrong-type'],
])('%j does not name a holder', (text, problem) => {
  expect(read(text)).toMatchObject({ kind: 'invalid', problem });
});

test('claude-scheduler: accepts any bytes', () => readsAnyBytes(kind, ['scheduled_tasks.lock']));
