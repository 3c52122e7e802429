/** The report for people. */
import type { Report } from '../core/types/report.ts';
import { renderLines } from './lines.ts';
import { renderScreen } from './screen/screen.ts';
import type { Presentation } from './screen/style.ts';

/** A report for people: a screen at a terminal, one finding per line in a pipe. Ends with a line break, or is empty. */
export const renderText = (report: Report, presentation: Presentation): string => {
  const lines =
    presentation.layout === 'screen' ? renderScreen(report, presentation) : renderLines(report, presentation);
  return lines.map((line) => `${line}\n`).join('');
};
