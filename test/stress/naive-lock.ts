/**
 * The protocol of the original package, rewritten: read, remove if the PID is dead, write in place. It shows that the harness
 * finds what it looks for; never use it.
 */
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { startTicks } from './oracle.ts';

const pidIn = (path: string): number | null => {
  try {
    return Number(JSON.parse(readFileSync(path, 'utf8')).pid);
  } catch {
    return null;
  }
};

const remove = (path: string): void => {
  try {
    unlinkSync(path);
  } catch {
    // The original ignores a lock that is gone.
  }
};

export const naive = {
  /** False if another live process has the lock. */
  acquire: (path: string): boolean => {
    const pid = pidIn(path);
    if (pid !== null && pid !== process.pid) {
      if (startTicks(pid) !== null) return false;
      remove(path);
    }
    writeFileSync(path, JSON.stringify({ pid: process.pid }));
    return true;
  },
  release: remove,
  isOurs: (path: string): boolean => pidIn(path) === process.pid,
  fix: (path: string): boolean => {
    const pid = pidIn(path);
    if (pid === null || startTicks(pid) !== null) return false;
    remove(path);
    return true;
  },
};
