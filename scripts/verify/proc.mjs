// Reads processes from /proc, of other users too.
import { readdirSync, readFileSync } from 'node:fs';

/** PF_KTHREAD in the kernel's sources. */
const KERNEL_THREAD = 0x0020_0000;

/** The PIDs that are seen here, as text. */
export const listPids = () => readdirSync('/proc').filter((name) => /^\d+$/.test(name));

/** What /proc/PID/stat says of a process; null if it is gone or hidden. */
export const readProcess = (pid) => {
  try {
    // `pid (comm) state ppid pgrp session tty tpgid flags`; a comm may contain anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return { parent: fields[1], isKernelThread: (Number(fields[6]) & KERNEL_THREAD) !== 0 };
  } catch {
    return null;
  }
};
