/** The HTML report with the history out of the journal. A part of its own: few runs ask for it. */
import { chooseEvents } from '../core/report/choose-events.ts';
import type { ReportFilter } from '../core/report/filter-report.ts';
import type { History } from '../core/types/history.ts';
import type { Report } from '../core/types/report.ts';
import { systemCalls } from '../io/disk/system-calls.ts';
import { readHistory } from '../repair/history/history.ts';
import { renderHtml } from '../reporters/html/page.ts';

/**
 * The page. What the journal tells is cut as the report was, and left out for saved evidence, which was seen at another time and
 * maybe elsewhere.
 */
export const renderWithHistory = (report: Report, isSaved: boolean, part: ReportFilter | null): string => {
  const history = isSaved || report.town === null ? null : readHistory(systemCalls, report.town.root);
  return renderHtml(report, history === null ? null : cut(history, part), part);
};

const cut = (history: History, part: ReportFilter | null): History =>
  part === null
    ? history
    : { ...history, events: chooseEvents(history.events, { ...part, workers: part.places, deeds: [] }) };
