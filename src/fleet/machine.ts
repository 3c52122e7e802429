/**
 * The machines that a run asks: out of `--on` and the configuration, each with the argument vector that reaches it. What is run
 * there is an argument vector too; only ssh, which joins its words with blanks for a shell, gets them quoted once more.
 */
import type { MachineConfig } from '../config.ts';
import { Failure } from '../core/failure.ts';
import { namesOf } from '../core/fleet/taker.ts';
import { HERE } from '../core/town/views.ts';
import { quoteCommand } from '../reporters/screen/shell-quote.ts';

/** A machine that can be asked. */
export interface Machine {
  /** Its name in the configuration, or what `--on` said. */
  readonly name: string;
  readonly reach: readonly string[];
  readonly towns: readonly string[];
  /** The machines that see one directory: `true` with this one, a text with each other; false for nobody. */
  readonly shared: boolean | string;
  /** Host names that its locks bear. */
  readonly hosts: readonly string[];
  readonly doctor: readonly string[];
  readonly send: boolean;
}

/** Machines that are asked at once: enough that the slowest one decides how long it takes, few enough for one host. */
export const MACHINES_AT_ONCE = 32;

/** Why a machine with `send` changes nothing. */
export const HAS_NO_DOCTOR = 'that machine has no doctor, only a collector that was sent';

/** Which machines a run concerns. */
export interface Chosen {
  /** All that are asked: those that were named, and those that share a directory with one of them. */
  readonly machines: readonly Machine[];
  /** Names of those that were named, `here` among them: a repair acts on these and no other. */
  readonly named: readonly string[];
}

type Machines = Readonly<Record<string, MachineConfig>>;

/** What a name may be: it stands in keys, on screens and behind `--on`. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,99}$/;

/** What ssh takes for a host: it would read an option where one begins with a dash. */
const HOST = /^[A-Za-z0-9_[][A-Za-z0-9_.:@%[\]-]{0,254}$/;

const isSsh = (program: string | undefined): boolean => /(?:^|\/)ssh$/.test(program ?? '');

/** The host that an ssh command ends with; null for any other command. */
const hostOf = (reach: readonly string[]): string | null => (isSsh(reach[0]) ? (reach.at(-1) ?? null) : null);

const refuse = (code: 'E_USAGE' | 'E_CONFIG', message: string): Failure =>
  new Failure(code, message, 'See: doctor machines --help');

const checkReach = (name: string, reach: readonly string[], code: 'E_USAGE' | 'E_CONFIG'): void => {
  const [program = ''] = reach;
  if (program.startsWith('-')) throw refuse(code, `machine ${name}: "${program}" is not a command`);
  const host = hostOf(reach);
  if (host !== null && (reach.length < 2 || !HOST.test(host)))
    throw refuse(code, `machine ${name}: ssh needs a host name at its end; "${host}" is not one`);
  if (reach.some((word) => word.includes('\0')))
    throw refuse(code, `machine ${name}: a command holds no NUL`);
};

const configured = (name: string, config: MachineConfig, defaultTown: string): Machine => {
  if (!NAME.test(name) || name === HERE)
    throw refuse('E_CONFIG', `"${name}" cannot be the name of a machine`);
  checkReach(name, config.reach, 'E_CONFIG');
  const host = hostOf(config.reach);
  return {
    name,
    reach: config.reach,
    towns: config.towns ?? [defaultTown],
    shared: config.shared ?? false,
    hosts: namesOf(name, ...(host === null ? [] : [host]), ...(config.hosts ?? [])),
    doctor: config.doctor ?? ['doctor'],
    send: config.send ?? false,
  };
};

/** `mini2:/srv/gt`: a machine and one of its towns. A town whose path holds a blank or a colon has to be configured. */
const WITH_TOWN = /^(.+):(\/[^:\s]*)$/s;

/** What names a town of a machine behind `--on`; null where it cannot be said there. */
export const onTown = (name: string, town: string): string | null =>
  WITH_TOWN.exec(`${name}:${town}`)?.[1] === name ? `${name}:${town}` : null;

const splitTown = (value: string): { readonly name: string; readonly town: string | null } => {
  const found = WITH_TOWN.exec(value);
  return found === null ? { name: value, town: null } : { name: found[1] ?? '', town: found[2] ?? null };
};

/** A machine that nobody configured: one word is a host for ssh, several are the command that reaches it. */
const adHoc = (name: string, defaultTown: string): Machine => {
  const words = name.split(' ').filter((word) => word !== '');
  const [first = '', ...more] = words;
  const [, host = '', town = ''] = /^([^:\s]+):([^:\s]+)$/.exec(name) ?? [];
  if (town !== '')
    throw refuse('E_USAGE', `--on "${name}": the town needs an absolute path, as in --on ${host}:/${town}`);
  if (more.length === 0 && !HOST.test(first)) throw refuse('E_USAGE', `--on "${name}" is not a host name`);
  // It is split at its blanks and at nothing else: half a quoted word would be run.
  if (/['"\\]/.test(name))
    throw refuse(
      'E_USAGE',
      `--on "${name}" has quotes: write the command into "machines" in lock-doctor.json`,
    );
  const reach = more.length === 0 ? ['ssh', first] : words;
  checkReach(name, reach, 'E_USAGE');
  const named = hostOf(reach);
  const hosts = named === null ? [] : namesOf(named);
  return { name, reach, towns: [defaultTown], shared: false, hosts, doctor: ['doctor'], send: false };
};

/**
 * The machines that `--on` names, or all that are configured where it names none. Throws `E_USAGE` or `E_CONFIG` for what no
 * machine can be called or reached by.
 *
 * @param defaultTown where a machine's town is that names none: the path of ours
 */
export const chooseMachines = (
  on: readonly string[],
  known: Machines,
  defaultTown: string,
  send: boolean,
): Chosen => {
  const isKnown = (name: string): boolean => Object.hasOwn(known, name);
  const machineOf = (name: string): Machine => {
    const config = isKnown(name) ? known[name] : undefined;
    return config === undefined ? adHoc(name, defaultTown) : configured(name, config, defaultTown);
  };
  const chosen = new Map<string, Machine>();
  const values = on.length > 0 ? on : Object.keys(known);
  for (const value of values) {
    if (value === HERE) continue;
    const { name, town } = isKnown(value) ? { name: value, town: null } : splitTown(value);
    const machine = machineOf(name);
    const before = chosen.get(name);
    const towns = town === null ? machine.towns : [...(before?.towns ?? []), town];
    chosen.set(name, { ...machine, towns: [...new Set(towns)], send: machine.send || send });
  }
  const named = [...(on.length === 0 || on.includes(HERE) ? [HERE] : []), ...chosen.keys()];
  // Nothing is proven dead in a shared directory without all who may work in it.
  const groups = new Set([...chosen.values()].map(({ shared }) => shared));
  const others = Object.keys(known)
    .filter((name) => !chosen.has(name))
    .map(machineOf)
    .filter(({ shared }) => shared !== false && groups.has(shared));
  return { machines: [...chosen.values(), ...others], named };
};

/** The words that run a command on a machine, as a person would type them here. */
export const commandOn = ({ reach }: Machine, command: readonly string[]): readonly string[] =>
  isSsh(reach[0]) ? [...reach, quoteCommand(command)] : [...reach, ...command];

/**
 * The same for a program that waits for the answer: ssh never asks a question, and gives up on a machine that does not answer.
 *
 * @param connectSeconds how long ssh waits for a connection
 */
export const questionTo = (
  machine: Machine,
  command: readonly string[],
  connectSeconds: number,
): readonly string[] => {
  const [program = '', ...words] = commandOn(machine, command);
  if (!isSsh(program)) return [program, ...words];
  return [program, '-o', 'BatchMode=yes', '-o', `ConnectTimeout=${connectSeconds}`, ...words];
};
