/** A report as people read it: rows of other machines bear their names, which programs find in fields of their own. */
import { inNames } from '../core/fleet/label.ts';
import type { Report } from '../core/types/report.ts';
import type { Format } from './formats.ts';

/** The report to render in this format. */
export const shownIn = (format: Format, report: Report): Report =>
  format === 'json' || format === 'ndjson' ? report : inNames(report);
