/** Classifies a program by its names alone, with the table of `known-programs.ts` and the names that the user configured. */
import { startsWithDigit } from '../digits.ts';
import {
  AGENT_PROGRAMS,
  BYSTANDER_PROGRAMS,
  EXTENSION,
  groupWith,
  INFRASTRUCTURE_PROGRAMS,
  INTERPRETERS,
  isIn,
  type KnownPrograms,
  MCP_SERVER,
} from './known-programs.ts';

/** The programs that the user named: as agents (`agents`, `GT_PROCESS_NAMES`) and as bystanders (`bystanders`). */
export interface Vocabulary {
  readonly agents: readonly string[];
  readonly bystanders?: readonly string[];
}

/** The class that a name gives, with the reason. */
export interface NamedClass {
  readonly class: 'agent' | 'bystander' | 'infrastructure';
  readonly why: string;
  /** What it starts is a part of it. */
  readonly startsOnlyItsOwn?: boolean | undefined;
  readonly mayBeTitle?: boolean | undefined;
}

/**
 * A tool's name, of a program that is not shown to be the tool (`installed.ts`): `./watch`. It is in no table, and so proves
 * nothing.
 */
export const notTheTool = (name: string): string => `./${name}`;

/** True where the user's list has the name, or its program is called so and is not shown to be the tool of that name. */
export const isListed = (name: string, list: readonly string[]): boolean =>
  list.includes(name) || (name.startsWith('./') && list.includes(name.slice(2)));

/** What was found before: processes of the same program are many. */
const known = new Map<string, NamedClass | undefined>();

/** Far more names than one look meets; a run that never ends must not keep all that it ever met. */
const MAX_KNOWN = 1000;

/** What the table says of a name; an agent's name wins over the same name in another group. */
const inTable = (name: string): NamedClass | undefined => {
  if (known.has(name)) return known.get(name);
  const found =
    (isAgentName(name) ? named(name, 'agent', AGENT_PROGRAMS) : undefined) ??
    named(name, 'infrastructure', INFRASTRUCTURE_PROGRAMS) ??
    named(name, 'bystander', BYSTANDER_PROGRAMS);
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(name, found);
  return found;
};

const named = (
  name: string,
  kind: NamedClass['class'],
  groups: readonly KnownPrograms[],
): NamedClass | undefined => {
  const group = groupWith(name, groups);
  const { why, startsOnlyItsOwn, mayBeTitle } = group ?? {};
  return why === undefined ? undefined : { class: kind, why, startsOnlyItsOwn, mayBeTitle };
};

/** True for what evidence calls code without a name of its own: `bash -c`, `bash -s`, `/dev/fd/63`. */
const isNamelessCode = (word: string): boolean => /^(\S+ (-[cs]|\/dev\/fd\/\d+)|\/dev\/fd\/\d+)$/.test(word);

let agentNames: ReadonlySet<string> | null = null;

/** Agents' names alone: every process of the machine is compared with them. */
const isAgentName = (name: string): boolean => {
  // Joined first: when a literal is split, V8 looks up each part among all strings that it knows.
  agentNames ??= new Set(
    AGENT_PROGRAMS.flatMap(({ names }) => names)
      .join(' ')
      .split(' '),
  );
  return agentNames.has(name);
};

/** Some agents are installed as a file named after their version, and that is the name which the kernel and tmux show. */
const VERSION_NAME = /^\d+\.\d+\.\d+([-+.][0-9A-Za-z.-]+)?$/;

export const isVersion = (name: string): boolean => startsWithDigit(name) && VERSION_NAME.test(name);

const NAMED_AS_AGENT: NamedClass = { class: 'agent', why: 'named as an agent' };
const NAMED_AS_BYSTANDER: NamedClass = {
  class: 'bystander',
  why: 'named under "bystanders" in lock-doctor.json',
};
const BARE_VERSION: NamedClass = {
  class: 'agent',
  why: 'an agent whose file is named after its version',
};

/** True for node, python3.11, .nvim-wrapped and so on: what they are is decided by the script they run, if they run one. */
export const isInterpreter = (command: string): boolean =>
  INTERPRETERS.includes(command) ||
  INTERPRETERS.includes(withoutVersion(command)) ||
  (command.startsWith('.') && INTERPRETERS.includes(command.slice(1).replace(/-wrapped$/, '')));

/** What newer releases of Node call the thread that a process is known by. */
export const NODES_MAIN_THREAD = 'MainThread';

/** True for a program that a name in the configuration tells from others: not for code without a name, nor for what runs it. */
export const canBeTaught = (program: string): boolean =>
  !isNamelessCode(program) && !isInterpreter(program) && program !== NODES_MAIN_THREAD;

/** Without the digits and dots at its end: `python3.11` is `python`. */
export const withoutVersion = (command: string): string => {
  let end = command.length;
  while (end > 0 && '.0123456789'.includes(command.charAt(end - 1))) end -= 1;
  return command.slice(0, end);
};

/** The names that tell what a process is: those of its script where it interprets one, else all of them. */
export const tellingNames = (names: readonly string[]): readonly string[] => {
  const own = names.filter((name) => !isInterpreter(name) && name !== NODES_MAIN_THREAD);
  return own.length === 0 ? names : own;
};

/**
 * The titles that programs write over their names and arguments: `npm run dev`, `next-server (v15)`, `tmux: server` and
 * `node (vitest 1)`. In any other title the first word proves nothing: `code agent: thinking` is not an editor.
 */
const TITLE =
  /^(?:(npm|ng) [\w-]+(?: |$)|(next-server) \(|node \((vitest)[ )]|(tmux|gunicorn|nginx|postgres|puma|sshd|sshd-session|ssh): )/;

/** `puma 6.4.2 (tcp://localhost:3000) [app]`: such a title may end with a path, which is not the program's. */
const TITLE_WITH_VERSION = /^(puma|sidekiq|PM2) v?\d+\./;

// A pattern is compiled when it is met, and nearly all names are one word.
export const isTitleWithVersion = (text: string): boolean =>
  text.includes(' ') && TITLE_WITH_VERSION.test(text);

/** What such a title tells; an agent counts by the first word of any title. */
const classInTitle = (title: string): NamedClass | undefined => {
  if (!title.includes(' ')) return undefined;
  const [, ...found] = TITLE.exec(title) ?? TITLE_WITH_VERSION.exec(title) ?? [];
  const name = found.find((part) => part !== undefined);
  if (name !== undefined) return inTable(name);
  const first = inTable(/^\S*?(?=:? )/.exec(title)?.[0] ?? '');
  return first?.class === 'agent' ? first : undefined;
};

const isMcpServer = (name: string): boolean =>
  (name.includes('mcp') || name.startsWith('@')) && !name.includes(' ') && MCP_SERVER.names.test(name);

const isExtension = (name: string): boolean =>
  name.startsWith('extensions/') && isIn(EXTENSION.publishers, name.slice(11, name.indexOf('.')));

const knownAs = (name: string): NamedClass | undefined =>
  inTable(name) ??
  classInTitle(name) ??
  (isMcpServer(name) ? MCP_SERVER : isExtension(name) ? EXTENSION : undefined);

/** Bytes that Linux keeps of a name; macOS keeps one more. */
const KERNEL_NAME_LENGTH = 15;

const isKernelNameOf = (file: string, kernel: string): boolean =>
  file === kernel || (kernel.length >= KERNEL_NAME_LENGTH && file.startsWith(kernel));

/**
 * True for a name that only `argv[0]` claims. The kernel's name stands first and says which file runs, while `argv[0]` is
 * whatever its starter wrote: `exec -a vim my-agent` does not make an editor. A wrapper (`.nvim-wrapped` on NixOS) counts by the
 * program's name, and a script by its own names.
 */
const isBorrowed = (name: string, names: readonly string[]): boolean => {
  const [kernel = ''] = names;
  if (knownAs(kernel) !== undefined || kernel === NODES_MAIN_THREAD || names.some(isInterpreter))
    return false;
  return ![name, `.${name}-wrapped`, `.${name}-real`].some((file) => isKernelNameOf(file, kernel));
};

/**
 * What the names tell; null where they tell nothing. Names that the user configured come before the table's, and an
 * agent's name comes before all others.
 */
export const classifyNames = (
  names: readonly string[],
  { agents, bystanders = [] }: Vocabulary,
): NamedClass | null => {
  const telling = tellingNames(names);
  if (telling.some((name) => isListed(name, agents))) return NAMED_AS_AGENT;
  if (telling.some((name) => isListed(name, bystanders))) return NAMED_AS_BYSTANDER;
  const known = telling.flatMap((name) => knownAs(name) ?? []);
  const agent = known.find((one) => one.class === 'agent');
  if (agent !== undefined) return agent;
  if (telling.some(isVersion)) return BARE_VERSION;
  const nobody = telling.find((name) => knownAs(name) !== undefined);
  return nobody === undefined || isBorrowed(nobody, names) ? null : (knownAs(nobody) ?? null);
};

/**
 * True where one of the names may be an agent's. Quick, for it is asked of all processes of the machine; generous, since every
 * process that passes is classified later. `extra`: names from configuration and GT_PROCESS_NAMES.
 */
export const isAgentCommand = (names: readonly string[], extra: readonly string[]): boolean =>
  names.some((name) => isAgentName(name) || isListed(name, extra) || isVersion(name));

/** The command names that a `GT_PROCESS_NAMES` value lists. */
export const namesIn = (list: string | undefined): readonly string[] =>
  (list ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
