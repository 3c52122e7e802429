/** Sentences that several reporters share. */
import { count, formatDuration } from '../../core/report/amounts.ts';
import { HERE } from '../../core/town/views.ts';
import type { Report, ReportFinding, ReportTown } from '../../core/types/report.ts';
import { quoteCommand } from './shell-quote.ts';

const SOURCES: Readonly<Record<string, string>> = {
  flag: 'given',
  marker: 'found by mayor/town.json',
  env: 'from the environment',
  home: 'only what tools keep there',
  cwd: 'the working directory',
};

/** True if the report has only a part of the locks. */
export const isPart = ({ summary, locks }: Report): boolean =>
  summary !== null && locks.length < summary.locks;

/** What the root is, in one word. */
export const wordFor = (town: Report['town']): string => town?.type ?? 'town';

/** How sentences call the root: a repository is named as one. */
const calledRoot = ({ root, type }: Pick<ReportTown, 'root' | 'type'>): string =>
  type === undefined ? root : `${type} ${root}`;

/** What stands before the only line of a report without problems; of a home, that little of it was looked at. */
export const rootBefore = ({ town }: Report): string => {
  if (town === null) return '';
  return `${calledRoot(town)}${town.source === 'home' ? ` (${SOURCES.home})` : ''}: `;
};

/** The town line: which root, how many locks, what of tmux. Empty where no town was examined. */
export const describeTown = (report: Report, verbose: boolean): readonly string[] => {
  const { town, summary, tmux, durationMs } = report;
  if (town === null) return [];
  const parts = [
    summary === null
      ? null
      : `${count(summary.locks, 'lock')}${isPart(report) ? `, ${report.locks.length} shown` : ''}`,
    tmux === null ? null : describeTmux(tmux),
    town.scan === 'default' || town.scan === 'worker' ? null : `${town.scan} scan`,
    verbose ? formatDuration(durationMs) : null,
  ].filter((part) => part !== null);
  // A root that the environment chose may not be the one that somebody thinks of, and of a home only a part is looked at.
  const source =
    verbose || town.source === 'env' || town.source === 'home'
      ? ` (${SOURCES[town.source] ?? town.source})`
      : '';
  return [
    `${calledRoot(town)}${source}: ${parts.join(', ')}`,
    ...describeMachines(report, verbose),
    ...describeLeases(report),
  ];
};

/** With more machines than this only their number is printed; those that did not answer are among the gaps. */
const MACHINES_NAMED = 8;

/** A clock that is off by less than this does no harm, and a network explains it. */
const NOTEWORTHY_MS = 2000;

const describeMachines = ({ machines = [] }: Report, verbose: boolean): readonly string[] => {
  if (machines.length === 0) return [];
  const answered = machines.filter(({ status }) => status !== 'failed').length;
  const told =
    verbose || machines.length <= MACHINES_NAMED
      ? machines.map((machine) => describeMachine(machine, verbose)).join(', ')
      : `${answered} of ${machines.length} answered`;
  return [`machines: ${told}`];
};

const describeLeases = ({ leases = [] }: Report): readonly string[] => {
  if (leases.length === 0) return [];
  const stale = leases.filter(({ state }) => state === 'stale').length;
  const elsewhere = leases.filter(({ lock }) => lock === null).length;
  const parts = [`${leases.length - stale} held`];
  if (stale > 0) parts.push(`${stale} stale`);
  if (elsewhere > 0) parts.push(`${elsewhere} without a lock that was seen`);
  return [`leases: ${parts.join(', ')}`];
};

const describeMachine = (
  { name, status, locks, clockDifferenceMs, roundTripMs }: NonNullable<Report['machines']>[number],
  verbose: boolean,
): string => {
  if (status === 'failed') return `${name} (no answer)`;
  const parts = [
    count(locks, 'lock'),
    ...describeClock(clockDifferenceMs),
    ...(verbose ? [formatDuration(roundTripMs ?? 0)] : []),
  ];
  return `${name} (${parts.join(', ')})`;
};

/** How far off a machine's clock is; empty where that does no harm. */
export const describeClock = (differenceMs: number | null): readonly string[] => {
  const off = differenceMs ?? 0;
  if (Math.abs(off) < NOTEWORTHY_MS) return [];
  return [`clock ${formatDuration(Math.abs(off))} ${off > 0 ? 'ahead' : 'behind'}`];
};

const describeTmux = ({ status, servers }: NonNullable<Report['tmux']>): string => {
  const answered = servers.filter((server) => server.status === 'ok');
  const silent = servers.filter((server) => server.status === 'failed');
  const missing = servers
    .filter(({ status: is, requested }) => is === 'absent' && requested === true)
    .map(({ socket }) => `no tmux server on ${socket}, which was asked for`);
  if (status === 'none' || (answered.length === 0 && silent.length === 0))
    return [status === 'unknown' ? 'tmux could not be asked' : 'no tmux server', ...missing].join(', ');
  const sessions = answered.reduce((sum, server) => sum + server.sessions, 0);
  const said =
    answered.length === 0
      ? []
      : [`${count(answered.length, 'tmux server')} with ${count(sessions, 'session')}`];
  const unsaid = silent.length === 0 ? [] : [`${count(silent.length, 'tmux server')} not reached`];
  return [...said, ...unsaid, ...missing].join(', ');
};

/** `2 sessions, 5 panes`, or why it did not answer. */
export const describeServer = ({
  status,
  reason,
  sessions,
  panes,
}: NonNullable<Report['tmux']>['servers'][number]): string =>
  status === 'ok'
    ? `${count(sessions, 'session')}, ${count(panes, 'pane')}`
    : [status, ...(reason === null ? [] : [reason])].join(', ');

/** What became of a finding's fix, or what would; null where there is nothing to say. */
export const describeFix = ({ fix, machine = HERE }: ReportFinding): string | null => {
  if (fix === null) return null;
  if (fix.action === 'advice') return fix.text;
  switch (fix.status) {
    case 'fixed':
      return fix.backup === null ? 'released' : `released (backup: ${fix.backup})`;
    case 'planned':
      return fix.safe
        ? `${quoteCommand(['doctor', '--fix', ...(machine === HERE ? [] : ['--on', machine])])} releases it`
        : fix.reason;
    case 'changed':
      return `skipped: ${fix.reason ?? 'it has changed since'}`;
    case 'skipped':
      return `skipped${fix.reason === null ? '' : `: ${fix.reason}`}`;
    case 'failed':
      return `could not be released${fix.reason === null ? '' : `: ${fix.reason}`}`;
  }
};
