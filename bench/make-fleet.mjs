// Makes a town without locks whose configuration names many machines. Each answers with saved evidence of 50 locks, so that the
// cost of asking, judging and reporting is measured, without that of machines and networks.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { makeTown } from './make-town.mjs';

/** The number of machines that one run must be able to handle. */
const MACHINES = 200;

/** Makes the town in this directory. */
export const makeFleet = (root, cli, env) => {
  mkdirSync(root, { recursive: true });
  makeTown(`${root}/there`, 'locks-50');
  const args = [cli, '--save-snapshot', '-', '--town', `${root}/there`];
  const evidence = execFileSync(process.execPath, args, { env, maxBuffer: 1e9 });
  mkdirSync(`${root}/here/mayor`, { recursive: true });
  writeFileSync(`${root}/here/mayor/town.json`, '{}');
  writeFileSync(`${root}/evidence.json`, evidence);
  const machine = { reach: ['sh', '-c', 'cat "$0"', `${root}/evidence.json`] };
  const names = Array.from({ length: MACHINES }, (_, index) => `machine${index}`);
  const machines = Object.fromEntries(names.map((name) => [name, machine]));
  writeFileSync(`${root}/here/lock-doctor.json`, JSON.stringify({ machines }));
};
