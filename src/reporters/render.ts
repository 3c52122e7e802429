/** Chooses the reporter of a format. */
import type { Report } from '../core/types/report.ts';
import type { Format } from './formats.ts';
import { renderGithub } from './github.ts';
import { renderJson } from './json.ts';
import { renderMarkdown } from './markdown.ts';
import { renderNdjson } from './ndjson.ts';
import type { Presentation } from './screen/style.ts';
import { renderText } from './text.ts';

/** The formats that are loaded with every diagnosis; the others need more, see `src/cli/render-as.ts`. */
export type UsualFormat = Exclude<Format, 'html' | 'openmetrics'>;

const REPORTERS: Readonly<Record<UsualFormat, (report: Report, presentation: Presentation) => string>> = {
  text: renderText,
  json: renderJson,
  ndjson: (report) => renderNdjson(report),
  markdown: renderMarkdown,
  github: renderGithub,
};

/** A report in the format that was asked for. Pure: the same report and presentation give the same text. */
export const renderReport = (report: Report, format: UsualFormat, presentation: Presentation): string =>
  REPORTERS[format](report, presentation);
