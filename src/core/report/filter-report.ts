/** The part of a report that was asked for: by state, kind, place and age. Pure. */
import { isWithin } from '../town/roles.ts';
import type { State } from '../types/judgement.ts';
import type { Report, ReportLease, ReportLock } from '../types/report.ts';

/** An empty list, and null, ask for all. */
export interface ReportFilter {
  readonly states: readonly State[];
  readonly kinds: readonly string[];
  /** Directories, relative to the town: what lies at or below one of them. */
  readonly places: readonly string[];
  /** Taken at this moment or later, in milliseconds since the epoch. */
  readonly sinceMs: number | null;
  /** Taken before this moment. */
  readonly beforeMs: number | null;
}

/**
 * The report with these locks only, and with the agents, findings and collisions that are about them. Rows that are about no lock
 * stay where only places are asked for. Counts (`summary`), exit code and gaps stay those of the whole run. A lock that does not
 * say when it was taken is as old as its file; one whose time is not known is neither young nor old.
 */
export const filterReport = (report: Report, filter: ReportFilter): Report => {
  const { states, kinds, places, sinceMs, beforeMs } = filter;
  const asksForLocks = states.length + kinds.length > 0 || sinceMs !== null || beforeMs !== null;
  if (!asksForLocks && places.length === 0) return report;
  const isPlaced = (worker: string): boolean =>
    places.length === 0 || places.some((place) => isWithin(worker, place));
  const lookMs = Date.parse(report.startedAt);
  const locks = report.locks.filter((lock) => isPlaced(lock.worker) && fits(lock, lookMs, filter));
  const ids = new Set(locks.map(({ id }) => id));
  const workers = new Set(locks.map(({ worker }) => worker));
  const concerns = (worker: string): boolean => workers.has(worker) || (!asksForLocks && isPlaced(worker));
  const { leases } = report;
  const isShown = ({ worker, lock }: ReportLease): boolean =>
    lock === null ? !asksForLocks && isPlaced(worker) : ids.has(lock);
  return {
    ...report,
    ...(leases === undefined ? {} : { leases: leases.filter(isShown) }),
    locks,
    agents: report.agents.filter(({ lock, worker }) =>
      lock === null ? !asksForLocks && isPlaced(worker) : ids.has(lock),
    ),
    collisions: report.collisions.filter((collision) => collision.workers.some(concerns)),
    findings: report.findings.filter(({ lock, worker }) =>
      lock === null ? worker !== null && concerns(worker) : ids.has(lock),
    ),
  };
};

const fits = (
  { state, kind, holder, writtenSecondsAgo }: ReportLock,
  lookMs: number,
  { states, kinds, sinceMs, beforeMs }: ReportFilter,
): boolean => {
  if (states.length > 0 && !states.includes(state)) return false;
  if (kinds.length > 0 && !kinds.includes(kind)) return false;
  if (sinceMs === null && beforeMs === null) return true;
  const writtenMs = writtenSecondsAgo === null ? Number.NaN : lookMs - writtenSecondsAgo * 1000;
  const takenMs = holder?.acquiredAt == null ? writtenMs : Date.parse(holder.acquiredAt);
  return takenMs >= (sinceMs ?? Number.NEGATIVE_INFINITY) && takenMs < (beforeMs ?? Number.POSITIVE_INFINITY);
};
