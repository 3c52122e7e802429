/** The HTML report with the history out of the journal. A part of its own: few runs ask for it. */
import type { Report } from '../core/types/report.ts';
import { systemCalls } from '../io/disk/system-calls.ts';
import { readHistory } from '../repair/history/history.ts';
import { renderHtml } from '../reporters/html/page.ts';

/** The page; what the journal tells is left out for saved evidence, which was seen at another time and maybe elsewhere. */
export const renderWithHistory = (report: Report, isSaved: boolean): string =>
  renderHtml(report, isSaved || report.town === null ? null : readHistory(systemCalls, report.town.root));
