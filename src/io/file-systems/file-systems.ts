/** Finds file systems on which flock(2) may not be seen by other machines. */
import { deviceNumber, mountAround, typesOfDevices } from './mounts.ts';

const FUSE = 0x65735546;

/** statfs(2) types on Linux, from linux/magic.h and the kernel modules' own sources. */
const NETWORK_TYPES: ReadonlyMap<number, string> = new Map([
  [0x6969, 'nfs'],
  [0x517b, 'smb'],
  [0xff534d42, 'cifs'],
  [0xfe534d42, 'smb2'],
  [0x01021997, '9p'],
  [0x00c36400, 'ceph'],
  [0x5346414f, 'afs'],
  [0x6b414653, 'afs'],
  [0x73757245, 'coda'],
  [0x01161970, 'gfs2'],
  [0x7461636f, 'ocfs2'],
  [0x0bd00bd0, 'lustre'],
  [0x47504653, 'gpfs'],
  [0x19830326, 'beegfs'],
  [0x564c, 'ncp'],
  [0x786f4256, 'vboxsf'],
  [0xbacbacbc, 'vmhgfs'],
  [0x7c7c6673, 'prl_fs'],
  [0xaad7aaea, 'panfs'],
  [0xbeefdead, 'snfs'],
  [0xa501fcf5, 'vxfs'],
  [0x61636673, 'acfs'],
  [0x20030528, 'pvfs2'],
]);

/** How lists of mounts name file systems that a server or another program answers for (`nfs4`, `fuse.sshfs`). */
const SERVED = [...NETWORK_TYPES.values(), 'virtiofs', 'fuse ', 'fuse.', 'fuseblk'];

/** True for a type of file system where a look waits for a server, for ever if that does not answer. */
export const isServed = (type: string): boolean => SERVED.some((name) => `${type} `.startsWith(name));

/** False for a list of mounts (`/proc/<pid>/mountinfo`) without any such file system: those of nearly all machines. */
export const hasServed = (mountInfo: string): boolean =>
  SERVED.some((name) => mountInfo.includes(` - ${name}`));

/** FUSE programs that keep their files on this machine; every other one may keep them anywhere. */
const LOCAL_FUSE = new Set([
  'fuseblk', // a block device of this machine: ntfs-3g, exfat-fuse
  'fuse.ntfs-3g',
  'fuse.exfat',
  'fuse.fuse2fs',
  'fuse.fuse-overlayfs',
  'fuse.bindfs',
  'fuse.gocryptfs',
  'fuse.encfs',
  'fuse.securefs',
]);

/** The system calls that this takes, as `SystemCalls` has them. */
interface MountCalls {
  readonly lstat: (path: string) => { readonly dev: bigint } | undefined;
  readonly fileSystemType: (path: string) => number;
  readonly mountTable: () => string | null;
}

/**
 * The name of the network file system a directory is on, or null for a local one and, on Linux, for any type that the
 * table does not have; on macOS an unknown one counts as network.
 * Throws where statfs or lstat fails.
 */
export const networkFileSystem = (
  calls: MountCalls,
  directory: string,
  platform: NodeJS.Platform,
): string | null => {
  if (platform === 'darwin') {
    const mount = mountAround(calls.mountTable() ?? '', directory);
    return mount?.isLocal === true ? null : (mount?.type ?? 'unknown');
  }
  if (platform !== 'linux') return null;
  // Some types have the top bit set and come as negative numbers on some machines.
  const type = calls.fileSystemType(directory) >>> 0;
  return type === FUSE ? networkFuse(calls, directory) : (NETWORK_TYPES.get(type) ?? null);
};

const networkFuse = (calls: MountCalls, directory: string): string | null => {
  const device = calls.lstat(directory)?.dev;
  const types = typesOfDevices(calls.mountTable() ?? '');
  const type = device === undefined ? undefined : types.get(deviceNumber(device));
  return type !== undefined && LOCAL_FUSE.has(type) ? null : (type ?? 'fuse');
};
