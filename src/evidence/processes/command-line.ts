/**
 * Splits command lines that `ps` joined with single spaces. It does not say which spaces separate arguments, and a path may contain
 * some (`/Users/ann/Library/Application Support/…/cli.js`). Pure.
 */
import { isAgentCommand, isInterpreter } from '../../core/programs/by-name.ts';
import { scriptIn, scriptNames } from './process-names.ts';

/** Characters that macOS keeps of a kernel name. */
const MAX_KERNEL_NAME = 16;

/** A file with one of these endings is the script, whatever follows it. */
const SCRIPT_FILE = /\.([cm]?[jt]sx?|py|rb|pl|(ba|z|da|k|mk|c|tc|fi|x)?sh|ps1|nu|elv|dll)$/;

/**
 * The arguments, as far as they can be told. The program ends where its name equals the kernel's; a script ends at the first
 * such ending, or at an agent's name or package. A script that cannot be told is left out with everything after it, because a
 * part of its path could look like another program's name.
 */
export const readCommandLine = (comm: string, line: string): readonly string[] => {
  const words = line.split(/\s+/);
  // Only a path can continue in the next word, and a title that names an agent is not a path.
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

/** True for a word that is not a path, or a path that the next word cannot belong to. */
const isTold = (script: string, next: string | undefined): boolean =>
  !script.includes('/') || SCRIPT_FILE.test(script) || next === undefined || next.startsWith('-');

/** Paths have fewer; prompts have thousands, and each path that is tried is longer than the one before. */
const MAX_WORDS = 64;

/** Number of words in the shortest path that fits; 0 where none does. */
const wordsUntil = (words: readonly string[], fits: (path: string) => boolean): number =>
  words.slice(0, MAX_WORDS).findIndex((_, index) => fits(words.slice(0, index + 1).join(' '))) + 1;

/** A login shell's `-` is taken off. */
const kernelName = (path: string): string =>
  path
    .slice(path.lastIndexOf('/') + 1)
    .replace(/^-/, '')
    .slice(0, MAX_KERNEL_NAME);
