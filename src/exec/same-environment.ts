/**
 * What a shell would do to the environment on the way to a command, and how that is undone: it drops names that are no
 * shell names (`BASH_FUNC_f%%`, `npm_config_//host/:token`), sets PWD, and begins some variables anew.
 */
import { findProgram } from '../io/programs/find-program.ts';
import type { Environment } from './environment.ts';

export interface Detour {
  /** Shell words that stand before the command; no value is in them, for other users can read command lines. */
  readonly words: string;
  /** Variables for the shell, out of which those words are made and which the command does not see. */
  readonly variables: Readonly<Record<string, string>>;
}

const NONE: Detour = { words: '', variables: {} };

/** Set by every shell for itself, whatever the environment says (POSIX, Shell Variables). */
const SHELLS_OWN: ReadonlySet<string> = new Set(['IFS', 'LINENO', 'OPTIND', 'PPID']);

/** Made by a shell where they are missing. */
const SHELLS_GIFTS: readonly string[] = ['PWD', 'SHLVL'];

/** The words that hand a command exactly this environment through `sh`; none where the shell changes nothing. */
export const detourAround = (env: Environment, cwd: string, command: string): Detour => {
  const given = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const changed = given.filter(
    ([name, value]) =>
      !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || SHELLS_OWN.has(name) || (name === 'PWD' && value !== cwd),
  );
  const missing = SHELLS_GIFTS.filter((name) => env[name] === undefined);
  if (changed.length + missing.length === 0) return NONE;
  const program = findProgram('env', env);
  // env(1) would take a command like a=b for one more variable: then the shell's changes are the lesser evil.
  if (program === null || program.includes("'") || command.includes('=')) return NONE;
  const carriers = changed.map((_, at) => `LOCK_DOCTOR_GATE_${at}`);
  const unset = [...missing, ...carriers].map((name) => `-u ${name}`);
  return {
    words: [`'${program}'`, ...unset, ...carriers.map((name) => `"$${name}"`)].join(' '),
    variables: Object.fromEntries(changed.map(([name, value], at) => [carriers[at], `${name}=${value}`])),
  };
};
