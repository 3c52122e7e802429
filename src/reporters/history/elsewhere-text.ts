/** What other roots did here, as text, with the command that tells or restores it. */
import { groupBy } from '../../core/group-by.ts';
import { count } from '../../core/report/amounts.ts';
import type { ReleasedElsewhere } from '../../core/types/history.ts';
import { createCanvas } from '../screen/canvas.ts';
import type { Presentation } from '../screen/style.ts';

/** How the places of another machine are named, and what restores a run or a release in one of its roots. */
export interface There {
  readonly nameOf: (path: string) => string;
  readonly undo: (id: string, root: string) => readonly string[];
}

const ON_THIS_MACHINE: There = {
  nameOf: (path) => path,
  undo: (id, root) => ['doctor', 'undo', id, '--town', root],
};

/** More are counted. */
const MAX_NAMED = 3;

/** Releases by runs in other roots that can be restored there, each run that can be restored as a whole by one command. */
export const releasedElsewhereLines = (
  releases: readonly ReleasedElsewhere[],
  presentation: Presentation,
  { nameOf, undo }: There = ON_THIS_MACHINE,
): readonly string[] =>
  [...groupBy(releases, ({ root, id, run }) => `${root}\0${run ?? id}`).values()].flatMap((together) => {
    const [first] = together;
    if (first === undefined) return [];
    const { root, id, run } = first;
    const names = [...new Set(together.map(({ directory }) => nameOf(directory)))];
    const isAlone = together.length === 1;
    const command = undo(isAlone || run === null ? id : run, root);
    const text = `The ${isAlone ? 'lock' : 'locks'} of ${listed(names)} ${isAlone ? 'was' : 'were'} released by a run in ${nameOf(root)}:`;
    return commandLines(text, command, presentation);
  });

const listed = (names: readonly string[]): string => {
  const shown = names.length > MAX_NAMED ? names.slice(0, MAX_NAMED - 1) : names;
  const more = names.length - shown.length;
  const all = more > 0 ? [...shown, count(more, 'other')] : shown;
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
};

/** Events in the journals of other roots. */
export const loggedElsewhereLines = (
  histories: readonly { readonly root: string; readonly events: readonly unknown[] }[],
  presentation: Presentation,
): readonly string[] =>
  histories.flatMap(({ root, events }) =>
    commandLines(
      `${count(events.length, 'event')} here ${events.length === 1 ? 'is' : 'are'} in the journal of ${root}:`,
      ['doctor', 'log', '--town', root],
      presentation,
    ),
  );

/** A sentence, and the command that it ends with: on a screen on a line of its own. */
export const commandLines = (
  text: string,
  command: readonly string[],
  presentation: Presentation,
): readonly string[] => {
  const canvas = createCanvas(presentation);
  const said = canvas.safe(text);
  return presentation.layout === 'screen'
    ? [...canvas.flow(0, said), `  ${canvas.command(command)}`]
    : [`${said} ${canvas.command(command)}`];
};
