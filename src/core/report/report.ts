/** From outcomes to the report: what is printed, and the exit code that says what to do next. */
import { unaskedFor } from '../judge/session/unasked.ts';
import { type CheckOutcome, isDoubt } from '../run-checks.ts';
import { hasTmuxAnswered } from '../town/machine-index.ts';
import { isWithin, relativeTo } from '../town/roles.ts';
import { isUnreached } from '../town/unreached.ts';
import { type Finding, SEVERITIES, type Severity } from '../types/check.ts';
import type { Gap, Snapshot, TmuxServer, TownFacts } from '../types/evidence.ts';
import type { Examination, Occupant, Verdict } from '../types/judgement.ts';
import {
  EXIT,
  type FixStatus,
  type Report,
  type ReportAgent,
  type ReportCheck,
  type ReportFinding,
  type ReportFix,
  type ReportLock,
  type ReportServer,
  type ReportSummary,
  SCHEMA_VERSION,
} from '../types/report.ts';
import { findingId } from './finding-id.ts';
import { releaseCommand } from './git-commands.ts';
import { asAsked, optionWith, townOption, workerArgument } from './name-worker.ts';
import { refusalOf } from './refusals.ts';

/** What became of one release; `reason` is a sentence fragment for an operator. */
export type ReleaseOutcome =
  | { readonly status: 'fixed'; readonly reason: string | null; readonly backup: string }
  | {
      readonly status: Exclude<FixStatus, 'planned' | 'fixed'>;
      readonly reason: string;
      readonly backup: null;
    };

export interface ReportRequest {
  readonly examination: Examination;
  readonly outcomes: readonly CheckOutcome[];
  readonly command: string;
  readonly tool: Report['tool'];
  readonly durationMs: number;
  readonly failOn: Severity;
  /** Only these workers count; null for the whole town. */
  readonly workers: readonly string[] | null;
}

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

export const reportLock = (verdict: Verdict): ReportLock => ({
  id: verdict.lock.id,
  kind: verdict.lock.kind,
  worker: verdict.lock.worker,
  path: verdict.lock.path,
  state: verdict.state,
  reasons: verdict.reasons,
  notes: verdict.notes,
  holder: verdict.holder,
  writtenSecondsAgo: verdict.writtenSecondsAgo,
  evidence: verdict.facts,
  sha256: verdict.lock.stamp?.sha256 ?? null,
});

const reportAgent = (worker: string, lock: string | null, { pid, command, pane }: Occupant): ReportAgent => ({
  worker,
  lock,
  pid,
  command,
  pane,
});

/** A release that nobody makes. */
export const SKIPPED: ReportFix = {
  action: 'release',
  safe: false,
  status: 'skipped',
  reason: null,
  retryInSeconds: null,
  text: null,
  backup: null,
};

/** Shared: there may be ten thousand releases. */
const PLANNED: ReportFix = { ...SKIPPED, safe: true, status: 'planned' };

const reportFix = (finding: Finding, verdicts: ReadonlyMap<string, Verdict>): ReportFix | null => {
  const { fix } = finding;
  if (fix === null) return null;
  if (fix.action === 'advice') return { ...SKIPPED, action: 'advice', text: fix.text };
  const verdict = verdicts.get(fix.lock);
  if (verdict?.release.allowed === true) return PLANNED;
  const reason = verdict === undefined ? 'no such lock' : refusalOf(verdict);
  const retryInSeconds = verdict?.release.retryInSeconds ?? null;
  return { ...SKIPPED, reason, retryInSeconds };
};

const FIX: readonly string[] = ['doctor', '--fix'];
const CONSENT = '--yes';

/** The command for somebody who has not agreed to anything yet: it asks, where there is a terminal. */
export const withoutConsent = (command: readonly string[]): readonly string[] =>
  command.filter((word) => word !== CONSENT);

const isOutside = ({ release }: Verdict): boolean => !release.allowed && release.why === 'outside';

const nextOf = (
  finding: Finding,
  fix: ReportFix | null,
  verdicts: ReadonlyMap<string, Verdict>,
  root: TownFacts['root'],
  town: readonly string[],
): readonly (readonly string[])[] => {
  if (finding.fix?.action === 'advice' && finding.fix.commands.length > 0) return finding.fix.commands;
  if (finding.worker === null) return [];
  const verdict = verdicts.get(finding.lock ?? '');
  if (fix?.action === 'release' && verdict !== undefined && isOutside(verdict))
    return [releaseCommand(verdict.lock)];
  return fix?.action === 'release' && fix.safe
    ? [
        // Not spread: such a list keeps room for more words, and there may be ten thousand lists.
        FIX.concat(optionWith('worker', finding.worker), CONSENT, asAsked(verdict), town),
      ]
    : [['doctor', 'explain', workerArgument(finding.worker, root), ...town]];
};

const placesOf = ({ worker, workers = [] }: Finding): readonly string[] =>
  worker === null ? workers : [worker, ...workers];

const reportFindings = (request: ReportRequest): readonly ReportFinding[] => {
  const { examination, outcomes, workers } = request;
  const verdicts = new Map(examination.verdicts.map((verdict) => [verdict.lock.id, verdict]));
  const counts = new Map<string, number>();
  const { town } = examination.snapshot;
  const townWords = townOption(town);
  return outcomes.flatMap(({ check, findings }) =>
    findings
      .filter((finding) => workers === null || placesOf(finding).some((place) => workers.includes(place)))
      .map((finding) => {
        const base = findingId(check.id, finding);
        const count = (counts.get(base) ?? 0) + 1;
        counts.set(base, count);
        const fix = reportFix(finding, verdicts);
        return {
          id: count === 1 ? base : `${base}#${count}`,
          check: check.id,
          severity: finding.severity,
          doubt: isDoubt(check, finding),
          worker: finding.worker,
          lock: finding.lock,
          message: finding.message,
          evidence: finding.evidence,
          fix,
          next: nextOf(finding, fix, verdicts, town.root, townWords),
        };
      }),
  );
};

const reportServer = (server: Snapshot['machine']['tmux']['servers'][number]): ReportServer => ({
  socket: server.socket,
  ...(server.origin === 'flag' ? { requested: true as const } : {}),
  status: server.status,
  pid: server.pid,
  startedAt: iso(server.startedAtMs),
  sessions: server.sessions,
  panes: server.panes.length,
  reason: server.reason,
});

const tmuxStatus = (snapshot: Snapshot): 'ok' | 'none' | 'unknown' => {
  if (!hasTmuxAnswered(snapshot.machine)) return 'unknown';
  return snapshot.machine.tmux.servers.some((server) => server.status === 'ok') ? 'ok' : 'none';
};

const silence = ({ socket, reason }: TmuxServer): Gap => ({
  what: `tmux:${socket}`,
  why: reason ?? 'did not answer',
});

/** The servers of strangers that leave one of these locks undecided. */
const unaskedGaps = ({ machine }: Snapshot, verdicts: readonly Verdict[]): readonly Gap[] => {
  const servers = verdicts
    .filter(({ state, reasons }) => state === 'unknown' && reasons.includes('session-unknown'))
    .flatMap(({ lock: { content } }) =>
      content.kind === 'record' ? unaskedFor(content.record, machine.tmux.servers) : [],
    );
  return [...new Set(servers)].map(silence);
};

/** Everything that could not be looked at and could have changed the answer, which is these verdicts. */
export const gapsOf = (snapshot: Snapshot, verdicts: readonly Verdict[]): readonly Gap[] => {
  const { locks, machine } = snapshot;
  const { tmux, processes } = machine;
  const silent = tmux.servers.filter(isUnreached).map(silence);
  const missing =
    !tmux.installed && !hasTmuxAnswered(snapshot.machine) && silent.length === 0 && locks.length > 0
      ? [{ what: 'tmux', why: 'is not installed' }]
      : [];
  const listing = processes.listing.seen ? [] : [{ what: 'processes', why: processes.listing.why }];
  return [...snapshot.gaps, ...listing, ...missing, ...silent, ...unaskedGaps(snapshot, verdicts)];
};

/** True where a gap may hide something about one of the workers: its path lies in or above theirs, or it has none. */
const isNear = ({ what }: Gap, workers: readonly string[], root: string): boolean => {
  const path = /^(?:directory|lock|git):(.*)$/s.exec(what)?.[1];
  const place = path === undefined ? null : relativeTo(root, path);
  return place === null || workers.some((worker) => isWithin(place, worker) || isWithin(worker, place));
};

/** The sums of a report, or of a part of it. A lock that two findings would release counts once. */
export const countUp = (
  locks: readonly Pick<Verdict, 'state' | 'notes'>[],
  agents: readonly ReportAgent[],
  findings: readonly ReportFinding[],
  collisions: number,
): ReportSummary => {
  const states = { held: 0, stale: 0, orphaned: 0, invalid: 0, foreign: 0, unknown: 0 };
  for (const { state } of locks) states[state] += 1;
  const releases = (status: FixStatus): number => {
    const released = new Set<string | null>();
    for (const { fix, lock, machine } of findings)
      if (fix?.action === 'release' && fix.status === status)
        released.add(machine === undefined ? lock : `${machine} ${lock}`);
    return released.size;
  };
  return {
    locks: locks.length,
    ...states,
    idle: locks.filter(({ notes }) => notes.includes('idle')).length,
    collisions,
    // One agent may work in several workers.
    withoutLock: new Set(
      agents.filter(({ lock }) => lock === null).map(({ machine = '', pid }) => `${machine} ${pid}`),
    ).size,
    fixable: releases('planned'),
    fixed: releases('fixed'),
  };
};

/** Problems outrank doubt, doubt outranks health. */
export const exitCodeOf = (
  findings: readonly ReportFinding[],
  complete: boolean,
  failOn: Severity,
): number => {
  const limit = SEVERITIES.indexOf(failOn);
  const isProblem = ({ severity, doubt, fix }: ReportFinding): boolean =>
    !doubt && fix?.status !== 'fixed' && SEVERITIES.indexOf(severity) >= limit;
  if (findings.some(isProblem)) return EXIT.problems;
  return complete ? EXIT.ok : EXIT.unsure;
};

/** What each check found among the workers that are reported: one that found something only elsewhere has passed here. */
const reportChecks = (
  outcomes: readonly CheckOutcome[],
  findings: readonly ReportFinding[],
): readonly ReportCheck[] => {
  const counts = new Map<string, number>();
  for (const { check } of findings) counts.set(check, (counts.get(check) ?? 0) + 1);
  return outcomes.map(({ check, status, durationMs, error }) => {
    const count = counts.get(check.id) ?? 0;
    const settled = count === 0 && (status === 'fail' || status === 'unknown') ? 'pass' : status;
    return { id: check.id, title: check.title, status: settled, findings: count, durationMs, error };
  });
};

/** Builds the report of one run. Pure: the same evidence gives the same report, but for `durationMs`. */
export const buildReport = (request: ReportRequest): Report => {
  const { examination, outcomes, workers } = request;
  const { snapshot } = examination;
  const concerned = (worker: string): boolean => workers === null || workers.includes(worker);
  const verdicts = examination.verdicts.filter(({ lock }) => concerned(lock.worker));
  const collisions = examination.collisions.filter((collision) => collision.workers.some(concerned));
  const findings = reportFindings(request);
  const gaps = gapsOf(snapshot, verdicts).filter(
    (gap) => workers === null || isNear(gap, workers, snapshot.town.root),
  );
  const crashed = outcomes.some(({ status }) => status === 'crashed');
  const doubtful = findings.some(({ doubt }) => doubt) || verdicts.some(({ state }) => state === 'unknown');
  const complete = gaps.length === 0 && !crashed && !doubtful;
  const exitCode = exitCodeOf(findings, complete, request.failOn);
  const agents = [
    ...verdicts.flatMap(({ lock, occupants }) =>
      occupants.map((occupant) => reportAgent(lock.worker, lock.id, occupant)),
    ),
    ...examination.lockless
      .filter(({ worker }) => concerned(worker))
      .map(({ worker, occupant }) => reportAgent(worker, null, occupant)),
  ];
  return {
    schemaVersion: SCHEMA_VERSION,
    tool: request.tool,
    command: request.command,
    ok: exitCode === EXIT.ok,
    complete,
    exitCode,
    startedAt: new Date(snapshot.takenAtMs).toISOString(),
    durationMs: Math.round(request.durationMs),
    town: {
      root: snapshot.town.root,
      source: snapshot.town.source,
      ...(snapshot.town.isRepository === true ? { type: 'repository' as const } : {}),
      host: snapshot.machine.host.hostname,
      scan: snapshot.scan,
    },
    tmux: { status: tmuxStatus(snapshot), servers: snapshot.machine.tmux.servers.map(reportServer) },
    summary: countUp(verdicts, agents, findings, collisions.length),
    workers,
    locks: verdicts.map(reportLock),
    agents,
    collisions: collisions.map(({ facts: _, ...collision }) => collision),
    checks: reportChecks(outcomes, findings),
    findings,
    gaps,
    undo: null,
    error: null,
  };
};
