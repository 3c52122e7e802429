/**
 * Text that came from disk, from tmux or from the environment may hold terminal control sequences; what is printed
 * must not. Worker names, session ids and messages all pass through here on their way out.
 */

// Control and format characters (escape, C1 controls, zero-width characters, marks that turn the reading direction
// around and make one path look like another), line and paragraph separators, lone surrogates.
const UNSAFE = '[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\p{Cs}]';
const EVERY_NOT_ASCII = /[^ -~]/gu;

/** Plain ASCII, the usual case, needs no closer look, and does not have to wait for Unicode's tables. */
const NOT_PLAIN = /[^ -~]/;

/** True where `text` could steer a terminal or hide what it says. */
export const hasControls = (text: string): boolean =>
  NOT_PLAIN.test(text) && new RegExp(UNSAFE, 'u').test(text);

/** `text` with everything that could steer a terminal written as `\x1b` or `\u{202e}`; no line breaks remain. */
export const escapeControls = (text: string): string =>
  NOT_PLAIN.test(text) ? text.replace(new RegExp(UNSAFE, 'gu'), escapeCharacter) : text;

/** The same with every character outside printable ASCII escaped, for terminals that show nothing else. */
export const escapeToAscii = (text: string): string => text.replace(EVERY_NOT_ASCII, escapeCharacter);

const NOT_PLAIN_LINES = /[^\n -~]/;

/** JSON text with those characters as `\u009b`, which reads back as the same; its own line breaks stay. */
export const escapeJson = (json: string): string =>
  // Control characters below space are escaped by JSON itself.
  NOT_PLAIN_LINES.test(json) ? escapeAll(json) : json;

const escapeAll = (json: string): string =>
  json.replace(new RegExp(`(?!\\n)${UNSAFE}`, 'gu'), (character) =>
    [...Array(character.length).keys()].map((at) => `\\u${hex(character.charCodeAt(at), 4)}`).join(''),
  );

const escapeCharacter = (character: string): string => {
  const code = character.codePointAt(0) ?? 0;
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  return code < 0x100 ? `\\x${hex(code, 2)}` : `\\u{${hex(code, 1)}}`;
};

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, '0');
