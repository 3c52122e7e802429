// Starts the program once in each way that has to start fast, on a small town, so that the compiled code is kept (see
// `start/kept-code.cjs`) before somebody waits for it. What is not started here is kept when it first is.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeSmallTown } from '../small-town.mjs';

/** Runs the program in this directory; what becomes of the runs does not matter. */
export const keepCode = (directory) => {
  const place = mkdtempSync(join(tmpdir(), 'lock-doctor-build-'));
  try {
    const town = makeSmallTown(join(place, 'town'));
    // Whatever tmux servers run on this machine are none of its business.
    const env = { PATH: process.env.PATH, TMUX_TMPDIR: place };
    for (const words of [
      ['preflight', '--fix', '--town', town, 'rig/crew/ada'],
      ['exec', '--town', town, 'rig/crew/new', '--', 'true'],
      ['--json', town],
    ])
      spawnSync(process.execPath, [`${directory}/doctor.js`, ...words], { env, stdio: 'ignore' });
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
};
