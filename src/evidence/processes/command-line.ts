/**
 * Command lines that `ps` joined with single spaces. Which of the spaces lay between arguments is not said; a path may hold some
 * (`/Users/ann/Library/Application Support/…/cli.js`). Pure.
 */
import { isAgentCommand, isInterpreter } from '../../core/programs/by-name.ts';
import { scriptIn, scriptNames } from './process-names.ts';

/** As long as macOS keeps a kernel name. */
const MAX_KERNEL_NAME = 16;

/** Such a file is the script, however the line goes on. */
const SCRIPT_FILE = /\.([cm]?[jt]sx?|py|rb|pl|sh)$/;

/**
 * The arguments, as far as they can be told: the program ends where its name is the kernel's, and a script at the first
 * ending of one, or where an agent's name or package is read. A script that cannot be told is left out with all behind it,
 * for a part of its path could be another program's name.
 */
export const readCommandLine = (comm: string, line: string): readonly string[] => {
  const words = line.split(/\s+/);
  // Only a path can go on in the next word, and a title that names an agent is no path.
  const isPart = words[0]?.includes('/') === true && !isAgentCommand([kernelName(words[0])], []);
  const programWords = isPart
    ? Math.max(
        1,
        wordsUntil(words, (path) => kernelName(path) === comm),
      )
    : 1;
  const argv = [words.slice(0, programWords).join(' '), ...words.slice(programWords)];
  const interpreter = [kernelName(argv[0] ?? ''), comm].find(isInterpreter);
  const at = interpreter === undefined ? 0 : scriptIn(interpreter, argv);
  if (at === 0 || isTold(argv[at] ?? '', argv[at + 1])) return argv;
  const rest = argv.slice(at);
  const scriptWords =
    wordsUntil(rest, (path) => isAgentCommand(scriptNames(path), [])) ||
    wordsUntil(rest, (path) => SCRIPT_FILE.test(path));
  if (scriptWords === 0) return argv.slice(0, at);
  return [...argv.slice(0, at), rest.slice(0, scriptWords).join(' '), ...rest.slice(scriptWords)];
};

/** No path, or one behind which no word stands that could belong to it. */
const isTold = (script: string, next: string | undefined): boolean =>
  !script.includes('/') || SCRIPT_FILE.test(script) || next === undefined || next.startsWith('-');

/** How many of the words make the first path that fits; 0 where none does. */
const wordsUntil = (words: readonly string[], fits: (path: string) => boolean): number =>
  words.findIndex((_, index) => fits(words.slice(0, index + 1).join(' '))) + 1;

/** A login shell's `-` is taken off. */
const kernelName = (path: string): string =>
  path
    .slice(path.lastIndexOf('/') + 1)
    .replace(/^-/, '')
    .slice(0, MAX_KERNEL_NAME);
