/** When the link count of a directory shows that it has no sub-directories. */
import type { Disk, EntryStat } from '../../io/disk/disk.ts';

/**
 * File systems on which a directory's link count is two plus the number of its sub-directories, so that a count of
 * two proves that there are none. Anything else (overlayfs, btrfs, NFS, FUSE …) is listed in full: a wrong guess
 * would hide a lock. Numbers from linux/magic.h and statfs(2).
 */
const TRUSTED_TYPES: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4 (a count that would overflow there is 1, never 2)
  0x58465342, // xfs
  0x01021994, // tmpfs
  0xf2f52010, // f2fs
]);

/** Device on which link counts can be trusted for everything below `root`, or null where they cannot. */
export const trustedDevice = (disk: Disk, root: string): number | null => {
  try {
    const look = disk.lstat(root);
    // Some runtimes hand out f_type as a signed 32-bit number.
    return look !== undefined && TRUSTED_TYPES.has(disk.fileSystemType(root) >>> 0) ? look.dev : null;
  } catch {
    return null; // without an answer everything is listed, which is always right
  }
};

/**
 * True for a directory without sub-directories: it has no lock and need not be listed. Only for a trusted device. One that
 * we may not read is never skipped, so that the report does not depend on the kind of file system.
 */
export const isLeaf = (look: EntryStat, uid: number): boolean =>
  look.nlink === 2 &&
  ((look.mode & 0o004) !== 0 || uid === 0 || (look.uid === uid && (look.mode & 0o400) !== 0));
