// Finds a Bun that works here.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';

/** The first release whose executables passed the tests (CONTRIBUTING.md); no older one was tried. */
const SINCE = [1, 4];

/** `{ path, version }`, or null. If LOCK_DOCTOR_BUN names one, no other is tried. */
export const findBun = () => {
  const named = process.env.LOCK_DOCTOR_BUN;
  for (const path of named === undefined ? [...installed(), 'bun'] : [named]) {
    const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
    if (status === 0 && isRecent(stdout.trim())) return { path, version: stdout.trim() };
  }
  return null;
};

/** Each platform's package contains the program; the package `bun` contains only a link that its install script creates. */
const installed = () => {
  const scope = 'node_modules/@oven';
  return existsSync(scope) ? readdirSync(scope).map((name) => `${scope}/${name}/bin/bun`) : [];
};

const isRecent = (version) => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > SINCE[0] || (major === SINCE[0] && minor >= SINCE[1]);
};
