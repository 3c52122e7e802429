// A private view of the machine for the tests, in which they do not see the user's agents and tmux servers. Not a PID namespace,
// in which the doctor does not trust a missing PID (`numbersAreOurs` in src/evidence/restarts.ts).
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AS_CALLER, MAY_MOUNT } from './namespaces.mjs';
import { listPids, readProcess } from './proc.mjs';

// In a new mount namespace, an empty directory is mounted over the /proc entries of all running processes, and over the directories
// of tmux sockets. A mount over a process disappears with it (its PID may be reused), and fails if the process is already gone.
const SCRIPT = `
node=$1 hider=$2 empty=$3 kept=$4
shift 4
mount --all --fstab "$empty.fstab" 2>/dev/null
"$node" "$hider" "$empty" "$kept" >/dev/null 2>&1 &
exec "$@"`;

const HIDER = join(import.meta.dirname, 'hide-newcomers.mjs');

/** See test/support/retries.ts. */
const RETRYING = ['env', 'TEST_RETRIES=2'];
const seesAll = process.geteuid?.() === 0;

/**
 * How to run these arguments of Node in a private view: a program and its arguments. If there cannot be one, they run directly,
 * and `why` says why they may see other processes. Call `remove` at the end.
 */
export const inPrivateView = (args) => {
  const why = obstacle();
  if (why !== null) return { file: process.execPath, args, why, remove: () => {} };
  const folder = mkdtempSync(join(tmpdir(), 'lock-doctor-view-'));
  const empty = join(folder, 'empty');
  mkdirSync(empty, { mode: 0o755 });
  const kept = ['1', reaper()];
  const covered = [...processes(kept), ...socketDirectories()];
  writeFileSync(`${empty}.fstab`, covered.map((path) => `${empty} ${path} none bind 0 0\n`).join(''));
  const hider = [process.execPath, HIDER, empty, String(kept)];
  const command = [...AS_CALLER, ...(seesAll ? [] : RETRYING), process.execPath, ...args];
  return {
    file: 'unshare',
    args: [...MAY_MOUNT, 'sh', '-c', SCRIPT, 'sh', ...hider, ...command],
    why: null,
    // Programs that the tests left behind may still write there.
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }),
  };
};

/** All processes except those that adopt orphans of the tests, and kernel threads. */
const processes = (kept) =>
  listPids()
    .filter((pid) => !kept.includes(pid) && readProcess(pid)?.isKernelThread === false)
    .map((pid) => `/proc/${pid}`);

/** The process that adopts our orphans: a subreaper, else process 1. */
const reaper = () => {
  const orphan = "(while kill -0 $$ 2>/dev/null; do sleep 0.01; done; exec sh -c 'echo $PPID') &";
  return spawnSync('sh', ['-c', orphan], { encoding: 'utf8' }).stdout.trim();
};

const socketDirectories = () =>
  readdirSync('/tmp')
    .filter((name) => /^tmux-\d+$/.test(name))
    .map((name) => `/tmp/${name}`);

/**
 * The tmux servers of other users, as a list for messages. An ordinary user's doctor must not ask them: without a private view, a
 * session that the user's own servers do not have may be there. Root's can rule them out.
 */
export const serversOfOthers = () => {
  if (seesAll) return [];
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=', '-o', 'uid=', '-o', 'comm='], { encoding: 'utf8' });
  return stdout.split('\n').flatMap((line) => {
    const [, pid, uid, comm] = /^ *(\d+) +(\d+) (.*)$/.exec(line) ?? [];
    return comm !== undefined &&
      /(?:^|\/)tmux(?:: server)?$/.test(comm.trim()) &&
      Number(uid) !== process.geteuid()
      ? [`process ${pid} of user ${uid}`]
      : [];
  });
};

const obstacle = () => {
  if (process.platform !== 'linux') return 'only Linux can hide them';
  // Some systems let ordinary users create a user namespace, and mount nothing there.
  const attempt = ['sh', '-c', 'mount --bind /proc/$$ /proc/$$ && exec "$@"', 'sh', ...AS_CALLER, 'true'];
  const { status, stderr, error } = spawnSync('unshare', [...MAY_MOUNT, ...attempt], { encoding: 'utf8' });
  return status === 0 ? null : (error?.message ?? stderr.trim());
};
