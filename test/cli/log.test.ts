/** `doctor log` and `undo --list`: what was released, restored and taken over, when, by whom, and who had held it. */
import { appendFileSync, cpSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { localTime } from '../../src/reporters/history/history-text.ts';
import { aged, gitTest, makeRepository } from '../situations/repository.ts';
import { cleanUp, hasTmux, makeTown, type TestTown } from '../support/index.ts';
import { accountName, shownUser } from '../support/user-name.ts';
import { type CliResult, doctor, doctorInPane, documentOf } from './run-cli.ts';

afterEach(cleanUp);
afterAll(() => rmSync(template, { recursive: true, force: true }));

const inTmux = hasTmux ? test : test.skip;
const [ADA, BOB] = ['gastown/crew/ada', 'gastown/crew/bob'] as const;
const JOURNAL = '.runtime/lock-doctor/journal.jsonl';

interface Log {
  readonly events: readonly {
    readonly at: string;
    readonly deed: string;
    readonly worker: string;
    readonly id: string | null;
    readonly restorable: boolean;
  }[];
  readonly older: number;
  readonly missing: string | null;
}

const run = (town: TestTown, ...args: string[]): CliResult => doctor(args, { cwd: town.root });
const log = (town: TestTown, ...args: string[]) => {
  const { status, stdout } = run(town, 'log', '--json', ...args);
  return { status, ...documentOf<Log>(stdout) };
};
const eventsOf = ({ events }: Log) => events.map(({ deed, worker }) => `${deed} ${worker}`);

/** Making it takes six runs of the program, so it is made once and copied. */
const template = join(tmpdir(), `log-template-${process.pid}`);

/** Two releases, one of which was restored and then taken over by a command. */
const eventfulTown = (): TestTown => {
  const town = makeTown({ workers: [ADA, BOB] });
  if (existsSync(template)) {
    cpSync(template, town.root, { recursive: true });
    return town;
  }
  town.lock(ADA, { pid: 4_194_001, session_id: '%55' });
  run(town, '--fix', '--yes');
  town.lock(BOB, '');
  run(town, '--fix', '--worker', BOB);
  const [, ada] = log(town).events;
  run(town, 'undo', ada?.id ?? '');
  run(town, 'exec', ADA, '--', 'true', '--token', 'hunter2');
  cpSync(town.root, template, { recursive: true });
  return town;
};

const ALL = [`taken-over ${ADA}`, `restored ${ADA}`, `released ${BOB}`, `released ${ADA}`];

test('the ID of a run or of a release shows what happened under it, whether log or explain is asked', () => {
  const town = eventfulTown();
  const [, , bob, ada] = log(town).events;
  const run1 = ada?.id?.replace(/-\d+$/, '') ?? '';
  expect(eventsOf(log(town, run1))).toEqual([`restored ${ADA}`, `released ${ADA}`]);
  expect(eventsOf(log(town, bob?.id ?? ''))).toEqual([`released ${BOB}`]);
  const told = run(town, 'log', bob?.id ?? '');
  expect(told.stdout).toMatch(
    / released gastown\/crew\/bob: .* on .* doctor --fix .*; undo: doctor undo \S+\n$/,
  );
  expect(run(town, 'explain', bob?.id ?? '')).toEqual(told);
  for (const command of ['log', 'explain'])
    expect(run(town, command, '20200101T000000Z-abcdef-1')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('no run "20200101T000000Z-abcdef-1" in the journal of'),
    });
});

describe('doctor log', () => {
  test('lists the newest event first, with the former holder and who acted', () => {
    const town = eventfulTown();
    const { status, events, older, missing } = log(town);
    expect(eventsOf({ events, older, missing })).toEqual(ALL);
    expect([status, older, missing]).toEqual([0, 0, null]);
    const by = { user: accountName, host: hostname(), sudoUid: null };
    expect(events).toMatchObject([
      { lock: { state: 'stale', holder: { sessionId: '%55' } }, by: { ...by, consent: 'command' } },
      { by: { consent: 'command', command: ['doctor', 'undo', events[3]?.id] } },
      { lock: { state: 'invalid', holder: null }, restorable: true, by: { consent: 'command' } },
      { lock: { state: 'stale', holder: { pid: 4_194_001 } }, restorable: false, by: { consent: 'yes' } },
    ]);
    expect(JSON.stringify(events)).not.toContain('hunter2');
  });

  test('prints one line for each event in a pipe', () => {
    const town = eventfulTown();
    const { status, stdout } = run(town, 'log');
    const { events } = log(town);
    const whose = `${shownUser} on ${hostname()}`;
    expect([status, stdout.trimEnd().split('\n')]).toEqual([
      0,
      [
        `${events[0]?.at} taken over ${ADA}: stale, naming PID 4194001 in %55 on ${hostname()}; by ${whose}, with: doctor exec ${ADA} -- true …`,
        `${events[1]?.at} restored ${ADA}: stale, naming PID 4194001 in %55 on ${hostname()}; by ${whose}, with: doctor undo ${events[1]?.id}`,
        `${events[2]?.at} released ${BOB}: invalid; by ${whose}, with: doctor --fix --worker ${BOB}; undo: doctor undo ${events[2]?.id}`,
        `${events[3]?.at} released ${ADA}: stale, naming PID 4194001 in %55 on ${hostname()}; by ${whose}, confirmed with --yes: doctor --fix --yes`,
      ],
    ]);
  });

  test.each([
    [[ADA], [0, 1, 3]],
    [['gastown'], [0, 1, 2, 3]],
    [
      ['gastown/crew/bob', 'gastown/crew/ada'],
      [0, 1, 2, 3],
    ],
    [['--state', 'invalid'], [2]],
    [
      ['--event', 'released'],
      [2, 3],
    ],
    [
      ['--event', 'restored,taken-over'],
      [0, 1],
    ],
    [
      ['--kind', 'agent'],
      [0, 1, 2, 3],
    ],
    [['--kind', 'git-index'], []],
    [
      ['--since', '1h'],
      [0, 1, 2, 3],
    ],
    [['--since', '2999-01-01'], []],
    [
      ['--since', '2020-01-01T00:00:00Z', '--state', 'stale', ADA],
      [0, 1, 3],
    ],
  ])('%j selects events %j', (args, which) => {
    expect(eventsOf(log(eventfulTown(), ...args))).toEqual(which.map((at) => ALL[at]));
  });

  test('--limit keeps the newest events and counts the older ones', () => {
    const town = eventfulTown();
    const shown = log(town, '--limit', '2');
    expect([eventsOf(shown), shown.older]).toEqual([ALL.slice(0, 2), 2]);
  });

  test.each([
    [['--since', 'yesterday'], '--since yesterday: expected an age (30m, 8h, 3d) or a date'],
    [['--limit', '0'], '--limit must be a whole number, at least 1'],
    [['--event', 'undone'], '--event undone: expected begun, released'],
    [['ada'], `no events of "ada", and no such directory\nDid you mean ${ADA}?`],
    [['gastown/crew/adaa'], `Did you mean ${ADA}?`],
    [['/'], 'is outside the town'],
  ])('%j is refused', (args, words) => {
    const { status, stderr } = run(eventfulTown(), 'log', ...args);
    expect([status, stderr]).toEqual([2, expect.stringContaining(words)]);
  });

  test('finds the events of a worker whose directory is gone', () => {
    const town = eventfulTown();
    rmSync(town.path(BOB), { recursive: true });
    expect(eventsOf(log(town, BOB))).toEqual([ALL[2]]);
  });

  gitTest('knows a worktree beside the town, also one that is gone, though nothing happened there', () => {
    const { root, worktree } = makeRepository();
    const path = worktree('../feature-1');
    const asked = () => doctor(['log', '../feature-1'], { cwd: root });
    expect(asked()).toEqual({ status: 0, stdout: '', stderr: '' });
    rmSync(path, { recursive: true });
    expect(asked()).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  test('prints the rest of a damaged journal and exits with 1', () => {
    const town = eventfulTown();
    appendFileSync(town.path(JOURNAL), 'not json\n');
    const { status, stdout } = run(town, 'log');
    expect(status).toBe(1);
    expect(stdout).toContain('Part of the journal could not be read: 1 line is damaged');
    expect(stdout.split('\n')).toHaveLength(6);
  });

  test('prints nothing without a journal, and creates none', () => {
    const town = makeTown();
    expect(run(town, 'log')).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(log(town)).toMatchObject({ events: [], missing: null });
    expect(() => rmSync(town.path('.runtime'))).toThrow('ENOENT');
  });

  test('escapes text from the journal', () => {
    const town = eventfulTown();
    appendFileSync(
      town.path(JOURNAL),
      `${JSON.stringify({ v: 1, event: 'tidied', id: 'x\u001b[31m', at: '2999-01-01T00:00:00.000Z', reason: '\u202e' })}\n`,
    );
    const { stdout } = run(town, 'log');
    expect(stdout).toContain('2999-01-01T00:00:00.000Z cleaned up x\\x1b[31m: \\u{202e}\n');
  });

  gitTest('names the lock and its holder for kinds other than the agent’s', () => {
    const { root, env, worktree } = makeRepository();
    worktree('.claude/worktrees/a', 'claude agent agent-ab12 (pid 4194001)');
    const indexLock = join(root, '.git/index.lock');
    writeFileSync(indexLock, '');
    aged(indexLock);
    doctor(['--fix', '--yes'], { cwd: root, env });
    const lines = doctor(['log'], { cwd: root, env }).stdout.split('\n');
    expect(lines.map((line) => /released (.*?); by/.exec(line)?.[1]).sort()).toEqual([
      '.claude/worktrees/a: stale, git-worktree lock, naming PID 4194001 (claude agent agent-ab12)',
      'main: stale, git-lock index.lock',
      undefined,
    ]);
  });

  inTmux('fits into 80 columns and into 40', async () => {
    const town = makeTown();
    town.lock(ADA, { pid: 4_194_001, session_id: '%55', hostname: hostname() });
    run(town, '--fix', '--yes');
    const [event] = log(town).events;
    const by = `by ${shownUser} on ${hostname()}, confirmed with --yes: doctor --fix --yes`;
    const wide = await doctorInPane(['log'], { columns: 80, rows: 24 }, { cwd: town.root });
    expect((await wide.ends()).screen.split('\n').map((line) => line.trim())).toEqual([
      `✔ ${localTime(event?.at ?? '')}  released ${ADA}`,
      `stale, naming PID 4194001 in %55 on ${hostname()}`,
      by,
      `undo: doctor undo ${event?.id}`,
    ]);
    const narrow = await doctorInPane(['log'], { columns: 40, rows: 24 }, { cwd: town.root });
    const { screen } = await narrow.ends();
    expect(screen.split('\n').slice(0, 2)).toEqual([`✔ ${localTime(event?.at ?? '')}`, `  released ${ADA}`]);
    expect(screen.replace(/\s+/g, ' ')).toContain(by);
    for (const line of screen.split('\n')) expect(line.length).toBeLessThanOrEqual(40);
  });
});

describe('undo --list', () => {
  test('lists the releases that can be undone, with their IDs', () => {
    const town = eventfulTown();
    const { status, stdout } = run(town, 'undo', '--list', '--json');
    const { events } = documentOf<Log>(stdout);
    expect([status, eventsOf({ events, older: 0, missing: null })]).toEqual([0, [`released ${BOB}`]]);
    const id = events[0]?.id ?? '';
    expect(run(town, 'undo', '--list').stdout).toContain(`doctor undo ${id}`);
    expect(run(town, 'undo', id).stdout).toBe(`restored ${BOB}\n`);
    expect(run(town, 'undo', '--list')).toEqual({ status: 0, stdout: 'nothing to undo\n', stderr: '' });
  });

  test('leaves out a release whose backup is gone', () => {
    const town = makeTown();
    const path = town.lock(ADA, '');
    run(town, '--fix');
    const id = log(town).events[0]?.id ?? '';
    rmSync(`${path}.released-${id}`);
    expect(run(town, 'undo', '--list').stdout).toBe('nothing to undo\n');
  });

  test('refuses an ID', () => {
    expect(run(makeTown(), 'undo', '--list', 'x')).toMatchObject({ status: 2 });
  });
});
