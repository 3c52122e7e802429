// Compiles the staged parts into one file by Bun, twice: what a first one reads of its code in a preflight is laid together in
// the second.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { makeSmallTown } from '../small-town.mjs';

/**
 * No file of the directory where somebody starts it is read (`.env`, `bunfig.toml`, `tsconfig.json`, `package.json`): that is the
 * agents' and not ours to run. Nothing is installed for a plug-in that asks for it. Short runs do not pay for optimized code.
 */
const FLAGS = [
  ...['--compile', '--bytecode', '--format=cjs', '--target=bun'],
  ...['dotenv', 'bunfig', 'tsconfig', 'package-json'].map((name) => `--no-compile-autoload-${name}`),
  ...['--compile-exec-argv=--no-install', '--compile-jit-policy=20'],
  ...['--asset=dist', '--asset=checks', '--asset=kinds'],
];

/** Returns the path of the executable in the stage. Throws where Bun does not compile it; Bun has said why. */
export const compileExecutable = (bun, stage) => {
  const program = bun.path.includes('/') ? resolve(bun.path) : bun.path;
  const compile = (name, ...more) =>
    execFileSync(program, ['build', 'parts/doctor.js', ...FLAGS, ...more, `--outfile=${name}`], {
      cwd: stage,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  compile('first');
  const order = resolve(stage, 'order');
  spawnSync(
    resolve(stage, 'first'),
    ['preflight', '--town', makeSmallTown(resolve(stage, 'town')), 'rig/crew/new'],
    {
      env: { PATH: process.env.PATH, TMUX_TMPDIR: resolve(stage), BUN_BYTECODE_ORDER_OUT: order },
      stdio: 'ignore',
    },
  );
  compile('doctor', ...(existsSync(order) ? [`--bytecode-order=${order}`] : []));
  return resolve(stage, 'doctor');
};
