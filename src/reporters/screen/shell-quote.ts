/** Argument vectors as commands that work when pasted, with the same meaning in sh, dash, bash, zsh and fish. */
import { hasControls } from './safe-text.ts';

// At the beginning of a word zsh gives `=` a meaning, and fish `%`.
const PLAIN = /^[A-Za-z0-9_@+:,./-][A-Za-z0-9_@%+=:,./-]*$/;
const NOT_ASCII = /[^ -~]/u;

/**
 * One argument, quoted as little as possible. What a terminal must not see is written as numbers that printf(1) turns into
 * bytes: `$'…'` is unknown to dash and fish.
 */
const quoteArgument = (argument: string, ascii = false): string => {
  if (PLAIN.test(argument)) return argument;
  if (hasControls(argument) || (ascii && NOT_ASCII.test(argument))) return printed(argument);
  // Between single quotes fish gives the backslash a meaning: like the quote, it stands outside.
  return argument
    .split(/(['\\])/)
    .map((part) => (part === "'" || part === '\\' ? `\\${part}` : part === '' ? '' : `'${part}'`))
    .join('')
    .replace(/^$/, "''");
};

/** A whole command line; with `ascii`, in printable ASCII only. */
export const quoteCommand = (argv: readonly string[], ascii = false): string =>
  argv.map((argument) => quoteArgument(argument, ascii)).join(' ');

const printed = (argument: string): string => {
  // Shells take line breaks from the end; only a path can end so, and a path may end with a slash.
  const whole = argument.endsWith('\n') ? `${argument}/` : argument;
  return `"$(printf '${[...new TextEncoder().encode(whole)].map(escapeByte).join('')}')"`;
};

const escapeByte = (byte: number, index: number): string => {
  const character = String.fromCharCode(byte);
  // printf would take a text that begins with a dash for an option.
  const isPlain = /[A-Za-z0-9_@+=:,./ -]/.test(character) && !(index === 0 && character === '-');
  return isPlain ? character : `\\${byte.toString(8).padStart(3, '0')}`;
};
