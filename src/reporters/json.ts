/** The report, and every other document, as JSON. */
import { escapeJson } from './screen/safe-text.ts';

/** Any document of ours as JSON, as `jsonPieces` lays it out. */
export const renderJson = (document: object): string => [...jsonPieces(document)].join('');

/** The same on one line, for streams of events. */
export const renderJsonLine = (document: object): string => `${escapeJson(JSON.stringify(document))}\n`;

/** Large enough that writing costs little, small enough that ten thousand locks are never one string. */
const PIECE_LENGTH = 65_536;

/**
 * A document's text, made piece by piece so that a large report is never in memory twice: one line for each member, and
 * for each item of a list, which people can read and `grep` can cut. Ends with a line break; control characters are escaped.
 */
export function* jsonPieces(document: object): Generator<string> {
  let piece = '{';
  let separator = '\n';
  for (const [key, value] of Object.entries(document)) {
    if (value === undefined) continue;
    piece += `${separator}  ${JSON.stringify(key)}: `;
    separator = ',\n';
    if (!Array.isArray(value) || value.length === 0) {
      piece += JSON.stringify(value);
      continue;
    }
    for (const [index, item] of value.entries()) {
      piece += `${index === 0 ? '[' : ','}\n    ${JSON.stringify(item)}`;
      if (piece.length < PIECE_LENGTH) continue;
      yield escapeJson(piece);
      piece = '';
    }
    piece += '\n  ]';
  }
  yield `${escapeJson(piece)}\n}\n`;
}
