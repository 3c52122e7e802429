import { builtInChecks } from '../../checks/index.ts';
import { type Config, readConfig } from '../config.ts';
import { Failure } from '../core/failure.ts';
import type { Check } from '../core/types.ts';
import { findTownRoot, type TownRoot } from '../evidence/town-root.ts';
import { loadPlugins } from '../plugins.ts';
import { type Arguments, optionValue, optionValues, usage } from './arguments.ts';
import { didYouMean } from './did-you-mean.ts';
import { COMMANDS } from './options.ts';
import type { Terminal } from './terminal.ts';

/** The town a command is about, with what its configuration says. */
export interface Place {
  readonly town: TownRoot;
  readonly config: Config;
}

/** Finds the town of a command line and reads its configuration. Throws `E_USAGE` and `E_CONFIG`. */
export const openTown = (given: Arguments, { cwd, env }: Terminal, positional: string | null): Place => {
  const flag = optionValue(given, 'town');
  if (flag !== null && positional !== null && flag !== positional)
    throw usage(`the town is named twice: ${positional} and --town ${flag}`);
  const named = positional ?? flag;
  try {
    const town = findTownRoot({ town: named ?? undefined, cwd, env });
    return { town, config: readConfig(town.root) };
  } catch (error) {
    throw positional === null ? error : withCommandHint(error, positional);
  }
};

/** `doctor lokcs` is a town that does not exist, and more likely a command mistyped. */
const withCommandHint = (error: unknown, word: string): unknown => {
  const near = didYouMean(word, COMMANDS);
  return error instanceof Failure && error.code === 'E_USAGE' && near !== null
    ? new Failure('E_USAGE', error.message, `Did you mean: doctor ${near}?`, { cause: error })
    : error;
};

/** What every look at a town takes from the command line and the configuration; the command line wins. */
export const lookOptionsOf = (given: Arguments, { town, config }: Place, { cwd, env }: Terminal) => {
  const sockets = optionValues(given, 'socket');
  const timeout = optionValue(given, 'timeout');
  const timeoutMs = timeout === null ? config.timeout : Number(timeout);
  return {
    town: town.root,
    scan: given.flags.has('deep')
      ? ('deep' as const)
      : given.flags.has('quick')
        ? ('quick' as const)
        : ('default' as const),
    sockets: sockets.length > 0 ? sockets : config.sockets,
    agents: config.agents,
    env,
    cwd,
    ...(timeoutMs === null ? {} : { timeoutMs }),
  };
};

/** The built-in checks and those of the configuration's and the command line's plug-ins. Throws `E_CONFIG`. */
export const loadChecks = async (
  given: Arguments,
  { town, config }: Place,
  { cwd }: Terminal,
): Promise<readonly Check[]> => [
  ...builtInChecks,
  ...(await loadPlugins([
    ...config.plugins.map((spec) => ({ spec, from: town.root })),
    ...optionValues(given, 'plugin').map((spec) => ({ spec, from: cwd })),
  ])),
];

/** Which checks run: `--only`, or all, less `--skip` and the configuration's `skip`. Throws `E_USAGE` for unknown ids. */
export const selectChecks = (
  given: Arguments,
  { config }: Place,
  checks: readonly Check[],
): ReadonlySet<string> => {
  const only = optionValues(given, 'only');
  const skip = [...optionValues(given, 'skip'), ...(only.length > 0 ? [] : config.skip)];
  const ids = checks.map(({ id }) => id);
  for (const id of [...only, ...skip])
    if (!ids.includes(id)) {
      const near = didYouMean(id, ids);
      const origin = config.skip.includes(id)
        ? (['E_CONFIG', `${config.path}: there`] as const)
        : (['E_USAGE', 'there'] as const);
      throw new Failure(
        origin[0],
        `${origin[1]} is no check "${id}"`,
        near === null ? 'See: doctor checks' : `Did you mean ${near}?`,
      );
    }
  return new Set((only.length > 0 ? only : ids).filter((id) => !skip.includes(id)));
};
