/** Runs the doctor as a user without other processes on this machine, so that it does not ask the servers of other tests. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canBecomeOthers, onCleanUp } from '../support/index.ts';

const ALONE = 64_917;

/** The `NODE_OPTIONS` that make the program become that user before it begins; empty if we lack the permission. */
export const aloneOptions = (): string => {
  if (!canBecomeOthers) return '';
  const folder = mkdtempSync(join(tmpdir(), 'alone-'));
  onCleanUp(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  const hook = join(folder, 'alone.cjs');
  writeFileSync(hook, `process.setgid(${ALONE}); process.setuid(${ALONE});`);
  return `--require ${hook}`;
};

/** Gives directories to that user. */
export const giveToAlone = (...paths: readonly string[]): void => {
  if (!canBecomeOthers) return;
  execFileSync('chown', ['-R', `${ALONE}:${ALONE}`, ...paths]);
};
