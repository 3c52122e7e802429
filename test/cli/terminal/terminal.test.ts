import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { displayWidth } from '../../../src/reporters/screen/display-width.ts';
import {
  cleanUp,
  hasTmux,
  isRunning,
  makeTown,
  onCleanUp,
  startTmux,
  type TestTown,
  until,
} from '../../support/index.ts';
import { EXECUTABLE } from '../../support/tested-program.ts';
import { bareEnvironment, COMMAND, doctor, doctorInPane } from '../run-cli.ts';

afterEach(cleanUp);

const inTmux = hasTmux ? describe : describe.skip;
const SMALL = { columns: 80, rows: 24 };

/** A stale lock and an invalid one. */
const unhealthyTown = (): TestTown => {
  const town = makeTown({ workers: ['gastown/crew/ada', 'gastown/crew/bob', 'gastown/crew/cy'] });
  town.lock('gastown/crew/ada', { pid: 4194305, session_id: '%5555' }, { ageSeconds: 28_800 });
  town.lock('gastown/crew/bob', '', { ageSeconds: 3600 });
  return town;
};

/** The screen without what differs from run to run: the path of the town, its line of counts, run IDs. */
const golden = (screen: string, { root }: TestTown): string =>
  screen
    .replaceAll(root, '/town')
    .replace(/^\/town: [\s\S]*?(?=\n\n)/m, '/town …')
    .replace(/\d{8}T\d{6}Z-[0-9a-f]+/g, 'RUN');

/** script(1) of util-linux: it runs a program on a terminal whose bytes can be read. */
const hasScript =
  spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') === true;

(hasScript ? test : test.skip)('writes plain lines if TERM=dumb (skipped without script)', () => {
  const town = unhealthyTown();
  const bytesOf = (TERM: string): string => {
    const command = `stty rows 24 cols 80; ${COMMAND.join(' ')} ${town.root}`;
    const env = bareEnvironment({ TERM });
    return spawnSync('script', ['-qec', command, '/dev/null'], { env, encoding: 'utf8' }).stdout;
  };
  expect(bytesOf('screen-256color')).toContain('\u001b[');
  const dumb = bytesOf('dumb');
  expect(dumb).toContain('gastown/crew/ada');
  expect(dumb).not.toContain('\u001b');
});

inTmux('in a real terminal (skipped without tmux)', () => {
  test('a town with problems fits on one screen of 80x24: answer, reason, next command', async () => {
    const town = unhealthyTown();
    const run = await doctorInPane([], SMALL, { cwd: town.root, env: { NO_COLOR: '1' } });
    const { screen, status } = await run.ends();
    expect(status).toBe(1);
    expect(golden(screen, town)).toBe(`/town …

⚠ gastown/crew/bob: not a valid lock: the file is empty; written 60 min ago
⚠ gastown/crew/ada: its process (4194305) and pane (%5555) are gone; taken 8 h
    ago

2 locks: 1 stale, 1 invalid.
2 locks can be released. Run:
  doctor --fix --town /town`);
  });

  test('a healthy town says so', async () => {
    const town = makeTown();
    const run = await doctorInPane(['--no-color'], SMALL, { cwd: town.root });
    const { screen, status } = await run.ends();
    expect(status).toBe(0);
    expect(golden(screen, town)).toBe('✔ /town: No locks. No problems found.');
  });

  test('fits into 40 columns without cutting a line', async () => {
    const town = unhealthyTown();
    const run = await doctorInPane(['--no-color'], { columns: 40, rows: 40 }, { cwd: town.root });
    const { screen } = await run.ends();
    expect(golden(screen, town)).toContain(`⚠ gastown/crew/ada
    its process (4194305) and pane
      (%5555) are gone; taken 8 h ago
`);
    for (const line of screen.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(40);
  });

  test('--ascii, LC_ALL=C and TERM=linux show ASCII only', async () => {
    const town = unhealthyTown();
    for (const [args, env] of [
      [['--ascii'], {}],
      [[], { LC_ALL: 'C' }],
      [[], { TERM: 'linux' }],
    ] as const) {
      const run = await doctorInPane(['--no-color', ...args], SMALL, { cwd: town.root, env });
      const { screen } = await run.ends();
      expect(screen).toMatch(/^[\n -~]*$/);
      expect(screen).toContain('!  gastown/crew/ada: ');
    }
  });

  test('uses colour by default, but not with NO_COLOR, --no-color or TERM=dumb', async () => {
    const town = unhealthyTown();
    const colored = await doctorInPane([], SMALL, { cwd: town.root });
    await colored.ends();
    expect(colored.coloredScreen()).toContain('\u001b[33m⚠');
    for (const [args, env] of [
      [[], { NO_COLOR: '1' }],
      [['--no-color'], { FORCE_COLOR: '1' }],
      [[], { TERM: 'dumb' }],
    ] as const) {
      const run = await doctorInPane(args, SMALL, { cwd: town.root, env });
      await run.ends();
      expect(run.coloredScreen()).not.toContain('\u001b[33m');
    }
  });

  test('shows the locks as a tree', async () => {
    const town = unhealthyTown();
    const run = await doctorInPane(['locks', '--no-color'], SMALL, { cwd: town.root });
    const { screen, status } = await run.ends();
    expect(status).toBe(1);
    expect(golden(screen, town)).toBe(`/town …

gastown
  ⚠ crew/ada stale    its process (4194305) and pane (%5555) are gone; taken 8 h
                      ago
  ⚠ crew/bob invalid  not a valid lock: the file is empty; written 60 min ago

2 locks: 1 stale, 1 invalid.
What to do now:
  doctor --town /town`);
  });
});

inTmux('progress at a terminal (skipped without tmux)', () => {
  test('shows every stage and check, and Ctrl-C restores the cursor', async () => {
    const town = unhealthyTown();
    const frozen = await startTmux();
    frozen.newSession('frozen', { cwd: town.root });
    frozen.freeze();
    const run = await doctorInPane(['--timeout', '20000', '--no-color'], SMALL, {
      cwd: town.root,
      env: { TMUX_TMPDIR: frozen.tmuxTmpdir },
    });
    const picture = await run.shows(/\S Ask tmux\n/);
    expect(picture).toContain('✔ Look at processes\n');
    for (const title of ['Ask git', 'Invalid locks', 'Stale locks', 'Lock debris'])
      expect(picture).toContain(`  ${title}`);
    run.type('C-c');
    const { screen, status } = await run.ends();
    expect(status).toBe(130);
    expect(screen).toMatch(/doctor: interrupted$/);
    expect(run.cursorIsShown()).toBe(true);
  });
});

inTmux('--fix asks at a terminal (skipped without tmux)', () => {
  const QUESTION = 'Release these 2 locks? [y]es, [N]o, [p]ick, [?]help:';
  const fix = async (town: TestTown, ...args: readonly string[]) =>
    doctorInPane(['--fix', '--no-color', ...args], { columns: 80, rows: 40 }, { cwd: town.root });

  test('shows the plan, and yes carries it out', async () => {
    const town = unhealthyTown();
    const run = await fix(town);
    expect(
      golden(await run.shows(QUESTION), town),
    ).toContain(`Will release 2 locks (doctor undo restores them):
  gastown/crew/ada  stale, its process (4194305) and pane (%5555) are gone;
                    taken 8 h ago
  gastown/crew/bob  invalid, the file is empty; written 60 min ago
${QUESTION}`);
    run.type('y', 'Enter');
    const { screen, status } = await run.ends();
    expect(status).toBe(0);
    expect(
      golden(screen, town),
    ).toContain(`✔ gastown/crew/ada: its process (4194305) and pane (%5555) are gone; taken 8 h
    ago; released (backup: agent.lock.released-RUN-1)
`);
    // The second look does not draw into the progress list, which was erased before the question.
    expect(screen).not.toContain('Look for locks');
    expect(golden(screen, town)).toMatch(
      /No locks\.\nReleased 2 locks\. Undo with:\n {2}doctor undo RUN --town \/town$/,
    );
    expect(doctor(['--json'], { cwd: town.root }).status).toBe(0);
  });

  test.each([
    ['n', ['n', 'Enter']],
    ['a bare Enter', ['Enter']],
    ['end of input', ['C-d']],
  ])('%s leaves everything as it was', async (_what, keys) => {
    const town = unhealthyTown();
    const run = await fix(town);
    await run.shows(QUESTION);
    run.type(...keys);
    const { screen, status } = await run.ends();
    expect(status).toBe(1);
    expect(screen).toMatch(/\nNothing was changed\.$/);
    expect(screen).not.toContain('your attention');
    expect(doctor(['locks'], { cwd: town.root }).stdout).toContain('stale gastown/crew/ada');
    expect(doctor(['undo'], { cwd: town.root }).stdout).toBe('nothing to undo\n');
  });

  test('asks again after a typo, explains the answers on ?, and takes a third unclear answer as no', async () => {
    const town = unhealthyTown();
    const run = await fix(town);
    await run.shows(QUESTION);
    run.type('w', 'h', 'y', 'Enter');
    await run.shows(/why\n {2}y {2}release all of them\n[\s\S]*Release these 2 locks/);
    run.type('?', 'Enter');
    await run.shows(/\?\n {2}y {2}release all of them[\s\S]*decide for each of them\nRelease these 2/);
    run.type('x', 'Enter');
    const { screen, status } = await run.ends();
    expect(status).toBe(1);
    expect(screen).toMatch(/\nNothing was changed\.$/);
  });

  test('explains the answers about a single lock in the singular', async () => {
    const town = unhealthyTown();
    const run = await fix(town, '--worker', 'gastown/crew/ada');
    await run.shows('Release this lock?');
    run.type('?', 'Enter');
    await run.shows(/\?\n {2}y {2}release it\n {2}N {2}change nothing \(also: Enter\)\nRelease this lock/);
    run.type('n', 'Enter');
    await run.ends();
  });

  test('p asks about each lock', async () => {
    const town = unhealthyTown();
    const run = await fix(town);
    await run.shows(QUESTION);
    run.type('p', 'Enter');
    await run.shows(/Release gastown\/crew\/ada \(stale, its process .*\n?.*ago\)\? \[y\]es, \[N\]o:/);
    run.type('n', 'Enter');
    await run.shows(
      'Release gastown/crew/bob (invalid, the file is empty; written 60 min ago)?\n[y]es, [N]o:',
    );
    run.type('y', 'Enter');
    const { screen, status } = await run.ends();
    expect(status).toBe(1);
    expect(screen).toContain(
      '✔ gastown/crew/bob: not a valid lock: the file is empty; written 60 min ago;\n    released',
    );
    expect(screen).toContain('skipped: you answered no');
    // Whoever just said no is not told to say yes.
    expect(screen).toContain('  doctor --fix --worker gastown/crew/ada --town');
    expect(screen).not.toContain('--yes');
    expect(doctor(['locks'], { cwd: town.root }).stdout).toBe(
      'stale gastown/crew/ada: its process (4194305) and pane (%5555) are gone; taken 8 h ago\n',
    );
  });

  test('Ctrl-C at the question exits with 130 and changes nothing', async () => {
    const town = unhealthyTown();
    const run = await fix(town);
    await run.shows(QUESTION);
    run.type('C-c');
    const { screen, status } = await run.ends();
    expect(status).toBe(130);
    expect(screen).toMatch(/doctor: interrupted; nothing was changed$/);
    expect(doctor(['locks'], { cwd: town.root }).stdout.match(/^(stale|invalid) /gm)).toHaveLength(2);
  });

  test('--yes does not ask', async () => {
    const town = unhealthyTown();
    const run = await doctorInPane(['--fix', '--yes', '--no-color'], SMALL, { cwd: town.root });
    const { screen, status } = await run.ends();
    expect(status).toBe(0);
    expect(screen).not.toContain('[N]o');
  });

  test('--force asks too, and shows whose lock it is', async () => {
    const town = makeTown();
    town.lock('gastown/crew/ada', { hostname: 'elsewhere', pid: 12 });
    const run = await doctorInPane(
      ['--fix', '--force', '--worker', 'gastown/crew/ada', '--no-color'],
      SMALL,
      { cwd: town.root },
    );
    expect(await run.shows('Release this lock? [y]es, [N]o, [?]help:')).toContain(
      'foreign, taken on another host, elsewhere',
    );
    run.type('n', 'Enter');
    await run.ends();
    expect(doctor(['locks'], { cwd: town.root }).stdout).toContain('foreign gastown/crew/ada');
  });
});

inTmux('locks --watch at a terminal (skipped without tmux)', () => {
  test('drops rows in a small terminal, healthy ones first, but always shows the summary and a clock', async () => {
    const names = Array.from({ length: 40 }, (_, at) => `w${String(at).padStart(2, '0')}`);
    const town = makeTown({ workers: [...names.map((name) => `gastown/crew/${name}`), 'beads/crew/zed'] });
    for (const name of names) town.lock(`gastown/crew/${name}`, { hostname: 'elsewhere' });
    town.lock('beads/crew/zed', { pid: 4194305, session_id: '%5555' }, { ageSeconds: 28_800 });
    const run = await doctorInPane(['locks', '--watch', '--no-color'], SMALL, { cwd: town.root });
    const screen = await run.shows('41 locks: 1 stale, 40 foreign.');
    expect(screen).toMatch(/^\d\d:\d\d:\d\d \//);
    expect(screen).toMatch(/\n {2}⚠ crew\/zed stale /);
    expect(screen).toMatch(/\n {2}\.\.\. \d+ more, none of them worse\n/);
    expect(screen.split('\n').length).toBeLessThan(24);
    run.type('C-c');
    await run.ends();
  });

  test('redraws in place, follows changes, and Ctrl-C leaves the last picture', async () => {
    const town = unhealthyTown();
    const run = await doctorInPane(['locks', '--watch', '--no-color'], SMALL, { cwd: town.root });
    await run.shows('⚠ crew/ada stale');
    town.lock('gastown/crew/cy', { hostname: 'elsewhere' });
    const second = await run.shows('ℹ crew/cy  foreign');
    expect(second.match(/crew\/ada/g)).toHaveLength(1);
    run.type('C-c');
    const { screen, status } = await run.ends();
    expect(status).toBe(130);
    expect(screen).toContain('ℹ crew/cy  foreign');
  });

  test.each([
    ['q', 'q', 1],
    ['Ctrl-C', 'C-c', 130],
  ])('%s ends it, restores the terminal and leaves the last picture', async (_, key, expected) => {
    const run = await doctorInPane(['locks', '--watch', '--no-color'], SMALL, { cwd: unhealthyTown().root });
    const screen = await run.shows('⚠ crew/ada stale');
    expect(screen.split('\n').at(-1)).toBe('q quit');
    expect([run.isAlternate(), run.isCooked(), run.cursorIsShown()]).toEqual([true, false, false]);
    run.type('x', key);
    const { screen: left, status } = await run.ends();
    expect(status).toBe(expected);
    expect(left).toContain('⚠ crew/ada stale');
    expect(left).not.toContain('q quit');
    expect([run.isAlternate(), run.isCooked(), run.cursorIsShown()]).toEqual([false, true, true]);
  });

  test('names no key if none can be typed, and ends on a signal', async () => {
    const run = await doctorInPane(['locks', '--watch', '--no-color'], SMALL, {
      cwd: unhealthyTown().root,
      through: ['sh', '-c', '"$@" </dev/null', 'sh'],
    });
    expect(await run.shows('⚠ crew/ada stale')).not.toContain('q quit');
    run.type('C-c');
    expect((await run.ends()).screen).toContain('⚠ crew/ada stale');
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s restores the terminal', async (signal, expected) => {
    const run = await doctorInPane(['locks', '--watch', '--no-color'], SMALL, { cwd: unhealthyTown().root });
    await run.shows('⚠ crew/ada stale');
    process.kill(run.pid(), signal);
    expect((await run.ends()).status).toBe(expected);
    expect([run.isAlternate(), run.isCooked(), run.cursorIsShown()]).toEqual([false, true, true]);
  });

  test('q does not wait for a machine that does not answer', async () => {
    const town = unhealthyTown();
    const asked = town.path('asked');
    const reach = ['sh', '-c', `echo $$ >'${asked}'; exec sleep 600`];
    town.write('lock-doctor.json', JSON.stringify({ machines: { mini: { reach } } }));
    const run = await doctorInPane(['locks', '--watch', '--no-color'], SMALL, { cwd: town.root });
    const pid = await until(
      () => existsSync(asked) && Number(readFileSync(asked, 'utf8')),
      'a machine that is asked',
    );
    onCleanUp(() => {
      if (isRunning(pid)) process.kill(pid);
    });
    expect(run.screen()).toBe('Looking ...\nq quit');
    run.type('q');
    expect(await run.ends()).toEqual({ screen: '', status: 22 });
    await until(() => !isRunning(pid), 'the end of the question');
  });

  test('the end of the pane ends it', async () => {
    const run = await doctorInPane(['locks', '--watch', '--no-color'], SMALL, { cwd: unhealthyTown().root });
    await run.shows('⚠ crew/ada stale');
    const pid = run.pid();
    run.killPane();
    await until(() => !isRunning(pid), 'the end of the program');
  });
});

const hasStrace = spawnSync('strace', ['-V']).status === 0;

(hasScript && hasStrace && EXECUTABLE === null ? test : test.skip)(
  'ends quietly with 129 if the terminal hangs up while it is opened (skipped without script or strace, and for the executable)',
  () => {
    const town = unhealthyTown();
    const [calls, said] = [town.path('calls'), town.path('said')];
    const run = (...options: readonly string[]): string => {
      const command = `strace -f -qq -e trace=ioctl ${options.join(' ')} ${COMMAND.join(' ')} ${town.root} 2>&1; echo "exit=$?"`;
      const env = bareEnvironment({ TERM: 'screen-256color' });
      spawnSync('script', ['-qec', command, said], { env });
      return readFileSync(said, 'utf8').split('\n').slice(1, -2).join('\n').trim();
    };
    expect(run('-o', calls)).toContain('exit=1');
    // Node opens a stream: twice it asks whether that is a terminal, then for what only terminals have.
    const opened = readFileSync(calls, 'utf8')
      .split('\n')
      .filter((call) => call.includes('ioctl('))
      .flatMap((call, at) => (/ioctl\([12], TIOCGPTN/.test(call) ? [at] : []));
    expect(opened.length).toBeGreaterThan(0);
    for (const question of opened)
      expect(run('-o', '/dev/null', '-e', `inject=ioctl:error=EIO:when=${question}+`)).toBe('exit=129');
  },
);
