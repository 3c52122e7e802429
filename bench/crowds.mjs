// A machine with many processes, and a tmux server with many sessions, for as long as something is measured.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Runs `work` while that many more processes sleep. They end after a minute if the bench is killed. */
export const withProcesses = (count, work) => {
  const start = `i=0; while [ "$i" -lt ${count} ]; do sleep 60 & i=$((i + 1)); done`;
  const { pid: group } = spawnSync('sh', ['-c', start], { cwd: '/', detached: true, stdio: 'ignore' });
  try {
    return work();
  } finally {
    end(group);
  }
};

/** Zombies count as processes, so it waits until all are reaped. */
const end = (group) => {
  if (!(group > 1)) throw new Error('the processes did not start');
  try {
    for (;;) {
      process.kill(-group, 'SIGKILL');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    }
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
};

/** More commands than this do not fit into one message to a tmux server. */
const AT_ONCE = 100;

/** Runs `work`, which gets `TMUX_TMPDIR`, while a private tmux server has that many sessions. */
export const withSessions = (count, { env, scratch }, work) => {
  const directory = join(scratch, 'many-sessions');
  mkdirSync(directory, { recursive: true });
  const here = { ...env, TMUX_TMPDIR: directory };
  const tmux = (...args) => execFileSync('tmux', ['-f', '/dev/null', ...args], { env: here, cwd: '/' });
  try {
    for (let from = 0; from < count; from += AT_ONCE) {
      const names = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, index) => `s${from + index}`);
      tmux(...names.flatMap((name) => ['new-session', '-d', '-s', name, 'sleep 600', ';']));
    }
    return work(directory);
  } finally {
    tmux('kill-server');
  }
};
