/** Situations that the kind of a program decides: agents, bystanders, helpers, orphaned servers, and unknown programs. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  cleanUp,
  fakeAgent,
  hasCompiler,
  isRunning,
  onCleanUp,
  sleeperNamed,
  startProcess,
  startRenamed,
  startZombieLeader,
  until,
  waiterNamed,
} from '../support/index.ts';
import {
  ADA,
  GT,
  hostTest,
  linuxTest,
  NO_PANE,
  sessionOf,
  setStage,
  settled,
  shellSessionOf,
  textsOf,
  tmuxTest,
} from './stage.ts';

afterEach(cleanUp);

/**
 * Starts a process that nothing waits for; returns its PID, and kills it at the end.
 *
 * @param leaderStays the leader of its session is alive as long as it is
 */
const startOrphan = async (cwd: string, script: string, leaderStays = false): Promise<number> => {
  // The shell leads its own session. The process is started by a subshell, which exits.
  const after = leaderStays ? 'cd /; exec sleep 600 >/dev/null' : 'exit';
  const shell = spawn('sh', ['-c', `(${script} </dev/null >/dev/null 2>&1 & echo $!); ${after}`], {
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const pid = await new Promise<number>((resolve) => {
    shell.stdout.once('data', (text) => resolve(Number(text)));
  });
  onCleanUp(() => {
    if (isRunning(pid)) process.kill(pid, 'SIGKILL');
  });
  if (leaderStays) onCleanUp(() => void shell.kill('SIGKILL'));
  else await until(() => !isRunning(shell.pid ?? 0), 'the end of the shell');
  return pid;
};

const REASONS = ['process-gone', 'session-unnamed', 'occupants-unknown'];

describe('agents', () => {
  test.each(['kiro-cli', 'crush', 'claude.exe', 'qwen', 'droid', 'agy'])(
    '%s is recognized by its name → held',
    async (name) => {
      const { town, judge } = setStage();
      town.lock(ADA);
      await fakeAgent(name, { cwd: town.path(ADA) });
      await until(async () => (await judge()).state === 'held', name);
      expect(await judge()).toMatchObject({ state: 'held', reasons: expect.arrayContaining(['occupied']) });
    },
  );

  linuxTest('one outside tmux that its own GT_PROCESS_NAMES lists → held', async () => {
    const { town, judge, fix } = setStage();
    town.lock(ADA);
    await fakeAgent('wen', { cwd: town.path(ADA), env: { ...process.env, GT_PROCESS_NAMES: 'wen,bun' } });
    await until(async () => (await judge()).state === 'held', 'wen');
    expect((await fix()).summary).toMatchObject({ fixed: 0, held: 1 });
    expect(await judge()).toMatchObject({ state: 'held' });
  });

  hostTest.each([
    ['codex', (place: string) => ['-C', place]],
    ['codex', (place: string) => ['exec', `--cd=${place}`, 'do it']],
    ['crush', (place: string) => ['--cwd', place]],
    ['opencode', (place: string) => [place]],
    ['opencode', (place: string) => ['run', '--dir', place, 'do it']],
  ])('%s works where its arguments send it → held', async (name, argumentsFor) => {
    const { town, judge, ask } = setStage();
    town.lock(ADA);
    const agent = await startProcess(waiterNamed(name), argumentsFor(town.path(ADA)), { cwd: '/' });
    await until(async () => (await judge()).state === 'held', name);
    expect((await ask()).exitCode).toBe(20);
    await agent.stop();
    await startProcess(waiterNamed(name), ['-C', '/', 'look at', town.path(ADA)], { cwd: '/' });
    expect(await judge()).toMatchObject({ state: 'stale' });
  });

  hostTest('one that is sent by a relative path works there too, and where it was started', async () => {
    const { town, judge, ask } = setStage();
    town.lock(ADA);
    town.lock('gastown/crew/bob');
    await startProcess(waiterNamed('codex'), ['-C', '../ada'], { cwd: town.path('gastown/crew/bob') });
    await until(async () => (await judge()).state === 'held', 'codex');
    expect((await ask('gastown/crew/bob')).exitCode).toBe(20);
  });

  (existsSync('/usr/bin/watch') ? linuxTest.each : test.skip.each)([
    ['held', ['claude', '--version']],
    ['unknown', ['./my-agent', '--version']],
    ['stale', ['git', 'status']],
  ])(
    'between two runs, %s by what watch starts again and again: %j (skipped without watch)',
    async (state, command) => {
      const { town, judge } = setStage();
      town.lock(ADA);
      const { pid } = await startProcess('watch', ['-n', '300', ...command], {
        cwd: town.path(ADA),
        env: { ...process.env, TERM: 'xterm', PATH: '/usr/bin:/bin' },
      });
      await until(async () => textsOf(await judge()).includes(`process ${pid}`), 'watch');
      expect(await judge()).toMatchObject({ state });
    },
  );

  linuxTest.each(['code', 'go'])('one called %s that its own GT_PROCESS_NAMES lists → held', async (name) => {
    const { town, judge } = setStage();
    town.lock(ADA);
    await fakeAgent(name, { cwd: town.path(ADA), env: { ...process.env, GT_PROCESS_NAMES: name } });
    await until(async () => (await judge()).state === 'held', name);
    expect(await judge()).toMatchObject({ state: 'held' });
  });

  test('a shell and an editor that inherited the variable stay bystanders → stale', async () => {
    const { town, judge } = setStage();
    town.lock(ADA);
    const { pid } = await fakeAgent('vim', {
      cwd: town.path(ADA),
      env: { ...process.env, GT_PROCESS_NAMES: 'claude,node' },
    });
    await until(async () => textsOf(await judge()).includes(`process ${pid}`), 'vim');
    expect(await judge()).toMatchObject({ state: 'stale' });
  });

  hostTest("Cursor's agent is recognized by its path, but the bare name agent is not", async () => {
    const { town, judge } = setStage();
    town.lock(ADA);
    const bare = await fakeAgent('agent', { cwd: town.path(ADA) });
    await until(async () => (await judge()).state === 'unknown', 'a program called agent');
    await bare.stop();
    expect(await judge()).toMatchObject({ state: 'stale' });
    const home = mkdtempSync(join(tmpdir(), 'cursor-'));
    onCleanUp(() => rmSync(home, { recursive: true, force: true }));
    execFileSync('mkdir', ['-p', join(home, 'cursor-agent/versions/2025.09')]);
    const path = join(home, 'cursor-agent/versions/2025.09/agent');
    execFileSync('cp', [sleeperNamed('agent'), path]);
    await startProcess(path, ['600'], { cwd: town.path(ADA) });
    await until(async () => (await judge()).state === 'held', "Cursor's agent");
  });
});

describe('helpers of agents', () => {
  hostTest.each([
    ['claude', ['daemon', 'run']],
    ['claude', ['--bg-pty-host', '/tmp/x']],
    ['claude', ['--bg-spare']],
    ['codex', ['app-server']],
  ])('%s %j does not count, but is mentioned → stale', async (name, args) => {
    const { town, judge } = setStage();
    town.lock(ADA);
    const { pid } = await startProcess(waiterNamed(name), args, { cwd: town.path(ADA) });
    await until(async () => textsOf(await judge()).includes(`process ${pid}`), name);
    const lock = await judge();
    expect(lock).toMatchObject({ state: 'stale' });
    expect(textsOf(lock)).toMatch(new RegExp(`not counted as agents: ${name} \\(process ${pid}\\), C`));
  });

  test('the same program with other arguments is an agent', async () => {
    const { town, judge } = setStage();
    town.lock(ADA);
    await startProcess(waiterNamed('claude'), ['--resume', 'daemon', 'run'], { cwd: town.path(ADA) });
    await until(async () => (await judge()).state === 'held', 'claude');
  });
});

describe('processes that an agent left behind', () => {
  linuxTest('a dev server whose agent is gone does not count, but is mentioned → stale', async () => {
    const { town, judge } = setStage();
    town.lock(ADA);
    town.write(`${ADA}/server.js`, 'setInterval(() => {}, 60000);\n');
    const pid = await startOrphan(town.path(ADA), `exec '${process.execPath}' server.js`);
    await until(async () => textsOf(await judge()).includes(`server.js (process ${pid})`), 'the server');
    const lock = await judge();
    expect(textsOf(lock)).toContain(`server.js (process ${pid}), left behind by whoever started it`);
    expect(['stale', 'unknown']).toContain(lock.state);
    expect(lock.reasons).not.toContain('occupants-unknown');
  });

  linuxTest(
    'any other program may be an agent that nohup or cron detached → unknown, and it stays',
    async () => {
      const { town, judge, fix, ask } = setStage();
      town.lock(ADA);
      const agent = await startOrphan(town.path(ADA), `exec ${sleeperNamed('new-agent')} 600`);
      await until(async () => textsOf(await judge()).includes(`new-agent (process ${agent})`), 'new-agent');
      expect(await judge()).toMatchObject({ state: 'unknown', reasons: REASONS });
      expect((await fix()).summary).toMatchObject({ fixed: 0, unknown: 1 });
      expect((await ask()).exitCode).toBe(22);
    },
  );

  linuxTest('a daemon that forked twice, whatever script it runs → unknown', async () => {
    const { town, judge } = setStage();
    town.lock(ADA);
    const daemon = 'import os,time\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\n';
    town.write(`${ADA}/agentd.py`, `${daemon}open('pid', 'w').write(str(os.getpid()))\ntime.sleep(600)\n`);
    execFileSync('python3', ['agentd.py'], { cwd: town.path(ADA), stdio: 'ignore' });
    const read = () => existsSync(town.path(`${ADA}/pid`)) && readFileSync(town.path(`${ADA}/pid`), 'utf8');
    const pid = Number(await until(read, 'the daemon'));
    onCleanUp(() => void process.kill(pid, 'SIGKILL'));
    expect(textsOf(await judge())).toContain(`agentd.py (process ${pid})`);
    expect(await judge()).toMatchObject({ state: 'unknown', reasons: REASONS });
  });

  linuxTest('the same server, orphaned in a session whose leader is alive, is in doubt', async () => {
    const { town, judge } = setStage();
    town.lock(ADA);
    town.write(`${ADA}/server.js`, 'setInterval(() => {}, 60000);\n');
    const orphan = await startOrphan(town.path(ADA), `exec '${process.execPath}' server.js`, true);
    await until(async () => textsOf(await judge()).includes(`server.js (process ${orphan})`), 'the server');
    expect(await judge()).toMatchObject({ state: 'unknown', reasons: REASONS });
  });

  test('the same server under a live launcher is in doubt', async () => {
    const { town, judge } = setStage();
    town.lock(ADA);
    town.write(`${ADA}/server.js`, 'setInterval(() => {}, 60000);\n');
    const { pid } = await startProcess(process.execPath, ['server.js'], { cwd: town.path(ADA) });
    await until(async () => (await judge()).state === 'unknown', 'the server');
    const lock = await judge();
    expect(lock.reasons).toContain('occupants-unknown');
    expect(textsOf(lock)).toContain(
      `server.js (process ${pid}) runs in this directory and may be an agent: ` +
        'name it under "agents" or "bystanders" in lock-doctor.json',
    );
  });
});

describe('an unknown program', () => {
  const NAME = 'kiro-thing';

  tmuxTest('in the foreground of a pane → unknown, named with its pane; --fix leaves the lock', async () => {
    const { town, startTmux, judge, fix, ask } = setStage();
    town.lock(ADA);
    const pane = await sessionOf(await startTmux(), 'anything', town.path(ADA), { command: NAME });
    const lock = await judge();
    expect(lock).toMatchObject({ state: 'unknown', reasons: REASONS });
    const sentence =
      `${NAME} (process ${pane.pid}) runs in the foreground of pane ${pane.paneId} in this directory ` +
      'and may be an agent: name it under "agents" or "bystanders" in lock-doctor.json';
    if (process.platform === 'linux') expect(textsOf(lock)).toContain(sentence);
    expect(await fix()).toMatchObject({ exitCode: 22, summary: { fixed: 0, unknown: 1 } });
    const [result] = (await ask()).results;
    expect(result).toMatchObject({ answer: 'unsure', message: expect.stringContaining(NAME) });
    expect(result?.next).toContainEqual(['vi', town.path('lock-doctor.json')]);
    expect((await fix({ force: true, workers: [ADA] })).summary).toMatchObject({ locks: 0 });
  });

  tmuxTest('is an agent or a bystander if the configuration says so', async () => {
    const { town, startTmux, judge } = setStage();
    town.lock(ADA);
    await sessionOf(await startTmux(), 'anything', town.path(ADA), { command: NAME });
    town.write('lock-doctor.json', JSON.stringify({ agents: [NAME] }));
    expect(await judge()).toMatchObject({ state: 'held' });
    town.write('lock-doctor.json', JSON.stringify({ bystanders: [NAME] }));
    const lock = await judge();
    expect(lock).toMatchObject({ state: 'stale' });
    expect(textsOf(lock)).toContain('named under "bystanders"');
    town.write('lock-doctor.json', JSON.stringify({ bystanders: [NAME], agents: [NAME] }));
    expect(await judge()).toMatchObject({ state: 'held' });
  });

  hostTest(
    'that ts-node runs is called as its script; "bystanders": [".bin"] frees no agent of node_modules',
    async () => {
      const { town, judge, fix } = setStage();
      town.lock(ADA);
      const waits = 'setTimeout(() => {}, 600_000);';
      const start = (name: string, ...args: string[]) =>
        startProcess(process.execPath, [town.write(`${ADA}/node_modules/.bin/${name}`, waits), ...args], {
          cwd: town.path(ADA),
        });
      const server = await start('ts-node', 'src/server.ts');
      await until(async () => (await judge()).state === 'unknown', 'the server');
      expect(textsOf(await judge())).toContain(`server.ts (process ${server.pid})`);
      town.write('lock-doctor.json', JSON.stringify({ bystanders: ['.bin', 'server.ts'] }));
      expect(await judge()).toMatchObject({ state: 'stale' });
      const newcomer = await start('new-agent');
      await until(async () => (await judge()).state === 'unknown', 'the new agent');
      await newcomer.stop();
      await start('claude');
      await until(async () => (await judge()).state === 'held', 'claude');
      expect((await fix()).summary).toMatchObject({ fixed: 0, held: 1 });
    },
  );

  hostTest('outside tmux → unknown; preflight is unsure with or without a lock', async () => {
    const { town, ask, judge } = setStage();
    await fakeAgent(NAME, { cwd: town.path(ADA) });
    await until(async () => (await ask()).exitCode === 22, NAME);
    expect((await ask()).results[0]).toMatchObject({
      ...{ answer: 'unsure', state: null, reasons: ['occupants-unknown'] },
      message: expect.stringContaining(`no lock, but ${NAME} (process `),
    });
    town.lock(ADA);
    expect(await judge()).toMatchObject({ state: 'unknown', reasons: REASONS });
    expect((await ask()).results[0]).toMatchObject({ answer: 'unsure', state: 'unknown' });
  });

  hostTest('beside an invalid lock → the lock is left', async () => {
    const { town, fix, ask } = setStage();
    town.write(`${ADA}/.runtime/agent.lock`, '{');
    execFileSync('touch', ['-d', '2 hours ago', town.path(`${ADA}/.runtime/agent.lock`)]);
    const stranger = await fakeAgent(NAME, { cwd: town.path(ADA) });
    await until(async () => (await ask()).exitCode === 22, NAME);
    expect((await ask()).results[0]?.message).toContain(NAME);
    expect((await fix()).summary).toMatchObject({ invalid: 1, fixed: 0 });
    await stranger.stop();
    expect((await fix()).summary).toMatchObject({ fixed: 1 });
  });

  test('elsewhere in the town does not count for this worker', async () => {
    const { town, ask } = setStage();
    await fakeAgent(NAME, { cwd: town.root });
    expect((await ask()).results[0]?.reasons ?? []).not.toContain('occupants-unknown');
  });
});

describe('a program is not taken for a bystander', () => {
  linuxTest('because its argv[0] names one', async () => {
    const { town, judge } = setStage();
    town.lock(ADA);
    await startProcess('bash', ['-c', `exec -a vim ${sleeperNamed('new-agent')} 600`], {
      cwd: town.path(ADA),
    });
    await until(async () => textsOf(await judge()).includes('new-agent'), 'new-agent');
    expect(await judge()).toMatchObject({ state: 'unknown', reasons: REASONS });
  });

  linuxTest('because a script in the worker is named like one', async () => {
    const { town, judge } = setStage();
    town.lock(ADA);
    town.write(`${ADA}/watch.js`, 'setInterval(() => {}, 60000);\n');
    await startProcess(process.execPath, ['watch.js'], { cwd: town.path(ADA) });
    await until(async () => textsOf(await judge()).includes('watch.js'), 'watch.js');
    expect(await judge()).toMatchObject({ state: 'unknown', reasons: REASONS });
  });

  linuxTest.each(['', '.js'])(
    'because the package of an agent, called from code%s, is named so',
    async (end) => {
      const { town, judge } = setStage();
      town.lock(ADA);
      const home = mkdtempSync(join(tmpdir(), 'packages-'));
      onCleanUp(() => rmSync(home, { recursive: true, force: true }));
      const bin = join(home, 'node_modules/@acme/code/bin');
      execFileSync('mkdir', ['-p', bin]);
      writeFileSync(join(bin, `code${end}`), 'setInterval(() => {}, 60000);\n');
      await startProcess(process.execPath, [join(bin, `code${end}`)], { cwd: town.path(ADA) });
      await until(async () => textsOf(await judge()).includes('code'), 'the package');
      expect(await judge()).toMatchObject({ state: 'unknown', reasons: REASONS });
    },
  );

  linuxTest('because an agent has the same name as VS Code', async () => {
    const { town, judge } = setStage();
    town.lock(ADA);
    await fakeAgent('code', { cwd: town.path(ADA) });
    await until(async () => textsOf(await judge()).includes('./code'), 'code');
    expect(await judge()).toMatchObject({ state: 'unknown', reasons: REASONS });
    town.write('lock-doctor.json', JSON.stringify({ agents: ['code'] }));
    expect(await judge()).toMatchObject({ state: 'held' });
  });

  linuxTest.each([
    ['sh', ['watch']] as const,
    ['./watch', []] as const,
    ['python3', ['-m', 'watch']] as const,
  ])('because a script without an ending in the worker is named like one: %s %j', async (program, args) => {
    const { town, judge } = setStage();
    town.lock(ADA);
    town.write(`${ADA}/watch`, '#!/bin/sh\nwhile :; do sleep 1; done\n');
    town.write(`${ADA}/watch.py`, 'import time\ntime.sleep(600)\n');
    execFileSync('chmod', ['+x', town.path(`${ADA}/watch`)]);
    await startProcess(program, args, { cwd: town.path(ADA) });
    await until(async () => textsOf(await judge()).includes('./watch'), 'watch');
    expect(await judge()).toMatchObject({ state: 'unknown', reasons: REASONS });
  });

  linuxTest('because a runtime runs it under that name', async () => {
    const { town, judge } = setStage();
    town.lock(ADA);
    town.write(`${ADA}/agent.js`, 'setInterval(() => {}, 60000);\n');
    const title = "process.title = 'vim'; setInterval(() => {}, 60000)";
    const byTitle = await startProcess(process.execPath, ['-e', title], { cwd: town.path(ADA) });
    await until(async () => textsOf(await judge()).includes('./vim'), 'the title');
    expect(await judge()).toMatchObject({ state: 'unknown', reasons: REASONS });
    await byTitle.stop();
    await startProcess('bash', ['-c', `exec -a vim '${process.execPath}' agent.js`], { cwd: town.path(ADA) });
    await until(async () => textsOf(await judge()).includes('agent.js'), 'argv[0]');
    expect(await judge()).toMatchObject({ state: 'unknown', reasons: REASONS });
  });

  linuxTest.each(['tox', 'ninja', 'psql', 'pre-commit'])('because %s started it', async (name) => {
    const { town, judge } = setStage();
    town.lock(ADA);
    const runner = join(sleeperNamed('new-agent'), '..', name);
    execFileSync('cp', ['/bin/sh', runner]);
    await startProcess(runner, ['-c', `'${join(runner, '../new-agent')}' 600 & echo $! >pid; wait`], {
      cwd: town.path(ADA),
    });
    await until(async () => textsOf(await judge()).includes('new-agent'), 'new-agent');
    onCleanUp(() => {
      process.kill(Number(readFileSync(town.path(`${ADA}/pid`), 'utf8')));
    });
    expect(await judge()).toMatchObject({ state: 'unknown', reasons: REASONS });
  });

  linuxTest('because the first word of its title names one', async () => {
    const { town, judge } = setStage();
    town.lock(ADA);
    const agent = "process.title = 'code agent: thinking'; setInterval(() => {}, 60000)";
    await startProcess(process.execPath, ['-e', agent], { cwd: town.path(ADA) });
    await until(async () => textsOf(await judge()).includes('code agent'), 'the title');
    expect(await judge()).toMatchObject({ state: 'unknown', reasons: REASONS });
  });

  (existsSync('/usr/bin/fish') ? linuxTest : test.skip)(
    'because it is a script of fish (skipped without fish)',
    async () => {
      const { town, judge } = setStage();
      town.lock(ADA);
      town.write(`${ADA}/ralph.fish`, 'while true; read line; end\n');
      await startProcess('/usr/bin/fish', ['--no-config', 'ralph.fish'], { cwd: town.path(ADA) });
      await until(async () => textsOf(await judge()).includes('ralph.fish'), 'ralph.fish');
      expect(await judge()).toMatchObject({ state: 'unknown', reasons: REASONS });
    },
  );

  linuxTest('because it runs under git', async () => {
    const { town, judge } = setStage();
    town.lock(ADA);
    execFileSync('git', ['init', '-q'], { cwd: town.path(ADA) });
    const alias = `alias.help-me=!${sleeperNamed('new-agent')} 600`;
    await startProcess('git', ['-c', alias, 'help-me'], { cwd: town.path(ADA) });
    await until(async () => textsOf(await judge()).includes('new-agent'), 'new-agent');
    // git ends without its child.
    const pid = Number(/new-agent \(process (\d+)\)/.exec(textsOf(await judge()))?.[1]);
    onCleanUp(() => {
      process.kill(pid);
    });
    expect(await judge()).toMatchObject({ state: 'unknown', reasons: REASONS });
  });
});

(process.platform === 'linux' && hasCompiler ? test : test.skip)(
  'an agent whose main thread has ended is still at work (skipped without /proc or cc)',
  async () => {
    const { town, judge } = setStage();
    town.lock(ADA);
    await startZombieLeader({ cwd: town.path(ADA) });
    expect(await judge()).toMatchObject({ state: 'unknown', reasons: REASONS });
  },
);

(process.platform === 'linux' && hasCompiler ? test.each : test.skip.each)([
  'tmux: server',
  'npm run dev',
  'make',
])(
  'an agent that calls itself %s → unknown, whatever name it has (skipped without /proc or cc)',
  async (name) => {
    const { town, judge } = setStage();
    town.lock(ADA);
    const pid = await startRenamed(name, { cwd: town.path(ADA) });
    const lock = await judge();
    expect(textsOf(lock)).toContain(`./${name} (process ${pid}) runs in this directory`);
    expect(lock).toMatchObject({ state: 'unknown', reasons: REASONS });
  },
);

describe('bystanders', () => {
  tmuxTest.each(['vim', 'less', 'tail'])('%s in a pane of the worker → stale', async (name) => {
    const { town, startTmux, judge } = setStage();
    town.lock(ADA, { session_id: NO_PANE });
    await sessionOf(await startTmux(), `${GT}-crew-ada`, town.path(ADA), { command: name });
    expect(await judge()).toMatchObject({ state: 'stale' });
  });

  linuxTest('a program that writes a title with a path in it → stale', async () => {
    const { town, judge } = setStage();
    town.lock(ADA);
    const daemon =
      "process.title = 'PM2 v5.3.0: God Daemon (/root/.pm2)'; require('fs').writeFileSync('up', ''); setInterval(() => {}, 60000)";
    await startProcess(process.execPath, ['-e', daemon], { cwd: town.path(ADA) });
    await until(() => existsSync(town.path(`${ADA}/up`)), 'the title');
    expect(await judge()).toMatchObject({ state: 'stale' });
  });

  tmuxTest('npm run dev and its server → stale', async () => {
    const { town, startTmux, judge } = setStage();
    town.lock(ADA, { session_id: NO_PANE });
    const server = await startTmux();
    town.write(`${ADA}/server.js`, "require('fs').writeFileSync('up', ''); setInterval(() => {}, 60000);\n");
    town.write(`${ADA}/package.json`, JSON.stringify({ name: 'x', scripts: { dev: 'node server.js' } }));
    const pane = server.newSession(`${GT}-crew-ada`, { cwd: town.path(ADA), command: ['npm', 'run', 'dev'] });
    await until(
      () => execFileSync('ls', [town.path(ADA)], { encoding: 'utf8' }).includes('up\n'),
      'the server',
    );
    expect(pane.pid).toBeGreaterThan(0);
    expect(await judge()).toMatchObject({ state: 'stale' });
  });

  tmuxTest.each(['python3 -q', 'node'])(
    'the prompt of %s → stale; what it starts is in doubt',
    async (line) => {
      const stage = setStage();
      stage.town.lock(ADA, { session_id: NO_PANE });
      const server = await stage.startTmux();
      const pane = await shellSessionOf(server, 'prompt', stage.town.path(ADA));
      server.tmux('send-keys', '-t', pane.paneId, line, 'Enter');
      const [name = ''] = line.split(' ');
      await until(async () => textsOf(await stage.judge()).includes(`${name} (process`), name);
      await until(async () => (await stage.judge()).state === 'stale', 'the prompt');
      const program = JSON.stringify(sleeperNamed('new-agent'));
      const starts =
        name === 'node'
          ? `require('child_process').spawnSync(${program}, ['600'])`
          : `import subprocess; subprocess.run([${program}, '600'])`;
      server.tmux('send-keys', '-t', pane.paneId, starts, 'Enter');
      await until(async () => textsOf(await stage.judge()).includes('new-agent (process'), 'the program');
      expect(await stage.judge()).toMatchObject({ state: 'unknown' });
    },
  );

  tmuxTest('a shell that runs a script counts as that script', async () => {
    const { town, startTmux, judge } = setStage();
    town.lock(ADA, { session_id: NO_PANE });
    const server = await startTmux();
    await shellSessionOf(server, 'other', town.path(ADA));
    expect(await judge()).toMatchObject({ state: 'stale' });
    const script = waiterNamed('loop');
    // Two words, which tmux runs without the user's shell.
    const command = [script, '-'];
    await settled(server.newSession('looping', { cwd: town.path(ADA), command }), 'loop');
    expect(await judge()).toMatchObject({ state: 'unknown' });
  });
});

describe('hostile process names', () => {
  linuxTest('are limited in length in evidence', async () => {
    const { town, judge } = setStage();
    town.lock(ADA);
    const title = `evil\u001b]0;pwned\u0007\nvim ${'x'.repeat(100_000)}`;
    const script = town.write(
      `${ADA}/t.js`,
      `process.title = ${JSON.stringify(title)}; setInterval(() => {}, 60000);\n`,
    );
    const { pid } = await startProcess(process.execPath, [script ?? 't.js', 'y'.repeat(100_000)], {
      cwd: town.path(ADA),
    });
    await until(() => readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('evil'), 'the title');
    const lock = await judge();
    expect(lock.reasons).toContain('occupants-unknown');
    expect(textsOf(lock).length).toBeLessThan(2000);
  });
});
