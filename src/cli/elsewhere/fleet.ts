/** The commands over several machines: which are meant, and the use cases of `src/fleet/`. Loaded only where one is named. */
import { readFileSync } from 'node:fs';
import type { Report } from '../../core/types/report.ts';
import { type DiagnoseOptions, type Preparation, prepare } from '../../diagnose.ts';
import { DEADLINE_MS } from '../../fleet/ask.ts';
import { askUndo } from '../../fleet/ask-undo.ts';
import { commandThere } from '../../fleet/command-there.ts';
import { examineFleet, type FleetDiagnosis, type FleetLook } from '../../fleet/examine-fleet.ts';
import { healFleet } from '../../fleet/heal-fleet.ts';
import { type Chosen, chooseMachines } from '../../fleet/machine.ts';
import { readUserMachines } from '../../fleet/user-config.ts';
import type { HealRun } from '../../heal.ts';
import type { FoundTown } from '../../look.ts';
import type { There } from '../../reporters/history/elsewhere-text.ts';
import type { Arguments } from '../arguments/arguments.ts';
import { usage } from '../arguments/usage.ts';
import { notice } from '../terminal/notice.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { userConfigFile } from './asks-others.ts';

/** The machines that a command line means, out of the town's configuration and the user's. Throws `E_USAGE` and `E_CONFIG`. */
export const machinesFor = (
  { options }: Arguments,
  { env, stderr }: Terminal,
  place: FoundTown | null,
): Chosen => {
  const own = userConfigFile(env);
  const user = own === null ? {} : readUserMachines(own, (note) => stderr.write(notice(note, stderr)));
  const known = { ...user, ...(place?.config.machines ?? {}) };
  return chooseMachines(options.on ?? [], known, place?.town.root ?? '/', options.send ?? false);
};

/** How others are asked, whatever they are asked. */
export const askingOf = ({ options }: Arguments) => ({
  deadlineMs: options.deadline === undefined ? DEADLINE_MS : options.deadline * 1000,
  collector: readCollector,
});

/** Made by the build, beside the program. */
const readCollector = (): string => readFileSync(new URL('./collector.js', import.meta.url), 'utf8');

const refuseSaved = ({ options }: Arguments): void => {
  if (options.fromSnapshot !== undefined) throw usage('--on and --from-snapshot cannot be combined');
  if (options.saveSnapshot !== undefined) throw usage('--on and --save-snapshot cannot be combined');
};

/** A diagnosis over all machines that are meant; with what people read, where every row has its machine's name. */
export const diagnoseFleet = async (
  given: Arguments,
  terminal: Terminal,
  preparation: Preparation,
  options: DiagnoseOptions & Pick<FleetLook, 'keepEvidence'>,
): Promise<FleetDiagnosis> => {
  refuseSaved(given);
  const { machines } = machinesFor(given, terminal, preparation.place);
  return examineFleet(preparation, { ...options, ...askingOf(given), machines });
};

/** `--fix --on`: takes the place of `heal`, with the same options. */
export const healOn =
  (given: Arguments, terminal: Terminal) =>
  async (town: string | undefined, options: HealRun): Promise<Report> => {
    refuseSaved(given);
    if (options.exactly !== undefined) throw usage('--lock is for one machine: use --worker with --on');
    const preparation = await prepare(town, options);
    const { machines, named } = machinesFor(given, terminal, preparation.place);
    return healFleet(preparation, { ...options, ...askingOf(given), machines, named });
  };

/** `undo --on`: one machine and one of its towns, so that nobody restores more than they mean to. */
export const undoOn = async (given: Arguments, terminal: Terminal, place: FoundTown) => {
  const [id = null] = given.positionals;
  const { machines, named } = machinesFor(given, terminal, place);
  const [machine, ...others] = machines.filter(({ name }) => named.includes(name));
  const [root, ...towns] = machine?.towns ?? [];
  if (machine === undefined || root === undefined || others.length > 0 || towns.length > 0)
    throw usage('undo works on one machine and in one town at a time', 'doctor undo ID --on MACHINE:TOWN');
  terminal.finishFirst();
  const { deadlineMs } = askingOf(given);
  const undone = await askUndo(machine, root, id, { deadlineMs, env: terminal.env });
  const there: There = {
    nameOf: (path) => `${machine.name}:${path}`,
    undo: (release, at) =>
      commandThere([machine], new Map([[machine.name, at]]), { place })(machine.name, [
        'doctor',
        'undo',
        release,
      ]),
  };
  return { ...undone, root, machine: machine.name, there };
};
