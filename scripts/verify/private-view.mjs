// A private view of the machine for the tests, in which they do not see the user's agents and tmux servers. Not a PID namespace,
// in which the doctor does not trust a missing PID (`numbersAreOurs` in src/evidence/restarts.ts). Only for root: in a user
// namespace, which others could use, root's files (`/`, `/tmp`) would belong to an unknown user, whom no ownership rule trusts: not
// the doctor's, nor that of swc, which then does not load its addon.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// In a new mount namespace, an empty directory is mounted over the /proc entries of all running processes, and over the directories
// of tmux sockets. A mount over a process disappears with it (its PID may be reused), and fails if the process is already gone.
const SCRIPT = `
node=$1 hider=$2 empty=$3 kept=$4
shift 4
mount --all --fstab "$empty.fstab" 2>/dev/null
"$node" "$hider" "$empty" "$kept" >/dev/null 2>&1 &
exec "$node" "$@"`;

const HIDER = join(import.meta.dirname, 'hide-newcomers.mjs');

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
  return {
    file: 'unshare',
    args: ['--mount', 'sh', '-c', SCRIPT, 'sh', process.execPath, HIDER, empty, String(kept), ...args],
    why: null,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
};

/** All processes except those that adopt orphans of the tests, and kernel threads (which have no executable). */
const processes = (kept) => {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && !kept.includes(name) && existsSync(`/proc/${name}/exe`))
    .map((name) => `/proc/${name}`);
};

/** The process that adopts our orphans: a subreaper, else process 1. */
const reaper = () => {
  const orphan = "(while kill -0 $$ 2>/dev/null; do sleep 0.01; done; exec sh -c 'echo $PPID') &";
  return spawnSync('sh', ['-c', orphan], { encoding: 'utf8' }).stdout.trim();
};

const socketDirectories = () =>
  readdirSync('/tmp')
    .filter((name) => /^tmux-\d+$/.test(name))
    .map((name) => `/tmp/${name}`);

const obstacle = () => {
  if (process.platform !== 'linux') return 'only Linux can hide them';
  if (process.geteuid() !== 0) return 'only root can hide them';
  const { status, stderr, error } = spawnSync('unshare', ['--mount', 'true'], { encoding: 'utf8' });
  return status === 0 ? null : (error?.message ?? stderr.trim());
};
