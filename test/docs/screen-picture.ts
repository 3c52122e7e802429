/** Draws a terminal's screen, captured by tmux with its colours, as SVG. */
import { displayWidth, padToWidth } from '../../src/reporters/screen/display-width.ts';

/** The colours of a drawing; `plain` is for text without a colour. */
export interface Theme {
  readonly background: string;
  readonly frame: string;
  readonly plain: string;
  readonly dim: string;
  /** By the number in the escape sequence. */
  readonly colors: Readonly<Record<number, string>>;
}

export const DARK: Theme = {
  background: '#0d1117',
  frame: '#30363d',
  plain: '#e6edf3',
  dim: '#9da7b1',
  colors: { 31: '#ff7b72', 32: '#56d364', 33: '#e3b341', 34: '#79c0ff' },
};

export const LIGHT: Theme = {
  background: '#ffffff',
  frame: '#d0d7de',
  plain: '#1f2328',
  dim: '#59636e',
  colors: { 31: '#a40e26', 32: '#116329', 33: '#7d4e00', 34: '#0a53a8' },
};

interface Run {
  readonly text: string;
  readonly color: number | null;
  readonly isBold: boolean;
  readonly isDim: boolean;
}

// Metrics of most monospaced fonts; each run is stretched to its columns, in any font.
const COLUMN = 8.4;
const LINE = 18;
const FONT = 14;
const EDGE = 14;

/** A drawing of a captured screen of this size; `title` is the text for screen readers. */
export const drawScreen = (
  captured: string,
  size: { readonly columns: number; readonly rows: number },
  theme: Theme,
  title: string,
): string => {
  const width = Math.round(size.columns * COLUMN + 2 * EDGE);
  const height = size.rows * LINE + 2 * EDGE;
  const lines = runsOf(captured.split('\n')).map((runs, row) => drawLine(runs, row, theme));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">
<title id="title">${escapeText(title)}</title>
<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="${theme.background}" stroke="${theme.frame}"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${FONT}" fill="${theme.plain}">
${lines.filter((line) => line !== '').join('\n')}
</g>
</svg>
`;
};

/** The lines of a drawing as text, without empty ones. */
export const textOfPicture = (svg: string): readonly string[] =>
  [...svg.matchAll(/<text[^>]*>(.*)<\/text>/g)].map(([, line = '']) =>
    [...line.matchAll(/<tspan x="([\d.]+)"[^>]*>([^<]*)<\/tspan>/g)].reduce(
      (text, [, x, piece = '']) =>
        padToWidth(text, Math.round((Number(x) - EDGE) / COLUMN)) + plainText(piece),
      '',
    ),
  );

/** Each piece is placed at its column; spaces are not drawn, because they would not keep their width. */
const drawLine = (runs: readonly Run[], row: number, theme: Theme): string => {
  let column = 0;
  const spans = runs.flatMap(({ text, color, isBold, isDim }) =>
    text.split(/( {2,}|^ | $)/).map((piece) => {
      const columns = displayWidth(piece);
      const x = (EDGE + column * COLUMN).toFixed(1);
      column += columns;
      if (piece.trim() === '') return '';
      const fill = isDim ? theme.dim : color === null ? null : (theme.colors[color] ?? null);
      return `<tspan x="${x}" textLength="${(columns * COLUMN).toFixed(1)}" lengthAdjust="spacingAndGlyphs"${fill === null ? '' : ` fill="${fill}"`}${isBold ? ' font-weight="bold"' : ''}>${escapeText(piece)}</tspan>`;
    }),
  );
  const drawn = spans.join('');
  return drawn === '' ? '' : `<text y="${EDGE + row * LINE + FONT}">${drawn}</text>`;
};

const ESCAPE = '\u001b';
const SEQUENCE = new RegExp(`(${ESCAPE}\\[[0-9;]*m)`);

/** Supports only what the program uses: bold, dim, four colours, and their resets. Attributes carry over to the next line. */
const runsOf = (lines: readonly string[]): readonly (readonly Run[])[] => {
  let style: Omit<Run, 'text'> = { color: null, isBold: false, isDim: false };
  return lines.map((line) => {
    const runs: Run[] = [];
    for (const piece of line.split(SEQUENCE)) {
      const codes = piece.startsWith(ESCAPE) ? piece.slice(2, -1) : undefined;
      if (codes !== undefined)
        for (const code of codes.split(';').map(Number)) {
          if (code === 0) style = { color: null, isBold: false, isDim: false };
          else if (code === 1) style = { ...style, isBold: true };
          else if (code === 2) style = { ...style, isDim: true };
          else if (code === 22) style = { ...style, isBold: false, isDim: false };
          else if (code === 39) style = { ...style, color: null };
          // The default background, which never differs.
          else if (code === 49) continue;
          else if (code in DARK.colors) style = { ...style, color: code };
          else throw new Error(`the picture has no colour for ${code}`);
        }
      else if (piece !== '') runs.push({ ...style, text: piece });
    }
    return runs;
  });
};

const NAMES: readonly (readonly [character: string, name: string])[] = [
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
];

const escapeText = (text: string): string =>
  NAMES.reduce((escaped, [character, name]) => escaped.replaceAll(character, name), text);

const plainText = (text: string): string =>
  [...NAMES].reverse().reduce((plain, [character, name]) => plain.replaceAll(name, character), text);
