import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { displayWidth } from '../../../src/reporters/screen/display-width.ts';
import {
  cleanUp,
  hasTmux,
  isRunning,
  makeTown,
  onCleanUp,
  sleeperNamed,
  startTmux,
  type TestTown,
  until,
} from '../../support/index.ts';
import { EXECUTABLE } from '../../support/tested-program.ts';
import { doctor, doctorInPane, type TerminalRun } from '../run-cli.ts';

afterEach(cleanUp);

const inTmux = hasTmux ? describe : describe.skip;
const WIDE = { columns: 80, rows: 24 };
const SLIM = { columns: 40, rows: 24 };
const ADA = 'gastown/crew/ada/.runtime/agent.lock';

interface Busy {
  readonly town: TestTown;
  readonly env: Readonly<Record<string, string>>;
}

/** Two stale locks, an invalid one, and two agents in one worker. */
const busyTown = async (): Promise<Busy> => {
  const workers = ['ada', 'bob', 'cy', 'dee'].map((name) => `gastown/crew/${name}`);
  const town = makeTown({ workers: [...workers, 'beads/crew/eve'], rigs: { gastown: 'gt', beads: 'bd' } });
  town.lock('gastown/crew/ada', { pid: 4194305, session_id: '%5555' }, { ageSeconds: 28_800 });
  town.lock('gastown/crew/bob', { pid: 4194305, session_id: '%5556' }, { ageSeconds: 28_800 });
  town.lock('gastown/crew/cy', '', { ageSeconds: 3600 });
  const agents = await startTmux();
  for (const name of ['gt-crew-dee', 'gt-crew-dee-2'])
    agents.newSession(name, { cwd: town.path('gastown/crew/dee'), command: [sleeperNamed('claude'), '600'] });
  return { town, env: { NO_COLOR: '1', TMUX_TMPDIR: agents.tmuxTmpdir } };
};

const top = async ({ town, env }: Busy, size = WIDE, args: readonly string[] = []): Promise<TerminalRun> => {
  const run = await doctorInPane(['top', ...args], size, { cwd: town.root, env });
  await run.shows(/gastown\n/);
  return run;
};

/** The same, with `ada` selected: above is the collision. */
const topAtAda = async (busy: Busy, size = WIDE): Promise<TerminalRun> => {
  const run = await top(busy, size);
  run.type('j');
  await run.shows(/^> {2}⚠ crew\/ada/m);
  return run;
};

/** The screen without what differs from run to run: the first line, and the time of a release. */
const golden = (screen: string): string =>
  screen.replace(/^.*\d\d:\d\d:\d\d$/m, 'TOWN CLOCK').replace(/^Released at .*/m, 'Released at TIME:');

const KEYS = '↑↓ move  Tab state  / filter  e explain  f fix  u undo  ? help  q quit';

/** Whether the cursor, the terminal's settings and its first screen are as before. */
const isRestored = (run: TerminalRun): readonly boolean[] => [
  run.cursorIsShown(),
  run.isCooked(),
  !run.isAlternate(),
];
const RESTORED = [true, true, true];

inTmux('the view of doctor top (skipped without tmux)', () => {
  test('shows town and clock, states, rows, the summary and keys at 80x24', async () => {
    const run = await top(await busyTown());
    expect(run.isAlternate()).toBe(true);
    expect(golden(run.screen())).toBe(`TOWN CLOCK
[all 5] collision 1  stale 2  invalid 1  no lock 2

gastown
>  ✖ crew/dee no lock  2 agents: %0, %1
   ⚠ crew/ada stale    its process (4194305) and pane (%5555) are gone; taken 8…
   ⚠ crew/bob stale    its process (4194305) and pane (%5556) are gone; taken 8…
   ⚠ crew/cy  invalid  not a valid lock: the file is empty; written 60 min ago
${'\n'.repeat(12)}
3 locks: 2 stale, 1 invalid; 1 collision; 2 agents without a lock.
${KEYS}`);
  });

  test('fits into 40 columns, with the details of a row below it', async () => {
    const run = await topAtAda(await busyTown(), SLIM);
    const screen = run.screen();
    expect(golden(screen)).toBe(`TOWN CLOCK
< [all 5] > (Tab)

gastown
   ✖ crew/dee no lock
>  ⚠ crew/ada stale
      its process (4194305) and pane
      (%5555) are gone; taken 8 h ago
   ⚠ crew/bob stale
   ⚠ crew/cy  invalid
${'\n'.repeat(9)}
3 locks: 2 stale, 1 invalid; 1
collision; 2 agents without a lock.
e explain f fix u undo / ? q`);
    for (const line of screen.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(40);
  });

  test('shows all four rows in 40 columns and 12 lines', async () => {
    const run = await top(await busyTown(), { columns: 40, rows: 12 });
    expect(golden(run.screen())).toBe(`TOWN CLOCK
< [all 5] > (Tab)
gastown
>  ✖ crew/dee no lock
      2 agents: %0, %1
   ⚠ crew/ada stale
   ⚠ crew/bob stale
   ⚠ crew/cy  invalid

3 locks: 2 stale, 1 invalid; 1 collisio…
e explain f fix u undo / ? q`);
  });

  test('is redrawn after a resize, smaller or larger, and so is a question', async () => {
    const run = await topAtAda(await busyTown());
    run.resize(40, 8);
    await run.shows(/^> {2}⚠ crew\/ada stale$/m);
    run.resize(40, 12);
    await run.shows('e explain f fix u undo / ? q');
    await until(() => run.screen().split('\n').length <= 12, 'a picture of 12 lines');
    await run.shows(/\d\d:\d\d:\d\d\n< \[all 5\] >/);
    run.type('f');
    await run.shows('Release this lock?');
    run.resize(100, 30);
    await run.shows('Release this lock? [y]es, [N]o, [?]help:');
    run.type('n');
    await run.shows('Nothing was changed.');
    await run.shows('taken 8 h ago\n');
  });

  test('uses colours unless NO_COLOR is set, and only ASCII with --ascii', async () => {
    const busy = await busyTown();
    const plain = await top(busy);
    for (const color of [31, 32, 33, 34]) expect(plain.coloredScreen()).not.toContain(`\u001b[${color}m`);
    const colored = await top({ ...busy, env: { ...busy.env, NO_COLOR: '' } });
    expect(colored.coloredScreen()).toContain('\u001b[33m');
    const ascii = await top(busy, WIDE, ['--ascii']);
    expect(ascii.screen()).toMatch(/^[\n -~]*$/);
  });
});

inTmux('the keys of doctor top (skipped without tmux)', () => {
  test('j, k, arrows, G, g and pages select, and stop at the ends', async () => {
    const run = await top(await busyTown());
    await run.shows(/^> {2}✖ crew\/dee/m);
    run.type('j');
    await run.shows(/^> {2}⚠ crew\/ada/m);
    run.type('Down', 'Down', 'Down', 'Down');
    await run.shows(/^> {2}⚠ crew\/cy/m);
    run.type('k');
    await run.shows(/^> {2}⚠ crew\/bob/m);
    run.type('g');
    await run.shows(/^> {2}✖ crew\/dee/m);
    run.type('PageDown');
    await run.shows(/^> {2}⚠ crew\/cy/m);
    run.type('PageUp');
    await run.shows(/^> {2}✖ crew\/dee/m);
    run.type('G');
    await run.shows(/^> {2}⚠ crew\/cy/m);
    run.type('Up');
    await run.shows(/^> {2}⚠ crew\/bob/m);
  });

  test('scrolls with the selection if there are more rows than lines', async () => {
    const names = Array.from({ length: 60 }, (_, at) => `gastown/crew/w${String(at).padStart(2, '0')}`);
    const town = makeTown({ workers: names });
    for (const [at, name] of names.entries()) town.lock(name, { session_id: `%${6000 + at}` });
    const run = await top({ town, env: { NO_COLOR: '1' } });
    expect(run.screen()).not.toContain('crew/w30');
    run.type('G');
    const screen = await run.shows(/^> {2}⚠ crew\/w59/m);
    expect(screen).toContain('60 locks: 60 stale.');
    expect(screen).toContain(KEYS);
    run.type('Space', 'PageUp');
    await run.shows(/^> {2}⚠ crew\/w4\d/m);
  });

  test('Tab and the arrows cycle through the states that occur', async () => {
    const run = await top(await busyTown());
    run.type('Tab');
    expect(await run.shows('[collision 1]')).not.toContain('crew/ada');
    run.type('Right');
    expect(await run.shows('[stale 2]')).not.toContain('crew/cy');
    run.type('Left', 'BTab', 'BTab');
    expect(await run.shows('[no lock 2]')).toContain('crew/dee');
    run.type('Tab');
    await run.shows('[all 5]');
  });

  test('says that configured machines are not asked', async () => {
    const busy = await busyTown();
    busy.town.write('lock-doctor.json', '{ "machines": { "mini": { "reach": ["false"] } } }');
    const run = await top(busy);
    expect(run.screen()).toContain('Other machines are not asked here. See: doctor locks --watch');
  });

  test('accepts the options that select a part', async () => {
    const run = await top(await busyTown(), WIDE, ['--state', 'invalid']);
    expect(run.screen()).toContain('[all 1] invalid 1');
  });

  test('/ filters while it is typed; Enter keeps the filter, Esc clears it', async () => {
    const run = await top(await busyTown());
    run.type('/', 'B', 'o', 'x');
    await run.shows('Nothing that fits.');
    run.type('BSpace');
    expect(await run.shows(/crew\/bob[\s\S]*\/Bo_/)).not.toContain('crew/ada');
    run.type('Enter');
    await run.shows(new RegExp(`^/Bo\\n${KEYS.slice(0, 4)}`, 'm'));
    run.type('Escape');
    await run.shows('crew/ada');
    run.type('/', 'q', 'f', 'Escape');
    await run.shows(/crew\/ada[\s\S]*↑↓ move/);
  });

  test('e shows all the evidence about a worker, with or without a lock, and ? shows the keys', async () => {
    const run = await top(await busyTown());
    run.type('j', 'e');
    const page = await run.shows('gastown/crew/ada: stale');
    expect(page).toContain('↑↓ scroll  Esc back');
    run.type('Space');
    await run.shows('What --fix does');
    run.type('Escape', 'g', 'Enter');
    await run.shows('gastown/crew/dee');
    await run.shows(/2 live agents|Collision|collision/);
    run.type('q', '?');
    expect(await run.shows('restore what the last run released')).toContain('doctor top');
    run.type('q');
    await run.shows(KEYS);
  });

  test('a page cuts no command off at 40 columns', async () => {
    const busy = await busyTown();
    const run = await topAtAda(busy, SLIM);
    run.type('e', 'Space');
    const page = await run.shows('Releases it:');
    // It continues at the edge, as a terminal continues a line.
    expect(page.replaceAll('\n', '')).toContain(
      `doctor --fix --worker gastown/crew/ada --town ${busy.town.root}`,
    );
  });

  test('marks a lock that has appeared, and names one that has gone', async () => {
    const { town, env } = await busyTown();
    const run = await topAtAda({ town, env });
    town.lock('beads/crew/eve', { session_id: '%7777' });
    await run.shows(/^ \* ⚠ crew\/eve/m);
    rmSync(town.path(ADA));
    await run.shows('Gone in the last minute: gastown/crew/ada');
    expect(run.screen()).toMatch(/^> {2}⚠ crew\/bob/m);
  });
});

inTmux('f and u in doctor top (skipped without tmux)', () => {
  test('f asks only about the selected worker; y releases it, u asks and restores it', async () => {
    const busy = await busyTown();
    const run = await topAtAda(busy);
    run.type('f');
    expect(golden(await run.shows('Release this lock?'))).toBe(`TOWN CLOCK
[all 5] collision 1  stale 2  invalid 1  no lock 2

Will release 1 lock (doctor undo restores it):
  gastown/crew/ada  stale, its process (4194305) and pane (%5555) are gone;
                    taken 8 h ago
${'\n'.repeat(15)}
Release this lock? [y]es, [N]o, [?]help:`);
    expect(existsSync(busy.town.path(ADA))).toBe(true);
    run.type('y');
    await run.shows('Released 1 lock (u restores).');
    await until(() => !run.screen().includes('crew/ada'), 'a picture without the lock');
    expect(existsSync(busy.town.path(ADA))).toBe(false);
    expect(existsSync(busy.town.path('gastown/crew/bob/.runtime/agent.lock'))).toBe(true);
    run.type('u');
    expect(golden(await run.shows('Restore this lock?'))).toContain(`Released at TIME:
  gastown/crew/ada
`);
    run.type('y');
    await run.shows('Restored gastown/crew/ada.');
    expect(existsSync(busy.town.path(ADA))).toBe(true);
    run.type('u');
    await run.shows('Nothing to undo.');
    run.type('q');
    await run.ends();
    const journal = doctor(['undo'], { cwd: busy.town.root });
    expect(journal.stdout).toContain('already');
  });

  test('n, N, Enter, Escape and three invalid answers change nothing; ? lists the answers', async () => {
    const busy = await busyTown();
    const run = await topAtAda(busy);
    for (const no of [['n'], ['N'], ['Enter'], ['Escape'], ['x', 'x', 'x'], ['xxx']]) {
      run.type('f');
      await run.shows('Release this lock?');
      run.type(...no);
      await run.shows('Nothing was changed.');
      run.type('Escape');
      await until(() => !run.screen().includes('Nothing was changed.'), 'an empty message');
    }
    run.type('f');
    await run.shows('Release this lock?');
    run.type('?');
    await run.shows('N  change nothing');
    run.type('n');
    await run.shows('Nothing was changed.');
    expect(existsSync(busy.town.path(ADA))).toBe(true);
    expect(existsSync(busy.town.path('.runtime'))).toBe(false);
  });

  test('F asks about all locks, and p about each', async () => {
    const busy = await busyTown();
    const run = await top(busy);
    run.type('F');
    await run.shows('Release these 3 locks? [y]es, [N]o, [p]ick, [?]help:');
    run.type('p');
    await run.shows('Release gastown/crew/ada');
    run.type('n');
    await run.shows('Release gastown/crew/bob');
    run.type('y');
    await run.shows('Release gastown/crew/cy');
    run.type('y');
    await run.shows('Released 2 locks (u restores).');
    const left = ['ada', 'bob', 'cy'].filter((name) =>
      existsSync(busy.town.path(`gastown/crew/${name}/.runtime/agent.lock`)),
    );
    expect(left).toEqual(['ada']);
  });

  test('f says why a row cannot be released, and does not ask', async () => {
    const run = await top(await busyTown());
    run.type('f');
    await run.shows('gastown/crew/dee has no lock');
    const crowded = await busyTown();
    crowded.town.lock('gastown/crew/dee', { session_id: '%5557' }, { ageSeconds: 3600 });
    const other = await top(crowded);
    other.type('f');
    await other.shows(/Nothing to release: gastown\/crew\/dee is held, 2 agents: %0, %1\./);
  });

  test('leaves a lock that was taken again while the question was open', async () => {
    const busy = await busyTown();
    const run = await topAtAda(busy);
    run.type('f');
    await run.shows('Release this lock?');
    busy.town.lock('gastown/crew/ada', { pid: process.pid, session_id: '%5555' }, { ageSeconds: 0 });
    run.type('y');
    await run.shows(/Released 0 locks|changed since|Nothing was/);
    expect(existsSync(busy.town.path(ADA))).toBe(true);
  });
});

inTmux('the end of doctor top (skipped without tmux)', () => {
  test.each([
    ['q', 'q', 1],
    ['Ctrl-C', 'C-c', 130],
  ])('%s restores the terminal', async (_, key, expected) => {
    const run = await top(await busyTown());
    expect(isRestored(run)).toEqual([false, false, false]);
    run.type(key);
    const { status, screen } = await run.ends();
    expect([status, screen]).toEqual([expected, '']);
    expect(isRestored(run)).toEqual(RESTORED);
  });

  test('Ctrl-C at a question changes nothing', async () => {
    const busy = await busyTown();
    const run = await topAtAda(busy);
    run.type('f');
    await run.shows('Release this lock?');
    run.type('C-c');
    expect((await run.ends()).status).toBe(130);
    expect(isRestored(run)).toEqual(RESTORED);
    expect(existsSync(busy.town.path(ADA))).toBe(true);
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGHUP', 129],
  ] as const)('%s restores the terminal', async (signal, expected) => {
    const run = await top(await busyTown());
    process.kill(run.pid(), signal);
    const { status, screen } = await run.ends();
    expect([status, screen]).toEqual([expected, '']);
    expect(isRestored(run)).toEqual(RESTORED);
  });

  test('SIGQUIT restores the terminal, and ends it as it ends every program', async () => {
    const run = await top(await busyTown());
    process.kill(run.pid(), 'SIGQUIT');
    expect((await run.ends()).status).toBe(131);
    expect(isRestored(run)).toEqual(RESTORED);
  });

  // The executable ignores NODE_OPTIONS, with which the program is made to crash here.
  (EXECUTABLE === null ? test : test.skip)('a crash restores the terminal before its message', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'crash-'));
    onCleanUp(() => rmSync(folder, { recursive: true, force: true }));
    const hook = join(folder, 'crash.cjs');
    writeFileSync(hook, `process.on('SIGUSR2', () => { throw new Error('a test breaks it'); });`);
    const { town, env } = await busyTown();
    const run = await top({ town, env: { ...env, NODE_OPTIONS: `--require ${hook}` } });
    process.kill(run.pid(), 'SIGUSR2');
    const { status, screen } = await run.ends();
    expect(status).not.toBe(0);
    expect(screen).toContain('a test breaks it');
    expect(isRestored(run)).toEqual(RESTORED);
  });

  test.each([['top'], ['locks', '--watch']])(
    '%s ends and restores the terminal when its parent is killed with -9',
    async (...args) => {
      const { town, env } = await busyTown();
      const through = ['sh', '-c', 'sh -c \'echo $$ >parent; "$@"; true\' sh "$@"; true', 'sh'];
      const run = await doctorInPane(args, WIDE, { cwd: town.root, env, through });
      await run.shows(/crew\/ada stale/);
      const parent = Number(readFileSync(town.path('parent'), 'utf8'));
      expect(parent).toBeGreaterThan(1);
      process.kill(parent, 'SIGKILL');
      await until(() => isRestored(run).every(Boolean), 'a terminal as it was');
    },
  );

  test.each([['top'], ['locks', '--watch']])(
    '%s exits with 129 when its terminal hangs up',
    async (...args) => {
      const { town, env } = await busyTown();
      const through = ['sh', '-c', 'trap : HUP; "$@" 2>errors; echo $? >ended', 'sh'];
      const run = await doctorInPane(args, WIDE, { cwd: town.root, env, through });
      await run.shows(/crew\/ada stale/);
      run.killPane();
      const status = await until(
        () => existsSync(town.path('ended')) && readFileSync(town.path('ended'), 'utf8').trim(),
        'the exit status',
      );
      expect(status).toBe('129');
      expect(readFileSync(town.path('errors'), 'utf8')).not.toMatch(/Assertion|internal error/);
    },
  );

  test('locks --watch ends when its parent is killed, where no key can be typed as well', async () => {
    const { town, env } = await busyTown();
    const through = ['sh', '-c', 'sh -c \'echo $$ >parent; "$@" </dev/null; true\' sh "$@"; true', 'sh'];
    const run = await doctorInPane(['locks', '--watch'], WIDE, { cwd: town.root, env, through });
    await run.shows(/crew\/ada stale/);
    const parent = Number(readFileSync(town.path('parent'), 'utf8'));
    expect(parent).toBeGreaterThan(1);
    process.kill(parent, 'SIGKILL');
    await until(() => isRestored(run).every(Boolean), 'a terminal as it was');
  });

  test('the program ends when its pane is closed', async () => {
    const run = await top(await busyTown());
    const pid = run.pid();
    run.killPane();
    await until(() => !isRunning(pid), 'the end of the program');
  });
});

/** GNU screen, in a pane of tmux. */
const hasScreen = spawnSync('screen', ['--version']).status === 0;

(hasTmux && hasScreen ? test : test.skip)(
  'doctor top works in GNU screen (skipped without screen, or without tmux)',
  async () => {
    const { town, env } = await busyTown();
    const folder = mkdtempSync(join(tmpdir(), 'scr-'));
    onCleanUp(() => rmSync(folder, { recursive: true, force: true }));
    const program = join(folder, 'in-screen.cjs');
    writeFileSync(
      program,
      `const { spawnSync } = require('node:child_process');
      spawnSync('screen', ['-U', '-c', '/dev/null', '-S', 'top', ...process.argv.slice(2)], { stdio: 'inherit' });`,
    );
    const run = await doctorInPane(['top'], WIDE, {
      cwd: town.root,
      env: { ...env, SCREENDIR: folder, SHELL: '/bin/sh', NODE_OPTIONS: '' },
      through: [process.execPath, program],
    });
    expect(await run.shows(/crew\/ada stale/)).toContain(KEYS);
    run.type('j');
    await run.shows(/^> {2}⚠ crew\/ada/m);
    run.type('q');
    await until(() => !readdirSync(folder).some((name) => name.endsWith('.top')), 'the end of screen');
  },
);

test('doctor top without a terminal says what to run instead', () => {
  const { status, stderr, stdout } = doctor(['top']);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toBe('doctor: doctor top requires a terminal\nTry: doctor locks\n');
});
