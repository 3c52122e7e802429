/**
 * Golden replays: the evidence of every story, judged, checked and reported, gives its golden report, byte for byte.
 *
 *     UPDATE_GOLDEN=1 npm run jest -- test/fixtures.test.ts
 *
 * writes the snapshots of `test/support/stories/` and all reports again; read the difference before you commit it. A
 * snapshot from `doctor --save-snapshot` becomes a fixture if it has a directory of its own there.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { builtInChecks } from '../checks/index.ts';
import { readArguments } from '../src/cli/arguments/read-arguments.ts';
import { run as runDoctor } from '../src/cli/commands/doctor.ts';
import type { Output } from '../src/cli/terminal/output.ts';
import type { Terminal } from '../src/cli/terminal/terminal.ts';
import { examineSnapshot } from '../src/core/judge/examine.ts';
import { buildReport } from '../src/core/report/report.ts';
import { runCheck } from '../src/core/run-checks.ts';
import type { Snapshot } from '../src/core/types/evidence.ts';
import type { Report } from '../src/core/types/report.ts';
import { STORIES, type Story } from './support/stories/index.ts';

const TOWNS = new URL('../fixtures/towns/', import.meta.url);
const fileOf = (town: string, name: string): URL => new URL(`${town}/${name}.json`, TOWNS);
const asText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** As `doctor --json` reports it, with a stopped clock and without a version. */
const report = (snapshot: Snapshot): Report => {
  const examination = examineSnapshot(snapshot);
  return buildReport({
    examination,
    outcomes: builtInChecks.map((check) => runCheck(check, examination, () => 0)),
    command: 'doctor',
    tool: { name: 'lock-doctor', version: '0.0.0' },
    durationMs: 0,
    failOn: 'warning',
    workers: null,
  });
};

if (process.env.UPDATE_GOLDEN === '1') {
  for (const { name, snapshot } of STORIES) {
    mkdirSync(new URL(`${name}/`, TOWNS), { recursive: true });
    writeFileSync(fileOf(name, 'snapshot'), asText(snapshot));
  }
  for (const town of readdirSync(TOWNS)) {
    const snapshot = JSON.parse(readFileSync(fileOf(town, 'snapshot'), 'utf8')) as Snapshot;
    writeFileSync(fileOf(town, 'report'), asText(report(snapshot)));
  }
}

const towns = existsSync(TOWNS) ? readdirSync(TOWNS).sort() : [];
const snapshotOf = (town: string): Snapshot =>
  JSON.parse(readFileSync(fileOf(town, 'snapshot'), 'utf8')) as Snapshot;

describe('golden replays', () => {
  test.each(towns)('%s gives its golden report', (town) => {
    expect(asText(report(snapshotOf(town)))).toBe(readFileSync(fileOf(town, 'report'), 'utf8'));
  });

  test('judging and checking do not change the evidence', () => {
    for (const town of towns) {
      const snapshot = snapshotOf(town);
      report(snapshot);
      expect(snapshot).toEqual(snapshotOf(town));
    }
  });
});

describe('the command line', () => {
  const nobody = { isTTY: false } as Output;
  const terminal: Terminal = {
    env: {},
    cwd: fileURLToPath(TOWNS),
    stdin: { isTTY: false } as NodeJS.ReadStream,
    stdout: nobody,
    stderr: nobody,
    interrupted: null,
    finishFirst: () => {},
  };
  const textOf = (pieces: string | Iterable<string>): string =>
    typeof pieces === 'string' ? pieces : [...pieces].join('');

  test.each(towns)('reports %s as the library does', async (town) => {
    const given = readArguments('doctor', ['--json', '--from-snapshot', `${town}/snapshot.json`]);
    const { exitCode, stdout } = await runDoctor(given, terminal);
    const said = JSON.parse(textOf(stdout)) as Report;
    const golden = JSON.parse(readFileSync(fileOf(town, 'report'), 'utf8')) as Report;
    expect({
      ...said,
      tool: golden.tool,
      durationMs: 0,
      checks: said.checks.map((check) => ({ ...check, durationMs: 0 })),
    }).toEqual(golden);
    expect(exitCode).toBe(golden.exitCode);
  });
});

describe('the published schema', () => {
  const ajv = new Ajv2020({ allErrors: true, strict: false });
  addFormats.default(ajv);
  const schema = JSON.parse(readFileSync(new URL('../schema/report.schema.json', import.meta.url), 'utf8'));
  const validate = ajv.compile(schema);

  test.each(towns)('describes the report of %s', (town) => {
    validate(JSON.parse(readFileSync(fileOf(town, 'report'), 'utf8')));
    expect(validate.errors).toBeNull();
  });

  test('refuses a report without a value or with an unknown state', () => {
    const [town = ''] = towns;
    const golden = JSON.parse(readFileSync(fileOf(town, 'report'), 'utf8'));
    expect(validate({ ...golden, complete: undefined })).toBe(false);
    expect(validate({ ...golden, locks: [{ ...golden.locks[0], state: 'odd' }] })).toBe(false);
  });
});

describe('stories', () => {
  const told = ({ snapshot }: Story): Pick<Story, 'locks' | 'findings' | 'exit'> => {
    const { locks, findings, exitCode } = report(snapshot);
    return {
      locks: Object.fromEntries(
        locks.map(({ id, state, notes }) => [id.replace(/^agent:/, ''), [state, ...notes].join(' ')]),
      ),
      findings: findings.map(({ id }) => id),
      exit: exitCode,
    };
  };

  test.each(STORIES.map((story) => [story.name, story] as const))(
    '%s has the locks, findings and exit code of its story',
    (_, story) => {
      const { locks, findings, exit } = story;
      expect(told(story)).toEqual({ locks, findings, exit });
    },
  );

  test.each(STORIES.map((story) => [story.name, story] as const))(
    '%s is in fixtures/towns as generated',
    (name, story) => {
      expect(snapshotOf(name)).toEqual(story.snapshot);
    },
  );

  test('have different names', () => {
    expect(new Set(STORIES.map(({ name }) => name)).size).toBe(STORIES.length);
  });
});
