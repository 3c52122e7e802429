/**
 * Who holds flock(2) locks on these files: `/proc/locks`, by device and inode; where that does not tell, whoever has the file
 * open, and what the kernel says of that descriptor. Reads only, and never throws.
 */
import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { whyUnlisted } from '../../core/town/unreached.ts';
import type { FileUse, FlockEvidence, Uses } from '../../core/types/evidence.ts';
import { systemCalls } from '../../io/disk/system-calls.ts';
import { describeErrno } from '../../io/errno.ts';
import { deviceNumber, typesOfDevices } from '../../io/file-systems/mounts.ts';
import { tryOr } from '../../io/try-or.ts';
import { otherNames } from '../processes/linux/other-names.ts';
import { readProc, withoutStackTraces } from '../processes/linux/proc-files.ts';
import type { ProcessTable } from '../processes/row.ts';
import { runningIn } from '../processes/table.ts';
import { NO_DIRECTORIES, openIn, wantedFiles } from './open-files.ts';

/** `1: FLOCK  ADVISORY  WRITE 4711 fe:01:131 0 EOF`; waiting ones have `->` after their number. Device numbers are hexadecimal. */
const LINE = /^\d+: FLOCK +\S+ +\S+ +(-?\d+) ([0-9a-f]+):([0-9a-f]+):(\d+) /;

/** The same line in what the kernel says of one descriptor, of a lock that was taken through it. */
const OF_DESCRIPTOR = /^lock:\s*\d+: FLOCK /m;

const NO_HOLDERS: ReadonlyMap<string, number> = new Map();

/**
 * Who holds them. All other files are known to be free, apart from those that are `untold`.
 *
 * @param paths of locks, absolute
 * @param listsAll whether the kernel lists the locks of all processes: of other PID namespaces than ours it shows none, and in
 *   ours none whose taker has ended
 * @param outside why there may be holders that we cannot list at all
 */
export const readFlocks = (
  paths: readonly string[],
  table: ProcessTable,
  listsAll: boolean,
  outside: string | null = null,
): FlockEvidence => {
  if (process.platform !== 'linux')
    return { uses: [], hidden: 'locks are not listed on this system', untold: paths };
  const { rows } = table;
  const { holders, why } = listedFlocks();
  const isWhole = listsAll && why === null;
  const devices = typesOfDevices(systemCalls.mountTable() ?? '');
  const uses = new Map<string, FileUse>();
  /** Files of which the list does not tell, with their inodes. */
  const untold = new Map<string, string>();
  for (const path of paths) {
    const file = fileAt(path);
    const pid = holders.get(file?.identity ?? '');
    const row = pid === undefined ? undefined : rows.get(pid);
    if (pid !== undefined)
      uses.set(path, { path, pid: Math.max(pid, 0), command: row?.comm ?? 'command unknown' });
    // Of btrfs and of overlays a file shows another device number than the kernel lists.
    const isListed = isWhole && file !== null && devices.has(deviceNumber(file.device));
    if (pid === undefined ? !isListed : row === undefined) untold.set(path, file?.inode ?? '');
  }
  if (untold.size === 0) return { uses: [...uses.values()], hidden: null };
  const opened = whoHasOpen([...untold.keys()], table);
  for (const use of opened.uses) if (use.mayHold !== true || !uses.has(use.path)) uses.set(use.path, use);
  for (const [path, inode] of untold) {
    const pid = uses.has(path) ? undefined : holders.get(inode);
    if (pid !== undefined && opened.closed.has(pid))
      uses.set(path, { path, pid, command: rows.get(pid)?.comm ?? 'command unknown', mayHold: true });
  }
  const hidden = why ?? opened.hidden ?? outside;
  // The kernel lists the inode of every file that is locked, whatever its device number.
  const left = [...untold].filter(([path, inode]) => !uses.has(path) && !(isWhole && !holders.has(inode)));
  return hidden === null || left.length === 0
    ? { uses: [...uses.values()], hidden: null }
    : { uses: [...uses.values()], hidden, untold: left.map(([path]) => path) };
};

const listedFlocks = (): {
  readonly holders: ReadonlyMap<string, number>;
  readonly why: string | null;
} => {
  try {
    return { holders: parseFlocks(readFileSync('/proc/locks', 'latin1')), why: null };
  } catch (error) {
    return { holders: NO_HOLDERS, why: `/proc/locks: ${describeErrno(error)}` };
  }
};

/**
 * Device and inode (`254:1:131`), and the inode alone (`131`), → the process that took the lock. Numbers below 1 stand for one
 * of another PID namespace.
 */
export const parseFlocks = (text: string): ReadonlyMap<string, number> => {
  const holders = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, pid, major = '', minor = '', inode = ''] = LINE.exec(line) ?? [];
    if (pid === undefined) continue;
    holders.set(`${Number.parseInt(major, 16)}:${Number.parseInt(minor, 16)}:${inode}`, Number(pid));
    holders.set(inode, Number(pid));
  }
  return holders;
};

interface OpenedFlocks extends Uses<FileUse> {
  /** Processes whose open files we may not see. */
  readonly closed: ReadonlySet<number>;
}

/** Of each file whoever holds it, as its descriptor shows; else somebody who has it open. */
const whoHasOpen = (paths: readonly string[], { rows, listing, details }: ProcessTable): OpenedFlocks => {
  const uses = new Map<string, FileUse>();
  const closed = new Set<number>();
  if (!listing.seen) return { uses: [], hidden: whyUnlisted(listing), closed };
  const wanted = { files: wantedFiles(paths), gitDirs: NO_DIRECTORIES };
  const { serverAt } = otherNames(paths.map(dirname), details);
  withoutStackTraces(() => {
    for (const { pid, comm } of runningIn(rows)) {
      const directory = details.directory(pid);
      const found = openIn(directory, wanted, (path) => serverAt(pid, path) !== null);
      if (typeof found === 'string') {
        closed.add(pid);
        continue;
      }
      for (const [path, descriptors] of found.locks) {
        const holds = descriptors.some((descriptor) => isLockedThrough(directory, descriptor));
        const before = uses.get(path);
        if (before === undefined || (holds && before.mayHold === true))
          uses.set(path, { path, pid, command: comm, ...(holds ? {} : { mayHold: true as const }) });
      }
    }
  });
  const [first] = closed;
  return {
    uses: [...uses.values()],
    hidden:
      first === undefined ? null : `the open files of process ${first} cannot be read: permission denied`,
    closed,
  };
};

const isLockedThrough = (directory: string, descriptor: string): boolean => {
  const read = readProc(`${directory}/fdinfo/${descriptor}`);
  return 'bytes' in read && OF_DESCRIPTOR.test(read.bytes.toString('latin1'));
};

interface FileAt {
  readonly device: bigint;
  /** As `parseFlocks` calls it. */
  readonly identity: string;
  readonly inode: string;
}

const fileAt = (path: string): FileAt | null =>
  tryOr(() => {
    const { dev, ino } = statSync(path, { bigint: true });
    return { device: dev, identity: `${deviceNumber(dev)}:${ino}`, inode: String(ino) };
  }, null);
