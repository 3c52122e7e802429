// Compiles the staged parts into one file with Bun, twice: the second one is laid out in the order in which the first one reads its
// code in a preflight.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { makeSmallTown } from '../small-town.mjs';

/**
 * No file of the directory where it is started is read (`.env`, `bunfig.toml`, `tsconfig.json`, `package.json`), because agents
 * can write there. Nothing is installed for plug-ins that import it. Short runs do not pay for optimized code.
 */
const FLAGS = [
  ...['--compile', '--bytecode', '--format=cjs', '--target=bun'],
  ...['dotenv', 'bunfig', 'tsconfig', 'package-json'].map((name) => `--no-compile-autoload-${name}`),
  ...['--compile-exec-argv=--no-install', '--compile-jit-policy=20'],
  ...['--asset=dist', '--asset=checks', '--asset=kinds'],
];

/** Returns the path of the executable in the stage. Throws if Bun does not compile it; Bun has printed why. */
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
