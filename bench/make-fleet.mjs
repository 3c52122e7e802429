// Makes a town without locks whose configuration names many machines. Each answers with the evidence of 50 locks, out of a file:
// what is measured is what asking, judging and telling cost here, and not what machines and networks do.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { makeTown } from './make-town.mjs';

/** As many machines as one run has to bear. */
const MACHINES = 200;

/** Makes the town in this directory. */
export function makeFleet(root, cli, env) {
  mkdirSync(root, { recursive: true });
  makeTown(`${root}/there`, 'locks-50');
  const words = [cli, '--save-snapshot', '-', '--town', `${root}/there`];
  const evidence = execFileSync(process.execPath, words, { env, maxBuffer: 1e9 });
  mkdirSync(`${root}/here/mayor`, { recursive: true });
  writeFileSync(`${root}/here/mayor/town.json`, '{}');
  writeFileSync(`${root}/evidence.json`, evidence);
  const machine = { reach: ['sh', '-c', 'cat "$0"', `${root}/evidence.json`] };
  const names = Array.from({ length: MACHINES }, (_, index) => `machine${index}`);
  const machines = Object.fromEntries(names.map((name) => [name, machine]));
  writeFileSync(`${root}/here/lock-doctor.json`, JSON.stringify({ machines }));
}
