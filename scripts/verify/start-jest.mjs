// How jest is started.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The arguments of Node. What jest compiles is kept where jest itself would keep it, for the next run. */
export const JEST = [
  ...['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'],
  `--cacheDirectory=${join(tmpdir(), `jest_${process.getuid().toString(36)}`)}`,
];

/** Without extra certificates, which are not needed: reading them doubles the start of Node, and the tests start it thousands of times. */
const { NODE_EXTRA_CA_CERTS: _, ...environment } = process.env;

/**
 * Calls a function that starts tests, with an environment for them. They have a temporary directory of their own, which is removed
 * at the end with everything that killed processes leave behind. Its path is short, because those of sockets have to be.
 */
export const inOwnTmpdir = async (work) => {
  const folder = mkdtempSync(join(tmpdir(), 'ld-'));
  // Like /tmp: some tests act as other users.
  chmodSync(folder, 0o1777);
  process.env.TMPDIR = folder;
  // The terminal sends Ctrl-C to the tests too; wait until they have ended.
  process.on('SIGINT', () => {});
  try {
    return await work({ ...environment, TMPDIR: folder });
  } finally {
    try {
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    } catch (error) {
      console.error(`The tests left something behind: ${error.message}`);
    }
  }
};
