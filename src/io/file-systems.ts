/** File systems on which flock(2) may mean nothing to the other machines, by their statfs(2) type (Linux). */
import type { SystemCalls } from './system-calls.ts';

/** From linux/magic.h and the kernel modules' own sources. */
const NETWORK_TYPES: ReadonlyMap<number, string> = new Map([
  [0x6969, 'nfs'],
  [0x517b, 'smb'],
  [0xff534d42, 'cifs'],
  [0xfe534d42, 'smb2'],
  [0x65735546, 'fuse'],
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
]);

/**
 * The name of the network file system a directory lies on, or null for a local one. Elsewhere than on Linux the numbers
 * mean other things, and null is answered. Throws where statfs fails.
 */
export function networkFileSystem(
  calls: SystemCalls,
  directory: string,
  platform: NodeJS.Platform,
): string | null {
  if (platform !== 'linux') return null;
  // Some types have the top bit set and come as negative numbers on some machines.
  return NETWORK_TYPES.get(calls.fileSystemType(directory) >>> 0) ?? null;
}
