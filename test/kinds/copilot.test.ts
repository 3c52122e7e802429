/** The kind `copilot`: a PID in the name of a file. */
import { Buffer } from 'node:buffer';
import { expect, test } from '@jest/globals';
import kind from '../../kinds/copilot.ts';
import { readsAnyBytes } from '../support/any-bytes.ts';

const read = (name: string) => kind.read(Buffer.from('17'), { name, options: {} });

test('the name contains the PID, and the content does not matter', () => {
  expect(read('inuse.4242.lock')).toMatchObject({ kind: 'claim', claim: { by: 'number', pid: 4242 } });
});

test.each(['inuse.0.lock', 'inuse.-1.lock', 'inuse.2147483648.lock', 'inuse.12abc.lock', 'inuse..lock'])(
  '%s does not name a holder',
  (name) => {
    expect(read(name)).toMatchObject({ kind: 'invalid', problem: 'wrong-type' });
  },
);

test('copilot: accepts any bytes', () => readsAnyBytes(kind, ['inuse.4242.lock', 'inuse.x.lock']));
