/** The names a process goes by, and nothing else of its arguments: they may hold secrets, and snapshots are passed on. */
import { isDevScript, startsNoAgent } from '../../core/programs/by-arguments.ts';
import {
  isAgentCommand,
  isInterpreter,
  isTitleWithVersion,
  NODES_MAIN_THREAD,
  notTheTool,
} from '../../core/programs/by-name.ts';
import { isOwnName, isProgramsName, packagesIn, type Runner } from '../../core/programs/installed.ts';
import { baseName } from '../../io/disk/disk-path.ts';

interface Syntax {
  /** No pattern: V8 would compile one for each table before it comes to that of a shell. */
  readonly isFor: (program: string) => boolean;
  /** Options whose value is the next argument. */
  readonly withValue?: readonly string[];
  /** Options after which there is no script: the program text itself follows. A word that is no option is not compared. */
  readonly withCode?: RegExp;
  /** Words between the interpreter and its script. */
  readonly subcommands?: readonly string[];
  /** What a script is called, where other words may stand in its place. */
  readonly isScript?: (word: string) => boolean;
  /** Options that a script follows, where nothing else names one. */
  readonly scriptAfter?: readonly string[];
  /** Options are written in any case. */
  readonly anyCase?: true;
  /** Several options in one word, of which the last takes the next argument: `-euo pipefail`. */
  readonly lastWithValue?: RegExp;
  /** An option after which there is no script: the program text is read from standard input. */
  readonly fromInput?: RegExp;
}

/** A program of one of these names, with or without a version behind it. */
const versionOf =
  (...names: readonly string[]) =>
  (program: string): boolean =>
    names.some((name) => program.startsWith(name) && isVersion(program.slice(name.length)));

const isVersion = (text: string): boolean => {
  for (const letter of text) if (letter !== '.' && !(letter >= '0' && letter <= '9')) return false;
  return true;
};

/** How the interpreters that agents are installed for read their command lines. */
const SYNTAXES: readonly Syntax[] = [
  {
    isFor: (program) => ['node', 'nodejs', 'npx'].includes(program),
    withValue: '-r --require --import --loader --experimental-loader -C --conditions --title'.split(' '),
    withCode: /^(-p?e|-p|--eval|--print)$/,
  },
  {
    isFor: (program) => ['bun', 'deno'].includes(program),
    withValue: '-r --preload --cwd -c --config --import-map -F --filter'.split(' '),
    withCode: /^(-e|-p|--eval|--print)$/,
    subcommands: ['run', 'x', 'serve'],
    isScript: (word) => word !== 'task' && word !== 'eval' && !isDevScript(word),
  },
  { isFor: versionOf('python'), withValue: ['-W', '-X'], withCode: /^-[A-Za-z]*c$/ },
  { isFor: versionOf('ruby', 'perl'), withValue: ['-I', '-r'], withCode: /^-[A-Za-z]*[eE]$/ },
  {
    isFor: versionOf('sh', 'bash', 'zsh', 'dash', 'ksh', 'mksh', 'ash', 'tcsh', 'csh'),
    withValue: ['--rcfile', '--init-file'],
    withCode: /^-[A-Za-z]*c[A-Za-z]*$/,
    lastWithValue: /^[-+][A-Za-z]*[oO]$/,
    fromInput: /^-[A-Za-z]*s[A-Za-z]*$/,
  },
  {
    isFor: (program) => program === 'fish',
    withValue: '-C --init-command -d --debug -D -o --debug-output -f --features -p'.split(' '),
    withCode: /^(-[A-Za-z]*c|--command(=.*)?)$/,
  },
  {
    isFor: (program) => program === 'nu',
    withValue:
      '-e --execute -I --include-path -m --table-mode --config --env-config --plugin-config --plugins --log-level --log-target --log-include --log-exclude'.split(
        ' ',
      ),
    withCode: /^(-[A-Za-z]*c|--commands(=.*)?)$/,
  },
  {
    isFor: (program) => program === 'pwsh',
    withValue:
      '-executionpolicy -ex -ep -workingdirectory -wd -wo -windowstyle -w -settingsfile -configurationname -config -configurationfile -custompipename -cus -inputformat -inp -if -outputformat -o -of'.split(
        ' ',
      ),
    withCode: /^-(c|com[a-z]*|cwa|e|ec|enc[a-z]*)$/,
    anyCase: true,
  },
  {
    isFor: (program) => program === 'xonsh',
    withValue: ['-D', '--rc', '-st', '--shell-type'],
    withCode: /^-[A-Za-z]*c$/,
  },
  {
    isFor: (program) => program === 'elvish',
    withValue: ['-rc', '-db', '-sock', '-log', '-cpuprofile'],
    withCode: /^--?c$/,
  },
  {
    isFor: (program) => program === 'dotnet',
    withValue: [
      '--fx-version',
      '--roll-forward',
      '--additionalprobingpath',
      '--additional-deps',
      '--depsfile',
      '--runtimeconfig',
    ],
    subcommands: ['exec'],
    isScript: (word) => /\.(dll|exe)$/i.test(word),
  },
  {
    isFor: (program) => program === 'java',
    withValue: '-cp -classpath --class-path -p --module-path --add-modules --add-exports --add-opens'.split(
      ' ',
    ),
  },
  {
    isFor: versionOf('php'),
    withValue: ['-c', '-d', '-z'],
    withCode: /^-[rBRE]$/,
    fromInput: /^-S$/,
  },
  {
    isFor: (program) => ['ts-node', 'ts-node-dev', 'tsx'].includes(program),
    subcommands: ['watch'],
    withValue:
      '-r --require --import --tsconfig -P --project -C --compiler -O --compiler-options -I --ignore -D --ignore-diagnostics --cwd --dir --scope-dir --watch --ignore-watch'.split(
        ' ',
      ),
    withCode: /^(-p?e|-p|--eval|--print)$/,
  },
  {
    isFor: (program) => ['awk', 'gawk', 'mawk'].includes(program),
    scriptAfter: ['-f', '--file', '-E', '--exec'],
  },
  { isFor: (program) => program === 'emacs', scriptAfter: ['-script', '--script'] },
  { isFor: (program) => program === 'nvim', scriptAfter: ['-l'] },
];

const PLAIN: Syntax = { isFor: () => false };

/** Longest file name. A title that a process writes over its arguments may be longer. */
const MAX_NAME = 255;

interface CommandLine {
  readonly comm: string;
  readonly executable: FileReader;
  /** Indexes of the scripts of this process: of both where one runs the other, as in `node ts-node agent.ts`. */
  readonly scripts: readonly number[];
  readonly names: readonly string[];
}

/** Of the arguments that were asked about: a look reads those of a process once, and asks for its names several times. */
const known = new WeakMap<readonly string[], CommandLine>();

const UNREAD = (): null => null;

const commandLineOf = (
  comm: string,
  argv: readonly string[],
  executable: FileReader = UNREAD,
  target: LinkReader = UNREAD,
): CommandLine => {
  const before = known.get(argv);
  if (before?.comm === comm && (before.executable !== UNREAD || executable === UNREAD)) return before;
  const scripts = scriptsOf(comm, argv);
  const found = { comm, executable, scripts, names: namesIn(comm, argv, scripts, executable, target) };
  known.set(argv, found);
  return found;
};

/** Reads which file a process runs; null where that cannot be read. */
export type FileReader = () => string | null;

/** Reads which file the path of a process's script leads to; null where that cannot be told. */
type LinkReader = (script: string) => string | null;

/**
 * Kernel command name, base name of argv[0] (a login shell's `-` taken off) and, for interpreters, the script's base
 * name with and without extension and the packages it lies in. In this order, without doubles and empty ones. The name of a tool is
 * `./name` where the program is not shown to be that tool; `executable` and `target` are asked only where that depends on them.
 */
export const processNames = (
  comm: string,
  argv: readonly string[],
  executable?: FileReader,
  target?: LinkReader,
): readonly string[] => commandLineOf(comm, argv, executable, target).names;

const namesIn = (
  comm: string,
  argv: readonly string[],
  [first, ...inner]: readonly number[],
  executable: FileReader,
  target: LinkReader,
): readonly string[] => {
  const program = argv[0] ?? '';
  const script = first === undefined ? '' : (argv[first] ?? '');
  const ofScript =
    first === undefined
      ? []
      : scriptNames(script, {
          paths: [program, comm],
          executable,
          target: () => target(script),
          isModule: argv[first - 1] === '-m',
        });
  const repeated = programsRepeated(argv);
  const unknown = repeated.find((name) => !isAgentCommand([name], []));
  const own = namesOfProgram(comm, argv, ofScript, executable);
  const names = [
    // Such a program counts by what it repeats.
    ...(unknown === undefined
      ? own
      : own.map((name) => (unknown.includes(' ') ? unknown : `${name} ${unknown}`))),
    ...productsIn(program),
    ...repeated.filter((name) => name !== unknown),
    ...ofScript,
    ...inner.flatMap((at) => scriptNames(argv[at] ?? '', { paths: [program, script] })),
  ];
  return [...new Set(names.map((name) => name.slice(0, MAX_NAME)))].filter((name) => name !== '');
};

/** Programs that run a command again and again, with the options whose value, no number, is the next argument. */
const REPEATERS: Readonly<Record<string, readonly string[]>> = {
  watch: [],
  entr: [],
  watchexec: ['-w', '--watch', '-e', '--exts', '-f', '--filter', '-i', '--ignore'],
  xargs: ['-I', '-d', '-a', '-E', '--delimiter'],
};

/** No longer line names a command to repeat, and in a longer one the search for commands could take minutes. */
const MAX_LINE = 16_384;

/** What stands between two commands in a line of a shell. */
const BETWEEN_COMMANDS = /[;&|(\n]+/;

const QUOTED = /'[^']*'|"[^"]*"/g;

/** What runs the command behind it, and what else stands in front of one. */
const BEFORE_COMMAND =
  /^(-|\.?\d|\w+=|(sudo|doas|env|time|nice|ionice|timeout|nohup|setsid|stdbuf|exec|command|if|then|do)$)/;

/** What an interpreter is told to run, as indexes of its arguments; 0 where there is none. */
interface Invocation {
  readonly script: number;
  /** The option that the program text follows, or that contains it. */
  readonly code: number;
}

const NOTHING: Invocation = { script: 0, code: 0 };

/** A command by its program, or by the script that this interprets, with its arguments; `sh -c` for code without a name. */
const programOfCommand = (command: string): readonly string[] => {
  const words = command.split(/\s+/).filter((word) => word !== '');
  const start = words.findIndex(
    (word, at) => !BEFORE_COMMAND.test(word) && !/^-[ug]$/.test(words[at - 1] ?? ''),
  );
  const program = baseName(words[start] ?? '');
  const { script, code } = isInterpreter(program) ? invocationOf(program, words.slice(start)) : NOTHING;
  if (code > 0) return [`${program} -c`];
  return [baseName(words[start + script] ?? ''), ...words.slice(start + script + 1)];
};

/** The programs that such a program starts: between two runs only its arguments name them. */
const programsRepeated = (argv: readonly string[]): readonly string[] => {
  const withValue = REPEATERS[programName(argv)];
  if (withValue === undefined) return [];
  let at = 1;
  while (argv[at]?.startsWith('-')) at += withValue.includes(argv[at] ?? '') ? 2 : 1;
  return argv
    .slice(at)
    .join(' ')
    .slice(0, MAX_LINE)
    .replace(QUOTED, (text) => text.replaceAll(/[;&|(\n]/g, '"'))
    .split(BETWEEN_COMMANDS)
    .map(programOfCommand)
    .filter((words) => !startsNoAgent(words))
    .map(([name = '']) => name);
};

/** The names that the kernel and `argv[0]` have of the program: of a script that the kernel started, `comm` is the script's. */
const namesOfProgram = (
  comm: string,
  argv: readonly string[],
  [script]: readonly string[],
  executable: FileReader,
): readonly string[] => {
  const program = programName(argv);
  if (script !== undefined && isInterpreter(program) && !isInterpreter(comm))
    return [script.startsWith(notTheTool(comm)) ? script : comm, program];
  // What `exec -a vim node agent.js` runs is no editor.
  if (isInterpreter(comm) && !isInterpreter(program))
    return isProgramsName(program, argv, () => comm) ? [comm, program] : [comm];
  return [comm, program].map((name) =>
    isInterpreter(name) || isProgramsName(name, argv, executable) ? name : notTheTool(name),
  );
};

/** The arguments behind the program, or behind the script that it interprets. */
export const givenArguments = (comm: string, argv: readonly string[]): readonly string[] =>
  argv.slice((commandLineOf(comm, argv).scripts.at(-1) ?? 0) + 1);

const SCRIPT_PATH = /^\/\S*\.[cm]?js$/;

const scriptsOf = (comm: string, argv: readonly string[]): readonly number[] => {
  const script = scriptOf(comm, argv);
  if (script === 0) return [];
  const runtime = scriptNames(argv[script] ?? '').find(isInterpreter);
  const inner = runtime === undefined ? 0 : scriptIn(runtime, argv.slice(script));
  return inner === 0 ? [script] : [script, script + inner];
};

/** Index of the argument that is the script of this process; 0 where there is none. */
const scriptOf = (comm: string, argv: readonly string[]): number => {
  const interpreter = [programName(argv), comm].find(isInterpreter);
  if (interpreter !== undefined) return scriptIn(interpreter, argv);
  // Node under another name: only a plain path to a script counts, because the first argument may be a prompt.
  const script = comm === NODES_MAIN_THREAD ? scriptIn('node', argv) : 0;
  return SCRIPT_PATH.test(argv[script] ?? '') ? script : 0;
};

/** Arguments of an agent that another agent started as a member of its team (Claude Code). */
const OF_TEAMMATES = ['--agent-id', '--team-name', '--parent-session-id'];

/** True where the arguments are those of a teammate. They are read to tell, and not kept. */
export const isTeammate = (argv: readonly string[]): boolean =>
  argv.some((word) => OF_TEAMMATES.some((option) => word === option || word.startsWith(`${option}=`)));

/** True for kernel names of interpreters, whose command line says what runs. */
export const runsScripts = (comm: string): boolean => isInterpreter(comm) || comm === NODES_MAIN_THREAD;

/** The script is the first argument that is not an option, or the module after `-m`. */
export const invocationOf = (interpreter: string, argv: readonly string[]): Invocation => {
  const { isScript, scriptAfter, ...syntax } = SYNTAXES.find(({ isFor }) => isFor(interpreter)) ?? PLAIN;
  const found = (at: number): Invocation => (at < argv.length ? { script: at, code: 0 } : NOTHING);
  for (let at = 1; at < argv.length; at += 1) {
    const argument = argv[at] ?? '';
    const option = syntax.anyCase ? argument.toLowerCase() : argument;
    if (scriptAfter !== undefined) {
      if (scriptAfter.includes(argument)) return found(at + 1);
    } else if (!isOption(argument)) {
      if (argument !== '' && !syntax.subcommands?.includes(argument))
        return isScript?.(argument) === false ? NOTHING : found(at);
    } else if (syntax.withCode?.test(option)) return { script: 0, code: at };
    else if (syntax.fromInput?.test(option)) return NOTHING;
    else if (syntax.withValue?.includes(option) || syntax.lastWithValue?.test(option)) at += 1;
    else if (argument === '-m' || argument === '--') return found(at + 1);
  }
  return NOTHING;
};

/** Index of the script; 0 where there is none. */
export const scriptIn = (interpreter: string, argv: readonly string[]): number =>
  invocationOf(interpreter, argv).script;

const isOption = (argument: string): boolean => argument.startsWith('-') || argument.startsWith('+');

/** The ending of a script's name, with the version that some releases carry: `yarn-4.5.0.cjs`. */
const STEM_END = /(?<=.)(-\d+(\.\d+)+)?\.[A-Za-z]+$/;

/** A script that is read from a descriptor, as of `bash <(…)`, has no name but `/dev/fd/63`. */
const FROM_A_DESCRIPTOR = /^\/(dev|proc\/[^/]+)\/fd\/\d+$/;

export const scriptNames = (script: string, runner: Runner = { paths: [] }): readonly string[] => {
  if (script.includes('/fd/') && FROM_A_DESCRIPTOR.test(script)) return [`/dev/fd/${baseName(script)}`];
  const base = baseName(script);
  const stem = base.replace(STEM_END, '');
  const isOwn = isOurs(script) || isOwnName(stem, script, runner) || isLinkToOurs(stem, runner);
  if (stem === base) return [isOwn ? base : notTheTool(base), ...packagesIn(script)];
  return isOwn ? [base, stem, ...packagesIn(script)] : [base, ...packagesIn(script)];
};

/** The path of this program in its package, whatever a clone's directory is called. */
const OUR_OWN = 'dist/bin/doctor.js';

const isOurs = (script: string): boolean => script === OUR_OWN || script.endsWith(`/${OUR_OWN}`);

/** The links to it that npm makes, in whatever directory was named to it. */
const OUR_LINKS = ['doctor', 'lock-doctor'];

const isLinkToOurs = (name: string, { target = UNREAD }: Runner): boolean =>
  OUR_LINKS.includes(name) && isOurs(target() ?? '');

/** A login shell's `-` is taken off. */
export const programName = (argv: readonly string[]): string => {
  const [path = ''] = argv;
  if (isTitleWithVersion(path)) return path;
  const name = baseName(path);
  return name.startsWith('-') ? name.slice(1) : name;
};

/** Interpreters of pyenv, nvm and similar tools (`~/.pyenv/versions/3.11.2/bin/python3`): the script tells what runs. */
const OF_A_VERSION_MANAGER = /\/versions\/([^/]+\/)+bin\/[^/]+$/;

const NO_NAMES: readonly string[] = [];

/** Of a program's own path only `<product>/versions/<version>/` tells what it is. */
const productsIn = (path: string): readonly string[] =>
  path.includes('/versions/') && !OF_A_VERSION_MANAGER.test(path) ? packagesIn(path) : NO_NAMES;
