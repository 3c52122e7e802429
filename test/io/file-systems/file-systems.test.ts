import { lstatSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { systemCalls } from '../../../src/io/disk/system-calls.ts';
import { networkFileSystem } from '../../../src/io/file-systems/file-systems.ts';
import { deviceNumber, mountAround, typesOfDevices } from '../../../src/io/file-systems/mounts.ts';

const FUSE = 0x65735546;

/** In the format of proc_pid_mountinfo(5): the number of optional fields varies, and spaces in paths are escaped. */
const MOUNTINFO = `22 28 0:21 / /proc rw,nosuid - proc proc rw
28 1 254:0 / / rw,relatime shared:1 master:3 - ext4 /dev/vda rw
40 28 8:17 / /media/my\\040stick rw,nosuid - fuseblk /dev/sdb1 rw,user_id=0
41 28 0:52 / /home/ann/plain rw - fuse.gocryptfs /home/ann/cipher rw,user_id=1000
42 28 0:53 / /home/ann/server rw shared:9 - fuse.sshfs ann@server:/ rw,user_id=1000
43 28 0:54 /sub /mnt/b rw - fuse.bindfs /srv/b rw
44 28 0:55 / /mnt/some rw - fuse some rw
45 28 0:56 / /mnt/vm rw - virtiofs shared rw
46 28 0:400 / /mnt/s3 rw - fuse.s3fs s3fs rw
47 28 0:58 / /mnt/bricks rw - fuse.glusterfs server:/vol rw
`;

/** The device number as in stat(2), encoded by makedev(3). */
const device = (major: number, minor: number): bigint =>
  (BigInt(minor) & 0xffn) | (BigInt(major) << 8n) | ((BigInt(minor) & ~0xffn) << 12n);

describe('network file systems on Linux', () => {
  const at = (type: number, dev = device(254, 0), table: string | null = MOUNTINFO) =>
    networkFileSystem(
      {
        ...systemCalls,
        fileSystemType: () => type,
        lstat: (path) => {
          const stat = systemCalls.lstat(path);
          return stat === undefined ? undefined : Object.assign(stat, { dev });
        },
        mountTable: () => table,
      },
      '/',
      'linux',
    );

  test('are recognized by their type, even if the number is negative', () => {
    expect(at(0x6969)).toBe('nfs');
    expect(at(0xff534d42 | 0)).toBe('cifs');
    expect(
      [0x7c7c6673, 0xaad7aaea, 0xbeefdead, 0xa501fcf5, 0x61636673, 0x20030528].map((type) => at(type)),
    ).toEqual(['prl_fs', 'panfs', 'snfs', 'vxfs', 'acfs', 'pvfs2']);
    expect(at(0xef53)).toBeNull();
    expect(at(0x01021994)).toBeNull();
  });

  test.each([
    [8, 17, null],
    [0, 52, null],
    [0, 54, null],
    [0, 53, 'fuse.sshfs'],
    [0, 55, 'fuse'],
    [0, 56, 'virtiofs'],
    [0, 400, 'fuse.s3fs'],
    [0, 58, 'fuse.glusterfs'],
    [0, 99, 'fuse'],
  ])('FUSE on device %i:%i is of type %s (null: local)', (major, minor, expected) => {
    expect(at(FUSE, device(major, minor))).toBe(expected);
  });

  test('FUSE counts as a network file system if the mount table cannot be read', () => {
    expect(at(FUSE, device(8, 17), null)).toBe('fuse');
  });

  const here = process.platform === 'linux' ? test : test.skip;
  here('the real mount table gives the type of /proc (Linux)', () => {
    const { dev } = lstatSync('/proc', { bigint: true });
    expect(typesOfDevices(readFileSync('/proc/self/mountinfo', 'utf8')).get(deviceNumber(dev))).toBe('proc');
  });
});

describe('network file systems on macOS', () => {
  /** As Apple's mount.c prints it: source, mount point, type and mount options. */
  const MOUNTS = `/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
devfs on /dev (devfs, local, nobrowse)
/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled, nobrowse, protect, root data)
map auto_home on /System/Volumes/Data/home (autofs, automounted, nobrowse)
//ann@server/share on /Volumes/share (smbfs, nodev, nosuid, mounted by ann)
server:/export on /Users/ann/my work (nfs) (nfs, nodev, nosuid, mounted by ann)
/dev/disk4s1 on /Volumes/on (a stick) (msdos, local, nodev, nosuid, noowners)
ssh@macfuse0 on /Users/ann/far (macfuse, nodev, nosuid, synchronized, mounted by ann)
`;
  const at = (directory: string, table: string | null = MOUNTS) =>
    networkFileSystem({ ...systemCalls, mountTable: () => table }, directory, 'darwin');

  test.each([
    ['/Users/ann/gt/w/.runtime', null],
    ['/System/Volumes/Data/x', null],
    ['/Volumes/share/gt', 'smbfs'],
    ['/Volumes/shared/gt', null],
    ['/Users/ann/my work (nfs)/gt', 'nfs'],
    ['/Volumes/on (a stick)/gt', null],
    ['/Users/ann/far', 'macfuse'],
  ])('%s is on %s (null: local)', (directory, expected) => {
    expect(at(directory)).toBe(expected);
  });

  test('a path for which mount(8) lists nothing is of unknown type, not local', () => {
    expect(at('/Users/ann/gt', null)).toBe('unknown');
    expect(at('/Users/ann/gt', '')).toBe('unknown');
    expect(mountAround('nonsense\n on (\n', '/')).toBeNull();
  });
});
