/** How many terminal columns a text takes, and how it is broken into lines. Expects text without control characters. */

const COMBINING = /\p{Mark}/u;
// East Asian wide and fullwidth blocks and emoji, coarse on purpose: a wrong guess misaligns a column, nothing more.
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** A space, but none between a number and its unit. */
const BREAK = /(?<!\d) | (?!(?:ms|s|min|h|d)\b)/;

/** Columns that `text` takes at a terminal. */
export const displayWidth = (text: string): number => {
  let columns = 0;
  for (const character of text) columns += COMBINING.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return columns;
};

/** `text` followed by as many spaces as it needs to take `columns`. */
export const padToWidth = (text: string, columns: number): string =>
  text + ' '.repeat(Math.max(0, columns - displayWidth(text)));

/**
 * Breaks `text` at spaces so that no line is wider than `columns`, where its words allow that; a longer word (a path)
 * stays whole, since a broken path cannot be copied. Below 20 columns nothing is broken: terminals that answer 0
 * columns do not know their width.
 */
export const wrapText = (text: string, columns: number): readonly string[] => {
  if (columns < 20) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(BREAK)) {
    if (line !== '' && displayWidth(line) + 1 + displayWidth(word) > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
};
