/** Saved evidence is read as the published schema describes it: errors in it are reported, and nothing crashes. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { readSnapshot } from '../../src/cli/read-snapshot.ts';
import { LOCK_PROBLEMS, type Snapshot } from '../../src/core/types/evidence.ts';
import { STATES } from '../../src/core/types/judgement.ts';
import { lookAtWorker } from '../../src/index.ts';
import { cleanUp, makeTown } from '../support/index.ts';
import { PROJECT } from '../support/source-files.ts';
import { doctorInProcess } from './in-process.ts';
import { doctor } from './run-cli.ts';

afterEach(cleanUp);

const TOWNS = join(PROJECT, 'fixtures/towns');
const snapshots = readdirSync(TOWNS).map((name) => readFileSync(join(TOWNS, name, 'snapshot.json'), 'utf8'));
/** The largest one, which has the most kinds of evidence. */
const richest = snapshots.reduce((one, other) => (other.length > one.length ? other : one));

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A small generator that returns the same numbers in every run. */
const numbersFrom = (seed: number) => () => {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
  return seed / 0x80000000;
};

const WRONG: readonly Json[] = [null, true, 0, -1, 1.5, 1e308, 2 ** 60, '', 'x', [], {}, [null], { a: 1 }];

/** Every place in a document: its container, and the key there. */
const placesOf = (value: Json): (readonly [owner: Json[] | { [key: string]: Json }, key: string])[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([key, child]) => [[value, key] as const, ...placesOf(child)]);

const mutate = (document: Json, random: () => number): void => {
  const places = placesOf(document);
  const [owner, key] = places[Math.floor(random() * places.length)] ?? [{}, ''];
  const entries = owner as { [key: string]: Json };
  const chance = random();
  const old = entries[key];
  const alike = places
    .map(([one, name]) => (one as { [key: string]: Json })[name])
    .filter((value) => typeof value === typeof old);
  if (chance < 0.2 && Array.isArray(owner)) owner.splice(Number(key), 1);
  else if (chance < 0.2) delete entries[key];
  // A value of the same type from elsewhere in the document: this passes the validator.
  else if (chance < 0.7) entries[key] = structuredClone(alike[Math.floor(random() * alike.length)] ?? null);
  else entries[key] = WRONG[Math.floor(random() * WRONG.length)] ?? null;
};

/** The document with another value in one place; undefined removes it. */
const withValue = (
  document: Json,
  [key = '', ...rest]: readonly (string | number)[],
  value: unknown,
): unknown => {
  const old = document as { [key: string]: Json };
  const child = rest.length === 0 ? value : withValue(old[key] ?? null, rest, value);
  return Array.isArray(document)
    ? document.map((one, index) => (index === key ? child : one))
    : { ...old, [key]: child };
};

describe('a saved snapshot', () => {
  test('damaged in 300 ways is judged or refused by every command and format, without an internal error', async () => {
    const town = makeTown();
    const random = numbersFrom(11);
    const worker = (JSON.parse(richest) as Snapshot).locks[0]?.worker ?? '.';
    const lines = [
      ['--json'],
      ['locks', '--json'],
      ['explain', worker],
      ['--format', 'markdown'],
      ['-v'],
      ['locks'],
    ];
    const codes = new Map<number, number>();
    for (let index = 0; index < 300; index += 1) {
      const document = JSON.parse(richest) as Json;
      for (let count = random() * 3; count > 0; count -= 1) mutate(document, random);
      town.write('s.json', JSON.stringify(document));
      const [command = '', ...rest] = lines[index % lines.length] ?? [];
      const { exitCode, stderr } = await doctorInProcess(
        [command, ...rest, '--from-snapshot', town.path('s.json')],
        { cwd: town.root },
      );
      if (![0, 1, 2, 22].includes(exitCode)) throw new Error(`mutation ${index}: ${exitCode} ${stderr}`);
      codes.set(exitCode, (codes.get(exitCode) ?? 0) + 1);
    }
    // Some must be accepted: a reader that refused everything would pass otherwise.
    expect(codes.get(2) ?? 0).toBeGreaterThan(100);
    expect(300 - (codes.get(2) ?? 0)).toBeGreaterThan(30);
  });

  test.each([
    ['machine.tmux.servers[0].panes is missing', ['machine', 'tmux', 'servers', 0, 'panes'], undefined],
    [
      'machine.tmux.servers[0].startedAtMs must be at most 864',
      ['machine', 'tmux', 'servers', 0, 'startedAtMs'],
      1e308,
    ],
    ['machine.tmux.servers[0] must be an object', ['machine', 'tmux', 'servers', 0], 'x'],
    ['locks[0].content must be an object whose "kind" is known', ['locks', 0, 'content', 'kind'], 'x'],
    ['snapshotVersion must be 1', ['snapshotVersion'], 2],
    ['locks[0].git.tracked.why is missing', ['locks', 0, 'git', 'tracked'], { seen: false }],
  ] as const)('is refused with the place and what is expected there: %s', (words, place, value) => {
    const town = makeTown();
    const text = JSON.stringify(withValue(JSON.parse(richest) as Json, place, value));
    town.write('s.json', text);
    expect(() => readSnapshot('s.json', town.root)).toThrow(
      expect.objectContaining({ code: 'E_USAGE', message: expect.stringContaining(words) }),
    );
  });

  test('that is not a file, or too large, is refused at once', () => {
    const town = makeTown();
    execFileSync('mkfifo', [town.path('fifo')]);
    mkdirSync(town.path('directory'));
    town.write('huge', '{}');
    truncateSync(town.path('huge'), 300 * 1024 * 1024);
    for (const [file, words] of [
      ['fifo', 'it is not a regular file'],
      ['directory', 'it is not a regular file'],
      ['/dev/zero', 'it is not a regular file'],
      ['huge', 'it is larger than 256 MiB'],
    ] as const) {
      const { status, stderr } = doctor(['--from-snapshot', file], { cwd: town.root });
      expect([file, status, stderr]).toEqual([file, 2, expect.stringContaining(words)]);
    }
  });
});

describe('the published schema of snapshots', () => {
  const text = readFileSync(join(PROJECT, 'schema/snapshot.schema.json'), 'utf8');

  test('names every key that is written, also that of a new field', async () => {
    // The same schema without permission for other keys.
    const closed = JSON.parse(text, (key, value) =>
      // `unseen` is the other half of an observed value and is defined beside `seen`.
      value?.properties === undefined || value.type === undefined || key === 'unseen'
        ? value
        : { ...value, unevaluatedProperties: false },
    ) as object;
    const ajv = new Ajv2020({ discriminator: true, allowUnionTypes: true, strict: false });
    const validate = ajv.compile(closed);
    const town = makeTown();
    town.lock('gastown/crew/ada', { session_id: '%1' });
    const { snapshot } = await lookAtWorker(town.path('gastown/crew/ada'));
    for (const document of [...snapshots, JSON.stringify(snapshot)]) {
      validate(JSON.parse(document));
      expect(validate.errors).toBeNull();
    }
  });

  test('lists the words of the program', () => {
    const contents: readonly { properties: { kind: { const: string }; problem: { enum: string[] } } }[] =
      JSON.parse(text).$defs.content.oneOf;
    const invalid = contents.find(({ properties }) => properties.kind.const === 'invalid');
    expect(invalid?.properties.problem.enum).toEqual([...LOCK_PROBLEMS]);
    const journal = JSON.parse(readFileSync(join(PROJECT, 'schema/journal.schema.json'), 'utf8'));
    expect(journal.then.properties.state.enum).toEqual([...STATES]);
  });
});
