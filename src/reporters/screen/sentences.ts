/** Sentences that several reporters share. */
import type { Report, ReportFinding } from '../../core/types/report.ts';
import { count, formatDuration } from './words.ts';

const SOURCES: Readonly<Record<string, string>> = {
  flag: 'given',
  marker: 'found above the working directory',
  env: 'from the environment',
  cwd: 'the working directory',
};

/** The town line: which root and why, how many locks, what of tmux. Empty where no town was examined. */
export const describeTown = (report: Report): readonly string[] => {
  const { town, summary, tmux, durationMs } = report;
  if (town === null) return [];
  const parts = [
    summary === null ? null : count(summary.locks, 'lock'),
    tmux === null ? null : describeTmux(tmux),
    town.scan === 'default' || town.scan === 'worker' ? null : `${town.scan} scan`,
    formatDuration(durationMs),
  ].filter((part) => part !== null);
  return [`${town.root} (${SOURCES[town.source] ?? town.source}): ${parts.join(', ')}`];
};

const describeTmux = ({ status, servers }: NonNullable<Report['tmux']>): string => {
  const answered = servers.filter((server) => server.status === 'ok');
  const silent = servers.filter((server) => server.status === 'failed');
  if (status === 'none' || (answered.length === 0 && silent.length === 0))
    return status === 'unknown' ? 'tmux could not be asked' : 'no tmux server';
  const sessions = answered.reduce((sum, server) => sum + server.sessions, 0);
  const said =
    answered.length === 0
      ? []
      : [`${count(answered.length, 'tmux server')} with ${count(sessions, 'session')}`];
  const unsaid = silent.length === 0 ? [] : [`${count(silent.length, 'tmux server')} did not answer`];
  return [...said, ...unsaid].join(', ');
};

/** What became of a finding's fix, or what would; null where there is nothing to say. */
export const describeFix = ({ fix }: ReportFinding): string | null => {
  if (fix === null) return null;
  if (fix.action === 'advice') return fix.text;
  switch (fix.status) {
    case 'fixed':
      return fix.backup === null ? 'released' : `released, copy kept as ${fix.backup}`;
    case 'planned':
      return fix.safe ? 'doctor --fix releases it' : fix.reason;
    case 'changed':
      return `left alone: ${fix.reason ?? 'it is not what was diagnosed any more'}`;
    case 'skipped':
      return `left alone${fix.reason === null ? '' : `: ${fix.reason}`}`;
    case 'failed':
      return `could not be released${fix.reason === null ? '' : `: ${fix.reason}`}`;
  }
};
