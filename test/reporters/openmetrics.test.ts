import { spawnSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { renderOpenMetrics } from '../../src/reporters/openmetrics.ts';
import { aLock } from '../support/snapshot.ts';
import { crowded, doubtful, healthy, hostile, reportOf, sick } from './reports.ts';

/** A Python with the reference parser of the format (Debian: python3-prometheus-client). */
const PYTHON = ['/usr/bin/python3', 'python3'].find(
  (name) => spawnSync(name, ['-c', 'import prometheus_client.openmetrics.parser']).status === 0,
);

const NASTY = 'a"b\\c\\n{}= #\u{1f512}';

const towns = () => [
  healthy(),
  sick(),
  doubtful(),
  hostile(),
  crowded(30),
  reportOf({}),
  reportOf({
    locks: [
      aLock(NASTY),
      aLock('legacy'),
      aLock('legacy', {}, { id: 'agent:legacy#gastown', layout: 'legacy' }),
      // Names that are not UTF-8 may read the same.
      aLock('twin', {}, { id: 'same' }),
      aLock('twin', {}, { id: 'same', path: '/town/twin2/.runtime/agent.lock' }),
    ],
  }),
];

const LABEL = String.raw`[a-z_]+="(?:[^"\\\n]|\\["\\n])*"`;
const SAMPLE = new RegExp(
  String.raw`^([a-z_]+)\{(${LABEL}(?:,${LABEL})*)\} (-?\d+(?:\.\d+)?(?:e-?\d+)?)$`,
  'u',
);

/** Families are contiguous, each is declared before its samples, no sample appears twice, and the last line is EOF. */
test('the output follows the OpenMetrics grammar', () => {
  for (const report of towns()) {
    const text = renderOpenMetrics(report);
    expect(text.endsWith('\n# EOF\n')).toBe(true);
    const families: string[] = [];
    const seen = new Set<string>();
    for (const line of text.split('\n').slice(0, -2)) {
      const type = /^# TYPE ([a-z_]+) gauge$/.exec(line);
      if (type?.[1] !== undefined) {
        expect(families).not.toContain(type[1]);
        families.push(type[1]);
      } else if (line.startsWith('#'))
        expect(line).toMatch(new RegExp(`^# (?:HELP|UNIT) ${families.at(-1)} [^\\\\"]+$`));
      else {
        const [, name, labels = ''] = SAMPLE.exec(line) ?? [line];
        expect([line, name]).toEqual([line, families.at(-1)]);
        expect(labels).toContain('town="/town"');
        expect(seen).not.toContain(`${name}{${labels}}`);
        seen.add(`${name}{${labels}}`);
      }
    }
  }
});

test('the samples match the report', () => {
  const lines = renderOpenMetrics(sick()).split('\n');
  for (const line of [
    'lock_doctor_locks{town="/town",kind="agent",state="held"} 1',
    'lock_doctor_locks{town="/town",kind="agent",state="stale"} 1',
    'lock_doctor_locks{town="/town",kind="agent",state="foreign"} 0',
    'lock_doctor_findings{town="/town",check="stale-lock",severity="warning"} 1',
    'lock_doctor_findings{town="/town",check="collision",severity="error"} 0',
    'lock_doctor_exit_code{town="/town"} 1',
    'lock_doctor_complete{town="/town"} 1',
    'lock_doctor_releasable_locks{town="/town"} 2',
    'lock_doctor_lock_state{town="/town",lock="agent:gastown/crew/bob",kind="agent",worker="gastown/crew/bob",state="stale"} 1',
    'lock_doctor_lock_age_seconds{town="/town",lock="agent:gastown/crew/bob",kind="agent",worker="gastown/crew/bob"} 28800',
    `lock_doctor_run_timestamp_seconds{town="/town"} ${Date.UTC(2026, 10, 23, 3) / 1000}`,
  ])
    expect(lines).toContain(line);
  expect(renderOpenMetrics(doubtful())).toContain('lock_doctor_complete{town="/town"} 0');
});

(PYTHON === undefined ? describe.skip : describe)(
  'the reference parser (skipped without prometheus_client for Python)',
  () => {
    const READ = `
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus
text = sys.stdin.read()
read = lambda parse: [[s.name, s.labels, s.value] for family in parse(text) for s in family.samples]
print(json.dumps({"openmetrics": read(openmetrics), "prometheus": read(prometheus)}))`;

    test.each(towns().map((report, at) => [at, report] as const))(
      'accepts report %i, in the older text format too, and returns the same names',
      (_, report) => {
        const { stdout, stderr } = spawnSync(PYTHON ?? '', ['-c', READ], {
          input: renderOpenMetrics(report),
          encoding: 'utf8',
        });
        expect(stderr).toBe('');
        const read = JSON.parse(stdout) as Record<
          'openmetrics' | 'prometheus',
          readonly (readonly [string, Record<string, string>, number])[]
        >;
        for (const samples of Object.values(read)) {
          const states = samples.filter(([name]) => name === 'lock_doctor_lock_state');
          expect(states).toHaveLength(new Set(report.locks.map(({ id }) => id)).size);
          const nasty = report.locks.some(({ worker }) => worker === NASTY);
          expect(states.some(([, { worker }]) => worker === NASTY)).toBe(nasty);
        }
      },
    );
  },
);
