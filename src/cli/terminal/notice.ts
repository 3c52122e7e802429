/** Sentences for standard error. */
import { wrapText } from '../../reporters/screen/display-width.ts';
import { escapeControls } from '../../reporters/screen/safe-text.ts';
import type { Output } from './output.ts';

/** Whether an output is a terminal, and its width. */
type Width = Pick<Output, 'columns'>;

/** `doctor: <text>` as lines, wrapped where it goes to a terminal. */
export const notice = (text: string, output: Width): string => wrapped(`doctor: ${text}`, output);

/** What helps after a notice. A command has a line of its own, which stays whole: half of it would run when it is pasted. */
export const hintLines = (hint: string, output: Width): string => {
  const [, before = '', command] = /^([^`]*?(?:^|: ))(doctor .*)$/s.exec(hint) ?? [];
  if (command === undefined) return wrapped(hint, output);
  return `${before === '' ? 'Try: ' : escapeControls(before)}${escapeControls(command)}\n`;
};

const wrapped = (text: string, { columns = 0 }: Width): string => {
  const [first = '', ...more] = wrapText(escapeControls(text), columns - 2);
  return [first, ...more.map((line) => `  ${line}`)].map((line) => `${line}\n`).join('');
};
