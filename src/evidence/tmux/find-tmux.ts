/** Finds the tmux program: in PATH, or where package managers put it, which cron's PATH does not include. */
import { isAbsolute, join } from 'node:path';
import { findProgram, firstExecutable } from '../../io/programs/find-program.ts';
import { distrust } from '../../io/trust.ts';

const PLACES = ['/opt/homebrew/bin', '/usr/local/bin', '/home/linuxbrew/.linuxbrew/bin', '/opt/local/bin'];

/** Absolute path, or null. Outside PATH a program counts only if no other user could have put it there. */
export const findTmux = (env: Readonly<Record<string, string | undefined>>): string | null => {
  const named = findProgram('tmux', env);
  if (named !== null) return named;
  const { HOME = '' } = env;
  const places = isAbsolute(HOME) ? [...PLACES, join(HOME, '.local/bin')] : PLACES;
  const found = firstExecutable(
    'tmux',
    places.filter((place) => distrust([place]) === null),
  );
  return found === null || distrust([found]) !== null ? null : found;
};
