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

/** Markdown of ours, with foreign pieces escaped, for a terminal: paragraphs joined and wrapped, headings in bold, code and tables as they are. */
export const renderPage = (
  markdown: string,
  pen: Pen,
  { width, layout }: Presentation,
): readonly string[] => {
  if (layout === 'lines') return markdown.trimEnd().split('\n').map(pen.safe);
  const lines: string[] = [];
  let paragraph: string[] = [];
  let inCode = false;
  const flush = (): void => {
    if (paragraph.length > 0) lines.push(...wrapText(paragraph.join(' '), Math.min(width, 80)));
    paragraph = [];
  };
  for (const line of markdown.trimEnd().split('\n').map(pen.safe)) {
    if (line.startsWith('```')) {
      flush();
      inCode = !inCode;
    } else if (inCode) lines.push(`  ${line}`);
    else if (line.startsWith('#')) {
      flush();
      lines.push(pen.bold(line.replace(/^#+\s*/, '')));
    } else if (line.trim() === '' || line.startsWith('|')) {
      flush();
      lines.push(line);
    } else {
      if (/^\s*([-*]|\d+\.)\s/.test(line)) flush();
      paragraph.push(paragraph.length === 0 ? line : line.trim());
    }
  }
  flush();
  return lines;
};
