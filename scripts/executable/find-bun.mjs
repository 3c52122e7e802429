// Finds a Bun that runs here.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';

/** The first release with whose executables the tests were run (CONTRIBUTING.md); no older one was tried. */
const SINCE = [1, 4];

/** `{ path, version }`, or null. LOCK_DOCTOR_BUN names one and then no other is looked for. */
export const findBun = () => {
  const named = process.env.LOCK_DOCTOR_BUN;
  for (const path of named === undefined ? [...installed(), 'bun'] : [named]) {
    const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
    if (status === 0 && isRecent(stdout.trim())) return { path, version: stdout.trim() };
  }
  return null;
};

/** The package of each platform has the program itself; what the package `bun` has is a link that its install script makes. */
const installed = () => {
  const scope = 'node_modules/@oven';
  return existsSync(scope) ? readdirSync(scope).map((name) => `${scope}/${name}/bin/bun`) : [];
};

const isRecent = (version) => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > SINCE[0] || (major === SINCE[0] && minor >= SINCE[1]);
};
