/** JSON that people write by hand, with comments. */

const STRING_OR_COMMENT = /"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

/**
 * The text with its comments (`//` to the end of a line, or between slashes and stars) replaced by spaces, so that positions in
 * error messages stay right. Text inside strings is left alone. Nothing else is changed: other invalid JSON stays invalid.
 */
export const withoutComments = (text: string): string =>
  text.replace(STRING_OR_COMMENT, (piece) => (piece.startsWith('"') ? piece : piece.replace(/[^\n]/g, ' ')));
