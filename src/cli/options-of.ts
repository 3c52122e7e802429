/** The border between the command line and the use cases: what was typed becomes typed options, once. */

import { SEVERITIES, type Severity } from '../core/types/check.ts';
import type { DiagnoseOptions } from '../diagnose.ts';
import { FORMATS, type Format } from '../reporters/formats.ts';
import {
  type Arguments,
  choiceOf,
  numberOf,
  optionValue,
  optionValues,
  usage,
} from './arguments/arguments.ts';
import { heapKeeper } from './terminal/small-heap.ts';
import type { Terminal } from './terminal/terminal.ts';

/** What every look takes from the command line; what is not given there the configuration decides. */
export const lookOptionsOf = (given: Arguments, { env, cwd }: Terminal) => ({
  scan: given.flags.has('deep')
    ? ('deep' as const)
    : given.flags.has('quick')
      ? ('quick' as const)
      : undefined,
  sockets: given.values.has('socket') ? optionValues(given, 'socket') : undefined,
  timeoutMs: numberOf(given, 'timeout') ?? undefined,
  env,
  cwd,
});

/** What every diagnosis takes from the command line. Throws `E_USAGE` and `E_IO` for saved evidence that cannot be read. */
export const diagnoseOptionsOf = async (given: Arguments, terminal: Terminal): Promise<DiagnoseOptions> => {
  const file = optionValue(given, 'from-snapshot');
  const failOn: Severity | null = choiceOf(given, 'fail-on', SEVERITIES);
  const saved =
    file === null ? undefined : (await import('./read-snapshot.ts')).readSnapshot(file, terminal.cwd);
  const keepHeapSmall = heapKeeper();
  return {
    ...lookOptionsOf(given, terminal),
    saved,
    command: given.command,
    plugins: optionValues(given, 'plugin'),
    only: optionValues(given, 'only'),
    skip: optionValues(given, 'skip'),
    workers: given.values.has('worker') ? optionValues(given, 'worker') : undefined,
    failOn: failOn ?? undefined,
    onProgress: (_directories, locks) => keepHeapSmall(locks),
  };
};

/** The town that the command line names; undefined leaves it to where we stand. Throws `E_USAGE` where it names two. */
export const townNamedBy = (given: Arguments, positional: string | undefined): string | undefined => {
  const flag = optionValue(given, 'town') ?? undefined;
  if (flag !== undefined && positional !== undefined && flag !== positional)
    throw usage(`the town is named twice: ${positional} and --town ${flag}`);
  return positional ?? flag;
};

/** The format of the report. */
export const formatOf = (given: Arguments): Format =>
  given.flags.has('json') ? 'json' : (choiceOf(given, 'format', FORMATS) ?? 'text');
