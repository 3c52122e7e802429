/** Who works where, one line for each. */
import { A_COPY } from '../core/preflight/moved-tree.ts';
import { count } from '../core/report/amounts.ts';
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

/** The rank of a place where nobody works: after those where somebody was seen, and those of which there is something to tell. */
const EMPTY = 4;

/** More places than this where nobody works are counted on a screen. */
const EMPTY_SHOWN = 3;

interface Line {
  readonly mark: Mark;
  readonly word: string;
  readonly text: string;
}

/**
 * One line for each who was seen, what could not be looked at, and a place where nobody was seen; agents first. A screen counts
 * the places where nobody works if they are many. Quiet: agents, unknown programs and what could not be looked at; verbose: every
 * place, and why each counts as what it does.
 *
 * @param typed by path, how the caller named directories that are roots themselves
 */
export const renderWho = (
  report: WhoReport,
  presentation: Presentation,
  typed: ReadonlyMap<string, string>,
): string => {
  const pen = createPen(presentation);
  const { layout, verbosity } = presentation;
  const places = [...report.places].sort((a, b) => rankOf(a) - rankOf(b));
  const empty = places.filter((place) => rankOf(place) === EMPTY);
  const isFolded = layout === 'screen' && verbosity === 'normal' && empty.length > EMPTY_SHOWN;
  const shown = isFolded ? places.filter((place) => !empty.includes(place)) : places;
  const others = `${count(empty.length, shown.length > 0 ? 'more place' : 'place')} where nobody works (-v names them)`;
  return [
    ...shown.flatMap((place) => {
      const lines = linesOf(place, presentation);
      const name = pen.safe(
        (place.worker === '.' ? typed.get(place.path) : undefined) ?? nameOf(place.worker, place.root),
      );
      if (lines.length === 0) return [];
      if (layout === 'lines')
        return lines.map(({ mark, word, text }) => `${pen.paint(mark, word)} ${name}: ${pen.safe(text)}`);
      return [pen.bold(name), ...lines.flatMap((line) => wrapped(line, pen, presentation))];
    }),
    ...(isFolded
      ? wrapText(`${shown.length > 0 ? 'and ' : ''}${others}`, presentation.width).map(pen.dim)
      : []),
  ]
    .map((line) => `${line}\n`)
    .join('');
};

/** Agents first, then who may be one, then what could not be looked at. */
const rankOf = ({ people, unseen, isGone, movedTo }: PlaceOfWork): number => {
  const [first] = people;
  if (first?.class === 'agent') return 0;
  if (first?.class === 'unknown') return 1;
  if (unseen.length > 0) return 2;
  return first !== undefined || isGone === true || movedTo !== undefined ? 3 : EMPTY;
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
  text: `somebody works in ${movedTo}: ${isCopy === true ? A_COPY : 'the worktree that git lists here was moved there'}`,
});

const goneText = ({ worker, root }: PlaceOfWork): string =>
  `nobody works here: the directory is gone, but git still lists it; see ${quoteCommand(['doctor', 'explain', worker, '--town', root])}`;

/** `claude, process 4711, pane %4 of session gt-ada` */
export const introduce = ({ class: kind, name, pid, pane, why, asks }: Person): string =>
  [
    name,
    ...(kind === 'agent' || kind === 'unknown' || kind === 'left-behind' ? [] : [why]),
    ...(pid === null ? [] : [`process ${pid}`]),
    ...(pane === null ? [] : [`pane ${pane.id} of session ${pane.sessionName}`]),
    ...(asks ? ['running this command'] : []),
  ].join(', ');

/** The same, and how it was seen: `…; seen by: directory, tmux`. */
const describePerson = (one: Person, verbose: boolean): string => {
  const { class: kind, seenBy, why } = one;
  const by = seenBy.length === 0 ? '' : `; seen by: ${seenBy.join(', ')}`;
  return `${introduce(one)}${by}${verbose && (kind === 'agent' || kind === 'unknown') ? ` (${why})` : ''}`;
};
