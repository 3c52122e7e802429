/** What a command line may say: the checks that every option and argument goes through, whichever parser read it. */
import { didYouMean } from '../../core/did-you-mean.ts';
import type { Failure } from '../../core/failure.ts';
import { meantCommand } from './meant-command.ts';
import {
  type Command,
  type CommandName,
  commandNamed,
  type Option,
  type Options,
  type OptionsOf,
  optionsOf,
} from './options.ts';
import { usage } from './usage.ts';

/** A command line taken apart, whichever parser did it; nothing is checked yet. */
export interface RawArguments<C extends CommandName> {
  readonly command: C;
  readonly flags: ReadonlySet<string>;
  /** Every value that was given, in order. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly positionals: readonly string[];
  /** What follows `--`; null where there was none. */
  readonly rest: readonly string[] | null;
}

/** A command line as that command reads it: checked, with the options that it takes. */
export interface ArgumentsOf<C extends CommandName> extends Omit<RawArguments<C>, 'flags' | 'values'> {
  readonly options: OptionsOf<C>;
}

/** The same as what several commands share reads it. */
export interface Arguments extends Omit<ArgumentsOf<CommandName>, 'options'> {
  readonly options: Options;
}

/** Checks a command line and types its options. Throws `E_USAGE` for what the command cannot take. */
export const checkArguments = <C extends CommandName>({
  flags,
  values,
  ...given
}: RawArguments<C>): ArgumentsOf<C> => {
  const options = optionsGiven(given.command, flags, values);
  checkPositionals(commandNamed(given.command), given);
  if (options.home && (options.on ?? []).length > 0) throw usage('--home and --on cannot be combined');
  if (options.home && options.fromSnapshot !== undefined)
    throw usage('--home and --from-snapshot cannot be combined');
  if (options.deep && options.quick) throw usage('--deep and --quick cannot be combined');
  if (options.json && (options.format ?? 'json') !== 'json')
    throw usage('--json and --format cannot be combined');
  return { ...given, options: options as OptionsOf<C> };
};

const optionsGiven = (
  command: CommandName,
  flags: ReadonlySet<string>,
  values: RawArguments<CommandName>['values'],
): Options => {
  const byKey: Record<string, unknown> = {};
  for (const option of optionsOf(command)) {
    const raw = values.get(option.name);
    byKey[option.key ?? option.name] = typed(
      option,
      flags,
      raw === undefined ? [] : checkValues(option, raw),
    );
  }
  return byKey as Options;
};

/** If an option that takes one value is repeated, the last value counts. */
const typed = (
  { name, type, number }: Option,
  flags: ReadonlySet<string>,
  values: readonly string[],
): boolean | string | number | undefined | readonly string[] => {
  if (type === 'flag') return flags.has(name);
  if (type === 'list') return values;
  const value = values.at(-1);
  return value !== undefined && number !== undefined ? Number(value) : value;
};

/** An option that this command does not have, with the one that was probably meant. */
export const unknownOption = (name: string, command: CommandName): Failure => {
  const dashed = name.length === 1 ? `-${name}` : `--${name}`;
  const near = didYouMean(
    name,
    optionsOf(command).map((option) => option.name),
  );
  const title = command === 'doctor' ? 'doctor' : `doctor ${command}`;
  return usage(
    `unknown option ${dashed}`,
    near === null ? `See: ${title} --help` : `Did you mean --${near}?`,
  );
};

/** An option at the end of the line, or before another option, that takes a value. */
export const missingValue = (name: string): Failure => usage(`--${name} requires a value`);

/** `a, b or c`. */
const listOf = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;

const checkValues = (option: Option, raw: readonly string[]): readonly string[] => {
  const values =
    option.commas === true ? raw.flatMap((value) => value.split(',')).map((value) => value.trim()) : raw;
  for (const value of values) {
    if (value === '') throw missingValue(option.name);
    if (option.choices !== undefined && !option.choices.includes(value)) {
      const near = didYouMean(value, option.choices);
      throw usage(
        `--${option.name} ${value}: expected ${listOf(option.choices)}`,
        near === null ? null : `Did you mean ${near}?`,
      );
    }
    if (option.number?.accepts(value) === false)
      throw usage(`--${option.name} must be ${option.number.rule}`);
  }
  return values;
};

const checkPositionals = (
  { name, positionals, usage: shape, passesOn }: Command,
  given: Pick<RawArguments<CommandName>, 'positionals' | 'rest'>,
): void => {
  const title = name === 'doctor' ? 'doctor' : `doctor ${name}`;
  const [first] = positionals;
  const hint = `Usage: doctor ${shape}`;
  const most = positionals.some(({ variadic }) => variadic) ? Number.POSITIVE_INFINITY : positionals.length;
  const extra = given.positionals[most];
  if (first?.required === true && given.positionals.length === 0)
    throw usage(`${name} needs a ${first.name}`, hint);
  if (extra !== undefined) {
    if (passesOn && given.rest === null) throw usage('missing -- before the command', hint);
    const meant = name === 'doctor' ? meantCommand(given.positionals[0] ?? '') : null;
    throw usage(`unexpected argument "${extra}"`, meant === null ? hint : `Did you mean: ${meant}?`);
  }
  if (given.positionals.includes('')) throw usage(`${first?.name ?? 'argument'} must not be empty`, hint);
  if (passesOn && (given.rest ?? []).length === 0) throw usage(`${name} needs a command after --`, hint);
  for (const value of given.positionals)
    if (first?.choices !== undefined && ![...first.choices, ...(first.unlisted ?? [])].includes(value))
      throw usage(`${title} ${value}: expected ${listOf(first.choices)}`);
};
