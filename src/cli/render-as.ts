/** A report in the format that was asked for; what few runs ask for is loaded then. */
import type { Report } from '../core/types/report.ts';
import type { Format } from '../reporters/formats.ts';
import { renderReport } from '../reporters/render.ts';
import type { Presentation } from '../reporters/screen/style.ts';
import type { Arguments } from './arguments/arguments.ts';
import { shownIn } from './shown-in.ts';

/** The text for standard output. Saved evidence is told of without a look at this disk. */
export const renderAs = async (
  told: Report,
  format: Format,
  presentation: Presentation,
  { options }: Arguments,
): Promise<string> => {
  const report = shownIn(format, told);
  switch (format) {
    case 'html':
      return (await import('./html.ts')).renderWithHistory(report, options.fromSnapshot !== null);
    case 'openmetrics':
      return (await import('../reporters/openmetrics.ts')).renderOpenMetrics(report);
    default:
      return renderReport(report, format, presentation);
  }
};
