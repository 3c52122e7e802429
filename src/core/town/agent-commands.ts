/** Which commands are agents, and which merely stand around in a worker's directory, by the table of `known-programs.ts`. */
import { AGENT_PROGRAMS, BYSTANDER_PROGRAMS, LOCK_HELPERS, SHELLS } from '../programs/known-programs.ts';

const AGENTS = new Set(AGENT_PROGRAMS.flatMap(({ names }) => names));
const BYSTANDERS = new Set(
  BYSTANDER_PROGRAMS.flatMap(({ names }) => names).filter((name) => !SHELLS.includes(name)),
);

/** Some agents are installed as a file named after their version; that is what the kernel and tmux then show. */
const VERSION_NAME = /^\d+\.\d+\.\d+([-+.][0-9A-Za-z.-]+)?$/;

/** True where one of the names is a known agent command. `extra`: names from configuration and GT_PROCESS_NAMES. */
export const isAgentCommand = (names: readonly string[], extra: readonly string[]): boolean =>
  names.some((name) => AGENTS.has(name) || extra.includes(name) || VERSION_NAME.test(name));

/** The command names that a `GT_PROCESS_NAMES` value lists. */
export const namesIn = (list: string | undefined): readonly string[] =>
  (list ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

export const isLockHelper = (names: readonly string[]): boolean =>
  names.some((name) => LOCK_HELPERS.includes(name));

export const isShell = (command: string): boolean => SHELLS.includes(command.replace(/^-/, ''));

/** An editor, pager or dev server: named in the evidence, never an agent. */
export const isBystander = (command: string): boolean => BYSTANDERS.has(command);
