/** What the kernel's list of mounts says of two paths. */
import { expect, test } from '@jest/globals';
import { areApart } from '../../../src/io/file-systems/mounts.ts';

const listed = (...mounts: readonly (readonly [id: number, device: string, at: string])[]): string =>
  mounts
    .map(([id, device, at]) => `${id} 1 ${device} / ${at} rw,relatime shared:1 - ext4 /dev/vda rw\n`)
    .join('');

const ROOT = [20, '254:1', '/'] as const;
const TMP = [21, '0:30', '/tmp'] as const;

test.each<readonly [name: string, table: string, isApart: boolean]>([
  ['one mount around both', listed(ROOT, TMP), true],
  ['a disk of its own around the tree', listed(ROOT, [30, '254:2', '/srv/town']), true],
  ['a disk of its own around the path', listed(ROOT, [30, '254:2', '/home']), true],
  ['other file systems in the tree', listed(ROOT, [30, '0:44', '/srv/town/build']), true],
  ['the same file system elsewhere, around neither', listed(ROOT, [30, '254:1', '/mnt/copy']), true],
  ['the tree, mounted around the path', listed(ROOT, [30, '254:1', '/home/ann/door']), false],
  ['something of the same disk, mounted around the tree', listed(ROOT, [30, '254:1', '/srv']), false],
  ['something of the same disk, mounted in the tree', listed(ROOT, [30, '254:1', '/srv/town/a']), false],
  [
    'two mounts of a file system that is not the root',
    listed(ROOT, [30, '0:5', '/home'], [31, '0:5', '/srv']),
    false,
  ],
  ['no mount around the path, as in a chroot', listed([30, '254:1', '/srv/town']), false],
  [
    'no mount around the tree, as in a chroot',
    listed([30, '254:1', '/home'], [31, '254:2', '/srv/town/a']),
    false,
  ],
  ['nothing', '', false],
])('%s', (_, table, isApart) => {
  expect(areApart(table, '/home/ann/door/src', '/srv/town')).toBe(isApart);
});

test('names are read as the kernel escapes them', () => {
  const table = listed(ROOT, [30, '254:1', '/home/ann\\040lee']);
  expect(areApart(table, '/home/ann lee', '/srv/town')).toBe(false);
  expect(areApart(table, '/home/ann', '/srv/town')).toBe(true);
});
