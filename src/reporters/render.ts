/** Chooses the reporter of a format. */
import type { Report } from '../core/types/report.ts';
import { renderGithub } from './github.ts';
import { renderJson } from './json.ts';
import { renderMarkdown } from './markdown.ts';
import { renderNdjson } from './ndjson.ts';
import type { Presentation } from './screen/style.ts';
import { renderText } from './text.ts';

/** Those that are loaded with every diagnosis; `src/cli/formats.ts` has the others. */
const REPORTERS = {
  text: renderText,
  json: renderJson,
  ndjson: (report) => renderNdjson(report),
  markdown: renderMarkdown,
  github: renderGithub,
} as const satisfies Readonly<Record<string, (report: Report, presentation: Presentation) => string>>;

/** A report in the format that was asked for. Pure: the same report and presentation give the same text. */
export const renderReport = (
  report: Report,
  format: keyof typeof REPORTERS,
  presentation: Presentation,
): string => REPORTERS[format](report, presentation);
