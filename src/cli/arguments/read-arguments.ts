/** The fast parser, for commands that run before every agent. It gives up on whatever `parse-with-yargs.ts` must explain. */
import { type ArgumentsOf, checkArguments, missingValue, unknownOption } from './arguments.ts';
import { type CommandName, commandNamed, type Option, optionsOf } from './options.ts';
import { usage } from './usage.ts';

/**
 * Reads a command line by the option table, without loading a parser: for the commands that stand in front of every
 * start of an agent. `--name value`, `--name=value`, `-x value`, `-xvalue`, grouped flags `-qv`, and `--` as everywhere.
 * Throws `E_USAGE` as the parser of the other commands does.
 */
export const readArguments = <C extends CommandName>(command: C, argv: readonly string[]): ArgumentsOf<C> => {
  const options = optionsOf(command);
  const { passesOn } = commandNamed(command);
  const flags = new Set<string>();
  const values = new Map<string, string[]>();
  const positionals: string[] = [];
  const queue = [...argv];
  let rest: readonly string[] | null = null;

  const take = (option: Option, inline: string | null): void => {
    if (option.type === 'flag') {
      if (inline !== null && inline !== 'true' && inline !== 'false')
        throw usage(`--${option.name} takes no value`);
      if (inline === 'false') flags.delete(option.name);
      else flags.add(option.name);
      return;
    }
    const value = inline ?? queue.shift();
    // A value that looks like an option is a forgotten value; `--name=-x` says that it is meant.
    if (value === undefined || (inline === null && value.length > 1 && value.startsWith('-')))
      throw missingValue(option.name);
    values.set(option.name, [...(values.get(option.name) ?? []), value]);
  };

  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === '--') {
      const after = queue.splice(0);
      if (passesOn) rest = after;
      else positionals.push(...after);
    } else if (word.startsWith('--')) {
      const equals = word.indexOf('=');
      const name = word.slice(2, equals < 0 ? undefined : equals);
      const option = options.find((candidate) => candidate.name === name);
      if (option === undefined) throw unknownOption(name, command);
      take(option, equals < 0 ? null : word.slice(equals + 1));
    } else if (word.length > 1 && word.startsWith('-')) {
      for (let at = 1; at < word.length; at += 1) {
        const short = word.charAt(at);
        const option = options.find((candidate) => candidate.short === short);
        if (option === undefined) throw unknownOption(short, command);
        if (option.type === 'flag') take(option, null);
        else {
          take(option, at + 1 < word.length ? word.slice(at + 1).replace(/^=/, '') : null);
          break;
        }
      }
    } else positionals.push(word);
  }
  return checkArguments({ command, flags, values, positionals, rest });
};
