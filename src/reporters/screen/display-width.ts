/** How many terminal columns a text takes, and how it is broken into lines. Expects text without control characters. */

/** On a narrower terminal a worker's name leaves no room for what is said of it: that stands in lines of its own. */
export const NARROW = 60;

/** Nearly all text: as many columns as characters. */
const ASCII = /^[ -~]*$/;
// East Asian wide and fullwidth blocks and emoji, coarse on purpose: a wrong guess misaligns a column, nothing more.
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** A space, but none between a number and its unit. */
const BREAK = /(?<!\d) | (?!(?:ms|s|min|h|d)\b)/;

/** Columns that `text` takes at a terminal. */
export const displayWidth = (text: string): number => {
  if (ASCII.test(text)) return text.length;
  // Made here: for older targets the bundler writes a call of `RegExp`, which every start would pay for.
  const combining = /\p{Mark}/u;
  let columns = 0;
  for (const character of text) columns += combining.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return columns;
};

/** `text` followed by as many spaces as it needs to take `columns`. */
export const padToWidth = (text: string, columns: number): string =>
  text + ' '.repeat(Math.max(0, columns - displayWidth(text)));

/** The beginning of a text that takes at most `columns`, with a sign that something is missing. */
export const clipToWidth = (text: string, columns: number, sign: string): string => {
  if (displayWidth(text) <= columns) return text;
  let clipped = '';
  let taken = displayWidth(sign);
  for (const character of text) {
    taken += displayWidth(character);
    if (taken > columns) break;
    clipped += character;
  }
  return `${clipped}${sign}`;
};

/**
 * Breaks `text` at spaces so that no line is wider than `columns`. A path that is longer is broken after a slash, a longer
 * word stays whole. Below 20 columns nothing is broken: terminals that answer 0 columns do not know their width.
 */
export const wrapText = (text: string, columns: number): readonly string[] => {
  if (columns < 20) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(BREAK)) {
    const [first = '', ...more] = breakPath(word, columns);
    if (line !== '' && displayWidth(line) + 1 + displayWidth(first) > columns) {
      lines.push(line);
      line = first;
    } else line = line === '' ? first : `${line} ${first}`;
    for (const piece of more) {
      lines.push(line);
      line = piece;
    }
  }
  return [...lines, line];
};

/** A line that must stay whole, in pieces that fit, as a terminal breaks it; one that is coloured, or that fits, stays as it is. */
export const cutToWidth = (line: string, columns: number): readonly string[] => {
  if (displayWidth(line) <= columns || line.includes('\u001b')) return [line];
  const pieces = [''];
  for (const character of line) {
    const last = pieces.length - 1;
    if (displayWidth(pieces[last] + character) <= columns) pieces[last] += character;
    else pieces.push(character);
  }
  return pieces;
};

/** A word in pieces that fit, where it has slashes to break it after. */
const breakPath = (word: string, columns: number): readonly string[] => {
  if (displayWidth(word) <= columns) return [word];
  const pieces: string[] = [];
  for (const part of word.split(/(?<=\/)/)) {
    const last = pieces.at(-1);
    if (last !== undefined && displayWidth(last) + displayWidth(part) <= columns)
      pieces[pieces.length - 1] = last + part;
    else pieces.push(part);
  }
  return pieces;
};
