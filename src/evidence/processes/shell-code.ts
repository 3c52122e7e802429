/** Shells that run code without a name: from their command line, or from a standard input that is no terminal. */
import { isInterpreter } from '../../core/programs/by-name.ts';
import { isShell } from '../../core/programs/known-programs.ts';
import type { ShellCode } from '../../core/types/evidence.ts';
import { invocationOf, programName } from './process-names.ts';
import type { ProcessDetails, ProcessRow } from './row.ts';

/**
 * A loop, in any shell's syntax; also in text that is given to `eval`. A sentence about loops looks like one as well, which only
 * adds doubt.
 */
const LOOP = /(?:^|[\s;&|(){}'"`])(?:while|until|for|foreach|select|repeat|loop)\b.*(?:\bdo\b|\bend\b|\{)/s;

/** What `doctor exec` calls the shell in which its command waits: that shell starts nothing but the command, whose place it takes. */
export const GATE = 'doctor-gate';

/** Undefined for any other program, and for a shell that runs a script with a name or takes its orders from a person. */
export const shellCodeOf = (
  row: ProcessRow,
  details: Pick<ProcessDetails, 'argv' | 'readsTerminal'>,
): ShellCode | undefined => {
  const argv = details.argv(row.pid);
  const interpreter = [programName(argv), row.comm].find(isInterpreter);
  if (interpreter === undefined || !isShell(interpreter)) return undefined;
  const { script, code } = invocationOf(interpreter, argv);
  if (code > 0 && argv[code + 2] === GATE) return undefined;
  if (code > 0) return LOOP.test(argv.slice(code).join(' ')) ? 'loop' : 'commands';
  if (script > 0 || argv.length === 0 || argv.some(isInteractive)) return undefined;
  // A shell in the background of a terminal is a helper of the person's shell, as prompts start them, or that person's job.
  const isOnItsOwn = row.inForeground === true || row.leader === row.pid || row.hasTerminal === false;
  return isOnItsOwn && !(details.readsTerminal(row.pid) ?? row.hasTerminal ?? true) ? 'input' : undefined;
};

const isInteractive = (argument: string): boolean => /^(-[A-Za-z]*i[A-Za-z]*|--interactive)$/.test(argument);
