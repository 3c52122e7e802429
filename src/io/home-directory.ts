/** Where the caller's own files are. */
import { homedir } from 'node:os';
import { isAbsolute } from 'node:path';
import { tryOr } from './try-or.ts';

/** `$HOME`, else what the account says; null for a user without either, as services and containers have them. Never throws. */
export const callersHome = (): string | null => {
  const home = tryOr(homedir, '');
  return isAbsolute(home) ? home : null;
};
