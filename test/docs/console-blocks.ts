/** The fenced blocks of a Markdown page: commands for readers to type, and the output to expect. */

export interface Block {
  /** The info string after the fence: `console`, `console screen`, `bash`, `js` … */
  readonly info: string;
  /** The name in a comment `<!-- run: name -->` right above, or null. */
  readonly name: string | null;
  /** The path in a comment `<!-- file: path -->` right above, or null. */
  readonly file: string | null;
  readonly text: string;
}

export interface Step {
  readonly command: string;
  readonly output: string;
}

export const blocksOf = (markdown: string): readonly Block[] => {
  const lines = markdown.split('\n');
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const info = /^```(\S.*)$/.exec(lines[at] ?? '')?.[1];
    if (info === undefined) continue;
    const end = lines.indexOf('```', at + 1);
    const name = /^<!-- run: (\S+) -->$/.exec(lines[at - 1] ?? '')?.[1] ?? null;
    const file = /^<!-- file: (\S+) -->$/.exec(lines[at - 1] ?? '')?.[1] ?? null;
    blocks.push({ info, name, file, text: lines.slice(at + 1, end).join('\n') });
    at = end;
  }
  return blocks;
};

/** The commands of a console block (after `$ `), each with the output that follows. */
export const stepsOf = ({ text }: Block): readonly Step[] =>
  text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const end = part.indexOf('\n');
      return end < 0
        ? { command: part, output: '' }
        : { command: part.slice(0, end), output: part.slice(end + 1).trimEnd() };
    });

/** The text of a block with these steps. */
export const textOf = (steps: readonly Step[]): string =>
  steps.map(({ command, output }) => `$ ${command}\n${output}`.trimEnd()).join('\n');
