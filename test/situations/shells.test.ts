/** Shells that run code without a name, from their command line or their standard input: a loop around an agent may be one. */
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { cleanUp, onCleanUp, sleeperNamed, startGroup, until } from '../support/index.ts';
import {
  ADA,
  GT,
  linuxTest,
  linuxTmuxTest,
  lockOf,
  NO_PANE,
  now,
  type Stage,
  setStage,
  settled,
  shellSessionOf,
  textsOf,
} from './stage.ts';

afterEach(cleanUp);

const IN_DOUBT = { state: 'unknown', reasons: expect.arrayContaining(['occupants-unknown']) };

/** Waits for input, as a loop does between two runs of its agent, and starts nothing for that. */
const IDLE_LOOP = 'while read -r line; do my-agent; done';
/** The same while a program runs that is no agent. */
const BUSY_LOOP = 'while :; do tail -f /dev/null; my-agent; done';

const childrenOf = (pid: number): string => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');

/** Starts a shell in the worker's place whose standard input stays open; resolves once it runs the code. */
const startShell = async (
  { town }: Stage,
  shell: string,
  args: readonly string[],
  { input, waits = false }: { readonly input?: string; readonly waits?: boolean } = {},
): Promise<number> => {
  const { pid, child } = await startGroup(shell, args, {
    cwd: town.path(ADA),
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  if (input !== undefined) child.stdin?.write(`${input}\n`);
  if (waits) await until(() => childrenOf(pid) !== '', `what ${shell} runs`);
  return pid;
};

/** Runs a script of a package in the worker's place. */
const npm = ({ town }: Stage, name: string, code: string) => {
  town.write(`${ADA}/package.json`, JSON.stringify({ name: 'x', scripts: { [name]: code } }));
  town.write(`${ADA}/server.js`, 'setInterval(() => {}, 60000);\n');
  return startGroup('npm', ['run', name], { cwd: town.path(ADA) });
};

const withLock = (): Stage => {
  const stage = setStage();
  stage.town.lock(ADA, { session_id: NO_PANE });
  return stage;
};

describe('a shell between two runs of an agent', () => {
  const SHELLS = ['sh', 'bash', 'dash', 'zsh'].filter((shell) => existsSync(`/bin/${shell}`));

  linuxTest.each(SHELLS)('%s -c CODE → unknown, named, and preflight is unsure', async (shell) => {
    const stage = withLock();
    const pid = await startShell(stage, shell, ['-c', IDLE_LOOP]);
    const lock = await stage.judge();
    expect(lock).toMatchObject(IN_DOUBT);
    expect(textsOf(lock)).toContain(
      `${shell} -c (process ${pid}) runs in this directory and may be an agent`,
    );
    expect(await stage.fix()).toMatchObject({ exitCode: 22, summary: { fixed: 0 } });
    expect((await stage.ask()).results[0]).toMatchObject({ answer: 'unsure' });
  });

  linuxTest.each([
    ['bash', ['-lc', IDLE_LOOP]],
    ['bash', ['-euo', 'pipefail', '-c', IDLE_LOOP]],
    ['bash', ['-c', '-l', IDLE_LOOP]],
    ['sh', ['-c', 'read -r line; my-agent']],
  ])('%s %j → unknown', async (shell, args) => {
    const stage = withLock();
    await startShell(stage, shell, args);
    const lock = await stage.judge();
    expect(lock).toMatchObject(IN_DOUBT);
    expect(textsOf(lock)).toContain(`${shell} -c (process`);
  });

  linuxTest.each([
    'while true; do my-agent; sleep 600; done',
    'for i in a b; do my-agent; sleep 600; done',
    'for i in a b; do make agent; sleep 600; done',
    'for i in 1 2 3; do git agent; tail -f /dev/null; done',
    'while true; do "$AGENT"; sleep 600; done',
    'while sleep 600; do make agent; done',
    'for i in a; do find . -maxdepth 0 -exec my-agent {} +; sleep 600; done',
    'while sleep 600; do docker exec box my-agent; done',
  ])('also while it waits: %s → unknown', async (code) => {
    const stage = withLock();
    await startShell(stage, 'bash', ['-c', code], { waits: true });
    await until(async () => textsOf(await stage.judge()).includes('bash -c (process'), 'the loop');
    expect(await stage.judge()).toMatchObject(IN_DOUBT);
  });

  linuxTest('also while it runs a program that is no agent: the loop goes on after it', async () => {
    const stage = withLock();
    const pid = await startShell(stage, 'bash', ['-c', BUSY_LOOP], { waits: true });
    const lock = await stage.judge();
    expect(lock).toMatchObject(IN_DOUBT);
    expect(textsOf(lock)).toContain(`bash -c (process ${pid})`);
  });

  linuxTest.each([
    ['bash', []],
    ['sh', ['-s', 'first']],
    ['bash', ['-euo', 'pipefail', '-s']],
  ])('%s %j that reads its code from no terminal → unknown', async (shell, args) => {
    const stage = withLock();
    const pid = await startShell(stage, shell, args, { input: BUSY_LOOP, waits: true });
    const lock = await stage.judge();
    expect(lock).toMatchObject(IN_DOUBT);
    expect(textsOf(lock)).toContain(`${shell} -s (process ${pid})`);
  });

  linuxTmuxTest('in a pane of the worker → unknown; in its own session → held, and not idle', async () => {
    const { town, startTmux, look, judge } = withLock();
    const server = await startTmux();
    await settled(
      server.newSession('looping', { cwd: town.path(ADA), command: ['bash', '-c', BUSY_LOOP] }),
      'bash',
    );
    const lock = await judge();
    expect(lock).toMatchObject(IN_DOUBT);
    expect(textsOf(lock)).toMatch(/bash -c \(process \d+\) runs in the foreground of pane %/);
    const own = server.newSession(`${GT}-crew-ada`, {
      cwd: town.path(ADA),
      command: ['sh', '-c', IDLE_LOOP],
    });
    await settled(own, 'sh');
    town.lock(ADA, { session_id: own.paneId, acquired_at: now() });
    const report = await look();
    expect(lockOf(report, ADA)).toMatchObject({ state: 'held', notes: [] });
    expect(report.findings).toEqual([]);
  });

  linuxTest('is an agent if the configuration says so, but never a bystander', async () => {
    const stage = withLock();
    await startShell(stage, 'bash', ['-c', IDLE_LOOP]);
    stage.town.write('lock-doctor.json', JSON.stringify({ bystanders: ['bash -c'] }));
    await expect(stage.judge()).rejects.toMatchObject({ code: 'E_CONFIG' });
    stage.town.write('lock-doctor.json', JSON.stringify({ agents: ['bash -c'] }));
    expect(await stage.judge()).toMatchObject({ state: 'held' });
  });

  linuxTest('is told how to end the doubt: in a script, the code has a name to teach', async () => {
    const stage = withLock();
    const pid = await startShell(stage, 'bash', ['-c', IDLE_LOOP]);
    const lock = await stage.judge();
    expect(textsOf(lock)).toContain('end it, or put its code into a script');
    expect(textsOf(lock)).not.toContain('lock-doctor.json');
    expect((await stage.ask()).results[0]?.next).not.toContainEqual(expect.arrayContaining(['vi']));
    process.kill(-pid, 'SIGKILL');
    stage.town.write(`${ADA}/loop.sh`, IDLE_LOOP);
    await startShell(stage, 'bash', ['loop.sh']);
    expect(textsOf(await stage.judge())).toContain('loop.sh (process');
    stage.town.write('lock-doctor.json', JSON.stringify({ bystanders: ['loop.sh'] }));
    expect(await stage.judge()).toMatchObject({ state: 'stale' });
  });
});

describe('a shell that only waits for what it started', () => {
  linuxTest.each(['sh', 'bash'])('%s -c around a bystander → stale', async (shell) => {
    const stage = withLock();
    await startShell(stage, shell, ['-c', 'tail -f /dev/null; true'], { waits: true });
    // Between fork and exec, what the shell starts has the shell's name still.
    await until(async () => (await stage.judge()).state === 'stale', 'the end of its doubt');
  });

  linuxTest.each([
    'sleep 600; true',
    'while true; do sleep 600; done',
    'while true; do inotifywait -q src || sleep 600; done',
    'for d in lib; do tail -f /dev/null; done',
    'for f; do tail -f /dev/null | cat; done',
  ])('sh -c with tools that start nothing, %s → stale', async (code) => {
    const stage = withLock();
    await startShell(stage, 'sh', ['-c', code, '_', 'file'], { waits: true });
    await until(async () => (await stage.judge()).state === 'stale', 'a shell that waits');
  });

  linuxTest.each(['read -r never; exit', 'while read -r line; do :; done'])(
    'sh -c that only reads, %s → stale',
    async (code) => {
      const stage = withLock();
      await startShell(stage, 'sh', ['-c', code]);
      expect(await stage.judge()).toMatchObject({ state: 'stale' });
    },
  );

  linuxTest('a recipe of make that goes through directories → stale', async () => {
    const stage = withLock();
    stage.town.write(`${ADA}/Makefile`, 'all:\n\tfor d in lib; do $(MAKE) -C $$d; done\n');
    stage.town.write(`${ADA}/lib/Makefile`, 'all:\n\tsleep 600; true\n');
    const { pid } = await startGroup('make', [], { cwd: stage.town.path(ADA) });
    await until(async () => textsOf(await stage.judge()).includes('sleep'), 'make');
    expect(textsOf(await stage.judge())).toContain(`(process ${pid})`);
    expect(await stage.judge()).toMatchObject({ state: 'stale' });
  });

  linuxTest('around an agent → held; around an unknown program → unknown, which is named', async () => {
    const stage = withLock();
    const agent = await startShell(stage, 'sh', ['-c', `${sleeperNamed('claude')} 600; true`], {
      waits: true,
    });
    await until(async () => (await stage.judge()).state === 'held', 'the agent');
    process.kill(-agent, 'SIGKILL');
    await startShell(stage, 'sh', ['-c', `${sleeperNamed('new-agent')} 600; true`], { waits: true });
    await until(async () => textsOf(await stage.judge()).includes('new-agent (process'), 'the program');
    expect(await stage.judge()).toMatchObject(IN_DOUBT);
  });

  linuxTest.each([
    ['start', 'tail -f /dev/null && true', 'tail'],
    ['dev', 'true && node server.js; true', 'server.js'],
    ['dev', 'mkdir -p web && cp server.js web && cd web && node server.js', 'server.js'],
  ])('as npm starts its script %j: %s → stale', async (name, code, runs) => {
    const stage = withLock();
    const { pid } = await npm(stage, name, code);
    await until(async () => textsOf(await stage.judge()).includes(runs), runs);
    const lock = await stage.judge();
    expect(lock).toMatchObject({ state: 'stale' });
    expect(textsOf(lock)).toContain(`(process ${pid})`);
  });

  linuxTmuxTest('an interactive shell after an agent has ended → idle', async () => {
    const { town, startTmux, look, ask } = setStage();
    const command = ['bash', '-c', 'true; bash --norc -i; true'];
    const pane = (await startTmux()).newSession(`${GT}-crew-ada`, { cwd: town.path(ADA), command });
    await settled(pane, 'bash');
    await until(() => childrenOf(pane.pid) !== '', 'the shell');
    town.lock(ADA, { session_id: pane.paneId, acquired_at: now() });
    expect(lockOf(await look(), ADA)).toMatchObject({ state: 'held', notes: ['idle'] });
    expect(await ask()).toMatchObject({ exitCode: 20 });
  });
});

describe('an interactive shell', () => {
  linuxTmuxTest.each([
    ['sh', ['-i']],
    ['bash', ['--norc']],
    ['zsh', ['-f', '-l']],
    ['fish', ['--no-config']],
  ])('%s %j in the session of the worker → idle', async (shell, args) => {
    if (!existsSync(`/usr/bin/${shell}`) && !existsSync(`/bin/${shell}`)) return;
    const { town, startTmux, look } = setStage();
    const pane = (await startTmux()).newSession(`${GT}-crew-ada`, {
      cwd: town.path(ADA),
      command: [shell, ...args],
    });
    await settled(pane, shell);
    town.lock(ADA, { session_id: pane.paneId, acquired_at: now() });
    expect(lockOf(await look(), ADA)).toMatchObject({ state: 'held', notes: ['idle'] });
  });

  linuxTmuxTest.each([
    'tail -f /dev/null | while read -r line; do echo "$line"; done',
    'tail -f /dev/null | { cat; true; }',
    'tail -f /dev/null | (true; cat | while read -r line; do :; done)',
  ])('that runs a pipeline, %s, is no code from standard input → stale', async (line) => {
    const stage = withLock();
    const server = await stage.startTmux();
    const pane = server.newSession('logs', {
      cwd: stage.town.path(ADA),
      command: ['bash', '--norc'],
    });
    await settled(pane, 'bash');
    server.tmux('send-keys', '-t', pane.paneId, line, 'Enter');
    await until(() => childrenOf(pane.pid).trim().includes(' '), 'the pipeline');
    await until(async () => textsOf(await stage.judge()).includes('tail'), 'tail');
    expect(await stage.judge()).toMatchObject({ state: 'stale' });
  });

  linuxTmuxTest.each(['bash', 'zsh'])('of which a pipeline ends in a loop (%s) → stale', async (shell) => {
    if (!existsSync(`/usr/bin/${shell}`) && !existsSync(`/bin/${shell}`)) return;
    const stage = withLock();
    const server = await stage.startTmux();
    const command = shell === 'zsh' ? ['zsh', '-f'] : ['bash', '--norc'];
    const pane = server.newSession('logs', { cwd: stage.town.path(ADA), command });
    await settled(pane, shell);
    const line = 'tail -f /dev/null | while read -r line; do echo "$line"; done';
    server.tmux('send-keys', '-t', pane.paneId, line, 'Enter');
    await until(async () => textsOf(await stage.judge()).includes('tail'), 'tail');
    expect(await stage.judge()).toMatchObject({ state: 'stale' });
  });

  linuxTmuxTest.each(['bash --norc', 'zsh -f'])(
    'that pipes code into %s, and a part of it → unknown',
    async (shell) => {
      if (shell !== 'bash --norc' && !existsSync('/usr/bin/zsh') && !existsSync('/bin/zsh')) return;
      const stage = withLock();
      const server = await stage.startTmux();
      const pane = server.newSession('logs', { cwd: stage.town.path(ADA), command: ['bash', '--norc'] });
      await settled(pane, 'bash');
      stage.town.write(`${ADA}/code`, '(while :; do tail -f /dev/null; my-agent; done)\n');
      server.tmux('send-keys', '-t', pane.paneId, `cat code - | ${shell}`, 'Enter');
      const [name] = shell.split(' ');
      await until(async () => textsOf(await stage.judge()).includes(`${name} -s (process`), 'the code');
      expect(await stage.judge()).toMatchObject(IN_DOUBT);
    },
  );

  linuxTmuxTest('with a helper in its background, as prompts have → idle', async () => {
    const { town, startTmux, look } = setStage();
    const server = await startTmux();
    const pane = await shellSessionOf(server, `${GT}-crew-ada`, town.path(ADA));
    const helper = `mkfifo f && (while read -r line; do :; done) <>f & echo $! >pid`;
    server.tmux('send-keys', '-t', pane.paneId, helper, 'Enter');
    const pid = Number(
      await until(
        () => existsSync(town.path(`${ADA}/pid`)) && readFileSync(town.path(`${ADA}/pid`), 'utf8').trim(),
        'the helper',
      ),
    );
    onCleanUp(() => void process.kill(pid, 'SIGKILL'));
    town.lock(ADA, { session_id: pane.paneId, acquired_at: now() });
    expect(lockOf(await look(), ADA)).toMatchObject({ state: 'held', notes: ['idle'] });
  });

  linuxTest('whose input is a pipe, as in editors → stale', async () => {
    const stage = withLock();
    await startShell(stage, 'bash', ['--norc', '--noediting', '-i']);
    expect(await stage.judge()).toMatchObject({ state: 'stale' });
  });
});

test('the code is not kept', async () => {
  const stage = withLock();
  await startShell(stage, 'sh', ['-c', `SECRET=hunter2; ${IDLE_LOOP}`]);
  expect(JSON.stringify(await stage.look())).not.toContain('hunter2');
});
