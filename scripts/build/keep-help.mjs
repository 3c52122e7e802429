// Keeps yargs' help text of each command: making it takes longer than the rest of such a run.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Asks the program in `bin/` of this directory for each help text, and writes them beside it. */
export const keepHelp = async (directory) => {
  const { COMMANDS } = await import(resolve(directory, 'src/cli/arguments/options.js'));
  // The program will be moved from here, so no compiled code is kept yet.
  const env = { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' };
  const texts = await Promise.all(
    COMMANDS.map(async (name) => {
      const words = name === 'doctor' ? ['--help'] : [name, '--help'];
      return [name, (await run(process.execPath, [`${directory}/bin/doctor.js`, ...words], { env })).stdout];
    }),
  );
  writeFileSync(`${directory}/bin/help.json`, JSON.stringify(Object.fromEntries(texts)));
};
