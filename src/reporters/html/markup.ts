/** HTML that is escaped by how it is written: whatever stands in a template as text cannot become markup. */
import { escapeControls } from '../screen/safe-text.ts';

/** A piece of HTML of ours. */
export interface Markup {
  readonly markup: string;
}

type Piece = Markup | string | number | null | readonly Piece[];

/** HTML with its pieces put in: text escaped, markup as it is, lists one after the other, null as nothing. */
export const html = (parts: TemplateStringsArray, ...pieces: readonly Piece[]): Markup => ({
  markup: parts.map((part, at) => part + textOf(pieces[at] ?? null)).join(''),
});

const textOf = (piece: Piece): string => {
  if (piece === null) return '';
  if (typeof piece === 'string') return escapeText(piece);
  if (typeof piece === 'number') return String(piece);
  return 'markup' in piece ? piece.markup : piece.map(textOf).join('');
};

const NAMES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Also for values of attributes, between either kind of quotes. What cannot be seen is written out, as on a screen. */
const escapeText = (text: string): string =>
  escapeControls(text).replace(/[&<>"']/g, (character) => NAMES[character] ?? character);
