/** The smaller views in real panes, at 80 and at 40 columns: who, locks, preflight, log. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { cleanUp, fakeAgent, hasTmux, makeTown, type TestTown } from '../../support/index.ts';
import { doctor, doctorInPane } from '../run-cli.ts';

afterEach(cleanUp);

const ADA = 'gastown/crew/ada';
const KIM = 'gastown/crew/kim';

/** Replaces what differs from run to run, and the line breaks that depend on it. */
const golden = (screen: string, { root }: TestTown): string =>
  screen
    .replaceAll(root, '/town')
    .replace(/^\/town: [\s\S]*?(?=\n\n)/m, '/town …')
    .replace(/\b(process|pid) \d+/g, '$1 N')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'DATE')
    .replace(/by \S+ on \S+, with: .*(\n {2}\S.*)*/g, 'by ME')
    .replace(/ on (?!this)[\w.-]+$/gm, ' on HOST')
    .trimEnd();

const show = async (town: TestTown, columns: number, ...args: readonly string[]) => {
  const run = await doctorInPane([...args, '--no-color'], { columns, rows: 24 }, { cwd: town.root });
  const { screen, status } = await run.ends();
  return { screen: golden(screen, town), status };
};

const someTown = async (): Promise<TestTown> => {
  const town = makeTown({ workers: [ADA, KIM] });
  town.lock(ADA, { session_id: '%5555' }, { ageSeconds: 28_800 });
  await fakeAgent('claude', { cwd: town.path(KIM) });
  return town;
};

(hasTmux ? describe : describe.skip)('views in a real pane (skipped without tmux)', () => {
  test('who fits into 80 and into 40 columns', async () => {
    const town = await someTown();
    for (const columns of [80, 40]) {
      const { screen } = await show(town, columns, 'who', KIM, ADA);
      for (const line of screen.split('\n')) expect(line.length).toBeLessThanOrEqual(columns);
      // Where the line breaks depends on the digits of the PID.
      expect(screen.replace(/\n {4}/g, ' ')).toBe(`${KIM}
  agent claude, process N; seen by: directory
${ADA}
  nobody works here`);
    }
  });

  test('locks fits into 80 and into 40 columns', async () => {
    const town = await someTown();
    expect(await show(town, 80, 'locks')).toEqual({
      status: 1,
      screen: `/town …

gastown
  ⚠ crew/ada stale    its process (4194305) and pane (%5555) are gone; taken 8 h
                      ago
  ℹ crew/kim no lock  claude (pid N)

1 lock: 1 stale; 1 agent without a lock.
What to do now:
  doctor --town /town`,
    });
    const [tree, command = ''] = (await show(town, 40, 'locks')).screen.split(/\n(?= {2}doctor )/);
    expect(command.replaceAll('\n', '')).toMatch(/^ {2}doctor --town \S+$/);
    expect(tree).toBe(`/town …

gastown
  ⚠ crew/ada stale
      its process (4194305) and pane
      (%5555) are gone; taken 8 h ago
  ℹ crew/kim no lock
      claude (pid N)

1 lock: 1 stale; 1 agent without a lock.
What to do now:`);
  });

  test('preflight fits into 40 columns', async () => {
    const town = await someTown();
    const screen = (await show(town, 40, 'preflight', ADA, KIM)).screen;
    expect(screen.split('\n').slice(0, 2)).toEqual([
      'repairable gastown/crew/ada: stale',
      '  lock: no process N',
    ]);
    expect(screen).toMatch(/^ {2}next: doctor preflight --fix gastown/m);
    expect(screen).toMatch(/^held gastown\/crew\/kim: no lock, but/m);
  });

  test('undo fits into 40 columns', async () => {
    const town = await someTown();
    doctor(['--fix', '-q'], { cwd: town.root });
    const run = await doctorInPane(['undo', '--town', town.path(ADA)], { columns: 40, rows: 24 });
    const { screen } = await run.ends();
    const [said = '', command = ''] = screen.split(/\n(?= {2}doctor undo )/);
    // A path is broken after a slash; a word that the terminal had broken would not come together again.
    expect(said.replace(/\/\n {2}/g, '/').replace(/\n {2}/g, ' ')).toBe(
      `The lock of ${town.path(ADA)} was released by a run in ${town.root}:`,
    );
    expect(command.replaceAll('\n', '')).toMatch(/^ {2}doctor undo \S+ ?--town \S+$/);
    expect((await show(town, 40, 'undo')).screen).toBe(`✔ restored gastown/crew/ada (pid
    4194305, %5555)`);
  });

  test('errors of usage fit into 40 columns, and leave commands whole', async () => {
    const town = await someTown();
    const errors = async (...args: readonly string[]) => (await show(town, 40, ...args)).screen;
    expect(await errors('locks', '--state', 'nonsense')).toBe(`doctor: --state nonsense: expected
  held, stale, orphaned, invalid,
  foreign or unknown`);
    expect(await errors('preflight')).toBe(`doctor: preflight needs a worker
Usage: doctor preflight WORKER... [optio
ns]`);
    expect(await errors('--fix', '--under', ADA)).toBe(`doctor: only --worker and --kind can
  choose what --fix releases
Try: doctor --fix --worker WORKER`);
  });

  test('log fits into 80 and into 40 columns', async () => {
    const town = await someTown();
    doctor(['--fix', '-q'], { cwd: town.root });
    expect((await show(town, 80, 'log')).screen).toBe(`✔ DATE  released gastown/crew/ada
  stale, naming PID 4194305 in %5555 on HOST
  by ME`);
    expect((await show(town, 40, 'log')).screen).toMatch(
      /^✔ DATE\n {2}released gastown\/crew\/ada\n {2}stale, naming/,
    );
  });
});
