/** Shells that run code without a name: from their command line, or from a standard input that is no terminal. */
import { MAX_ANCESTORS } from '../../core/pid.ts';
import { startsNoAgent } from '../../core/programs/by-arguments.ts';
import { isInterpreter } from '../../core/programs/by-name.ts';
import { isShell } from '../../core/programs/known-programs.ts';
import type { ShellCode } from '../../core/types/evidence.ts';
import { invocationOf, programName } from './process-names.ts';
import type { ProcessDetails, ProcessRow, ProcessTable } from './row.ts';

/**
 * A loop, in any shell's syntax; also in text that is given to `eval`. A sentence about loops looks like one as well, which only
 * adds doubt.
 */
const LOOP = /(?:^|[\s;&|(){}'"`])(?:while|until|for|foreach|select|repeat|loop)\b/;
const BODY = /\bdo\b|\bend\b|\{/;

/** Two patterns, because one of both would search the rest of a long prompt again for each `for` in it. */
const hasLoop = (code: string): boolean => {
  const start = LOOP.exec(code);
  return start !== null && BODY.test(code.slice(start.index + start[0].length));
};

/** What a project tells what to start: between two rounds of a loop over words no time passes, unless one of them waits. */
const BUILDS = ['make', 'gmake', 'git', 'cargo', 'go', 'sed'];

const WAITS = ['sleep', 'read', 'wait', 'inotifywait', 'ping'];

/** What stands between two commands, also within a substitution. */
const BETWEEN_COMMANDS = /[;&|(){}`\n]+|(?<=^|\s)(?:do|then|else|elif|if|while|until|!)(?=\s|$)/;

/**
 * True for code that can start no agent, in a loop or not. A word that only looks like a command adds doubt, and so does a command
 * whose name is not written out.
 */
const isMadeOfTools = (code: string): boolean => {
  const commands = code
    .replaceAll('\\\n', ' ')
    .split(BETWEEN_COMMANDS)
    .map((part) => part.trim().replace(/^(\w+=[^\s'"]*(\s+|$))+/, ''))
    .filter((part) => part !== '');
  // The list of `for` is no command, but only a list of words ends.
  const rest = commands
    .filter((part) => !/^for \w+( in [^\d]|$)/.test(part))
    .map((part) => part.split(/\s+/))
    .filter((words) => !startsNoAgent(words));
  if (rest.length === 0) return true;
  return (
    rest.every(([word = '']) => BUILDS.includes(word)) &&
    !/\b(while|until|seq)\b/.test(code) &&
    !commands.some((part) => WAITS.includes(part.split(/\s/)[0] ?? ''))
  );
};

/** What `doctor exec` calls the shell in which its command waits: that shell starts nothing but the command, whose place it takes. */
export const GATE = 'doctor-gate';

/** Undefined for any other program, and for a shell that runs a script with a name or takes its orders from a person. */
export const shellCodeOf = (
  row: ProcessRow,
  table: Pick<ProcessTable, 'rows'> & {
    readonly details: Pick<ProcessDetails, 'argv' | 'readsTerminal' | 'hasPrompt' | 'isForkOf'>;
  },
  depth = 0,
): ShellCode | undefined => {
  const { rows, details } = table;
  const argv = details.argv(row.pid);
  const interpreter = [programName(argv), row.comm].find(isInterpreter);
  if (interpreter === undefined || !isShell(interpreter)) return undefined;
  const { script, code } = invocationOf(interpreter, argv);
  if (code > 0 && argv[code + 2] === GATE) return undefined;
  if (code > 0) {
    if (isMadeOfTools(argv[code + 1] ?? '')) return undefined;
    return hasLoop(argv.slice(code).join(' ')) ? 'loop' : 'commands';
  }
  if (script > 0 || argv.length === 0 || argv.some(isInteractive)) return undefined;
  // A shell in the background of a terminal is a helper of the person's shell, as prompts start them, or that person's job.
  const isOnItsOwn = row.inForeground === true || row.leader === row.pid || row.hasTerminal === false;
  if (!isOnItsOwn || (details.readsTerminal(row.pid) ?? row.hasTerminal ?? true)) return undefined;
  if (isAtPrompt(row, details)) return undefined;
  // In `tail -f log | while read …` a part of a shell reads what the code of the whole tells it to, and no code.
  const whole = rows.get(row.ppid);
  return whole !== undefined && depth < MAX_ANCESTORS && details.isForkOf(row.pid, whole.pid)
    ? shellCodeOf(whole, table, depth + 1)
    : 'input';
};

/**
 * The last part of a pipeline in zsh is that shell itself, with the pipe as its input for so long. Daemons ignore as many signals,
 * and have no terminal.
 */
const isAtPrompt = (
  { pid, hasTerminal }: ProcessRow,
  { hasPrompt }: Pick<ProcessDetails, 'hasPrompt'>,
): boolean => hasTerminal === true && hasPrompt(pid);

const isInteractive = (argument: string): boolean => /^(-[A-Za-z]*i[A-Za-z]*|--interactive)$/.test(argument);
