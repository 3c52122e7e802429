/** The kind `pid-json`: fields that the configuration names. */
import { Buffer } from 'node:buffer';
import { expect, test } from '@jest/globals';
import kind from '../../kinds/pid-json.ts';
import { readsAnyBytes } from '../support/any-bytes.ts';

test('pid-json: is searched for only where it is configured', () => {
  expect(kind.where).toEqual({ files: [] });
});

test('reads a PID from `pid`, and the fields that the options name', () => {
  const text = '{"pid":1,"owner_pid":4242,"start":"77","taken_at":"2026-08-11T07:00:00Z","node":"build-1"}';
  const read = (options: Record<string, string>) =>
    kind.read(Buffer.from(text), { name: 'build.lock', options });
  expect(read({})).toMatchObject({ claim: { pid: 1, start: null, since: null, hostname: '' } });
  const options = { pid: 'owner_pid', start: 'start', since: 'taken_at', hostname: 'node' };
  expect(read(options)).toMatchObject({
    claim: {
      pid: 4242,
      start: '77',
      since: { text: '2026-08-11T07:00:00Z', ms: Date.UTC(2026, 7, 11, 7) },
      hostname: 'build-1',
      name: 'build.lock',
    },
  });
  expect(read({ pid: 'toString' })).toMatchObject({ kind: 'invalid', problem: 'wrong-type' });
});

test('pid-json: accepts any bytes', () => readsAnyBytes(kind, ['build.lock']));
