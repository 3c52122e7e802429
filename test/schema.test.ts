import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { ERROR_CODES } from '../src/core/failure.ts';
import { SEVERITIES } from '../src/core/types/check.ts';
import { NOTES, REASONS, STATES } from '../src/core/types/judgement.ts';
import { EXIT } from '../src/core/types/report.ts';
import { renderNdjson } from '../src/reporters/ndjson.ts';
import { validatorOf } from './cli/run-cli.ts';
import { crowded, doubtful, healthy, hostile, sick } from './reporters/reports.ts';

const SCHEMA = fileURLToPath(new URL('../schema/report.schema.json', import.meta.url));

/** The words of a report that the schema publishes; `UPDATE_DOCS=1` rewrites them. */
const WORDS = { state: STATES, reason: REASONS, note: NOTES, severity: SEVERITIES };

/** Replaces only the list, because the rest of the file is written by hand. */
const withWords = (text: string, name: string, words: readonly string[]): string =>
  text.replace(
    new RegExp(`^( {4}"${name}": \\{[^}]*?"enum": )\\[[^\\]]*\\]`, 'm'),
    (_, before: string) => before + JSON.stringify(words, null, 2).replaceAll('\n', `\n${' '.repeat(6)}`),
  );

if (process.env.UPDATE_DOCS === '1') {
  let text = readFileSync(SCHEMA, 'utf8');
  for (const [name, words] of Object.entries(WORDS)) text = withWords(text, name, words);
  writeFileSync(SCHEMA, text);
}

const schema = JSON.parse(readFileSync(SCHEMA, 'utf8')) as {
  $defs: Record<string, { enum?: unknown[]; properties?: Record<string, { enum?: unknown[] }> }>;
};

test.each(Object.entries(WORDS))('the published values of %s are those of the program', (name, words) => {
  expect(schema.$defs[name]?.enum).toEqual([...words]);
});

test('the published error and exit codes are those of the program', () => {
  expect(schema.$defs.error?.properties?.code?.enum).toEqual([...ERROR_CODES]);
  expect(schema.$defs.exitCode?.enum).toEqual([...new Set(Object.values(EXIT))].sort((a, b) => a - b));
});

test('every report is valid against the schema', () => {
  const validate = validatorOf();
  for (const report of [healthy(), sick(), doubtful(), hostile(), crowded(30)]) {
    validate(report);
    expect(validate.errors).toBeNull();
  }
});

test('every event is valid against the schema', () => {
  const validate = validatorOf('event');
  for (const report of [healthy(), sick(), doubtful(), hostile()])
    for (const line of renderNdjson(report).trimEnd().split('\n')) {
      validate(JSON.parse(line));
      expect(validate.errors).toBeNull();
    }
});

test('a report with a missing key or an unpublished value is not valid', () => {
  const validate = validatorOf();
  const { gaps: _gaps, ...without } = sick();
  expect(validate(without)).toBe(false);
  expect(validate({ ...sick(), locks: sick().locks.map((lock) => ({ ...lock, state: 'dead' })) })).toBe(
    false,
  );
  expect(validate({ ...sick(), exitCode: 3 })).toBe(false);
});
