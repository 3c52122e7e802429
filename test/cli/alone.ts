/** Runs the doctor as a user of whom nothing else runs on this machine: servers of other tests are then nobody it would ask. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canBecomeOthers, onCleanUp } from '../support/index.ts';

const ALONE = 64_917;

/** What `NODE_OPTIONS` needs so that the program becomes that user before it begins; empty where that takes more than we may. */
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
