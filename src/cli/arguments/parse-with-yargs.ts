/** The full parser, with help, completion and suggestions. The home of yargs; `read-arguments.ts` is its fast twin. */
import yargs from 'yargs';
import { wrapText } from '../../reporters/screen/display-width.ts';
import { asksFor, routeOf } from '../route.ts';
import {
  type ArgumentsOf,
  checkArguments,
  missingValue,
  type RawArguments,
  unknownOption,
} from './arguments.ts';
import { dressHelp } from './help-text.ts';
import {
  COMMAND_TABLE,
  type Command,
  type CommandName,
  commandNamed,
  exitCodesOf,
  type Option,
  optionsOf,
} from './options.ts';
import { usage } from './usage.ts';

/** What became of a command line: something to run, or a text that was asked for. */
export type Parsed =
  | { readonly kind: 'arguments'; readonly arguments: ArgumentsOf<CommandName> }
  | { readonly kind: 'help'; readonly text: string };

/**
 * Parses a command line with yargs, one command module per row of the table; the command's name, where there is one,
 * comes first. Throws `E_USAGE`; never prints, never exits. `width` is what help texts are wrapped at.
 */
export const parseWithYargs = async (
  argv: readonly string[],
  { cwd, width }: { readonly cwd: string; readonly width: number },
): Promise<Parsed> => {
  refuseInheritedNames(argv);
  const found: RawArguments<CommandName>[] = [];
  let text = '';
  const parser = yargs([], cwd)
    .scriptName('doctor')
    // Messages are matched below; another language would break that.
    .locale('en')
    .exitProcess(false)
    .showHelpOnFail(false)
    .help('help', 'show this help')
    .alias('help', 'h')
    .version(false)
    .wrap(width)
    .parserConfiguration({
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'populate--': true,
      'duplicate-arguments-array': true,
      'greedy-arrays': false,
      'strip-aliased': true,
    })
    .fail((message, error) => {
      throw error === undefined || error.name === 'YError' ? usageFrom(message || error?.message) : error;
    });
  const helping = asksFor(argv, '--help', '-h');
  for (const command of COMMAND_TABLE)
    parser.command({
      // Positionals are for the help texts only: parsing, yargs would mix up `[town]` and `--town`; they are counted
      // by checkArguments.
      command: helping ? titleOf(command) : command.name === 'doctor' ? '$0' : command.name,
      describe: command.summary,
      builder: (builder) => {
        for (const option of optionsOf(command.name))
          if (option.name !== 'help') builder.option(option.name, yargsOption(option));
        for (const [example, what] of command.examples) builder.example(example, what);
        return builder.epilogue([...notesOf(command, width), codesOf(command, width)].join('\n\n'));
      },
      handler: (raw) => {
        found.push(collect(command, raw));
      },
    });
  await parser.parseAsync([...argv], {}, (_error, _argv, output) => {
    text = output;
  });
  const [parsed] = found;
  if (parsed === undefined) {
    const command = commandNamed(routeOf(argv).command);
    return { kind: 'help', text: `${dressHelp(withoutTypes(text), command, width)}\n` };
  }
  return { kind: 'arguments', arguments: checkArguments(parsed) };
};

/** The command at the head of its help page: `locks [directory]`. A positional must not have the name of an option. */
const titleOf = ({ name, positionals }: Command): string => {
  const places = positionals.map(({ name: place, required, variadic }) => {
    const word = `${place === 'town' ? 'directory' : place}${variadic ? '..' : ''}`;
    return required ? `<${word}>` : `[${word}]`;
  });
  return [name === 'doctor' ? '$0' : name, ...places].join(' ');
};

const notesOf = ({ notes = [] }: Command, width: number): readonly string[] =>
  notes.map((note) => wrapText(note, width).join('\n'));

const codesOf = ({ name }: Command, width: number): string => {
  const rows = exitCodesOf(name);
  const column = Math.max(...rows.map(([code]) => code.length)) + 2;
  const lines = rows.flatMap(([code, meaning]) =>
    wrapText(meaning, width - column - 2).map(
      (line, at) => `  ${(at === 0 ? code : '').padEnd(column)}${line}`,
    ),
  );
  return ['Exit codes:', ...lines].join('\n');
};

/** yargs tells of every option whether it is text or boolean: noise beside the names of the values. */
const withoutTypes = (text: string): string =>
  text.replace(/ *\[(?:boolean|string)\]/g, '').replace(/\n\s*(?=\n {2})/g, '');

const yargsOption = (option: Option) => ({
  type: option.type === 'flag' ? ('boolean' as const) : ('string' as const),
  describe: option.summary,
  ...(option.type === 'flag' ? {} : { requiresArg: true, nargs: 1 }),
  ...(option.short === undefined ? {} : { alias: option.short }),
});

/** yargs' result as ours: unknown keys are refused here, where it is known what was probably meant. */
const collect = (command: Command, raw: Readonly<Record<string, unknown>>): RawArguments<CommandName> => {
  const flags = new Set<string>();
  const values = new Map<string, readonly string[]>();
  const options = optionsOf(command.name);
  for (const [key, value] of Object.entries(raw)) {
    if (key === '_' || key === '--' || key === '$0') continue;
    const option = options.find(({ name }) => name === key);
    if (option === undefined) throw unknownOption(key, command.name);
    const given = [value].flat();
    if (option.type === 'flag') {
      if (given.at(-1) === true) flags.add(option.name);
    } else if (value !== undefined) values.set(option.name, given.map(String));
  }
  const words = [raw._ ?? [], raw['--'] ?? []].flat(2).map(String);
  // The command's own name leads the list, except for the command without one.
  const positionals = command.name === 'doctor' ? words : words.slice(1);
  return { command: command.name, flags, values, positionals, rest: null };
};

/** yargs keeps its tables in plain objects and stumbles over options called as what every object inherits. */
const refuseInheritedNames = (argv: readonly string[]): void => {
  for (const word of argv) {
    const name = /^--([^=]+)/.exec(word)?.[1];
    if (name !== undefined && name in Object.prototype) throw unknownOption(name, routeOf(argv).command);
    if (word === '--') return;
  }
};

const usageFrom = (message: string): Error => {
  const missing = /^Not enough arguments following: (\S+)/.exec(message)?.[1];
  return missing === undefined ? usage(message) : missingValue(missing);
};
