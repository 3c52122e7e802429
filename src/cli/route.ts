/** Which command a command line asks for. */
import { COMMANDS, type CommandName, OPTIONS, type Option } from './arguments/options.ts';

const ROWS: readonly Option[] = OPTIONS;

/** Which command a line asks for, and the line without that word. */
export interface Route {
  readonly command: CommandName;
  readonly argv: readonly string[];
}

/**
 * Finds the command without parsing the line: the first word that is neither an option nor the value of one, where it
 * is the name of a command. Decides what gets loaded.
 */
export const routeOf = (argv: readonly string[]): Route => {
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    if (word === '--') break;
    if (word.startsWith('-') && word.length > 1) {
      if (takesNextWord(word)) at += 1;
      continue;
    }
    const command = COMMANDS.find((name) => name !== 'doctor' && name === word);
    if (command === undefined) break;
    return { command, argv: [...argv.slice(0, at), ...argv.slice(at + 1)] };
  }
  return { command: 'doctor', argv };
};

/** True where a flag is given before `--`, alone (`--json`) or spelled out (`--json=true`). */
export const asksFor = (argv: readonly string[], ...words: readonly string[]): boolean => {
  const end = argv.indexOf('--');
  return (end < 0 ? argv : argv.slice(0, end)).some((word) => words.includes(word));
};

/** The format of a command line, even if the rest of it cannot be parsed: errors are printed in that format. */
export const formatAskedFor = (argv: readonly string[]): 'text' | 'json' | 'ndjson' => {
  if (asksFor(argv, '--json', '--json=true', '--format=json')) return 'json';
  if (asksFor(argv, '--format=ndjson')) return 'ndjson';
  const at = argv.indexOf('--format');
  const value = at >= 0 && asksFor(argv, '--format') ? argv[at + 1] : undefined;
  return value === 'json' || value === 'ndjson' ? value : 'text';
};

const takesNextWord = (word: string): boolean => {
  const option: Option | undefined = word.startsWith('--')
    ? ROWS.find(({ name }) => `--${name}` === word)
    : ROWS.find(({ short }) => short === word.at(-1));
  return option !== undefined && option.type !== 'flag';
};
