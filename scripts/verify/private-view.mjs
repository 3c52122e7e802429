// A private view of the machine for the tests: they do not see the agents and tmux servers of their user. Not a PID namespace,
// in which the doctor trusts no missing PID (`numbersAreOurs` in src/evidence/restarts.ts). For
// root alone: others can have the same in a user namespace, but there root's files (`/`, `/tmp`) are those of an unknown user, whom
// no rule about owners trusts. The doctor's does not, and swc's does not even load its addon.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// In a mount namespace of its own an empty directory lies over the entries in /proc of the processes that run now, and over the
// directories of tmux sockets. What lies over a process goes with it (its number may come again), and so fails where it is gone.
const SCRIPT = `
node=$1 hider=$2 empty=$3 kept=$4
shift 4
mount --all --fstab "$empty.fstab" 2>/dev/null
"$node" "$hider" "$empty" "$kept" >/dev/null 2>&1 &
exec "$node" "$@"`;

const HIDER = join(import.meta.dirname, 'hide-newcomers.mjs');

/**
 * How to run these words of Node's command line in a private view: a program and its words. Where that cannot be had, they run
 * as they are, and `why` says why they may see others. `remove` is for the end.
 */
export const inPrivateView = (words) => {
  const why = obstacle();
  if (why !== null) return { file: process.execPath, words, why, remove: () => {} };
  const folder = mkdtempSync(join(tmpdir(), 'lock-doctor-view-'));
  const empty = join(folder, 'empty');
  mkdirSync(empty, { mode: 0o755 });
  const kept = ['1', reaper()];
  const covered = [...processes(kept), ...socketDirectories()];
  writeFileSync(`${empty}.fstab`, covered.map((path) => `${empty} ${path} none bind 0 0\n`).join(''));
  return {
    file: 'unshare',
    words: ['--mount', 'sh', '-c', SCRIPT, 'sh', process.execPath, HIDER, empty, String(kept), ...words],
    why: null,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
};

/** All but those who take over what a test leaves behind, and threads of the kernel (no executable), who are nobody. */
const processes = (kept) => {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && !kept.includes(name) && existsSync(`/proc/${name}/exe`))
    .map((name) => `/proc/${name}`);
};

/** Whose child an orphan of ours becomes: a process that asked for that (a subreaper), else process 1. */
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
