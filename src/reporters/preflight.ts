/** The answers of a preflight, one line per worker. */
import type { Answer, PreflightReport, PreflightResult } from '../core/types/report.ts';
import { wrapText } from './screen/display-width.ts';
import { createPen, type Mark, type Pen, type Presentation } from './screen/style.ts';
import { nameOf, typedOutside } from './screen/words.ts';

const MARKS: Readonly<Record<Answer, Mark>> = {
  free: 'pass',
  held: 'error',
  repair: 'warning',
  unsure: 'unknown',
};

/** How each answer is printed. */
const WORDS: Readonly<Record<Answer, string>> = {
  free: 'free',
  held: 'held',
  repair: 'repairable',
  unsure: 'unsure',
};

/**
 * One line and one answer per worker; quiet: only where the answer is not `free`; verbose: with the evidence.
 *
 * @param typed how the caller named each worker: what lies beside the town keeps that name
 */
export const renderPreflight = (
  report: PreflightReport,
  presentation: Presentation,
  typed: readonly string[],
): string => {
  const pen = createPen(presentation);
  const root = report.town?.root;
  return report.results
    .map((result, at) => ({ result, name: besideTown(result, typed[at]) ?? nameOf(result.worker, root) }))
    .filter(({ result: { answer } }) => presentation.verbosity !== 'quiet' || answer !== 'free')
    .flatMap(({ result, name }) => [
      ...answerLines(result, name, pen, presentation),
      ...(presentation.verbosity === 'verbose'
        ? result.evidence.flatMap(({ source, text }) =>
            wrapText(
              `${source}: ${pen.safe(text)}`,
              presentation.layout === 'screen' ? presentation.width - 2 : 0,
            ).map((line) => `  ${line}`),
          )
        : []),
    ])
    .map((line) => `${line}\n`)
    .join('');
};

/** `../feature-1`, where that leads out of the town that was asked; a worker in the town has its name there. */
const besideTown = ({ worker }: PreflightResult, typed: string | undefined): string | null =>
  typed !== undefined && (worker.startsWith('/') || worker === '.') ? typedOutside(typed) : null;

/** One line in a pipe. On a screen it is wrapped, and the command has a line of its own, which stays whole. */
const answerLines = (
  { answer, message, next }: PreflightResult,
  name: string,
  pen: Pen,
  { layout, width }: Presentation,
): readonly string[] => {
  const [command] = next;
  // The answer is said once, even where the sentence begins with it.
  const said = message.startsWith(`${answer}: `) ? message.slice(answer.length + 2) : message;
  const text = `${pen.safe(name)}: ${pen.safe(said)}`;
  const word = WORDS[answer];
  const head = (rest: string): string => `${pen.paint(MARKS[answer], word)}${rest.slice(word.length)}`;
  if (layout === 'lines')
    return [head(`${word} ${text}${command === undefined ? '' : ` (next: ${pen.command(command)})`}`)];
  const [first = '', ...more] = wrapText(`${word} ${text}`, width - 2);
  return [
    head(first),
    ...more.map((line) => `  ${line}`),
    ...(command === undefined ? [] : [`  next: ${pen.command(command)}`]),
  ];
};
