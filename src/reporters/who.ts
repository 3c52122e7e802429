/** Who works where, one line for each. */
import type { Person, PersonClass, PlaceOfWork, WhoReport } from '../core/types/report.ts';
import { wrapText } from './screen/display-width.ts';
import { quoteCommand } from './screen/shell-quote.ts';
import { createPen, type Mark, type Pen, type Presentation } from './screen/style.ts';
import { nameOf } from './screen/words.ts';

const MARKS: Readonly<Record<PersonClass, Mark>> = {
  agent: 'error',
  unknown: 'unknown',
  bystander: 'info',
  infrastructure: 'info',
  'left-behind': 'info',
};

/** How each class is called. */
const WORDS: Readonly<Record<PersonClass, string>> = {
  agent: 'agent',
  unknown: 'unknown program',
  bystander: 'bystander',
  infrastructure: 'infrastructure',
  'left-behind': 'left behind',
};

interface Line {
  readonly mark: Mark;
  readonly word: string;
  readonly text: string;
}

/**
 * One line for each who was seen, what could not be looked at, and a place where nobody was seen. Quiet: agents, unknown programs
 * and what could not be looked at; verbose: why each counts as what it does.
 *
 * @param typed by path, how the caller named directories beside the town
 */
export const renderWho = (
  report: WhoReport,
  presentation: Presentation,
  typed: ReadonlyMap<string, string>,
): string => {
  const pen = createPen(presentation);
  return report.places
    .flatMap((place) => {
      const lines = linesOf(place, presentation);
      const name = pen.safe(
        (place.worker === '.' ? typed.get(place.path) : undefined) ?? nameOf(place.worker, place.root),
      );
      if (lines.length === 0) return [];
      if (presentation.layout === 'lines')
        return lines.map(({ mark, word, text }) => `${pen.paint(mark, word)} ${name}: ${pen.safe(text)}`);
      return [pen.bold(name), ...lines.flatMap((line) => wrapped(line, pen, presentation))];
    })
    .map((line) => `${line}\n`)
    .join('');
};

const wrapped = ({ mark, word, text }: Line, pen: Pen, { width }: Presentation): readonly string[] => {
  // `nobody works here` begins with its own word.
  const said = text.startsWith(`${word} `) ? text : `${word} ${text}`;
  const [first = '', ...more] = wrapText(pen.safe(said), width === 0 ? 0 : width - 4);
  return [`  ${pen.paint(mark, word)}${first.slice(word.length)}`, ...more.map((line) => `    ${line}`)];
};

const linesOf = (place: PlaceOfWork, { verbosity }: Presentation): readonly Line[] => {
  const { people, unseen } = place;
  const quiet = verbosity === 'quiet';
  const shown = people.filter((one) => !quiet || one.class === 'agent' || one.class === 'unknown');
  const counts = people.some((one) => one.class === 'agent' || one.class === 'unknown');
  const doubts = unseen.map(
    (why): Line => ({
      mark: 'unknown',
      word: 'unsure',
      text: `${counts ? 'somebody else may work here' : 'nobody was seen, but somebody may work here'}: ${why}`,
    }),
  );
  const nobody: readonly Line[] =
    people.length > 0 || unseen.length > 0 || quiet
      ? []
      : [
          {
            mark: 'pass',
            word: 'nobody',
            text: place.isGone === true ? goneText(place) : 'nobody works here',
          },
        ];
  return [
    ...shown.map(
      (one): Line => ({
        mark: MARKS[one.class],
        word: WORDS[one.class],
        text: describePerson(one, verbosity === 'verbose'),
      }),
    ),
    ...doubts,
    ...nobody,
    ...(place.movedTo === undefined ? [] : [movedLine(place, place.movedTo)]),
  ];
};

const movedLine = ({ isCopy }: PlaceOfWork, movedTo: string): Line => ({
  mark: 'info',
  word: 'elsewhere',
  text: `somebody works in ${movedTo}: ${isCopy === true ? 'a copy of this worktree, and both have one index and one HEAD' : 'the worktree that git lists here was moved there'}`,
});

const goneText = ({ worker, root }: PlaceOfWork): string =>
  `nobody works here: the directory is gone, but git still lists it; see ${quoteCommand(['doctor', 'explain', worker, '--town', root])}`;

/** `claude, process 4711, pane %4 of session gt-ada; seen by: directory, tmux`. */
const describePerson = (
  { class: kind, name, pid, pane, seenBy, why, asks }: Person,
  verbose: boolean,
): string => {
  const known = [
    name,
    ...(kind === 'agent' || kind === 'unknown' || kind === 'left-behind' ? [] : [why]),
    ...(pid === null ? [] : [`process ${pid}`]),
    ...(pane === null ? [] : [`pane ${pane.id} of session ${pane.sessionName}`]),
    ...(asks ? ['running this command'] : []),
  ].join(', ');
  const by = seenBy.length === 0 ? '' : `; seen by: ${seenBy.join(', ')}`;
  return `${known}${by}${verbose && (kind === 'agent' || kind === 'unknown') ? ` (${why})` : ''}`;
};
