// Runs within the private view of the tests and, until they end, hides processes that start outside it: those in a mount namespace
// that no process of the tests created.
import { spawnSync } from 'node:child_process';
import { readlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { listPids, readProcess } from './proc.mjs';

/** Most new processes are gone at the second look; those that are seen twice are hidden. */
const PAUSE_MS = 20;

const [empty, keptList] = process.argv.slice(2);
const kept = keptList.split(',');
const table = `${empty}.newcomers`;

/** Null if we may not know it: it belongs to another user, or is outside of our user namespace. */
const mountNamespaceOf = (pid) => {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`);
  } catch {
    return null;
  }
};

/** The mount namespace of the tests, and those that they create: a daemon started there has process 1 as its parent. */
const ours = new Set([mountNamespaceOf('self')]);
const tests = process.ppid;

/** By PID: `ours`, `new` (hidden if it stays), or `hidden`. */
const known = new Map();

const isOurs = (pid) => {
  const stat = readProcess(pid);
  if (kept.includes(pid) || stat === null || stat.isKernelThread) return true;
  for (let at = pid; at !== '0' && !kept.includes(at); at = readProcess(at)?.parent ?? '0') {
    if (!ours.has(mountNamespaceOf(at))) continue;
    const namespace = mountNamespaceOf(pid);
    if (namespace !== null) ours.add(namespace);
    return true;
  }
  return false;
};

const hide = (pids) => {
  writeFileSync(table, pids.map((pid) => `${empty} /proc/${pid} none bind 0 0\n`).join(''));
  spawnSync('mount', ['--all', '--fstab', table], { stdio: 'ignore' });
};

while (process.ppid === tests) {
  const running = new Set(listPids());
  // PIDs are reused.
  for (const pid of known.keys()) if (!running.has(pid)) known.delete(pid);
  const staying = [...running].filter((pid) => known.get(pid) === 'new' && !isOurs(pid));
  if (staying.length > 0) hide(staying);
  for (const pid of staying) known.set(pid, 'hidden');
  for (const pid of running) if (!known.has(pid)) known.set(pid, isOurs(pid) ? 'ours' : 'new');
  await sleep(PAUSE_MS);
}
