import { escapeJson } from './safe-text.ts';

/** Any document of ours as JSON: two spaces, one final line break, control characters escaped. */
export const renderJson = (document: object): string => `${escapeJson(JSON.stringify(document, null, 2))}\n`;

/** The same on one line, for streams of events. */
export const renderJsonLine = (document: object): string => `${escapeJson(JSON.stringify(document))}\n`;

/** Large enough that writing costs little, small enough that ten thousand locks are never one string. */
const PIECE_LENGTH = 65_536;

/** The text of `renderJson` in pieces, made one after the other: a large report is never in memory twice. */
export function* jsonPieces(document: object): Generator<string> {
  let piece = '{';
  let first = true;
  for (const [key, value] of Object.entries(document)) {
    piece += `${first ? '' : ','}\n  ${JSON.stringify(key)}: `;
    first = false;
    if (!Array.isArray(value) || value.length === 0) {
      piece += indented(value, '  ');
      continue;
    }
    for (const [index, item] of value.entries()) {
      piece += `${index === 0 ? '[' : ','}\n    ${indented(item, '    ')}`;
      if (piece.length < PIECE_LENGTH) continue;
      yield escapeJson(piece);
      piece = '';
    }
    piece += '\n  ]';
  }
  yield `${escapeJson(piece)}\n}\n`;
}

const indented = (value: unknown, indent: string): string =>
  JSON.stringify(value, null, 2).replaceAll('\n', `\n${indent}`);
