/**
 * Classifies a process at work in a worker's place: an agent (counts as life), a bystander, infrastructure or left behind (these
 * do not count), or an unknown program (doubt). A process is only left out where something shows that it is not an agent.
 */
import { MAX_ANCESTORS } from '../pid.ts';
import { remembering } from '../remembering.ts';
import type { ProcessInfo } from '../types/evidence.ts';
import { classifyNames, isListed, namesIn, tellingNames, type Vocabulary } from './by-name.ts';
import { A_PROMPT } from './known-programs.ts';

export type ProgramClass = 'agent' | 'bystander' | 'infrastructure' | 'left-behind' | 'unknown';

interface Classification {
  readonly class: ProgramClass;
  /** For a sentence: `an editor`, `Claude Code's daemon`. */
  readonly why: string;
  /** What it starts is a part of it, and does not count either. */
  readonly startsOnlyItsOwn?: boolean | undefined;
}

const UNKNOWN: Classification = { class: 'unknown', why: 'not known' };

const LEFT_BEHIND: Classification = {
  class: 'left-behind',
  why: 'left behind by whoever started it',
};

/** What a dev server calls its script. Any other program without a terminal may be an agent that nohup, cron or a fork detached. */
const SERVER = 'server';

const NAMED_BY_ITSELF: Classification = {
  class: 'agent',
  why: 'named by GT_PROCESS_NAMES',
};

const WAITING_SHELL: Classification = {
  class: 'bystander',
  why: 'a shell that waits for what it started',
};

/** A shell that runs code counts by the code, as one that runs a script counts by the script, but the code has no name. */
const namesWithCode = ({ names, code }: ProcessInfo): readonly string[] =>
  code === undefined ? names : [...names, `${names[0] ?? 'sh'} ${code === 'input' ? '-s' : '-c'}`];

/**
 * Classifies one process by itself. The best evidence comes first: a registry, its arguments, its names, and whether it was left
 * behind. An interpreter's own name counts last, because Gas Town lists `node` for whatever runs under it.
 */
const classifyAlone = (
  process: ProcessInfo,
  { agents: listed, bystanders = [] }: Vocabulary,
): Classification => {
  const { names, role, registered, leftBehind } = process;
  if (registered !== undefined) return { class: 'agent', why: `registered by ${registered.tool}` };
  if (role?.class === 'infrastructure') return { ...role, startsOnlyItsOwn: true };
  const named = classifyNames(namesWithCode(process), { agents: listed, bystanders });
  if (named?.class === 'agent') return named;
  if (role !== undefined) return { ...role, startsOnlyItsOwn: role.why !== A_PROMPT };
  if (named !== null) return named;
  if (leftBehind === true && tellingNames(names).includes(SERVER)) return LEFT_BEHIND;
  return names.some((name) => isListed(name, listed)) ? NAMED_BY_ITSELF : UNKNOWN;
};

const NO_WORDS: readonly string[] = [];

/** `GT_PROCESS_NAMES` of the process itself, else of the nearest one that it runs under. */
const wordsFor = (process: ProcessInfo, processes: ReadonlyMap<number, ProcessInfo>): readonly string[] => {
  let member: ProcessInfo | undefined = process;
  for (let depth = 0; member !== undefined && depth < MAX_ANCESTORS; depth += 1) {
    const list = member.environment?.GT_PROCESS_NAMES;
    if (list !== undefined) return namesIn(list);
    member = processes.get(member.ppid);
  }
  return NO_WORDS;
};

export type Classifier = (process: ProcessInfo) => Classification;

/** Answers whether two working directories are at the place of the same worker; the paths are absolute. */
type PlaceRule = (one: string, other: string) => boolean;

const isBeside = (one: ProcessInfo, other: ProcessInfo, isSamePlace: PlaceRule): boolean =>
  one.cwd?.seen === true && other.cwd?.seen === true && isSamePlace(one.cwd.value, other.cwd.value);

const IS_SAME: PlaceRule = (one, other) => one === other;

/**
 * Classifies the processes of one snapshot, each once. A program that nothing else explains is a part of the bystander that
 * started it at its own worker, through shells and package managers: a worker of a test runner, the server of `npm run dev`.
 * Elsewhere it may be an agent that a server or a test has sent there. A shell whose commands end with what they
 * have started counts by that; one with a loop may start the next agent.
 */
export const classifier = (
  processes: ReadonlyMap<number, ProcessInfo>,
  vocabulary: Vocabulary,
  isSamePlace: PlaceRule = IS_SAME,
): Classifier => {
  const alone = remembering((process: ProcessInfo): Classification => {
    const words = wordsFor(process, processes);
    return classifyAlone(
      process,
      words === NO_WORDS ? vocabulary : { ...vocabulary, agents: [...vocabulary.agents, ...words] },
    );
  });
  let starters: ReadonlySet<number> | null = null;
  const hasStartedSome = (pid: number): boolean => {
    starters ??= new Set([...processes.values()].map(({ ppid }) => ppid));
    return starters.has(pid);
  };
  return (process) => {
    const own = alone(process);
    if (own.class !== 'unknown') return own;
    if (process.code === 'commands' && hasStartedSome(process.pid)) return WAITING_SHELL;
    let parent = processes.get(process.ppid);
    for (let depth = 0; parent !== undefined && depth < MAX_ANCESTORS; depth += 1) {
      const above = alone(parent);
      const isShell = parent.code !== undefined && above.class === 'unknown';
      if (above.class !== 'bystander' && !isShell) break;
      if (above.startsOnlyItsOwn && isBeside(process, parent, isSamePlace))
        return { ...above, why: `a part of ${above.why}` };
      parent = processes.get(parent.ppid);
    }
    return own;
  };
};

/** The name of a process for people: its script where it interprets one, `bash /dev/fd/63` where that has no name. */
export const programOf = (process: ProcessInfo): string => {
  const { names } = process;
  const [telling = 'a program without a name'] = tellingNames(namesWithCode(process));
  return telling.startsWith('/dev/fd/') && names[0] !== telling ? `${names[0]} ${telling}` : telling;
};

/** The name of an agent in evidence, with what a registry says of its session: `claude "fix-login" (busy)`. */
export const agentNameOf = ({ names, registered }: ProcessInfo): string => {
  if (registered === undefined) return names[0] ?? 'agent';
  const { tool, name, status } = registered;
  return `${tool}${name === null ? '' : ` "${name}"`}${status === null ? '' : ` (${status})`}`;
};
