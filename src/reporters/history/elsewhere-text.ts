/** What other roots did here, as text, with the command that tells or restores it. */
import { count } from '../../core/report/amounts.ts';
import { createCanvas } from '../screen/canvas.ts';
import type { Presentation } from '../screen/style.ts';

/** Releases by runs in other roots that can be restored there. */
export const releasedElsewhereLines = (
  releases: readonly { readonly root: string; readonly id: string; readonly directory: string }[],
  presentation: Presentation,
): readonly string[] =>
  releases.flatMap(({ root, id, directory }) =>
    commandLines(
      `The lock of ${directory} was released by a run in ${root}:`,
      ['doctor', 'undo', id, '--town', root],
      presentation,
    ),
  );

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
