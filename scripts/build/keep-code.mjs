// Starts the program once in each way that must start fast, on a small town with a tmux server, so that its compiled code is
// cached (see `start/doctor.cjs`) before the first user waits for it. Other code is cached when it is first used.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeSmallTown } from '../small-town.mjs';

/** Runs the program in this directory; the outcomes of the runs do not matter. */
export const keepCode = (directory) => {
  const place = mkdtempSync(join(tmpdir(), 'lock-doctor-build-'));
  try {
    const town = makeSmallTown(join(place, 'town'));
    // It must not use this machine's tmux servers, so it gets its own if tmux is installed.
    const env = { PATH: process.env.PATH, TMUX_TMPDIR: place };
    const run = (program, ...args) => spawnSync(program, args, { env, stdio: 'ignore' });
    run('tmux', '-f', '/dev/null', 'new-session', '-d', '-c', '/', 'sleep 60');
    for (const args of [
      ['preflight', '--town', town, 'rig/crew/new'],
      ['preflight', '--town', town, 'rig/crew/none'],
      ['preflight', '--fix', '--town', town, 'rig/crew/ada'],
      ['exec', '--town', town, 'rig/crew/new', '--', 'true'],
      ['--json', town],
    ]) {
      // Makes the cache look old, so that it is rewritten together with what this run compiles.
      setTimes(`${directory}/code.cache`, 0);
      run(process.execPath, `${directory}/doctor.js`, ...args);
    }
    setTimes(`${directory}/code.cache`, Date.now() / 1000);
    run('tmux', 'kill-server');
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
};

const setTimes = (folder, seconds) => {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder, { recursive: true }))
    utimesSync(`${folder}/${name}`, seconds, seconds);
};
