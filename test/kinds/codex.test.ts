/** The kind `codex`: PID files in two formats, and files that are locked with flock(2). */
import { Buffer } from 'node:buffer';
import { expect, test } from '@jest/globals';
import kind from '../../kinds/codex.ts';
import { NOT_NUMBERS, readsAnyBytes } from '../support/any-bytes.ts';

const read = (text: string, name: string) => kind.read(Buffer.from(text), { name, options: {} });

test.each([
  ['{"pid":4242,"processStartTime":"Wed Aug 26 10:25:14 2026"}', 'Wed Aug 26 10:25:14 2026'],
  ['4242\n', null],
])('%j names a PID', (text, start) => {
  expect(read(text, 'app-server.pid')).toMatchObject({
    kind: 'claim',
    claim: { by: 'number', pid: 4242, start, name: 'codex app-server' },
  });
});

test.each(['daemon.lock', 'app-server.pid.lock', '019ff9ab.lock'])('%s is locked with flock', (name) => {
  expect(read('', name)).toEqual({ kind: 'claim', claim: { by: 'flock' } });
});

test.each([...NOT_NUMBERS, '{"pid":"4242"}', '{'])('%j does not name a holder', (text) => {
  expect(read(text, 'app-server.pid').kind).toBe('invalid');
});

test('codex: accepts any bytes', () => readsAnyBytes(kind, ['app-server.pid', 'daemon.lock']));
