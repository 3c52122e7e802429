/** The kind `beads`: which of its files contain a PID, and which are locked with flock(2). */
import { Buffer } from 'node:buffer';
import { expect, test } from '@jest/globals';
import kind from '../../kinds/beads.ts';
import { NOT_NUMBERS, readsAnyBytes } from '../support/any-bytes.ts';

const read = (text: string, name: string) => kind.read(Buffer.from(text), { name, options: {} });

test.each([
  ['bd.sock.startlock', '3080314\n'],
  ['dolt-server.pid', '3080314'],
])('%s contains a PID', (name, text) => {
  expect(read(text, name)).toMatchObject({ kind: 'claim', claim: { by: 'number', pid: 3080314 } });
});

test.each([
  ['daemon.lock', '{"pid":7,"parent_pid":6,"database":"/r/.beads/beads.db","version":"0.49.0"}'],
  ['dolt-server.lock', ''],
  ['.lock', ''],
  ['LOCK', ''],
])('%s is locked with flock, whatever it contains', (name, text) => {
  expect(read(text, name)).toEqual({ kind: 'claim', claim: { by: 'flock' } });
});

test.each(NOT_NUMBERS)('%j is not a PID', (text) => {
  expect(read(text, 'dolt-server.pid').kind).toBe('invalid');
});

test('beads: accepts any bytes', () => readsAnyBytes(kind, ['dolt-server.pid', 'daemon.lock']));
