/** Signals during a repair or an undo of many locks: a batch that has begun is finished, and the rest is left alone. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Report } from '../../src/core/types/report.ts';
import { systemCalls } from '../../src/io/disk/system-calls.ts';
import { lockFilesIn } from '../../src/lock/files/names.ts';
import { tryGuards } from '../../src/lock/guard/guard.ts';
import { journalPath } from '../../src/repair/journal.ts';
import { readJournal } from '../../src/repair/read-journal.ts';
import { flockElsewhere } from '../lock/support/flock-elsewhere.ts';
import { isLocked, townWithLocks, workerAt } from '../repair/many-locks.ts';
import { cleanUp, hasTmux, isRunning, type TestTown, until } from '../support/index.ts';
import { doctor, doctorInPane, documentOf, startDoctor } from './run-cli.ts';

afterEach(cleanUp);

const LOCKS = 320;

/** With so few descriptors the doctor holds about fifty guards at once and needs several batches. */
const OPEN_FILES = 240;

const numbers = Array.from({ length: LOCKS }, (_, index) => index);

const locksIn = (town: TestTown): number => numbers.filter((index) => isLocked(town, index)).length;

/** How many releases (or restorations) the journal records as begun, and how many as done. */
const journalled = (town: TestTown, begun: string, done: string): readonly [number, number] => {
  const lines = readFileSync(journalPath(town.root), 'utf8').split('\n');
  const events = lines
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { event: string }).event);
  const count = (name: string): number => events.filter((event) => event === name).length;
  return [count(begun), count(done)];
};

/** Checks that every guard can be taken and that every line of the journal is complete. */
const expectNothingHeld = (town: TestTown): void => {
  for (let from = 0; from < LOCKS; from += 80) {
    const places = numbers
      .slice(from, from + 80)
      .map((index) => lockFilesIn(town.path(workerAt(index), '.runtime')));
    const outcomes = tryGuards(places, {});
    expect(outcomes.filter(({ kind }) => kind !== 'held')).toEqual([]);
    for (const outcome of outcomes) if (outcome.kind === 'held') outcome.guard.letGo();
  }
  expect([...readJournal(systemCalls, town.root)].filter(({ kind }) => kind !== 'entry')).toEqual([]);
};

const COMMANDS = ['fix', 'undo'] as const;
const ARGS = { fix: ['--fix', '--yes'], undo: ['undo'] } as const;
const SIGNALS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const;

interface Ended {
  readonly status: number | null;
  readonly by: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

const endOf = (child: ChildProcess): Promise<Ended> => {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return once(child, 'close').then(([status, by]) => ({ status, by, stdout, stderr }));
};

/** Resolves when the first lock has been released or restored. */
const first = (town: TestTown, command: (typeof COMMANDS)[number]): Promise<unknown> =>
  until(() => (command === 'fix' ? locksIn(town) < LOCKS : locksIn(town) > 0), 'the first lock that changes');

const prepared = (command: (typeof COMMANDS)[number]): TestTown => {
  const town = townWithLocks(LOCKS);
  if (command === 'undo') expect(doctor(['--fix', '--yes', '-q'], { cwd: town.root }).status).toBe(0);
  return town;
};

const expectAllBack = (town: TestTown): void => {
  doctor(['undo'], { cwd: town.root });
  expect(locksIn(town)).toBe(LOCKS);
};

describe.each(COMMANDS)('%s of many locks', (command) => {
  test.each(SIGNALS)('ends on %s after its current batch', async (signal, code) => {
    const town = prepared(command);
    const child = startDoctor(ARGS[command], { cwd: town.root, openFiles: OPEN_FILES });
    const ended = endOf(child);
    await first(town, command);
    child.kill(signal);
    const { status, by, stdout, stderr } = await ended;
    expect([status, by]).toEqual([code, null]);
    const left = command === 'fix' ? locksIn(town) : LOCKS - locksIn(town);
    expect(left).toBeGreaterThan(0);
    const done = LOCKS - left;
    const [begun, finished] =
      command === 'fix' ? journalled(town, 'release', 'released') : journalled(town, 'undo', 'undone');
    expect([begun, finished]).toEqual([done, done]);
    expect(stdout.match(command === 'fix' ? /^fixed /gm : /^restored /gm)).toHaveLength(done);
    const deeds = command === 'fix' ? `${done} releases` : `${done} locks were restored`;
    expect(stderr).toBe(`doctor: interrupted after ${deeds}; ${left} more were not begun\n`);
    expectNothingHeld(town);
    expectAllBack(town);
  });
});

test('an interrupted undo reports it in its document', async () => {
  const town = prepared('undo');
  const child = startDoctor(['undo', '--json'], { cwd: town.root, openFiles: OPEN_FILES });
  const ended = endOf(child);
  await first(town, 'undo');
  child.kill('SIGTERM');
  const { status, stdout, stderr } = await ended;
  const back = locksIn(town);
  expect([status, stderr]).toEqual([143, '']);
  const document = documentOf<Report & { readonly results: readonly unknown[] }>(stdout);
  expect(document.results).toHaveLength(back);
  expect(document.error).toEqual({
    code: 'E_INTERRUPTED',
    message: `interrupted after ${back} locks were restored; ${LOCKS - back} more were not begun`,
    hint: null,
  });
});

test.each([...SIGNALS])(
  '%s in volleys does not end a batch in its middle, and not by the signal',
  async (signal, code) => {
    const town = prepared('fix');
    const child = startDoctor(ARGS.fix, { cwd: town.root, openFiles: OPEN_FILES });
    const ended = endOf(child);
    await first(town, 'fix');
    // The last ones come while it writes and exits.
    const volley = setInterval(() => child.kill(signal), 1);
    // Whoever sends the others for more than five seconds means it.
    if (signal !== 'SIGHUP') setTimeout(() => clearInterval(volley), 1_000);
    const { status, by, stderr } = await ended.finally(() => clearInterval(volley));
    expect([status, by]).toEqual([code, null]);
    const left = locksIn(town);
    expect(stderr).toBe(`doctor: interrupted after ${LOCKS - left} releases; ${left} more were not begun\n`);
    expect(journalled(town, 'release', 'released')).toEqual([LOCKS - left, LOCKS - left]);
    expectAllBack(town);
  },
);

(hasTmux ? describe : describe.skip)('in a pane (skipped without tmux)', () => {
  const few = ['sh', '-c', `ulimit -n ${OPEN_FILES}; exec "$@"`, 'sh'];

  /** A run in a pane that has changed its first lock. */
  const underWay = async (command: (typeof COMMANDS)[number]) => {
    const town = prepared(command);
    const size = { columns: 100, rows: 40 };
    const run = await doctorInPane(ARGS[command], size, { cwd: town.root, through: few });
    await first(town, command);
    return { town, run };
  };

  test.each([
    ['fix', 'Releasing locks'],
    ['undo', 'Restoring locks'],
  ] as const)('%s shows its progress on one line', async (command, title) => {
    const town = prepared(command);
    // Other processes hold the guards of the last two locks, which are waited for one after the other.
    const [one, other] = command === 'fix' ? [0, 1] : [1, 0];
    const hold = (index: number) => flockElsewhere(lockFilesIn(town.path(workerAt(index), '.runtime')).guard);
    const [holder, otherHolder] = await Promise.all([hold(one), hold(other)]);
    const run = await doctorInPane(ARGS[command], { columns: 100, rows: 40 }, { cwd: town.root });
    const changed = (): number => (command === 'fix' ? LOCKS - locksIn(town) : locksIn(town));
    await until(() => changed() === LOCKS - 2, 'all locks but two');
    await sleep(1000); // Its next step is drawn only if the last one was drawn over 100 ms ago.
    await holder.stop();
    await run.shows(`${title}: ${LOCKS - 1} of ${LOCKS}`);
    await otherHolder.stop();
    const { status, screen } = await run.ends();
    expect(status).toBe(0);
    expect(screen).not.toContain(title);
    expect(changed()).toBe(LOCKS);
  });

  test.each(COMMANDS)('%s ends on Ctrl-C after its current batch', async (command) => {
    const { town, run } = await underWay(command);
    run.type('C-c');
    const { status, screen } = await run.ends();
    expect(status).toBe(130);
    expect(screen).toMatch(/interrupted after \d+ (?:releases|locks were restored); \d+ more were not begun/);
    expectNothingHeld(town);
    expectAllBack(town);
  });

  test.each(COMMANDS)('%s finishes its batch when its pane is closed', async (command) => {
    const { town, run } = await underWay(command);
    const pid = run.pid();
    run.killPane();
    await until(() => !isRunning(pid), 'the end of the program');
    const changed = command === 'fix' ? LOCKS - locksIn(town) : locksIn(town);
    const [begun, finished] =
      command === 'fix' ? journalled(town, 'release', 'released') : journalled(town, 'undo', 'undone');
    expect([begun, finished]).toEqual([changed, changed]);
    expectNothingHeld(town);
    expectAllBack(town);
  });
});

test('undo of many locks prints nothing on standard error in a pipe', () => {
  const town = prepared('undo');
  const { status, stdout, stderr } = doctor(['undo'], { cwd: town.root });
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout.match(/^restored /gm)).toHaveLength(LOCKS);
});
