/** The names a process goes by, and nothing else of its arguments: they may hold secrets, and snapshots are mailed. */
import { INTERPRETERS } from '../../core/town/agent-commands.ts';

interface Syntax {
  readonly programs: RegExp;
  /** Options whose value is the next argument. */
  readonly withValue: readonly string[];
  /** Options after which there is no script: the program text itself follows. */
  readonly withCode: RegExp;
  /** Words between the interpreter and its script. */
  readonly subcommands: readonly string[];
}

const NEVER = /^$/;

/** How the interpreters that agents are installed for read their command lines. */
const SYNTAXES: readonly Syntax[] = [
  {
    programs: /^(node|nodejs|npx)$/,
    withValue: [
      '-r',
      '--require',
      '--import',
      '--loader',
      '--experimental-loader',
      '-C',
      '--conditions',
      '--title',
    ],
    withCode: /^(-p?e|-p|--eval|--print)$/,
    subcommands: [],
  },
  {
    programs: /^(bun|deno)$/,
    withValue: ['-r', '--preload', '--cwd', '-c', '--config', '--import-map'],
    withCode: /^(-e|-p|--eval|--print|eval)$/,
    subcommands: ['run', 'x', 'serve'],
  },
  { programs: /^python[\d.]*$/, withValue: ['-W', '-X'], withCode: /^-[A-Za-z]*c$/, subcommands: [] },
  { programs: /^(ruby|perl)[\d.]*$/, withValue: ['-I', '-r'], withCode: /^-[A-Za-z]*[eE]$/, subcommands: [] },
  {
    programs: /^(ba|z|da|k|a)?sh$/,
    withValue: ['-o', '-O', '+O', '--rcfile', '--init-file'],
    withCode: /^-[A-Za-z]*c[A-Za-z]*$/,
    subcommands: [],
  },
];

const PLAIN: Syntax = { programs: NEVER, withValue: [], withCode: NEVER, subcommands: [] };

/**
 * Kernel command name, base name of argv[0] (a login shell's `-` taken off) and, for interpreters, the script's base
 * name with and without extension and the packages it lies in (the directories right below `node_modules/`, the scope
 * taken off). In this order, without doubles and empty ones.
 */
export const processNames = (comm: string, argv: readonly string[]): readonly string[] => {
  const program = baseName(argv[0] ?? '').replace(/^-/, '');
  const names = [comm, program];
  const interpreter = [program, comm].find(isInterpreter);
  const script = interpreter === undefined ? null : scriptOf(interpreter, argv);
  if (script !== null) names.push(...scriptNames(script));
  return [...new Set(names)].filter((name) => name !== '');
};

/** True for node, python3.11 and so on: what they are is decided by the script they run. */
export const isInterpreter = (command: string): boolean =>
  INTERPRETERS.includes(command) || INTERPRETERS.includes(command.replace(/[\d.]+$/, ''));

/** The first argument that is no option, or the module after `-m`; null where the program text is given instead. */
const scriptOf = (interpreter: string, argv: readonly string[]): string | null => {
  const syntax = SYNTAXES.find(({ programs }) => programs.test(interpreter)) ?? PLAIN;
  for (let at = 1; at < argv.length; at += 1) {
    const argument = argv[at] ?? '';
    if (argument === '-m' || argument === '--') return argv[at + 1] ?? null;
    if (syntax.withCode.test(argument)) return null;
    if (syntax.withValue.includes(argument)) at += 1;
    else if (argument !== '' && !/^[-+]/.test(argument) && !syntax.subcommands.includes(argument))
      return argument;
  }
  return null;
};

const scriptNames = (script: string): readonly string[] => {
  const parts = script.split('/').filter((part) => part !== '');
  const base = parts.at(-1) ?? '';
  const packages = parts.flatMap((part, index) => {
    if (part !== 'node_modules') return [];
    const next = parts[index + 1] ?? '';
    return [next.startsWith('@') ? (parts[index + 2] ?? '') : next];
  });
  return [base, base.replace(/(?<=.)\.[A-Za-z]+$/, ''), ...packages];
};

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
