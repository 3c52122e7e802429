/** Colour, width and symbols of a report, decided once. The home of picocolors. */
import type { createColors } from 'picocolors';
import { escapeControls, escapeToAscii } from './safe-text.ts';
import { quoteCommand } from './shell-quote.ts';

type Colors = ReturnType<typeof createColors>;

/** How a report is to be written: decided once, at the border, for all parts of a run. */
export interface Presentation {
  /** Null: none. */
  readonly colors: Colors | null;
  /** Symbols and names in printable ASCII only. */
  readonly ascii: boolean;
  /** Columns to wrap at; 0 where the width is not known: then nothing is wrapped. */
  readonly width: number;
  /** `screen`: headings, indented findings, at most ten per check. `lines`: one finding per line, all of them. */
  readonly layout: 'screen' | 'lines';
  readonly verbosity: 'quiet' | 'normal' | 'verbose';
  /** Names of locks lead to their files where they are clicked (OSC 8): the terminal is known to do that. */
  readonly links: boolean;
}

/** Plain text for a pipe: what every reporter falls back to. */
export const PLAIN: Presentation = {
  colors: null,
  ascii: false,
  width: 0,
  layout: 'lines',
  verbosity: 'normal',
  links: false,
};

/** What a line says at its head; each differs by its sign and not by its colour alone. */
export type Mark = 'pass' | 'fixed' | 'error' | 'warning' | 'info' | 'unknown' | 'skipped';

const SIGNS: Readonly<Record<Mark, readonly [unicode: string, ascii: string]>> = {
  pass: ['✔', 'ok'],
  fixed: ['✔', 'ok'],
  error: ['✖', 'X '],
  warning: ['⚠', '! '],
  info: ['ℹ', 'i '],
  unknown: ['?', '? '],
  skipped: ['-', '- '],
};

/** The pens of one report. */
export interface Pen {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  /** Foreground and background swapped. */
  readonly inverse: (text: string) => string;
  /** A coloured sign. */
  readonly sign: (mark: Mark) => string;
  /** The colour of a mark, for words. */
  readonly paint: (mark: Mark, text: string) => string;
  /** Foreign text made harmless for this presentation. */
  readonly safe: (text: string) => string;
  /** The same text, leading to a file of this host where that can be shown. It takes as many columns. */
  readonly link: (text: string, host: string, path: string) => string;
  /** A command line that works when pasted. */
  readonly command: (argv: readonly string[]) => string;
}

/** Colours that are always on: whether there shall be any is decided before. picocolors opens standard output when it is loaded. */
export const loadColors = async (): Promise<Colors> => (await import('picocolors')).createColors(true);

const plain = (text: string): string => text;
const NO_COLORS = {
  bold: plain,
  dim: plain,
  inverse: plain,
  green: plain,
  red: plain,
  yellow: plain,
  blue: plain,
};

const LINK = '\u001b]8;;';
const LINK_END = '\u001b\\';

/** With the name of the host, so that a terminal elsewhere does not open a file of its own. */
const linkTo = (text: string, host: string, path: string): string => {
  try {
    const url = `file://${encodeURIComponent(host)}${path.split('/').map(encodeURIComponent).join('/')}`;
    return `${LINK}${url}${LINK_END}${text}${LINK}${LINK_END}`;
  } catch {
    return text; // a lone surrogate has no place in an address
  }
};

/** Pens for one presentation; nothing here reads the environment. */
export const createPen = ({ colors: given, ascii, links }: Presentation): Pen => {
  const { bold, dim, inverse, green, red, yellow, blue } = given ?? NO_COLORS;
  const colors: Readonly<Record<Mark, (text: string) => string>> = {
    pass: green,
    fixed: green,
    error: red,
    warning: yellow,
    info: blue,
    unknown: yellow,
    skipped: dim,
  };
  return {
    bold,
    dim,
    inverse,
    sign: (mark) => colors[mark](SIGNS[mark][ascii ? 1 : 0]),
    paint: (mark, text) => colors[mark](text),
    safe: ascii ? escapeToAscii : escapeControls,
    link: links ? linkTo : plain,
    command: (argv) => quoteCommand(argv, ascii),
  };
};
