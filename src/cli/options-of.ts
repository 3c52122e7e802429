/** The border between the command line and the use cases: what was typed becomes their options, once. */
import type { DiagnoseOptions } from '../diagnose.ts';
import type { Arguments } from './arguments/arguments.ts';
import { usage } from './arguments/usage.ts';
import type { Format } from './formats.ts';
import { notice } from './terminal/notice.ts';
import { heapKeeper } from './terminal/small-heap.ts';
import type { Terminal } from './terminal/terminal.ts';

/** What every look takes from the command line; what is not given there the configuration decides. */
export const lookOptionsOf = ({ options }: Arguments, terminal: Terminal) => ({
  scan: options.deep ? ('deep' as const) : options.quick ? ('quick' as const) : undefined,
  sockets: unlessEmpty(options.socket),
  timeoutMs: options.timeout,
  home: options.home,
  formerHosts: options.formerHost,
  env: terminal.env,
  cwd: terminal.cwd,
  onNote: (note: string) => noteOnce(note, terminal),
});

const noted = new WeakMap<Terminal, Set<string>>();

/** A run may look several times; each note is printed once. */
const noteOnce = (note: string, terminal: Terminal): void => {
  const said = noted.get(terminal) ?? new Set();
  noted.set(terminal, said);
  if (said.has(note)) return;
  said.add(note);
  terminal.stderr.write(notice(note, terminal.stderr));
};

/** What every diagnosis takes from the command line. Throws `E_USAGE` and `E_IO` for saved evidence that cannot be read. */
export const diagnoseOptionsOf = async (given: Arguments, terminal: Terminal): Promise<DiagnoseOptions> => {
  const { fromSnapshot, plugin, only, skip, worker, failOn } = given.options;
  const saved =
    fromSnapshot === undefined
      ? undefined
      : (await import('./read-snapshot.ts')).readSnapshot(fromSnapshot, terminal.cwd);
  return {
    ...lookOptionsOf(given, terminal),
    saved,
    command: given.command,
    plugins: plugin,
    only,
    skip,
    workers: unlessEmpty(worker),
    failOn,
    ...heapKeeper(),
  };
};

const unlessEmpty = (list: readonly string[] = []): readonly string[] | undefined =>
  list.length === 0 ? undefined : list;

/** The town that the command line names; undefined leaves it to where we stand. Throws `E_USAGE` where it names two. */
export const townNamedBy = ({ options }: Arguments, positional: string | undefined): string | undefined => {
  const { town } = options;
  if (town !== undefined && positional !== undefined && town !== positional)
    throw usage(`the town is named twice: ${positional} and --town ${town}`);
  const named = positional ?? town;
  if (options.home && named !== undefined) throw usage(`--home and a town cannot be combined: ${named}`);
  return named;
};

/** The format of the report. */
export const formatOf = ({ options }: Arguments): Format =>
  options.json ? 'json' : (options.format ?? 'text');
