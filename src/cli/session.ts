import { builtInChecks } from '../../checks/index.ts';
import { type Config, readConfig } from '../config.ts';
import { Failure } from '../core/failure.ts';
import type { Check } from '../core/types/check.ts';
import type { Snapshot } from '../core/types/evidence.ts';
import { DEFAULT_TIMEOUT_MS, type GatherRequest } from '../evidence/gather.ts';
import { findTownRoot, type TownRoot } from '../evidence/town/root.ts';
import { resolveWorker } from '../evidence/town/worker-path.ts';
import { loadPlugins } from '../plugins.ts';
import { type Arguments, optionValue, optionValues, usage } from './arguments/arguments.ts';
import { didYouMean } from './arguments/did-you-mean.ts';
import { COMMANDS } from './arguments/options.ts';
import type { Terminal } from './terminal/terminal.ts';

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
export const lookOptionsOf = (
  given: Arguments,
  { town, config }: Place,
  { env }: Terminal,
): GatherRequest => {
  const sockets = optionValues(given, 'socket');
  const timeout = optionValue(given, 'timeout');
  const timeoutMs = timeout === null ? config.timeout : Number(timeout);
  return {
    town,
    scan: given.flags.has('deep') ? 'deep' : given.flags.has('quick') ? 'quick' : 'default',
    workers: [],
    sockets: sockets.length > 0 ? sockets : config.sockets,
    agents: config.agents,
    env,
    timeoutMs: timeoutMs ?? DEFAULT_TIMEOUT_MS,
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
  config: Config | null,
  checks: readonly Check[],
): ReadonlySet<string> => {
  const only = optionValues(given, 'only');
  const skip = [...optionValues(given, 'skip'), ...(only.length > 0 ? [] : (config?.skip ?? []))];
  const ids = checks.map(({ id }) => id);
  for (const id of [...only, ...skip])
    if (!ids.includes(id)) {
      const near = didYouMean(id, ids);
      const hint = near === null ? 'See: doctor checks' : `Did you mean ${near}?`;
      if (config?.skip.includes(id) === true)
        throw new Failure('E_CONFIG', `${config.path}: there is no check "${id}"`, hint);
      throw usage(`there is no check "${id}"`, hint);
    }
  return new Set((only.length > 0 ? only : ids).filter((id) => !skip.includes(id)));
};

/**
 * The workers that `--worker` names, as the report calls them; null where it is not given. Throws `E_USAGE` for a name
 * that is neither a directory of the town nor the place of one of its locks.
 */
export const selectWorkers = (
  given: Arguments,
  snapshot: Snapshot,
  cwd: string,
): readonly string[] | null => {
  const names = optionValues(given, 'worker');
  if (names.length === 0) return null;
  return names.map((name) => findWorker(name, snapshot, cwd));
};

/** One worker by name. Throws `E_USAGE` as `selectWorkers` does. */
export const findWorker = (name: string, { locks, town }: Snapshot, cwd: string): string => {
  const known = [...new Set([...locks.map(({ worker }) => worker), ...town.workers])];
  if (known.includes(name)) return name;
  const place = resolveWorker(name, town.root, cwd);
  if (place.kind === 'inside' && (place.exists || known.includes(place.worker))) return place.worker;
  const near = didYouMean(name, known);
  throw usage(
    `there is no worker "${name}" in ${town.root}`,
    near === null ? 'See: doctor locks' : `Did you mean ${near}?`,
  );
};
