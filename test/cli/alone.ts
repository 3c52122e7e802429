/** Runs the doctor as a user without other processes, so that it does not query the tmux servers of other tests. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canBecomeOthers, onCleanUp } from '../support/index.ts';

const ALONE = 64_917;

/** `NODE_OPTIONS` that switch the program to that user before it starts; empty without the permission to do so. */
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
