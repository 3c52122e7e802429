/** Who holds flock(2) locks on these files: `/proc/locks`, by device and inode. Reads only, and never throws. */
import { readFileSync, statSync } from 'node:fs';
import type { FileUse, Uses } from '../../core/types/evidence.ts';
import { describeErrno } from '../../io/errno.ts';
import type { ProcessTable } from '../processes/row.ts';

/** `1: FLOCK  ADVISORY  WRITE 4711 fe:01:131 0 EOF`; waiting ones have `->` after their number. Device numbers are hexadecimal. */
const LINE = /^\d+: FLOCK +\S+ +\S+ +(-?\d+) ([0-9a-f]+):([0-9a-f]+):(\d+) /;

/** @param paths of locks, absolute */
export const readFlocks = (paths: readonly string[], { rows }: ProcessTable): Uses<FileUse> => {
  if (process.platform !== 'linux') return { uses: [], hidden: 'locks are not listed on this system' };
  let text: string;
  try {
    text = readFileSync('/proc/locks', 'latin1');
  } catch (error) {
    return { uses: [], hidden: `/proc/locks: ${describeErrno(error)}` };
  }
  const holders = parseFlocks(text);
  const uses = paths.flatMap((path) => {
    const pid = holders.get(identityOf(path) ?? '');
    return pid === undefined ? [] : [{ path, pid, command: rows.get(pid)?.comm ?? 'command unknown' }];
  });
  return { uses, hidden: null };
};

/** Device and inode (`254:1:131`) → the process that took the lock; one of another PID namespace has a number that is none. */
export const parseFlocks = (text: string): ReadonlyMap<string, number> => {
  const holders = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, pid, major = '', minor = '', inode] = LINE.exec(line) ?? [];
    if (pid !== undefined)
      holders.set(`${Number.parseInt(major, 16)}:${Number.parseInt(minor, 16)}:${inode}`, Number(pid));
  }
  return holders;
};

/** As glibc's makedev(3) puts a device number together. */
const identityOf = (path: string): string | null => {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
    const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
    return `${major}:${minor}:${ino}`;
  } catch {
    return null;
  }
};
