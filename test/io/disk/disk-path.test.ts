import { expect, test } from '@jest/globals';
import {
  type DiskPath,
  displayPath,
  displayRelative,
  fromLatin1,
  joinPath,
  pathBytes,
  toLatin1,
} from '../../../src/io/disk/disk-path.ts';

const bytes = (path: DiskPath): string => Buffer.from(path as string).toString('hex');

test('bytes that are not UTF-8 are shown by their value, everything else unchanged', () => {
  expect(displayPath(Buffer.from([0x2f, 0x63, 0xe9, 0xc3, 0xa9, 0xff]))).toBe('/c\\xE9é\\xFF');
  expect(displayPath('/with\nnewline/町')).toBe('/with\nnewline/町');
});

test('the bytes of a path that is not UTF-8 are kept in base64', () => {
  expect(pathBytes('/plain')).toBe(null);
  expect(pathBytes(Buffer.from([0x2f, 0xe9]))).toBe('L+k=');
});

test('a path with one character per byte becomes text again if it is UTF-8', () => {
  expect(fromLatin1(toLatin1('/町/Zoë'))).toBe('/町/Zoë');
  expect(fromLatin1('/caf\xe9')).toEqual(Buffer.from('/caf\xe9', 'latin1'));
});

test('names are joined to text and to bytes, and to the top directory', () => {
  expect(joinPath('/', 'a')).toBe('/a');
  expect(joinPath('/a', 'b')).toBe('/a/b');
  expect(bytes(joinPath(Buffer.from([0x2f, 0xe9]), 'b'))).toBe('2fe92f62');
});

test.each([
  ['/town', '/town', '.'],
  ['/town', '/town/rig/crew/ada', 'rig/crew/ada'],
  ['/町', '/町/rig', 'rig'],
  ['/', '/', '.'],
  ['/', '/rig', 'rig'],
])('relative to %s, %s is %s', (root, path, relative) => {
  expect(displayRelative(root, path)).toBe(relative);
});
