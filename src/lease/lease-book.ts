/**
 * The leases of a town in a diagnosis: listed once before anything is looked at, compared with what each machine shows, and told in
 * the report. Reads only.
 */
import type { MachineView } from '../core/fleet/taker.ts';
import { HERE } from '../core/town/views.ts';
import { type Check, type Finding, LEASE_CHECK } from '../core/types/check.ts';
import type { Examination } from '../core/types/judgement.ts';
import { EXIT, type Report, type ReportFinding, type ReportLease } from '../core/types/report.ts';
import { elapsedMs } from '../io/clock.ts';
import type { Listed } from './engine.ts';
import { findingOf, type LeaseSight, locksWithoutLease, seeLease, type WorkersLease } from './judge-lease.ts';
import type { LeaseReading } from './read-leases.ts';

/** The leases of one run. */
export interface LeaseBook {
  /** Asks the server; before each look. Never throws: what it did not answer is a gap of the report. */
  readonly list: () => Promise<void>;
  /** Compares them with a town that was judged, by the views that it was judged from; default: this machine's own. */
  readonly onExamined: (examination: Examination, views?: readonly MachineView[]) => Promise<void>;
  /** Tells what was found of the town that was compared last. */
  readonly check: Check;
  /** The report with the leases, and with the gap where they could not be had. */
  readonly told: (report: Report) => Report;
  /** Lets the lease of a worker go, as it was listed. Null where that was done; else why not. */
  readonly revoke: (worker: string) => Promise<string | null>;
  /** Why they could not be had, as a sentence; null where they were. */
  readonly problem: string | null;
  /** The lease of one worker, as the report tells it; null where it has none. */
  readonly of: (worker: string) => ReportLease | null;
}

/** `where`: what the report calls the server and the prefix; no secret is in it. */
export const openLeaseBook = ({ engine, prefix, asked }: LeaseReading, where: string): LeaseBook => {
  let listed: Listed = { status: 'failed', why: 'it was not asked' };
  let listedAtMs = 0;
  let leases: ReadonlyMap<string, WorkersLease> = new Map();
  const sights = new Map<string, LeaseSight>();
  const expiring = new Map<string, number>();
  const findings = new WeakMap<Examination, readonly Finding[]>();

  /** Its lock may have been given back since the list was made, and the lease with it. */
  const isStillHeld = async ({ key, epoch }: WorkersLease): Promise<boolean> => {
    const read = await engine.read(key);
    return read.status === 'held' && read.lease.epoch === epoch;
  };

  const confirmed = async (sight: LeaseSight): Promise<readonly Finding[]> => {
    const { lease, lock, state } = sight;
    if (state === 'held' && (lock !== null || isYoung(lease) || !(await isStillHeld(lease)))) return [];
    const left = state === 'stale' && lease.id !== null ? await engine.secondsLeft(lease.id) : null;
    if (left !== null) expiring.set(lease.worker, left);
    const finding = findingOf(sight, left);
    return finding === null ? [] : [finding];
  };

  const list = async (): Promise<void> => {
    listedAtMs = elapsedMs();
    sights.clear();
    expiring.clear();
    listed = await engine.list(prefix);
    leases = new Map(
      (listed.status === 'ok' ? listed.leases : []).map((lease) => {
        const worker = lease.key.slice(prefix.length + 1);
        return [worker, { ...lease, worker }];
      }),
    );
  };

  const reported = (lease: WorkersLease): ReportLease =>
    reportOf(lease, sights.get(lease.worker), expiring.get(lease.worker) ?? null);

  return {
    list,
    onExamined: async (examination, views = [{ machine: HERE, isHere: true, names: [], examination }]) => {
      if (listed.status === 'failed') return;
      const seen = views.flatMap((view) =>
        [...leases.values()].flatMap((lease) => seeLease(lease, view) ?? []),
      );
      // Of several machines that share a directory the one that may call a holder dead knows best.
      for (const sight of seen) {
        const known = sights.get(sight.lease.worker);
        if (known === undefined || sight.state === 'stale' || known.lock === null)
          sights.set(sight.lease.worker, sight);
      }
      const own = new Set(
        seen.map(({ lease }) => sights.get(lease.worker)).filter((sight) => sight !== undefined),
      );
      const secondsAgo = (elapsedMs() - listedAtMs) / 1000;
      findings.set(examination, [
        ...locksWithoutLease({ examination }, leases, secondsAgo),
        ...(await Promise.all([...own].map(confirmed))).flat(),
      ]);
    },
    check: {
      id: LEASE_CHECK,
      title: 'Leases that do not fit their locks',
      summary: 'A live lock without its lease, or a lease without its lock.',
      run: (examination) => findings.get(examination) ?? [],
    },
    told: (report) => {
      const { workers } = report;
      const shown = [...leases.values()].filter(({ worker }) => workers === null || workers.includes(worker));
      const whole = {
        ...report,
        leases: shown.map(reported),
        findings: report.findings.map(askedAlike(asked)),
      };
      return listed.status === 'ok' ? whole : withGap(whole, where, listed.why, asked);
    },
    revoke: async (worker) => {
      const id = leases.get(worker)?.id ?? null;
      return id === null ? 'it is no lease' : engine.giveBack({ id });
    },
    get problem() {
      return listed.status === 'ok' ? null : `Leases at ${where} could not be read: ${listed.why}.`;
    },
    of: (worker) => {
      const lease = leases.get(worker);
      return lease === undefined ? null : reported(lease);
    },
  };
};

const reportOf = (
  { worker, key, by, epoch, id }: WorkersLease,
  sight: LeaseSight | undefined,
  expiresInSeconds: number | null,
): ReportLease => ({
  worker,
  key,
  state: sight?.state ?? 'held',
  machine: sight?.machine ?? null,
  holder:
    by === null
      ? null
      : {
          hostname: by.hostname,
          pid: by.pid,
          sessionId: by.sessionId || null,
          acquiredAt: by.acquiredAt,
        },
  epoch,
  expires: id !== null,
  expiresInSeconds,
  lock: sight?.lock ?? null,
});

/** Commands of a finding about leases name the server as this run did. */
const askedAlike =
  (asked: readonly string[]) =>
  (finding: ReportFinding): ReportFinding =>
    finding.check === LEASE_CHECK
      ? { ...finding, next: finding.next.map((command) => [...command, ...asked]) }
      : finding;

/** A report whose leases could not be had: incomplete, and no longer healthy. */
const withGap = (report: Report, where: string, why: string, asked: readonly string[]): Report => {
  const gap = { what: `lease:${where}`, why, ...(asked.length > 0 ? { asked } : {}) };
  const exitCode = report.exitCode === EXIT.ok ? EXIT.unsure : report.exitCode;
  return { ...report, gaps: [...report.gaps, gap], complete: false, ok: false, exitCode };
};

/** Between lease and lock a command is being started. */
const YOUNG_MS = 10_000;

const isYoung = ({ by }: WorkersLease): boolean => {
  const ageMs = Date.now() - Date.parse(by?.acquiredAt ?? '');
  return !(ageMs > YOUNG_MS);
};
