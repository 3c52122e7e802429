/** The kind `pid-file`: a PID on the first line. */
import { Buffer } from 'node:buffer';
import { expect, test } from '@jest/globals';
import kind from '../../kinds/pid-file.ts';
import { NOT_NUMBERS, readsAnyBytes } from '../support/any-bytes.ts';

const read = (text: string) => kind.read(Buffer.from(text), { name: 'postmaster.pid', options: {} });

test('pid-file: is searched for only where it is configured', () => {
  expect(kind.where).toEqual({ files: [] });
});

test.each(['4242', '4242\n', '  4242\r\n', '4242\n/var/lib/data\n1773249540\n5432\n'])(
  '%j names a PID',
  (text) => {
    expect(read(text)).toMatchObject({ kind: 'claim', claim: { pid: 4242, name: 'postmaster.pid' } });
  },
);

test.each([...NOT_NUMBERS, '\n4242', '\ufeff4242', '4242 4243'])('%j does not name a holder', (text) => {
  expect(read(text).kind).toBe('invalid');
});

test('pid-file: accepts any bytes', () => readsAnyBytes(kind, ['a.pid']));
