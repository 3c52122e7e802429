/** The report as OpenMetrics text, for a collector that reads files. */
import { groupBy } from '../core/group-by.ts';
import { SEVERITIES } from '../core/types/check.ts';
import { STATES } from '../core/types/judgement.ts';
import type { Report } from '../core/types/report.ts';
import { escapeControls } from './screen/safe-text.ts';

type Labels = Readonly<Record<string, string>>;

interface Family {
  /** Ends with its unit, where it has one. */
  readonly name: string;
  readonly unit?: 'seconds';
  readonly help: string;
  readonly samples: readonly (readonly [labels: Labels, value: number])[];
}

/**
 * A report as OpenMetrics text 1.0. All are gauges and none has a time of its own, so that the text-file collector of
 * Prometheus' node exporter takes it as well. Every sample names its town: files of several towns may lie side by side.
 */
export const renderOpenMetrics = (report: Report): string =>
  [
    ...familiesOf(report)
      .filter(({ samples }) => samples.length > 0)
      .flatMap((family) => linesOf(family, report.town?.root ?? '')),
    '# EOF',
  ]
    .map((line) => `${line}\n`)
    .join('');

const linesOf = ({ name, unit, help, samples }: Family, town: string): readonly string[] => [
  `# TYPE ${name} gauge`,
  ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]),
  `# HELP ${name} ${help}`,
  // No two samples of a family may have the same labels: of names that read the same, one stands for all.
  ...[...new Map(samples.map(([labels, value]) => [labelText({ town, ...labels }), value]))].map(
    ([labels, value]) => `${name}${labels} ${value}`,
  ),
];

const labelText = (labels: Labels): string =>
  `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabel(value)}"`)
    .join(',')}}`;

/** `escapeControls` leaves no line break to escape. */
const escapeLabel = (value: string): string =>
  escapeControls(value).replaceAll('\\', '\\\\').replaceAll('"', '\\"');

const one = (value: number): Family['samples'] => [[{}, value]];

const familiesOf = (report: Report): readonly Family[] => {
  const { summary, locks, gaps, complete, exitCode, startedAt, durationMs, tool, town } = report;
  return [
    {
      name: 'lock_doctor_run',
      help: 'Always 1; which version looked, and on which host.',
      samples: [[{ version: tool.version, host: town?.host ?? '' }, 1]],
    },
    {
      name: 'lock_doctor_run_timestamp_seconds',
      unit: 'seconds',
      help: 'When doctor looked, in seconds since the epoch.',
      samples: one(Date.parse(startedAt) / 1000),
    },
    {
      name: 'lock_doctor_run_duration_seconds',
      unit: 'seconds',
      help: 'How long that took.',
      samples: one(durationMs / 1000),
    },
    {
      name: 'lock_doctor_exit_code',
      help: 'Exit code of that run: 0 healthy, 1 problems, 22 not everything could be checked.',
      samples: one(exitCode),
    },
    {
      name: 'lock_doctor_complete',
      help: '1 where everything could be checked, else 0.',
      samples: one(complete ? 1 : 0),
    },
    { name: 'lock_doctor_gaps', help: 'Places that could not be checked.', samples: one(gaps.length) },
    { name: 'lock_doctor_locks', help: 'Locks by kind and state.', samples: countsByState(report) },
    {
      name: 'lock_doctor_findings',
      help: 'Findings by check and severity.',
      samples: countsByCheck(report),
    },
    {
      name: 'lock_doctor_collisions',
      help: 'Places where two agents run, and agents that several locks claim.',
      samples: summary === null ? [] : one(summary.collisions),
    },
    {
      name: 'lock_doctor_releasable_locks',
      help: 'Locks that doctor --fix would release.',
      samples: summary === null ? [] : one(summary.fixable),
    },
    {
      name: 'lock_doctor_agents_without_lock',
      help: 'Agents that run without a lock.',
      samples: summary === null ? [] : one(summary.withoutLock),
    },
    {
      name: 'lock_doctor_lock_state',
      help: 'Always 1; the state of each lock.',
      samples: locks.map(({ id, kind, worker, state }) => [{ lock: id, kind, worker, state }, 1]),
    },
    {
      name: 'lock_doctor_lock_age_seconds',
      unit: 'seconds',
      help: 'How long ago each lock was taken or, where it does not say, its file was last written.',
      samples: locks.flatMap(({ id, kind, worker, holder, writtenSecondsAgo }) => {
        const seconds = holder?.ageSeconds ?? writtenSecondsAgo;
        return seconds === null ? [] : [[{ lock: id, kind, worker }, seconds] as const];
      }),
    },
  ];
};

/** Zeros are printed too: a series that ends is not the same as zero. */
const countsByState = ({ locks, summary }: Report): Family['samples'] =>
  summary === null
    ? []
    : [...new Map([['agent', []], ...groupBy(locks, ({ kind }) => kind)])].flatMap(([kind, own]) =>
        STATES.map((state) => [{ kind, state }, own.filter((lock) => lock.state === state).length] as const),
      );

const countsByCheck = ({ checks, findings }: Report): Family['samples'] =>
  checks
    .filter(({ status }) => status !== 'skipped' && status !== 'crashed')
    .flatMap(({ id }) =>
      SEVERITIES.map(
        (severity) =>
          [
            { check: id, severity },
            findings.filter(
              (finding) =>
                finding.check === id && finding.severity === severity && finding.fix?.status !== 'fixed',
            ).length,
          ] as const,
      ),
    );
