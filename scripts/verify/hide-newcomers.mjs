// Runs within the private view of the tests and, until they end, hides processes that start outside it: those in a mount namespace
// that no process of the tests created.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Most new processes are gone at the second look; those that are seen twice are hidden. */
const PAUSE_MS = 50;

const [empty, keptList] = process.argv.slice(2);
const kept = keptList.split(',');
const table = `${empty}.newcomers`;
/** The mount namespace of the tests, and those that they create: a daemon started there has process 1 as its parent. */
const ours = new Set([readlinkSync('/proc/self/ns/mnt')]);
const tests = process.ppid;

/** By PID: `ours`, `new` (hidden if it stays), or `hidden`. */
const known = new Map();

/** `pid (comm) state ppid`; a comm may contain anything. */
const parentOf = (pid) =>
  readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) \S+ /s, '')
    .split(' ')[0];

const isOurs = (pid) => {
  // Kernel threads have no executable and are left alone.
  if (kept.includes(pid) || !existsSync(`/proc/${pid}/exe`)) return true;
  try {
    for (let at = pid; at !== '0' && !kept.includes(at); at = parentOf(at))
      if (ours.has(readlinkSync(`/proc/${at}/ns/mnt`))) {
        ours.add(readlinkSync(`/proc/${pid}/ns/mnt`));
        return true;
      }
    return false;
  } catch (error) {
    // Hidden already, as its parent may be, or gone.
    return error.path === `/proc/${pid}/ns/mnt`;
  }
};

const hide = (pids) => {
  writeFileSync(table, pids.map((pid) => `${empty} /proc/${pid} none bind 0 0\n`).join(''));
  spawnSync('mount', ['--all', '--fstab', table], { stdio: 'ignore' });
};

while (process.ppid === tests) {
  const running = new Set(readdirSync('/proc').filter((name) => /^\d+$/.test(name)));
  // PIDs are reused.
  for (const pid of known.keys()) if (!running.has(pid)) known.delete(pid);
  const staying = [...running].filter((pid) => known.get(pid) === 'new' && !isOurs(pid));
  if (staying.length > 0) hide(staying);
  for (const pid of staying) known.set(pid, 'hidden');
  for (const pid of running) if (!known.has(pid)) known.set(pid, isOurs(pid) ? 'ours' : 'new');
  await sleep(PAUSE_MS);
}
