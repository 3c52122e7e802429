// Starts the program once in each way that has to start fast, on a small town, so that the compiled code is kept (see
// `start/kept-code.cjs`) before somebody waits for it. What is not started here is kept when it first is.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Runs the program in this directory; what becomes of the runs does not matter. */
export const keepCode = (directory) => {
  const place = mkdtempSync(join(tmpdir(), 'lock-doctor-build-'));
  try {
    const town = makeTown(join(place, 'town'));
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

/** Two workers whose agents are gone, one with a repository. */
const makeTown = (town) => {
  const write = (path, text) => {
    mkdirSync(dirname(join(town, path)), { recursive: true });
    writeFileSync(join(town, path), text);
  };
  write('mayor/town.json', '{}');
  write('rig/crew/ada/.git/HEAD', 'ref: refs/heads/main\n');
  write('rig/crew/ada/.gitignore', '.runtime/\n');
  // No process has such a number.
  const record = {
    pid: 2 ** 22 + 1,
    acquired_at: '2026-01-01T00:00:00Z',
    session_id: '',
    hostname: hostname(),
  };
  for (const worker of ['rig/crew/ada', 'rig/polecats/max/rig']) {
    const lock = `${worker}/.runtime/agent.lock`;
    write(lock, JSON.stringify(record, null, 2));
    // A young one would be left alone.
    utimesSync(join(town, lock), 0, 0);
  }
  return town;
};
