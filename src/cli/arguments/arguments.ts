import { isTimeout, TIMEOUT_RULE } from '../../config.ts';
import { didYouMean } from '../../core/did-you-mean.ts';
import { Failure } from '../../core/failure.ts';
import { type Command, type CommandName, commandNamed, type Option, optionsOf } from './options.ts';

/** A command line taken apart, whichever parser did it. */
export interface Arguments {
  readonly command: CommandName;
  readonly flags: ReadonlySet<string>;
  /** Every value that was given, in order, lists split at their commas. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly positionals: readonly string[];
  /** What follows `--`; null where there was none. */
  readonly rest: readonly string[] | null;
}

/** The value of an option, the last one where it was repeated; null where it was not given. */
export const optionValue = (given: Arguments, name: string): string | null =>
  given.values.get(name)?.at(-1) ?? null;

/** Every value of a repeatable option. */
export const optionValues = (given: Arguments, name: string): readonly string[] =>
  given.values.get(name) ?? [];

/** The value of an option as one of the words it may take. Expects arguments that `checkArguments` has seen. */
export const choiceOf = <Choice extends string>(
  given: Arguments,
  name: string,
  choices: readonly Choice[],
): Choice | null => choices.find((choice) => choice === optionValue(given, name)) ?? null;

/** The value of an option as a number; null where it was not given. */
export const numberOf = (given: Arguments, name: string): number | null => {
  const value = optionValue(given, name);
  return value === null ? null : Number(value);
};

/** The same arguments with lists split; throws `E_USAGE` for values and positionals that the command cannot take. */
export const checkArguments = (given: Arguments): Arguments => {
  const command = commandNamed(given.command);
  const values = new Map<string, readonly string[]>();
  for (const option of optionsOf(given.command)) {
    const raw = given.values.get(option.name);
    if (raw !== undefined) values.set(option.name, checkValues(option, raw));
  }
  checkPositionals(command, given);
  if (given.flags.has('deep') && given.flags.has('quick'))
    throw usage('--deep and --quick exclude each other');
  if (given.flags.has('json') && (optionValue(given, 'format') ?? 'json') !== 'json')
    throw usage('--json and --format exclude each other');
  return { ...given, values };
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
    `${title} has no option ${dashed}`,
    near === null ? `See: ${title} --help` : `Did you mean --${near}?`,
  );
};

/** An option at the end of the line, or before another option, that takes a value. */
export const missingValue = (name: string): Failure => usage(`--${name} needs a value`);

/** A mistake in the command line. */
export const usage = (message: string, hint: string | null = null): Failure =>
  new Failure('E_USAGE', message, hint);

const checkValues = (option: Option, raw: readonly string[]): readonly string[] => {
  const values =
    option.commas === true ? raw.flatMap((value) => value.split(',')).map((value) => value.trim()) : raw;
  for (const value of values) {
    if (value === '') throw missingValue(option.name);
    if (option.choices !== undefined && !option.choices.includes(value)) {
      const near = didYouMean(value, option.choices);
      throw usage(
        `--${option.name} takes ${option.choices.join(', ')}, and not ${value}`,
        near === null ? null : `Did you mean ${near}?`,
      );
    }
    if (option.name === 'timeout' && !(/^\d+$/.test(value) && isTimeout(Number(value))))
      throw usage(`--timeout must be ${TIMEOUT_RULE}`);
    if (option.name === 'wait' && !/^\d{1,9}(\.\d+)?$/.test(value))
      throw usage('--wait must be a number of seconds, 0 or more');
  }
  return values;
};

const checkPositionals = ({ name, positionals, usage: shape, passesOn }: Command, given: Arguments): void => {
  const title = name === 'doctor' ? 'doctor' : `doctor ${name}`;
  const [first] = positionals;
  const hint = `Usage: doctor ${shape}`;
  const most = positionals.some(({ variadic }) => variadic) ? Number.POSITIVE_INFINITY : positionals.length;
  const extra = given.positionals[most];
  if (first?.required === true && given.positionals.length === 0)
    throw usage(`${title} needs a ${first.name}`, hint);
  if (extra !== undefined)
    throw usage(
      passesOn && given.rest === null
        ? `${title} needs -- before the command`
        : `${title} takes ${most === 0 ? 'no argument' : `one ${first?.name ?? 'argument'}`}, and "${extra}" is too much`,
      hint,
    );
  if (given.positionals.includes('')) throw usage(`the ${first?.name ?? 'argument'} must not be empty`, hint);
  if (passesOn && (given.rest ?? []).length === 0) throw usage(`${title} needs a command after --`, hint);
  for (const value of given.positionals)
    if (first?.choices !== undefined && !first.choices.includes(value))
      throw usage(`${title} knows ${first.choices.join(', ')}, and not ${value}`);
};
