/** Lines of a screen: a pen that knows how wide the terminal is. */
import { wrapText } from './display-width.ts';
import { createPen, type Mark, type Pen, type Presentation } from './style.ts';

export interface Canvas extends Pen {
  readonly presentation: Presentation;
  /** Breaks a text under an indentation; continuation lines hang by two more columns. */
  readonly flow: (indent: number, text: string) => readonly string[];
  /** The same behind a sign, which stands two columns before the text. */
  readonly signed: (mark: Mark, indent: number, text: string) => readonly string[];
}

export const createCanvas = (presentation: Presentation): Canvas => {
  const pen = createPen(presentation);
  // An ASCII sign may be two columns wide, and a space follows it.
  const step = presentation.ascii ? 3 : 2;
  const flow = (indent: number, text: string): readonly string[] => {
    const [first = '', ...rest] = wrapText(text, presentation.width - indent - 2);
    const spaces = ' '.repeat(indent);
    return [`${spaces}${first}`, ...rest.map((line) => `${spaces}  ${line}`)];
  };
  return {
    ...pen,
    presentation,
    flow,
    signed: (mark, indent, text) => {
      const [first = '', ...rest] = wrapText(text, presentation.width - indent - step - 2);
      const spaces = ' '.repeat(indent + step);
      return [`${' '.repeat(indent)}${pen.sign(mark)} ${first}`, ...rest.map((line) => `${spaces}  ${line}`)];
    },
  };
};
