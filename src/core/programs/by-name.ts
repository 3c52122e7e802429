/** What a program counts as by its names alone, by the table of `known-programs.ts` and the words of the user. */
import {
  AGENT_PROGRAMS,
  BYSTANDER_PROGRAMS,
  INFRASTRUCTURE_PROGRAMS,
  INTERPRETERS,
  type KnownPrograms,
} from './known-programs.ts';

/** The programs that the user named: with `agents` and `GT_PROCESS_NAMES`, and with `bystanders`. */
export interface Vocabulary {
  readonly agents: readonly string[];
  readonly bystanders?: readonly string[];
}

/** What a name told, with the reason. */
export interface NamedClass {
  readonly class: 'agent' | 'bystander' | 'infrastructure';
  readonly why: string;
  /** What it starts is a part of it. */
  readonly startsOnlyItsOwn: boolean;
}

const KNOWN = new Map<string, NamedClass>();

/** Loops, not lists of lists: every start of the doctor pays for this. */
const know = (groups: readonly KnownPrograms[], kind: NamedClass['class']): void => {
  for (const { names, why, startsOnlyItsOwn = false } of groups) {
    const known: NamedClass = { class: kind, why, startsOnlyItsOwn };
    for (const name of names) KNOWN.set(name, known);
  }
};

know(BYSTANDER_PROGRAMS, 'bystander');
know(INFRASTRUCTURE_PROGRAMS, 'infrastructure');
// Last: an agent's name is an agent's, whatever else bears it.
know(AGENT_PROGRAMS, 'agent');

/** Some agents are installed as a file named after their version; that is what the kernel and tmux then show. */
const VERSION_NAME = /^\d+\.\d+\.\d+([-+.][0-9A-Za-z.-]+)?$/;

const NAMED_AS_AGENT: NamedClass = { class: 'agent', why: 'named as an agent', startsOnlyItsOwn: false };
const NAMED_AS_BYSTANDER: NamedClass = {
  class: 'bystander',
  why: 'named under "bystanders" in lock-doctor.json',
  startsOnlyItsOwn: false,
};
const BARE_VERSION: NamedClass = {
  class: 'agent',
  why: 'an agent whose file is named after its version',
  startsOnlyItsOwn: false,
};

/** True for node, python3.11 and so on: what they are is decided by the script they run. */
export const isInterpreter = (command: string): boolean =>
  INTERPRETERS.includes(command) || INTERPRETERS.includes(command.replace(/[\d.]+$/, ''));

/** What newer releases of Node call the thread that a process is known by. */
export const NODES_MAIN_THREAD = 'MainThread';

/** The names that tell what a process is: those of its script where it interprets one, else all of them. */
export const tellingNames = (names: readonly string[]): readonly string[] => {
  const own = names.filter((name) => !isInterpreter(name) && name !== NODES_MAIN_THREAD);
  return own.length === 0 ? names : own;
};

/** Whoever writes a title over its arguments is called what that begins with: `npm run dev`, `next-server (v15)`, `tmux: server`. */
const firstWord = (name: string): string => /^\S*?(?=:? )/.exec(name)?.[0] ?? name;

/**
 * What the names tell; null where they tell nothing. The user's words come before the table's, and of all names that of an
 * agent counts first.
 */
export const classifyNames = (
  names: readonly string[],
  { agents, bystanders = [] }: Vocabulary,
): NamedClass | null => {
  const telling = tellingNames(names);
  if (telling.some((name) => agents.includes(name))) return NAMED_AS_AGENT;
  if (telling.some((name) => bystanders.includes(name))) return NAMED_AS_BYSTANDER;
  const known = telling.flatMap((name) => KNOWN.get(name) ?? KNOWN.get(firstWord(name)) ?? []);
  const agent = known.find((one) => one.class === 'agent');
  if (agent !== undefined) return agent;
  if (telling.some((name) => VERSION_NAME.test(name))) return BARE_VERSION;
  return known[0] ?? null;
};

/**
 * True where one of the names may be an agent's: quick, for all processes of the machine, and generous, for what it lets
 * through is classified. `extra`: names from configuration and GT_PROCESS_NAMES.
 */
export const isAgentCommand = (names: readonly string[], extra: readonly string[]): boolean =>
  names.some((name) => KNOWN.get(name)?.class === 'agent' || extra.includes(name) || VERSION_NAME.test(name));

/** The command names that a `GT_PROCESS_NAMES` value lists. */
export const namesIn = (list: string | undefined): readonly string[] =>
  (list ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
