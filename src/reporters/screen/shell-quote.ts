/** Argument vectors as commands that work when pasted into a POSIX shell. */
import { hasControls } from './safe-text.ts';

const PLAIN = /^[A-Za-z0-9_@%+=:,./-]+$/;
const NOT_ASCII = /[^ -~]/u;

/** One argument, quoted as little as possible; what a terminal must not see, as bytes in `$'…'` (bash, zsh, ksh). */
export const quoteArgument = (argument: string, ascii = false): string => {
  if (PLAIN.test(argument)) return argument;
  if (hasControls(argument) || (ascii && NOT_ASCII.test(argument)))
    return `$'${[...new TextEncoder().encode(argument)].map(escapeByte).join('')}'`;
  return `'${argument.replaceAll("'", "'\\''")}'`;
};

/** A whole command line; with `ascii`, in printable ASCII only. */
export const quoteCommand = (argv: readonly string[], ascii = false): string =>
  argv.map((argument) => quoteArgument(argument, ascii)).join(' ');

const escapeByte = (byte: number): string => {
  const character = String.fromCharCode(byte);
  if (character === "'" || character === '\\') return `\\${character}`;
  return byte >= 0x20 && byte < 0x7f ? character : `\\x${byte.toString(16).padStart(2, '0')}`;
};
