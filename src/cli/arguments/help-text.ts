/** Help as people know it: what a command takes as it is typed, and the name of a value beside its option. */
import { padToWidth, wrapText } from '../../reporters/screen/display-width.ts';
import { COMMAND_TABLE, type Command, type Option, optionsOf } from './options.ts';

/** An option as yargs prints it: its names, and the first line of its description. */
const OPTION = /^ {2}(?:-\w, | {4})--([\w-]+) /;

/** What yargs says of a command, with the head, the commands and the options as we print them. */
export const dressHelp = (text: string, command: Command, width: number): string => {
  const [, ...lines] = text.split('\n');
  const dressed = withBlock(lines, 'Commands:', () =>
    inColumns(
      COMMAND_TABLE.map(({ usage, summary }) => [`  doctor ${usage.replace(' [options]', '')}`, summary]),
      width,
    ),
  );
  const examples = command.examples.map(([line, what]) => [`  ${line}`, what] as const);
  const shown = withBlock(dressed, 'Examples:', () => inColumns(examples, width));
  return [
    `doctor ${command.usage}`,
    ...withBlock(shown, 'Options:', (block) =>
      inColumns(
        block.flatMap((line) => {
          const name = OPTION.exec(line)?.[1];
          const option = optionsOf(command.name).find((known) => known.name === name);
          return option === undefined ? [] : [[namesOf(option), option.summary] as const];
        }),
        width,
      ),
    ),
  ].join('\n');
};

/** The lines with what stands below a head, up to the next empty one, made anew; without that head they stay. */
const withBlock = (
  lines: readonly string[],
  head: string,
  make: (block: readonly string[]) => readonly string[],
): readonly string[] => {
  const begin = lines.indexOf(head) + 1;
  if (begin === 0) return lines;
  const length = lines.slice(begin).indexOf('');
  const end = length < 0 ? lines.length : begin + length;
  return [...lines.slice(0, begin), ...make(lines.slice(begin, end)), ...lines.slice(end)];
};

/** The least room for a text beside what it explains. */
const LEAST_ROOM = 20;

/** The left column is never broken, so that it can be pasted; where that leaves no room, the text stands below it. */
const inColumns = (rows: readonly (readonly [string, string])[], width: number): readonly string[] => {
  const column = Math.max(...rows.map(([left]) => left.length)) + 2;
  if (width - column < LEAST_ROOM)
    return rows.flatMap(([left, text]) => [
      left,
      ...wrapText(text, width - 6).map((line) => `      ${line}`),
    ]);
  return rows.flatMap(([left, text]) => {
    const [first = '', ...more] = wrapText(text, width - column);
    return [`${padToWidth(left, column)}${first}`, ...more.map((line) => ' '.repeat(column) + line)];
  });
};

/** `  -w, --worker WORKER` */
const namesOf = ({ name, short, value }: Option): string =>
  `  ${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;
