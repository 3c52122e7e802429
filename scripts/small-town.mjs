// A town to run the program on: the agents of two workers are dead, and a third worker has no lock.
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';

/** Makes the town at this path, and returns the path. */
export const makeSmallTown = (town) => {
  const write = (path, text) => {
    mkdirSync(dirname(join(town, path)), { recursive: true });
    writeFileSync(join(town, path), text);
  };
  write('mayor/town.json', '{}');
  write('mayor/rigs.json', '{"rigs":{"rig":{"beads":{"prefix":"r"}}}}');
  write('rig/crew/new/README.md', '');
  write('rig/crew/ada/.git/HEAD', 'ref: refs/heads/main\n');
  write('rig/crew/ada/.gitignore', '.runtime/\n');
  // A PID that cannot exist.
  const record = {
    pid: 2 ** 22 + 1,
    acquired_at: '2026-01-01T00:00:00Z',
    session_id: '',
    hostname: hostname(),
  };
  for (const worker of ['rig/crew/ada', 'rig/polecats/max/rig']) {
    const lock = `${worker}/.runtime/agent.lock`;
    write(lock, JSON.stringify(record, null, 2));
    // A fresh lock would be left alone.
    utimesSync(join(town, lock), 0, 0);
  }
  return town;
};
