/** What a change does to a text, as people read it: its lines with `-` and `+`, and those around them. Pure. */

const AROUND = 2;

/** Expects one run of differing lines, as one insertion makes. Empty where nothing differs. */
export const changedLines = (before: string, after: string): readonly string[] => {
  if (before === after) return [];
  const [old, now] = [before.split(/\r?\n/), after.split(/\r?\n/)];
  let start = 0;
  while (old[start] !== undefined && old[start] === now[start]) start += 1;
  let end = 0;
  const most = Math.min(old.length, now.length) - start;
  while (end < most && old.at(-1 - end) === now.at(-1 - end)) end += 1;
  const marked = (mark: string, lines: readonly string[]): readonly string[] =>
    lines.map((line) => `${mark} ${line}`);
  return [
    ...marked(' ', old.slice(Math.max(0, start - AROUND), start)),
    ...marked('-', old.slice(start, old.length - end)),
    ...marked('+', now.slice(start, now.length - end)),
    ...marked(' ', old.slice(old.length - end, old.length - end + AROUND)),
  ];
};
