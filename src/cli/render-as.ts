/** A report in the format that was asked for; what few runs ask for is loaded then. */
import type { ReportFilter } from '../core/report/filter-report.ts';
import type { Report } from '../core/types/report.ts';
import { renderReport } from '../reporters/render.ts';
import type { Presentation } from '../reporters/screen/style.ts';
import type { Arguments } from './arguments/arguments.ts';
import { type Format, isLate, LATE_FORMATS } from './formats.ts';
import { shownIn } from './shown-in.ts';

/** The text for standard output. A report of saved evidence does not look at this disk. `part`: what the report was cut to. */
export const renderAs = async (
  told: Report,
  format: Format,
  presentation: Presentation,
  { options }: Arguments,
  part: ReportFilter | null = null,
): Promise<string> => {
  const report = shownIn(format, told);
  if (!isLate(format)) return renderReport(report, format, presentation);
  const render = await LATE_FORMATS[format]();
  return render(report, options.fromSnapshot !== undefined, part);
};
