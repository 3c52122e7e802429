/**
 * Names, hosts, sessions, titles and paths are untrusted text: wherever they are printed they stay inside their line.
 * Runs in a PID namespace: no test here needs a missing PID as proof.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { USUAL_FORMATS } from '../../src/cli/formats.ts';
import type { Snapshot } from '../../src/core/types/evidence.ts';
import { cleanUp, makeTown } from '../support/index.ts';
import { PROJECT } from '../support/source-files.ts';
import { doctorInProcess } from './in-process.ts';

afterEach(cleanUp);

const TOWNS = join(PROJECT, 'fixtures/towns');
const snapshots = readdirSync(TOWNS).map((name) => readFileSync(join(TOWNS, name, 'snapshot.json'), 'utf8'));

const CONTROLS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Names that try to deceive a reader, a terminal or a CI system. */
const ATTACKS = [
  'evil\n::set-output name=a::b\n## What --fix does\n\nReleases it, safe.',
  '\r::error::x',
  '\u001b[2J\u001b]0;title\u0007',
  '\u009b31m',
  '\u202egnp.exe\u2066',
  '\u2028next\u2029',
  '```\n# x\n<script>alert(1)</script>',
  '| cell | `code` | @all #1 https://evil.example [a](b) <b>',
  '%0A::warning::y %25 :: ,',
  '$(touch x) `id` \'"\\ ; & !!',
  'zero\u200bwidth\ufeff\u00ad',
  '\ud800lone',
];
const hostile = fc.oneof(
  fc.constantFrom(...ATTACKS),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }).map((text) => text.replaceAll('/', '')),
);

/** The evidence of a town with `text` in the names of workers, sessions, hosts and directories. */
const evidenceWith = (snapshot: string, text: string): string => {
  const escaped = JSON.stringify(text).slice(1, -1);
  return snapshot.replaceAll(
    /(?:\b(?:ada|bob|joe|zoe|eve|here|build\d?)|(?<=\/)town)(?=[/"\-.])/g,
    (name) => `${name}${escaped}`,
  );
};

const workerOf = (snapshot: string): string => (JSON.parse(snapshot) as Snapshot).locks.at(-1)?.worker ?? '.';
const LINES: readonly ((snapshot: string) => readonly string[])[] = [
  ...USUAL_FORMATS.flatMap((format) => [() => ['--format', format], () => ['-v', '--format', format]]),
  () => ['--ascii', '-v'],
  () => ['locks'],
  () => ['locks', '--json'],
  (snapshot) => ['explain', workerOf(snapshot)],
  (snapshot) => ['explain', '--ascii', workerOf(snapshot)],
  (snapshot) => ['explain', '--json', workerOf(snapshot)],
];

const printed = async (argv: readonly string[], evidence: string, columns?: number) => {
  const town = makeTown({ workers: [] });
  const file = town.write('s.json', evidence);
  const { stdout, stderr, exitCode } = await doctorInProcess([...argv, '--from-snapshot', file], {
    cwd: '/',
    env: { NO_COLOR: '1', TERM: 'xterm' },
    ...(columns === undefined ? {} : { columns }),
  });
  town.remove();
  return { stdout: stdout + stderr, exitCode };
};

describe('foreign text', () => {
  test('adds no line, heading, workflow command or control character to any output', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...snapshots),
        hostile,
        fc.constantFrom(...LINES),
        async (snapshot, text, line) => {
          const [bad, good] = [
            evidenceWith(snapshot, text),
            evidenceWith(snapshot, text.replaceAll(CONTROLS, 'x')),
          ];
          const shown = await printed(line(bad), bad);
          const plain = await printed(line(good), good);
          expect(shown.exitCode).toBe(plain.exitCode);
          expect(shown.stdout).not.toMatch(new RegExp(`(?!\\n)${CONTROLS.source}`, 'u'));
          const starts = (output: string) =>
            output.split('\n').map((each) => /^(#+|::|\||-|```)?/.exec(each)?.[0]);
          expect(starts(shown.stdout)).toEqual(starts(plain.stdout));
          // Only a workflow command of our own may begin a line.
          const foreign = line(bad).includes('github') ? /^::(?!(?:notice|warning|error) )/m : /^::/m;
          expect(shown.stdout).not.toMatch(foreign);
        },
      ),
      { numRuns: 150, seed: 11 },
    );
  });

  test('adds no control character at any terminal width', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...snapshots),
        hostile,
        fc.integer({ min: 20, max: 200 }),
        async (...given) => {
          const [snapshot, text, columns] = given;
          const bad = evidenceWith(snapshot, text);
          for (const argv of [['-v'], ['locks'], ['explain', workerOf(bad)]])
            expect((await printed(argv, bad, columns)).stdout).not.toMatch(
              new RegExp(`(?!\\n)${CONTROLS.source}`, 'u'),
            );
        },
      ),
      { numRuns: 30, seed: 11 },
    );
  });
});
