/**
 * Undoes what a shell does to the environment on the way to a command: it drops names that are not valid in a shell
 * (`BASH_FUNC_f%%`, `npm_config_//host/:token`), sets PWD, and resets some variables.
 */
import { type Environment, findProgram } from '../io/programs/find-program.ts';

export interface Detour {
  /** Shell words before the command. They contain no values, because other users can read command lines. */
  readonly words: string;
  /** Variables for the shell that those words refer to; the command does not get them. */
  readonly variables: Readonly<Record<string, string>>;
}

const NONE: Detour = { words: '', variables: {} };

/** Set by every shell for itself, whatever the environment says (POSIX, Shell Variables). */
const SHELLS_OWN: ReadonlySet<string> = new Set(['IFS', 'LINENO', 'OPTIND', 'PPID']);

/** Added by a shell where they are missing. */
const SHELLS_GIFTS: readonly string[] = ['PWD', 'SHLVL'];

/** The words that give a command exactly this environment through `sh`; none where the shell changes nothing. */
export const detourAround = (env: Environment, cwd: string, command: string): Detour => {
  const given = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const changed = given.filter(
    ([name, value]) =>
      !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || SHELLS_OWN.has(name) || (name === 'PWD' && value !== cwd),
  );
  const missing = SHELLS_GIFTS.filter((name) => env[name] === undefined);
  if (changed.length + missing.length === 0) return NONE;
  const program = findProgram('env', env);
  // env(1) would take a command like a=b for one more variable: then the shell's changes are accepted.
  if (program === null || program.includes("'") || command.includes('=')) return NONE;
  const carriers = changed.map((_, at) => `LOCK_DOCTOR_GATE_${at}`);
  const unset = [...missing, ...carriers].map((name) => `-u ${name}`);
  return {
    words: [`'${program}'`, ...unset, ...carriers.map((name) => `"$${name}"`)].join(' '),
    variables: Object.fromEntries(changed.map(([name, value], at) => [carriers[at], `${name}=${value}`])),
  };
};
