/** JSON that people write by hand: with comments. */

const STRING_OR_COMMENT = /"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

/**
 * The text with its comments, to the end of a line or between slashes and stars, as spaces, so that places in messages
 * stay right; what looks like one in a string is none. What is no JSON besides stays none.
 */
export const withoutComments = (text: string): string =>
  text.replace(STRING_OR_COMMENT, (piece) => (piece.startsWith('"') ? piece : piece.replace(/[^\n]/g, ' ')));
