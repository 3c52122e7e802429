/** What `doctor locks --state` shows of a report. */
import type { Report } from '../../core/types/report.ts';

/** The report with the locks of these states only, and then without agents that have no lock; with all where none is named. */
export const filterStates = (report: Report, states: readonly string[]): Report =>
  states.length === 0
    ? report
    : {
        ...report,
        locks: report.locks.filter(({ state }) => states.includes(state)),
        agents: report.agents.filter(({ lock }) => lock !== null),
      };
