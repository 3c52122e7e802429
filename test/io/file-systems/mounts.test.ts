/** What the kernel's lists of mounts say of paths. */
import { describe, expect, test } from '@jest/globals';
import { areApart, diskPlacesOf, mountedNamesOf } from '../../../src/io/file-systems/mounts.ts';
import { serversApart } from '../../../src/io/file-systems/servers.ts';

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

describe('names of a directory in another list of mounts', () => {
  const mounted = (device: string, path: string, at: string): string =>
    `30 1 ${device} ${path} ${at} rw,relatime shared:1 - ext4 /dev/vda rw\n`;
  const OURS = mounted('254:1', '/', '/') + mounted('0:44', '/cache', '/srv/town/a/build');
  const places = diskPlacesOf(OURS, ['/srv/town']) ?? [];

  test.each<readonly [name: string, theirs: string, names: Readonly<Record<string, string>> | null]>([
    ['the same mounts', OURS, { '/srv/town': '/srv/town', '/srv/town/a/build': '/srv/town/a/build' }],
    ['another file system alone', mounted('254:9', '/', '/'), {}],
    [
      'a worker in a container',
      mounted('0:90', '/', '/') + mounted('254:1', '/srv/town/a', '/workspace'),
      { '/workspace': '/srv/town/a' },
    ],
    [
      'what lies around it',
      mounted('0:90', '/', '/') + mounted('254:1', '/srv', '/data'),
      { '/data/town': '/srv/town' },
    ],
    [
      'its whole disk',
      mounted('0:90', '/', '/') + mounted('254:1', '/', '/host'),
      { '/host/srv/town': '/srv/town' },
    ],
    ['it at the root', mounted('254:1', '/srv/town', '/'), { '/': '/srv/town' }],
    ['a neighbor of the same disk', mounted('0:90', '/', '/') + mounted('254:1', '/srv/towns', '/data'), {}],
    [
      'a mount that is mounted in it',
      mounted('0:90', '/', '/') + mounted('0:44', '/cache/x', '/my\\040cache'),
      { '/my cache': '/srv/town/a/build/x' },
    ],
    ['a list without the root, as in a chroot', mounted('254:1', '/srv', '/data'), null],
  ])('%s', (_, theirs, names) => {
    const found = mountedNamesOf(theirs, places);
    expect(found === null ? null : Object.fromEntries(found)).toEqual(names);
  });

  test('the deepest mount around a directory counts, and without one nothing is told', () => {
    const table = OURS + mounted('254:2', '/t', '/srv');
    expect(diskPlacesOf(table, ['/srv/town', '/home'])).toEqual([
      expect.objectContaining({ device: '0:44', path: '/cache' }),
      { device: '254:2', path: '/t/town', at: '/srv/town' },
      { device: '254:1', path: '/home', at: '/home' },
    ]);
    expect(diskPlacesOf(mounted('254:1', '/', '/srv'), ['/home'])).toBeNull();
  });
});

describe('file systems of servers that have nothing to do with a tree', () => {
  const line = (device: string, at: string, type: string): string =>
    `30 1 ${device} / ${at} rw,relatime shared:1 - ${type} any rw\n`;
  const LOCAL = line('254:1', '/', 'ext4') + line('0:20', '/sys/fs/fuse/connections', 'fusectl');
  const REMOTE = line('0:50', '/mnt/far', 'nfs4') + line('0:51', '/mnt/a\\040key', 'fuse.sshfs');

  test.each<readonly [name: string, theirs: string, found: readonly string[]]>([
    ['none', LOCAL, []],
    ['elsewhere', LOCAL + REMOTE, ['/mnt/far', '/mnt/a key']],
    ['in it', LOCAL + line('0:52', '/srv/town/far', 'cifs'), []],
    ['around it', line('254:1', '/', 'ext4') + line('0:52', '/srv', '9p'), []],
    [
      'in it, and elsewhere too',
      LOCAL + line('0:52', '/srv/town/far', 'cifs') + line('0:52', '/far', 'cifs'),
      [],
    ],
  ])('%s', (_, theirs, found) => {
    expect(serversApart(theirs, theirs, ['/srv/town'])).toEqual(found);
  });

  test('of another list of mounts than the one that names the tree', () => {
    const ours = LOCAL + line('0:50', '/srv/town/far', 'nfs4');
    expect(serversApart(LOCAL + REMOTE, ours, ['/srv/town'])).toEqual(['/mnt/a key']);
  });
});
