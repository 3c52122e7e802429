/** The kind `daemon`: PID files in three formats, and files that are locked with flock(2). */
import { Buffer } from 'node:buffer';
import { expect, test } from '@jest/globals';
import kind from '../../kinds/daemon.ts';
import { NOT_NUMBERS, readsAnyBytes } from '../support/any-bytes.ts';

const read = (text: string, name: string) => kind.read(Buffer.from(text), { name, options: {} });

test.each([
  ['daemon.pid', '31818\nffd3378f79d55672', null, 'gt daemon'],
  ['daemon.pid', '31818\n', null, 'gt daemon'],
  [
    'gt-gastown-crew-bear.pid',
    '31818|Mon May  4 10:06:07 2026\n',
    'Mon May  4 10:06:07 2026',
    'gt-gastown-crew-bear',
  ],
  ['gt-gastown-crew-bear.pid', '31818', null, 'gt-gastown-crew-bear'],
  ['two\nlines.pid', '31818\r\n', null, 'two lines'],
])('%s that contains %j names a PID', (name, text, start, holder) => {
  expect(read(text, name)).toMatchObject({
    kind: 'claim',
    claim: { by: 'number', pid: 31818, start, since: null, name: holder },
  });
});

test.each(['daemon.lock', 'shutdown.lock', '.dog.lock', 'controller.lock'])(
  '%s is locked with flock',
  (name) => {
    expect(read('31818\n', name)).toEqual({ kind: 'claim', claim: { by: 'flock' } });
  },
);

test.each(NOT_NUMBERS)('%j is not a PID', (text) => {
  expect(read(text, 'daemon.pid').kind).toBe('invalid');
});

test('daemon: accepts any bytes', () => readsAnyBytes(kind, ['daemon.pid', 'daemon.lock']));
