// `npm run executable`: makes one file for this platform that does not require Node. It is made by Bun, which is not a dependency
// because it is 100 MB and nothing else needs it. docs/executable.md says what the file can and cannot do.
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { compileExecutable } from './compile-executable.mjs';
import { findBun } from './find-bun.mjs';
import { stageFiles } from './stage-files.mjs';

const USAGE = `Usage: npm run executable [-- --out FILE]

Makes one executable file of lock-doctor for this platform, which does not require Node.

  --out FILE  where to write it (default: executable/doctor)
  --help      show this

It is made by Bun: the one in LOCK_DOCTOR_BUN, in node_modules, or in PATH.
`;

/** Installs Bun where this script looks for it. Bun's install script only creates a link, and is not needed. */
const INSTALL = 'npm install --no-save --ignore-scripts bun';

const main = async () => {
  const { values } = parseArgs({
    options: {
      out: { type: 'string', default: 'executable/doctor' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return process.stdout.write(USAGE);
  const bun = findBun();
  if (bun === null) {
    process.stderr.write(
      `The executable is made by Bun, which is not installed. Install it with: ${INSTALL}\n`,
    );
    process.exitCode = 2;
    return;
  }
  const stage = mkdtempSync('executable.new-');
  try {
    await stageFiles(stage);
    const made = compileExecutable(bun, stage);
    chmodSync(made, 0o755);
    mkdirSync(new URL('.', new URL(values.out, `file://${process.cwd()}/`)).pathname, { recursive: true });
    renameSync(made, values.out);
    const size = Math.round(statSync(values.out).size / 2 ** 20);
    process.stdout.write(`${values.out}: ${size} MiB, made by Bun ${bun.version}\n`);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
};

await main();
