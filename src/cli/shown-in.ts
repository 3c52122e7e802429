/** A report for people: rows of other machines are prefixed with their names, which programs find in separate fields. */
import { inNames } from '../core/fleet/label.ts';
import type { Report } from '../core/types/report.ts';
import type { Format } from './formats.ts';

/** The report to render in this format. */
export const shownIn = (format: Format, report: Report): Report =>
  format === 'json' || format === 'ndjson' ? report : inNames(report);
