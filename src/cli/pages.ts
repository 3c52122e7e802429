/** The pages about checks and kinds, as `doctor explain` prints them. */
import { readFileSync } from 'node:fs';
import { Failure } from '../core/failure.ts';
import { wrapText } from '../reporters/screen/display-width.ts';
import type { Pen, Presentation } from '../reporters/screen/style.ts';

/** Two levels up from here, in the sources and in `dist/bin` alike. */
const PAGES = new URL('../../', import.meta.url);

/** The page of a built-in check, or kind of lock, in Markdown. */
export const readPage = (folder: 'checks' | 'kinds', id: string): string => {
  try {
    return readFileSync(new URL(`${folder}/${id}.md`, PAGES), 'utf8');
  } catch (cause) {
    throw new Failure('E_IO', `the page of ${id} is missing from this installation`, null, { cause });
  }
};

/** A space that no line breaks at: wrapping knows the plain one alone. */
const FIXED_SPACE = '\u00a0';

/** The sign of a list item: its further lines hang below its first word. */
const ITEM = /^(?:[-*]|\d+\.) /;

/** A text in lines, the further ones under an indentation. What stands between backticks may be a command, and is never broken. */
const wrapped = (text: string, columns: number, indent: number): readonly string[] =>
  wrapText(
    text.replace(/`[^`]*`/g, (code) => code.replaceAll(' ', FIXED_SPACE)),
    columns - indent,
  ).map((line, at) => (at === 0 ? '' : ' '.repeat(indent)) + line.replaceAll(FIXED_SPACE, ' '));

/**
 * Markdown of ours, with foreign pieces escaped, for a terminal: paragraphs and samples (blocks that are marked as `text`) joined
 * and wrapped, headings in bold; commands, settings and tables as they are.
 */
export const renderPage = (
  markdown: string,
  pen: Pen,
  { width, layout }: Presentation,
): readonly string[] => {
  if (layout === 'lines') return markdown.trimEnd().split('\n').map(pen.safe);
  const columns = Math.min(width, 80);
  const lines: string[] = [];
  let paragraph: string[] = [];
  let block: 'code' | 'text' | null = null;
  const flush = (): void => {
    const text = paragraph.join(' ');
    if (block === 'text') lines.push(...wrapped(text, columns - 2, 2).map((line) => `  ${line}`));
    else if (text !== '') {
      const [sign = ''] = ITEM.exec(text) ?? [];
      const [first = '', ...more] = wrapped(text.slice(sign.length), columns, sign.length);
      lines.push(sign + first, ...more);
    }
    paragraph = [];
  };
  for (const line of markdown.trimEnd().split('\n').map(pen.safe)) {
    if (line.startsWith('```')) {
      flush();
      block = block !== null ? null : line === '```text' ? 'text' : 'code';
    } else if (block === 'code') lines.push(`  ${line}`);
    else if (block === 'text') paragraph.push(line.trim());
    else if (line.startsWith('#')) {
      flush();
      lines.push(pen.bold(line.replace(/^#+\s*/, '')));
    } else if (line.trim() === '' || line.startsWith('|')) {
      flush();
      lines.push(line);
    } else {
      if (ITEM.test(line)) flush();
      paragraph.push(line.trim());
    }
  }
  flush();
  return lines;
};
