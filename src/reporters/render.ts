/** Chooses the reporter of a format. */
import type { Report } from '../core/types/report.ts';
import { renderGithub } from './github.ts';
import { renderJson } from './json.ts';
import { renderLines } from './lines.ts';
import { renderMarkdown } from './markdown.ts';
import { renderNdjson } from './ndjson.ts';
import { renderScreen } from './screen/screen.ts';
import type { Presentation } from './screen/style.ts';

/** A report for people: a screen at a terminal, one finding per line in a pipe. Ends with a line break, or is empty. */
export const renderText = (report: Report, presentation: Presentation): string => {
  const lines =
    presentation.layout === 'screen' ? renderScreen(report, presentation) : renderLines(report, presentation);
  return lines.map((line) => `${line}\n`).join('');
};

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
