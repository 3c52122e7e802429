// Stores the help text of each command, because yargs takes longer to make it than the rest of such a run.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Runs the program in `bin/` of this directory for each help text, and writes all of them beside it. */
export const keepHelp = async (directory) => {
  const { COMMANDS } = await import(resolve(directory, 'src/cli/arguments/options.js'));
  // The program will be moved from here, so nothing is cached yet.
  const env = { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' };
  const texts = await Promise.all(
    COMMANDS.map(async (name) => {
      const args = name === 'doctor' ? ['--help'] : [name, '--help'];
      return [name, (await run(process.execPath, [`${directory}/bin/doctor.js`, ...args], { env })).stdout];
    }),
  );
  writeFileSync(`${directory}/bin/help.json`, JSON.stringify(Object.fromEntries(texts)));
};
