/** The kind `beads`: which of its files are numbers, and which are taken by flock(2). */
import { Buffer } from 'node:buffer';
import { expect, test } from '@jest/globals';
import kind from '../../kinds/beads.ts';
import { NOT_NUMBERS, readsAnyBytes } from '../support/any-bytes.ts';

const read = (text: string, name: string) => kind.read(Buffer.from(text), { name, options: {} });

test.each([
  ['bd.sock.startlock', '3080314\n'],
  ['dolt-server.pid', '3080314'],
])('%s is a number', (name, text) => {
  expect(read(text, name)).toMatchObject({ kind: 'claim', claim: { by: 'number', pid: 3080314 } });
});

test.each([
  ['daemon.lock', '{"pid":7,"parent_pid":6,"database":"/r/.beads/beads.db","version":"0.49.0"}'],
  ['dolt-server.lock', ''],
  ['.lock', ''],
  ['LOCK', ''],
])('%s is taken by flock, whatever is written in it', (name, text) => {
  expect(read(text, name)).toEqual({ kind: 'claim', claim: { by: 'flock' } });
});

test.each(NOT_NUMBERS)('%j is not a process number', (text) => {
  expect(read(text, 'dolt-server.pid').kind).toBe('invalid');
});

test('any bytes', () => readsAnyBytes(kind, ['dolt-server.pid', 'daemon.lock']));
