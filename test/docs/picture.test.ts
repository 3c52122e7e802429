/**
 * README's picture shows a real screen: the program is run in a real repository, and its screen is drawn and compared.
 * `UPDATE_DOCS=1 npm run jest -- test/docs/picture.test.ts` draws it again.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from '@jest/globals';
import { bareEnvironment, doctor } from '../cli/run-cli.ts';
import { cleanUp, hasTmux, sleeperNamed, until } from '../support/index.ts';
import { makeStoryWorktrees } from '../support/story-town.ts';
import { DARK, drawScreen, LIGHT, textOfPicture } from './screen-picture.ts';

afterEach(cleanUp);

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PICTURES = [
  ['docs/picture-dark.svg', DARK],
  ['docs/picture-light.svg', LIGHT],
] as const;
const SIZE = { columns: 80, rows: 26 };
/** The path of the repository that readers see. */
const REPOSITORY = '/srv/app';

/** Replaces what differs from run to run: ages, PIDs and thus line breaks, and the number of other tmux servers. */
const timeless = (lines: readonly string[]): string =>
  lines
    .join(' ')
    .replace(/\s+/g, ' ')
    .replace(/\b\d+ (s|min)\b/g, 'N s')
    .replace(/process \(\d+\)/g, 'process (N)')
    .replace(/\d+ tmux servers? with \d+ sessions?/g, 'N tmux servers');

const CHECKOUT = '.claude/worktrees/checkout';

/** The coloured screen after two commands in that repository. */
const takeScreen = async (): Promise<string> => {
  const { town, tmux } = await makeStoryWorktrees();
  execFileSync('git', ['worktree', 'add', '-q', CHECKOUT], { cwd: town.root, stdio: 'ignore' });
  town.write('.git/info/exclude', '.runtime/\n');
  const path = `${town.path('.bin')}:${process.env.PATH}`;
  const env = bareEnvironment({ TERM: 'screen-256color', TMUX_TMPDIR: tmux.tmuxTmpdir, PATH: path });
  const variables = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value ?? '']));
  tmux.newSession('checkout', {
    cwd: town.path(CHECKOUT),
    env: variables,
    command: [
      town.path('.bin/doctor'),
      'exec',
      '.',
      '--town',
      town.root,
      '--',
      sleeperNamed('claude'),
      '600',
    ],
  });
  await until(
    () =>
      doctor(['preflight', CHECKOUT], { cwd: town.root, env: { TMUX_TMPDIR: tmux.tmuxTmpdir } }).status ===
      20,
    `the lock of ${CHECKOUT}`,
  );
  const pane = tmux.newSession('picture', {
    cwd: town.root,
    env: { ...variables, PS1: '$ ' },
    // tmux passes on the PATH of its client.
    command: ['env', '-u', 'TMUX', '-u', 'TMUX_PANE', `PATH=${path}`, 'sh'],
  });
  tmux.tmux('resize-window', '-t', pane.paneId, '-x', `${SIZE.columns}`, '-y', `${SIZE.rows}`);
  const capture = (...flags: readonly string[]): string =>
    tmux.tmux('capture-pane', '-p', ...flags, '-t', pane.paneId).trimEnd();
  // Keys that are sent before the prompt appears would be shown above it.
  await until(() => capture() === '$', 'the prompt');
  for (const [at, command] of ['doctor', 'doctor locks'].entries()) {
    tmux.tmux('send-keys', '-t', pane.paneId, command, 'Enter');
    await until(() => capture().split(/^\$(?: |$)/m).length > at + 2, `the end of ${command}`);
  }
  return capture('-e')
    .replaceAll(town.root, REPOSITORY)
    .replace(/\d+ tmux servers? with \d+ sessions?/g, '1 tmux server with 5 sessions');
};

(hasTmux ? test : test.skip)(
  "README's picture matches the program's screen (skipped without tmux)",
  async () => {
    const screen = await takeScreen();
    expect(screen.split('\n').length).toBeLessThanOrEqual(SIZE.rows);
    const title = `doctor and doctor locks in ${REPOSITORY}: two agents in one worktree, a stale lock, and a lock that is held`;
    for (const [file, theme] of PICTURES) {
      const drawn = drawScreen(screen, SIZE, theme, title);
      if (process.env.UPDATE_DOCS === '1') writeFileSync(ROOT + file, drawn);
      else
        expect(timeless(textOfPicture(readFileSync(ROOT + file, 'utf8')))).toBe(
          timeless(textOfPicture(drawn)),
        );
      expect(readFileSync(`${ROOT}README.md`, 'utf8')).toContain(file);
    }
  },
  60_000,
);
