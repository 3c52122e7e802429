import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import {
  cleanUp,
  hasTmux,
  makeTown,
  startTmux,
  type TestPane,
  type TestTmux,
  type TestTown,
  until,
} from '../support/index.ts';
import { buildCli } from './built-cli.ts';
import { ADA, readLock } from './lasting.ts';

const cli = buildCli();
const PRESSED = 6;
const needsTmux = hasTmux ? describe : describe.skip;

afterAll(cli.remove);

needsTmux('exec in a real tmux pane (skipped without tmux)', () => {
  afterEach(cleanUp);

  const stage = async (): Promise<{ readonly town: TestTown; readonly server: TestTmux }> => {
    const town = makeTown();
    const server = await startTmux();
    return { town, server };
  };
  const words = (town: TestTown, script: string, ...flags: string[]): string[] => [
    ...cli.command,
    'exec',
    '--town',
    town.root,
    ...flags,
    ADA,
    '--',
    'sh',
    '-c',
    script,
  ];
  const quoted = (line: readonly string[]): string =>
    line.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const screen = (server: TestTmux, pane: TestPane): string =>
    server.tmux('capture-pane', '-p', '-t', pane.paneId);
  const shows = (server: TestTmux, pane: TestPane, text: string) =>
    until(() => screen(server, pane).includes(text), `"${text}" on the screen`, 20_000);
  /** A shell with job control in a pane; its prompt is `$ `. */
  const shell = (server: TestTmux, town: TestTown): TestPane =>
    server.newSession('somebody', {
      cwd: town.root,
      command: ['env', 'PS1=$ ', 'bash', '--norc', '--noprofile', '-i'],
      env: { TMUX_TMPDIR: server.tmuxTmpdir },
    });
  const type = (server: TestTmux, pane: TestPane, text: string): void => {
    server.tmux('send-keys', '-t', pane.paneId, '-l', text);
    server.tmux('send-keys', '-t', pane.paneId, 'Enter');
  };
  /** A command that counts every signal (a shell's trap would merge two in a row). Exits with 5 on SIGTERM. */
  const counting = (town: TestTown, log: string, name: string): string[] => {
    const script = `
      const { appendFileSync } = require('node:fs');
      process.on('SIG${name}', () => appendFileSync(${JSON.stringify(log)}, '${name} '));
      process.on('SIGTERM', () => setTimeout(() => process.exit(5), 100));
      setInterval(() => {}, 1000);
      appendFileSync(${JSON.stringify(`${log}.ready`)}, '');
      console.log('ready');`;
    return [...words(town, '').slice(0, -3), process.execPath, town.write('count.cjs', script)];
  };
  /** Several times, one after the other: a signal right after another may be merged with it. */
  const press = async (server: TestTmux, pane: TestPane, key: string, log: string): Promise<void> => {
    for (let count = 1; count <= PRESSED; count += 1) {
      server.tmux('send-keys', '-t', pane.paneId, key);
      await until(
        () => existsSync(log) && readFileSync(log, 'utf8').split(' ').length > count,
        `key ${count} in the command`,
      );
    }
  };
  const isFree = (town: TestTown): boolean =>
    readdirSync(town.path(ADA, '.runtime')).sort().join() === '.gitignore,agent.lock.flock';

  test('the command has the terminal and its size, and is notified of changes', async () => {
    const { town, server } = await stage();
    const script = `trap 'stty size > "$0.size"' WINCH; test -t 0 && test -t 1 && stty size > "$0"; while :; do sleep 0.05; done`;
    const out = town.path('seen');
    const pane = server.newSession('somebody', { command: [...words(town, script), out] });
    await until(() => existsSync(out) && readFileSync(out, 'utf8') !== '', 'the size');
    expect(readFileSync(out, 'utf8')).toBe('24 80\n');
    server.tmux('resize-window', '-t', pane.paneId, '-x', '101', '-y', '31');
    await until(
      () => existsSync(`${out}.size`) && readFileSync(`${out}.size`, 'utf8') === '31 101\n',
      'the new size',
    );
  });

  test.each([
    ['C-c', 'INT'],
    ['C-\\', 'QUIT'],
  ])(
    '%s reaches the command exactly once, and the doctor survives to release the lock',
    async (key, signal) => {
      const { town, server } = await stage();
      const log = town.path('log');
      const pane = shell(server, town);
      type(server, pane, `${quoted(counting(town, log, signal))}; echo "code $?"`);
      await shows(server, pane, '\nready');
      await press(server, pane, key, log);
      process.kill(readLock(town).holder_pid ?? 0, 'SIGTERM');
      await shows(server, pane, 'code 5');
      expect(readFileSync(log, 'utf8')).toBe(`${signal} `.repeat(PRESSED));
      expect(isFree(town)).toBe(true);
    },
  );

  test('Ctrl-C that ends the command gives 130, and the lock is released', async () => {
    const { town, server } = await stage();
    const pane = shell(server, town);
    type(server, pane, `${quoted(words(town, 'echo ready; exec sleep 600'))}; echo "code $?"`);
    await shows(server, pane, '\nready');
    server.tmux('send-keys', '-t', pane.paneId, 'C-c');
    await shows(server, pane, 'code 130');
    expect(isFree(town)).toBe(true);
  });

  test('Ctrl-C arrives once even if no stream of the doctor is the terminal', async () => {
    const { town, server } = await stage();
    const log = town.path('log');
    const pane = shell(server, town);
    const line = quoted(counting(town, log, 'INT'));
    type(server, pane, `${line} < /dev/null > '${log}.out' 2>&1; echo "code $?"`);
    await until(() => existsSync(`${log}.ready`), 'the command');
    await press(server, pane, 'C-c', log);
    process.kill(readLock(town).holder_pid ?? 0, 'SIGTERM');
    await shows(server, pane, 'code 5');
    expect(readFileSync(log, 'utf8')).toBe('INT '.repeat(PRESSED));
  });

  test('SIGINT to the doctor of a background job is passed on', async () => {
    const { town, server } = await stage();
    const pane = shell(server, town);
    type(server, pane, `${quoted(words(town, 'exec sleep 600'))} & echo "job $!"`);
    await until(() => existsSync(town.path(ADA, '.runtime/agent.lock')), 'the lock');
    const job = Number(
      await until(() => /^job (\d+)$/m.exec(screen(server, pane))?.[1], 'the PID of the job'),
    );
    const command = readLock(town).holder_pid ?? 0;
    await until(() => readFileSync(`/proc/${command}/comm`, 'utf8') === 'sleep\n', 'the open gate');
    process.kill(job, 'SIGINT');
    await until(() => isFree(town), 'the end of the job');
  });

  test('Ctrl-Z stops both, the lock stays held, and fg continues', async () => {
    const { town, server } = await stage();
    const pane = shell(server, town);
    const script = 'echo ready; read line; echo "read $line"';
    type(server, pane, `${quoted(words(town, script))}; echo "code $?"`);
    await shows(server, pane, '\nready');
    server.tmux('send-keys', '-t', pane.paneId, 'C-z');
    await shows(server, pane, 'Stopped');
    const { code } = await cli.run(['preflight', '--town', town.root, ADA], {
      env: { TMUX_TMPDIR: server.tmuxTmpdir },
    });
    expect(code).toBe(20);
    type(server, pane, 'fg; echo "then $?"');
    type(server, pane, 'back again');
    await shows(server, pane, 'read back again');
    await shows(server, pane, 'then 0');
    expect(isFree(town)).toBe(true);
  });

  test('an interactive shell as the command has job control and gives the terminal back', async () => {
    const { town, server } = await stage();
    const pane = shell(server, town);
    const inner = ['env', 'PS1=inner> ', 'bash', '--norc', '--noprofile', '-i'];
    type(server, pane, `${quoted([...words(town, '').slice(0, -3), ...inner])}; echo "code $?"`);
    await shows(server, pane, 'inner>');
    type(server, pane, 'sleep 600');
    await until(
      () =>
        server.tmux('display-message', '-p', '-t', pane.paneId, '#{pane_current_command}').trim() === 'sleep',
      'sleep',
    );
    server.tmux('send-keys', '-t', pane.paneId, 'C-c');
    type(server, pane, 'exit 9');
    await shows(server, pane, 'code 9');
    expect(isFree(town)).toBe(true);
  });

  test('the lock that is held is announced at a terminal, but not in a pipe', async () => {
    const { town, server } = await stage();
    const pane = shell(server, town);
    type(server, pane, `clear; ${quoted(words(town, 'true'))}; echo "code $?"`);
    await shows(server, pane, `doctor: holding ${ADA}; another start is refused`);
    await shows(server, pane, 'code 0');
    // A worker that is the root has the name of its directory.
    const alone = makeTown({ marked: false, workers: [] });
    type(server, pane, `clear; ${quoted([...cli.command, 'exec', alone.root, '--', 'true'])}`);
    await shows(server, pane, `doctor: holding ${basename(alone.root)}; another start is refused`);
    const piped = await cli.run(['exec', '--town', town.root, ADA, '--', 'true']);
    expect(piped).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  test('the doctor of a command that outlives its terminal ends with the command’s code, not by a signal', async () => {
    const { town, server } = await stage();
    const script = `trap '' HUP; echo $$ > "$0.pid"; while [ ! -e "$0.go" ]; do sleep 0.05; done; exit 7`;
    const mark = town.path('outlives');
    // The outer shell ignores the hang-up too: it writes down how the doctor ended.
    const outer = `trap '' HUP; ${quoted([...words(town, script), mark])}; echo $? > '${mark}.code'`;
    const pane = server.newSession('somebody', { command: ['sh', '-c', outer] });
    await until(() => existsSync(`${mark}.pid`), 'the command');
    server.tmux('kill-session', '-t', pane.sessionId);
    await until(() => server.tmux('list-sessions') === '', 'the end of the pane');
    writeFileSync(`${mark}.go`, '');
    const code = () => existsSync(`${mark}.code`) && readFileSync(`${mark}.code`, 'utf8');
    expect(await until(code, 'the end of the doctor')).toBe('7\n');
    expect(isFree(town)).toBe(true);
  });

  test('the end of the pane ends the command, and leaves no lock or a stale one', async () => {
    const { town, server } = await stage();
    const pane = server.newSession('somebody', { command: words(town, 'exec sleep 600') });
    const command = await until(() => {
      if (!existsSync(town.path(ADA, '.runtime/agent.lock'))) return false;
      return (
        readFileSync(`/proc/${readLock(town).holder_pid}/comm`, 'utf8') === 'sleep\n' &&
        readLock(town).holder_pid
      );
    }, 'the command');
    expect(readLock(town).session_id).toBe(pane.paneId);
    server.tmux('kill-session', '-t', pane.sessionId);
    await until(() => !existsSync(`/proc/${command}`), 'the end of the command');
    const ask = () =>
      cli.run(['exec', '--town', town.root, ADA, '--', 'true'], { env: { TMUX_TMPDIR: server.tmuxTmpdir } });
    await until(async () => (await ask()).code === 0, 'a free worker');
  });

  test("the worker's own session, shell, directory and role do not prevent a start there, even repeated", async () => {
    const { town, server } = await stage();
    const pane = server.newSession('gt-crew-ada', {
      cwd: town.path(ADA),
      command: ['env', 'PS1=$ ', 'bash', '--norc', '--noprofile', '-i'],
      env: { TMUX_TMPDIR: server.tmuxTmpdir, GT_ROLE: ADA, GT_ROOT: town.root },
    });
    const line = quoted(words(town, 'echo "turn $0"').slice(0, -1));
    for (const turn of [1, 2, 3]) {
      type(server, pane, `${line} 'echo turn "$0"' ${turn}; echo "code ${turn} $?"`);
      await shows(server, pane, `code ${turn} 0`);
      expect(isFree(town)).toBe(true);
    }
  });
});
