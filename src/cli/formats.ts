/** The formats of `--format`: apart from their reporters, so that the fast commands need not load those. */
import type { ReportFilter } from '../core/report/filter-report.ts';
import type { Report } from '../core/types/report.ts';

/** Makes a report's text. `isSaved`: the evidence was saved, so this disk says nothing about it. `part`: what it was cut to; null: nothing is left out. */
type Render = (report: Report, isSaved: boolean, part: ReportFilter | null) => string;

/** What few runs ask for is loaded then. Another format is a module and a line here. */
export const LATE_FORMATS = {
  html: async () => (await import('./html.ts')).renderWithHistory,
  openmetrics: async () => (await import('../reporters/openmetrics.ts')).renderOpenMetrics,
} as const satisfies Readonly<Record<string, () => Promise<Render>>>;

type LateFormat = keyof typeof LATE_FORMATS;

/** Those that come with every diagnosis. */
export const USUAL_FORMATS = ['text', 'json', 'ndjson', 'markdown', 'github'] as const;
type UsualFormat = (typeof USUAL_FORMATS)[number];

export type Format = UsualFormat | LateFormat;

export const isLate = (format: Format): format is LateFormat => Object.hasOwn(LATE_FORMATS, format);

/** All of them, in the order of the help. */
export const FORMATS: readonly Format[] = [
  ...USUAL_FORMATS,
  ...(Object.keys(LATE_FORMATS) as readonly LateFormat[]),
];
