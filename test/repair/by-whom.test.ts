/** The journal records who changed a lock: user, host, command line, and how the change was agreed to. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ByWhom } from '../../src/core/types/history.ts';
import { systemCalls } from '../../src/io/disk/system-calls.ts';
import { makeRunId } from '../../src/lock/files/names.ts';
import { journalPath } from '../../src/repair/journal.ts';
import { readJournal } from '../../src/repair/read-journal.ts';
import { examineTown } from '../../src/town-locks.ts';
import { bareEnvironment, doctor, doctorInPane } from '../cli/run-cli.ts';
import { applyRelease } from '../lock/support/release.ts';
import { cleanUp, hasTmux, makeTown, type TestTown } from '../support/index.ts';
import { accountName } from '../support/user-name.ts';

afterEach(cleanUp);

const WORKER = 'gastown/crew/ada';
const inTmux = hasTmux ? test : test.skip;

interface Line {
  readonly event: string;
  readonly by?: ByWhom;
}

const linesOf = (town: TestTown): readonly Line[] =>
  readFileSync(journalPath(town.root), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);

const byOf = (town: TestTown, event: string): ByWhom | undefined =>
  linesOf(town).findLast((line) => line.event === event)?.by;

const deadTown = (): TestTown => {
  const town = makeTown();
  town.lock(WORKER, { session_id: '' });
  return town;
};

const us = {
  user: accountName,
  uid: process.geteuid?.(),
  host: hostname(),
  pid: expect.any(Number),
};

const schemaOf = (name: string): object =>
  JSON.parse(readFileSync(new URL(`../../schema/${name}.schema.json`, import.meta.url), 'utf8')) as object;

describe('the journal records', () => {
  test('who released a lock with --yes', () => {
    const town = deadTown();
    const args = ['--fix', '--yes', '--town', town.root];
    expect(doctor(args).status).toBe(0);
    expect(byOf(town, 'release')).toEqual({
      ...us,
      sudoUid: null,
      command: ['doctor', ...args],
      consent: 'yes',
    });
  });

  test('that --fix ran without a terminal to ask on', () => {
    const town = deadTown();
    doctor(['--fix', '--town', town.root]);
    expect(byOf(town, 'release')).toMatchObject({ consent: 'command' });
  });

  inTmux('that a person said yes', async () => {
    const town = deadTown();
    const run = await doctorInPane(['--fix', '--town', town.root], { columns: 80, rows: 24 });
    await run.shows('[N]o');
    run.type('y', 'Enter');
    await run.ends();
    expect(byOf(town, 'release')).toMatchObject({ consent: 'asked' });
  });

  test('a release by preflight --fix', () => {
    const town = deadTown();
    doctor(['preflight', '--fix', WORKER, '--town', town.root]);
    expect(byOf(town, 'release')).toMatchObject({
      command: ['doctor', 'preflight', '--fix', WORKER, '--town', town.root],
      consent: 'command',
    });
  });

  test("a release through the library, without the program's arguments", async () => {
    const town = deadTown();
    const [verdict] = (await examineTown(town.root)).verdicts;
    if (verdict === undefined) throw new Error('there is no lock');
    const step = { lock: verdict.lock, state: verdict.state, force: false };
    await applyRelease(step, makeRunId(Date.now()), 1, { townRoot: town.root });
    const by = byOf(town, 'release');
    expect(by).toMatchObject({ ...us, consent: 'library' });
    expect(by?.command.slice(0, 2)).toEqual(process.argv.slice(0, 2));
    expect(by?.command.length).toBeLessThanOrEqual(3);
  });

  test('an undo', () => {
    const town = deadTown();
    doctor(['--fix', '--yes', '--town', town.root]);
    doctor(['undo', '--town', town.root]);
    expect(byOf(town, 'undo')).toMatchObject({
      command: ['doctor', 'undo', '--town', town.root],
      consent: 'command',
    });
    expect(
      linesOf(town)
        .filter(({ by }) => by !== undefined)
        .map(({ event }) => event),
    ).toEqual(['release', 'undo']);
  });

  test('the cleanup after a killed run', () => {
    const town = makeTown();
    const left = town.write(`${WORKER}/.runtime/agent.lock.0123456789abcdef.new`, '{}');
    const then = new Date(Date.now() - 3_600_000);
    utimesSync(left, then, then);
    doctor(['--fix', '--yes', '--town', town.root]);
    expect(existsSync(left)).toBe(false);
    expect(byOf(town, 'tidied')).toMatchObject({ ...us, consent: 'yes' });
  });

  test('that exec took a dead lock over, without the arguments of its command', () => {
    const town = deadTown();
    const args = ['exec', '--town', town.root, WORKER, '--', 'true', '--api-key', 'hunter2'];
    expect(doctor(args)).toMatchObject({ status: 0, stderr: '' });
    expect(linesOf(town)).toMatchObject([
      {
        event: 'taken-over',
        id: WORKER,
        lock: `${WORKER}/.runtime/agent.lock`,
        holder: { sessionId: '', hostname: hostname() },
        by: {
          ...us,
          command: ['doctor', 'exec', '--town', town.root, WORKER, '--', 'true', '…'],
          consent: 'command',
        },
      },
    ]);
    // Without a takeover nothing is recorded.
    doctor(args);
    expect(linesOf(town)).toHaveLength(1);
  });

  test('nothing if it cannot be written: exec reports that and runs its command', () => {
    const town = deadTown();
    town.write('.runtime', 'a file');
    const { status, stdout, stderr } = doctor(['exec', '--town', town.root, WORKER, '--', 'echo', 'ran']);
    expect([status, stdout]).toEqual([0, 'ran\n']);
    expect(stderr).toMatch(/^doctor: the journal could not be written: .+\n$/);
  });

  test('lines that are valid against the published schema and contain no control characters', () => {
    const town = deadTown();
    const odd = `${town.root}/x\u009b31m\u202e`;
    spawnSync('ln', ['-s', town.root, odd]);
    doctor(['--fix', '--yes', '--town', odd]);
    doctor(['undo', '--town', town.root]);
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    ajv.addSchema(schemaOf('snapshot'));
    const validate = ajv.compile(schemaOf('journal'));
    for (const line of linesOf(town)) expect([validate(line), validate.errors]).toEqual([true, null]);
    expect(byOf(town, 'release')?.command).toContain(odd);
    expect(readFileSync(journalPath(town.root), 'utf8')).not.toMatch(/[^\n -~]/);
  });
});

describe('a journal entry without a user and a command', () => {
  test('is from an older version and still readable', () => {
    const town = deadTown();
    doctor(['--fix', '--yes', '--town', town.root]);
    const older = linesOf(town).map(({ by: _, ...rest }) => `${JSON.stringify(rest)}\n`);
    writeFileSync(journalPath(town.root), older.join(''));
    const [first] = [...readJournal(systemCalls, town.root)];
    expect(first).toMatchObject({ kind: 'entry', entry: { event: 'release', by: null } });
    expect(doctor(['undo', '--town', town.root], { env: bareEnvironment() })).toMatchObject({ status: 0 });
  });
});

describe('the directory of the journal', () => {
  test('is ignored by git', () => {
    const town = makeTown({ marked: false, workers: [] });
    spawnSync('git', ['init', '-q', town.root]);
    town.lock('a', { session_id: '' });
    doctor(['--fix', '--yes', '--town', town.root]);
    expect(existsSync(journalPath(town.root))).toBe(true);
    const { stdout } = spawnSync('git', ['-C', town.root, 'status', '--porcelain'], { encoding: 'utf8' });
    expect(stdout).not.toContain('?? .runtime');
  });
});
