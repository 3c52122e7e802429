/**
 * What the arguments of a process tell where its names do not suffice. The arguments are not kept: only the class and its
 * reason go into a snapshot.
 */
import type { ProcessRole } from '../types/evidence.ts';
import { classifyNames, NODES_MAIN_THREAD, tellingNames, withoutVersion } from './by-name.ts';
import {
  A_PROMPT,
  DIRECTORY_ARGUMENTS,
  HARMLESS_COMMANDS,
  HARMLESS_PROGRAMS,
  INFRASTRUCTURE_ARGUMENTS,
  isIn,
  PROMPTS,
} from './known-programs.ts';

/**
 * Scripts that start a dev server, a watcher or a test when given to `npm run` and similar tools, alone or for a usual part of an
 * application: `dev:agent` may start an agent, and so may `start` in an agent's own repository.
 */
const DEV_SCRIPT =
  /^(dev|serve|preview|watch|test|build|lint|format|fmt|check|clippy|vet|typecheck|storybook)([:-](all|api|app|assets|backend|ci|client|coverage|css|debug|dev|docs|e2e|fix|frontend|integration|js|prod|production|server|types|ui|unit|watch|web))*$/;

export const isDevScript = (word: string): boolean => DEV_SCRIPT.test(word);

/** Those that run scripts of a project, with the options whose value is the next argument. */
const PACKAGE_MANAGERS: Readonly<Record<string, readonly string[]>> = {
  npm: ['--prefix', '-C', '-w', '--workspace'],
  pnpm: ['-C', '--dir', '-F', '--filter'],
  yarn: ['--cwd'],
  bun: ['--cwd', '-F', '--filter'],
  deno: ['--cwd'],
};

/** Options before a command without a value of their own; behind any other one may stand what is no command. */
const FLAG = /^(-[rs]|--(recursive|silent|parallel|stream|bun|hot|watch)|--[a-z]+=.*)$/;

/** Options that name a program to start: `find . -exec my-agent {} +`. */
const STARTS_WHAT_IT_IS_TOLD = /^(-(exec|execdir|ok|okdir)|--(exec|pre|compress-program)\b.*)$/;

/** Commands of tools that otherwise start what they are told; no alias of git's can take the place of its own. */
const READING: Readonly<Record<string, string>> = {
  git: 'status log diff show branch fetch add rm blame grep shortlog rev-parse rev-list ls-files ls-remote ls-tree describe tag',
  tmux: 'ls list-sessions list-windows list-panes capture-pane',
};

/** Of these only the first word is a command of their own; of other build tools, each word may be what a project calls so. */
const WITH_COMMANDS = ['cargo', 'go', 'dotnet'];

const isTarget = (word: string): boolean => !word.startsWith('-') && !word.includes('=');

/**
 * True for a command that can start no agent, however often it runs: in a shell's code, and in what `watch` and its like repeat.
 * A build tool starts what a project tells it, unless its target is a usual one.
 */
export const startsNoAgent = ([name = '', ...given]: readonly string[]): boolean => {
  if (name === '' || isIn(HARMLESS_PROGRAMS, name))
    return !given.some(
      (word) => STARTS_WHAT_IT_IS_TOLD.test(word) || (name === 'fd' && word.toLowerCase() === '-x'),
    );
  if (Object.hasOwn(READING, name)) return isIn([READING[name] ?? ''], behindOptions(given, ['-C'])[0] ?? '');
  if (name === 'awk') return !given.some((word) => /["\\]|system/.test(word));
  if (roleByArguments([name], given) !== undefined) return true;
  const known = classifyNames([name], { agents: [] });
  if (known?.why === 'a build tool') {
    const targets = given.filter(isTarget);
    return (
      targets.length > 0 && (WITH_COMMANDS.includes(name) ? targets.slice(0, 1) : targets).every(isDevScript)
    );
  }
  return (
    known !== null &&
    known.class !== 'agent' &&
    (known.startsOnlyItsOwn === true || known.why === 'a remote shell')
  );
};

const DEV_SERVER: ProcessRole = { class: 'bystander', why: 'a dev server or a test' };

const behindOptions = (words: readonly string[], withValue: readonly string[] = []): readonly string[] => {
  const [first = ''] = words;
  if (FLAG.test(first)) return behindOptions(words.slice(1), withValue);
  return withValue.includes(first) ? behindOptions(words.slice(2), withValue) : words;
};

/** `docker compose -f all.yml up`, `kubectl -n web port-forward …`. */
const harmlessCommand = (names: readonly string[], given: readonly string[]): ProcessRole | undefined => {
  const known = HARMLESS_COMMANDS.find(({ of }) => of.some((name) => names.includes(name)));
  if (known === undefined) return undefined;
  const { why, commands, withValue } = known;
  const words = behindOptions(given, withValue);
  const [command = ''] = words[0] === 'compose' ? behindOptions(words.slice(1), withValue) : words;
  return commands.split(' ').includes(command) ? { class: 'bystander', why } : undefined;
};

const PROMPT: ProcessRole = { class: 'bystander', why: A_PROMPT };

/** Options of a prompt that load nothing. */
const OF_A_PROMPT = /^-[qiBE]+$/;

/**
 * The role of an interpreter that was given nothing to run, where a person types what it is to do.
 *
 * @param isAtTerminal whether it is in the foreground of a terminal and reads that
 */
export const roleOfPrompt = (
  names: readonly string[],
  given: readonly string[],
  isAtTerminal: () => boolean,
): ProcessRole | undefined =>
  given.every((word) => OF_A_PROMPT.test(word)) &&
  tellingNames(names).every((name) => PROMPTS.includes(withoutVersion(name)) || name === NODES_MAIN_THREAD) &&
  isAtTerminal()
    ? PROMPT
    : undefined;

/** `npm run dev`, `pnpm --filter web dev`, `yarn test:watch`; npm writes it over its arguments as one word. */
const runsDevScript = (names: readonly string[], given: readonly string[]): boolean => {
  // The kernel's name comes first, and is cut.
  const title = names.findLast((name) => name.startsWith('npm '))?.split(' ');
  const manager = title?.[0] ?? names.find((name) => Object.hasOwn(PACKAGE_MANAGERS, name));
  // With another name besides its own, a runtime runs a script, and the arguments are the script's.
  if ((manager === 'bun' || manager === 'deno') && names.some((name) => name !== manager)) return false;
  if (manager === undefined) return false;
  const withValue = PACKAGE_MANAGERS[manager];
  const [command = '', ...behind] = behindOptions(title?.slice(1) ?? given, withValue);
  const runs = manager === 'deno' ? ['task'] : ['run', 'run-script'];
  if (runs.includes(command)) return isDevScript(behindOptions(behind, withValue)[0] ?? '');
  if (manager === 'npm' || manager === 'deno') return command === 'test' || command === 't';
  return isDevScript(manager === 'yarn' && command === 'workspace' ? (behind[1] ?? '') : command);
};

/**
 * @param names names that the process goes by
 * @param given its arguments, without the program and without the script that an interpreter runs
 */
export const roleByArguments = (
  names: readonly string[],
  given: readonly string[],
): ProcessRole | undefined => {
  const known = INFRASTRUCTURE_ARGUMENTS.find(
    ({ of, begins }) =>
      begins.every((word, at) => given[at] === word) && of.some((name) => names.includes(name)),
  );
  if (known !== undefined) return { class: 'infrastructure', why: known.why };
  return runsDevScript(names, given) ? DEV_SERVER : harmlessCommand(names, given);
};

/**
 * The directory in which an agent was told to work, as it was written; null where none was, and for other programs.
 *
 * @param names names that the process goes by
 * @param given its arguments, without the program and without the script that an interpreter runs
 */
export const directoryGiven = (names: readonly string[], given: readonly string[]): string | null => {
  if (given.length === 0) return null;
  const syntax = DIRECTORY_ARGUMENTS.find(({ of }) => of.some((name) => names.includes(name)));
  if (syntax === undefined) return null;
  const { options, unlessCommands } = syntax;
  const end = given.indexOf('--');
  const words = end === -1 ? given : given.slice(0, end);
  for (const [at, word] of words.entries()) {
    if (options.includes(word)) return words[at + 1] ?? null;
    const option = options.find((one) => one.startsWith('--') && word.startsWith(`${one}=`));
    if (option !== undefined) return word.slice(option.length + 1);
  }
  const [first = '-'] = words;
  return unlessCommands === undefined || first.startsWith('-') || isIn(unlessCommands, first) ? null : first;
};
