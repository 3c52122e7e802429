/** Ctrl-Z and `fg` at the views that fill the screen, in a shell with job control. */
import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, test } from '@jest/globals';
import { cleanUp, hasTmux, makeTown, startTmux, type TestTown, until } from '../../support/index.ts';
import { bareEnvironment, COMMAND } from '../run-cli.ts';

afterEach(cleanUp);

interface ShellInPane {
  readonly type: (...keys: string[]) => void;
  readonly run: (line: string) => void;
  /** Waits for a text, and for the modes that go with it. */
  readonly shows: (text: string, modes: Modes) => Promise<void>;
  readonly screen: () => string;
  readonly pid: () => number;
}

/** Of the terminal; the shell here sets none of them itself. */
interface Modes {
  readonly isAlternate: boolean;
  readonly isCooked: boolean;
  readonly cursorIsShown: boolean;
}

const IN_VIEW: Modes = { isAlternate: true, isCooked: false, cursorIsShown: false };
const IN_SHELL: Modes = { isAlternate: false, isCooked: true, cursorIsShown: true };

/** An interactive sh with job control. */
const shellInPane = async (town: TestTown): Promise<ShellInPane> => {
  const server = await startTmux({ name: 'shell' });
  const env = Object.entries(bareEnvironment({ TERM: 'screen-256color', PS1: '$ ', NO_COLOR: '1' }));
  const pane = server.newSession('shell', {
    cwd: town.root,
    command: ['env', '-i', ...env.map(([name, value]) => `${name}=${value}`), 'sh', '-i'],
  });
  const tell = (format: string): string =>
    server.tmux('display-message', '-p', '-t', pane.paneId, format).trim();
  const screen = (): string => server.tmux('capture-pane', '-p', '-t', pane.paneId);
  const modes = (): Modes => {
    const settings = execFileSync('sh', ['-c', `stty -a <${tell('#{pane_tty}')}`], { encoding: 'utf8' });
    return {
      isAlternate: tell('#{alternate_on}') === '1',
      isCooked: / icanon\b/.test(settings) && / echo\b/.test(settings),
      cursorIsShown: tell('#{cursor_flag}') === '1',
    };
  };
  const run = (line: string): void => {
    server.tmux('send-keys', '-t', pane.paneId, '-l', line);
    // A line feed is one in raw mode, too.
    server.tmux('send-keys', '-t', pane.paneId, 'C-j');
  };
  const shows: ShellInPane['shows'] = async (text, wanted) => {
    await until(
      () => screen().includes(text) && JSON.stringify(modes()) === JSON.stringify(wanted),
      `${text}, ${JSON.stringify(wanted)}`,
    ).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}; it shows ${JSON.stringify(modes())}:\n${screen()}`);
    });
  };
  run("clear; echo rea''dy");
  await shows('ready', IN_SHELL);
  return {
    run,
    shows,
    screen,
    type: (...keys) => {
      for (const key of keys) server.tmux('send-keys', '-t', pane.paneId, key);
    },
    pid: () => Number(tell('#{pane_pid}')),
  };
};

const someTown = (): TestTown => {
  const town = makeTown();
  town.lock('gastown/crew/ada', { session_id: '%5555' }, { ageSeconds: 28_800 });
  return town;
};

/** The process of the program, whose command line has its arguments. */
const programBelow = (shell: number): number =>
  Number(
    execFileSync('pgrep', ['-P', String(shell)], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .at(-1),
  );

(hasTmux ? describe : describe.skip)('a view that is suspended (skipped without tmux)', () => {
  test.each([[['locks', '--watch']], [['top']]])(
    '%j gives the terminal back on Ctrl-Z, waits in the background, and comes back on fg',
    async (args) => {
      const shell = await shellInPane(someTown());
      shell.run(`${COMMAND.join(' ')} ${args.join(' ')}`);
      await shell.shows('crew/ada', IN_VIEW);
      const suspend = async (): Promise<void> => {
        shell.type('C-z');
        await shell.shows('topped', IN_SHELL);
      };
      const comeBack = async (): Promise<void> => {
        shell.run('clear; fg');
        await shell.shows('crew/ada', IN_VIEW);
      };
      await suspend();
      await comeBack();
      // Once more: and in the background it may not draw over what others write.
      await suspend();
      shell.run('clear; bg; sleep 0.5; jobs; echo in-the-back');
      await shell.shows('in-the-back', IN_SHELL);
      await comeBack();
      shell.type('q');
      await shell.shows('$', IN_SHELL);
    },
  );

  test.each([[['locks', '--watch']], [['top']]])(
    '%j sets the terminal up again after SIGSTOP',
    async (args) => {
      const shell = await shellInPane(someTown());
      shell.run(`${COMMAND.join(' ')} ${args.join(' ')}`);
      await shell.shows('crew/ada', IN_VIEW);
      process.kill(programBelow(shell.pid()), 'SIGSTOP');
      await shell.shows('topped', IN_VIEW);
      shell.run('stty sane; clear; fg');
      await shell.shows('crew/ada', IN_VIEW);
      shell.type('q');
      await shell.shows('$', IN_SHELL);
    },
  );

  // Without keys nothing else tells the view whose turn it is.
  test.each(['top', 'locks --watch', 'locks --watch </dev/null'])(
    '%s draws nothing while it is in the background, from its start or after Ctrl-Z',
    async (args) => {
      const hasKeys = !args.includes('<');
      const inView: Modes = { ...IN_VIEW, isCooked: !hasKeys };
      const shell = await shellInPane(someTown());
      shell.run(`clear; ${COMMAND.join(' ')} ${args} &`);
      await until(() => {
        shell.run('clear; jobs; echo in-the-back');
        return /topped[\s\S]*in-the-back/.test(shell.screen());
      }, 'the view to be stopped');
      await shell.shows('in-the-back', IN_SHELL);
      shell.run('clear; fg');
      await shell.shows('crew/ada', inView);
      shell.type('C-z');
      await shell.shows('topped', IN_SHELL);
      shell.run('clear; bg; sleep 3; echo in-the-back');
      await shell.shows('\nin-the-back', IN_SHELL);
      expect(shell.screen()).not.toContain('crew/ada');
      shell.run('clear; fg');
      await shell.shows('crew/ada', inView);
      shell.type(hasKeys ? 'q' : 'C-c');
      await shell.shows('$', IN_SHELL);
    },
  );

  test('the progress of a diagnosis is wiped off on Ctrl-Z, eats nothing of what the shell wrote, and is drawn anew on fg', async () => {
    // A server that does not answer keeps the diagnosis from going on.
    const frozen = await startTmux({ name: 'frozen' });
    frozen.newSession('one');
    frozen.freeze();
    const town = someTown();
    const shell = await shellInPane(town);
    shell.run(`${COMMAND.join(' ')} --timeout 60000 -S ${frozen.socket}`);
    const IN_PROGRESS: Modes = { isAlternate: false, isCooked: true, cursorIsShown: false };
    await shell.shows('Ask tmux', IN_PROGRESS);
    shell.type('C-z');
    await shell.shows('topped', IN_SHELL);
    expect(shell.screen()).not.toMatch(/Ask tmux|Look for locks|Stale locks/);
    shell.run('echo first; echo second; echo thi""rd; fg');
    await shell.shows('Ask tmux', IN_PROGRESS);
    expect(shell.screen()).toMatch(/first\nsecond\nthird\n[\s\S]*Ask tmux/);
    expect(shell.screen().match(/Ask tmux/g)).toHaveLength(1);
    frozen.thaw();
    await shell.shows('1 lock can be released', IN_SHELL);
    expect(shell.screen()).toMatch(/first\nsecond\nthird\n/);
    expect(shell.screen()).not.toMatch(/Ask tmux|Look for locks/);
  });
});
