/** The answers of a preflight, one line per worker. */
import type { Answer, PreflightReport, PreflightResult } from '../core/types/report.ts';
import { createPen, type Mark, type Pen, type Presentation } from './screen/style.ts';

const MARKS: Readonly<Record<Answer, Mark>> = {
  free: 'pass',
  held: 'error',
  repair: 'warning',
  unsure: 'unknown',
};

/** One line and one answer per worker; quiet: only where the answer is not `free`; verbose: with the evidence. */
export const renderPreflight = (report: PreflightReport, presentation: Presentation): string => {
  const pen = createPen(presentation);
  return report.results
    .filter(({ answer }) => presentation.verbosity !== 'quiet' || answer !== 'free')
    .flatMap((result) => [
      answerLine(result, pen),
      ...(presentation.verbosity === 'verbose'
        ? result.evidence.map(({ source, text }) => `  ${source}: ${pen.safe(text)}`)
        : []),
    ])
    .map((line) => `${line}\n`)
    .join('');
};

const answerLine = ({ worker, answer, message, next }: PreflightResult, pen: Pen): string => {
  const [command] = next;
  // The answer is said once, even where the sentence begins with it.
  const said = message.startsWith(`${answer}: `) ? message.slice(answer.length + 2) : message;
  return `${pen.paint(MARKS[answer], answer)} ${pen.safe(worker)}: ${pen.safe(said)}${command === undefined ? '' : ` (next: ${pen.command(command)})`}`;
};
