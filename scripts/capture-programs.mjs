// Captures the processes of a developer's machine: starts real programs, agents among them, in a private tmux server, and prints
// their process table as the doctor reads it, one process per line, after their versions. Requires a build, tmux and git.
//
//     mkdir tools && cd tools && npm install PACKAGE…   (those of VERSIONED and more; missing ones are left out and listed)
//     node scripts/capture-programs.mjs tools > fixtures/programs/captured-machine.json
//
// Agents without an account stop at their login, which is enough. Nothing of this machine stays in the capture: directories and
// the user become /tools, /home/ann and /town, and PIDs count from 1000 in the order of starts.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readProcessTable } from '../dist/src/evidence/processes/table.js';

const [given] = process.argv.slice(2);
if (given === undefined) throw new Error('usage: capture-programs.mjs TOOLS');
const tools = realpathSync(resolve(given));
const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'capture-')));
const home = join(scratch, 'home');
const worker = join(scratch, 'town/gastown/crew/ada');
const socket = join(scratch, 'tmux');
const bin = join(tools, 'node_modules/.bin');

const ENV = {
  PATH: `${bin}:/usr/bin:/bin:/usr/sbin:/sbin`,
  HOME: home,
  // Programs unpack libraries and keep sockets there, and leave them.
  TMPDIR: scratch,
  XDG_RUNTIME_DIR: scratch,
  TERM: 'screen-256color',
  LC_ALL: 'C.UTF-8',
  SHELL: '/bin/bash',
  NODE: process.execPath,
  // Agents ask the user, or the network, before they settle; neither is available.
  DISABLE_AUTOUPDATER: '1',
  ...Object.fromEntries(['http_proxy', 'https_proxy'].map((name) => [name, 'http://127.0.0.1:9'])),
};

/** The commands of the panes, each in a bash as the user's shell. */
const IN_PANES = [
  ...['claude', 'codex', 'gemini', 'qwen', 'opencode', 'copilot', 'amp'],
  ...[
    'vi notes.md',
    'nano notes.md',
    'emacs -nw -q notes.md',
    'less notes.md',
    'tail -f notes.md',
    'man git',
  ],
  ...['git log', 'git commit', 'watch -n 60 git status', 'htop', 'fish', 'zsh -f', 'node', 'python3 -q', ''],
  ...[
    'npm run dev',
    'npx vite --port 0',
    'webpack serve --mode development',
    'http-server -p 0',
    'nodemon server.js',
  ],
  ...[
    'tsc --watch -p .',
    'vitest',
    'tsx watch server.js',
    'node server.js',
    'node --watch server.js',
    './loop.sh',
  ],
  ...['python3 -m http.server 0 --bind 127.0.0.1', 'python3 script.py', 'make serve', 'gpg-agent --server'],
  ...['typescript-language-server --stdio', 'pyright-langserver --stdio', 'bash-language-server start'],
  ...[
    'yaml-language-server --stdio',
    'mcp-server-filesystem .',
    'esbuild app.js --bundle --watch --outfile=out.js',
  ],
  ...[
    'unshare --fork --pid --mount-proc claude',
    'bwrap --dev-bind / / --unshare-pid --die-with-parent codex',
  ],
  ...['screen -q', 'sleep 3000', 'cat', 'env FOO=1 nice claude', 'script -q -c claude /dev/null'],
];

/** Programs outside panes: the user's services, and leftovers of a dead agent. */
const DETACHED = [
  'exec ssh-agent -D -a "$HOME/ssh-agent"',
  'exec gpg-agent --daemon --no-detach',
  'mkdir -m 700 "$HOME/cache"; exec git credential-cache--daemon "$HOME/cache/socket"',
  '(node server.js & exit)',
  '(setsid node server.js & exit)',
  '(nohup http-server -p 0 & exit)',
];

const FILES = {
  'notes.md': `${'A line.\n'.repeat(200)}`,
  'package.json': JSON.stringify({
    name: 'work',
    private: true,
    scripts: { dev: 'node server.js', serve: 'vite --port 0' },
  }),
  'tsconfig.json': '{"files": ["app.js"], "compilerOptions": {"allowJs": true, "noEmit": true}}',
  'webpack.config.cjs': "module.exports = { entry: './app.js', devServer: { port: 0, host: '127.0.0.1' } };",
  'app.js': 'export const one = 1;\n',
  'app.test.js': "import { test } from 'vitest';\ntest('one', () => {});\n",
  'server.js': "import('node:http').then(({ createServer }) => createServer().listen(0, '127.0.0.1'));\n",
  'script.py': 'import time\ntime.sleep(3000)\n',
  'loop.sh': '#!/bin/sh\nwhile :; do sleep 3000; done\n',
  Makefile: 'serve:\n\tpython3 -m http.server 0 --bind 127.0.0.1\n',
};

/** A capture waits until there was no new process for `QUIET_MS`, and at most `LONGEST_MS`. */
const QUIET_MS = 8000;
const LONGEST_MS = 90_000;

const run = (file, args, options = {}) =>
  execFileSync(file, args, {
    cwd: worker,
    env: ENV,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    ...options,
  });

const prepare = () => {
  mkdirSync(worker, { recursive: true });
  mkdirSync(home);
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(worker, name), text);
  run('chmod', ['+x', 'loop.sh']);
  writeFileSync(
    join(home, '.gitconfig'),
    '[user]\n name = Ann\n email = ann@localhost\n[core]\n editor = vi\n',
  );
  // Claude Code requires the network before its first session.
  writeFileSync(join(home, '.claude.json'), '{"hasCompletedOnboarding": true, "theme": "dark"}');
  run('git', ['init', '-q']);
  run('git', ['add', '.']);
  run('git', ['commit', '-qm', 'Begin']);
  writeFileSync(join(worker, 'more.md'), 'more\n');
  run('git', ['add', '.']);
};

const tmux = (...args) => run('tmux', ['-f', '/dev/null', '-S', socket, ...args]);

const isInstalled = (command) => {
  const [program = 'bash'] = command === '' ? [] : command.split(' ');
  return spawnSync('sh', ['-c', 'command -v "$0"', program], { cwd: worker, env: ENV }).status === 0;
};

const startAll = () => {
  tmux('new-session', '-d', '-s', 'work', '-x', '160', '-y', '50', '-c', worker, 'bash --norc');
  const missing = [];
  for (const command of IN_PANES) {
    if (!isInstalled(command)) {
      missing.push(command);
      continue;
    }
    const pane = tmux(
      'new-window',
      '-d',
      '-P',
      '-F',
      '#{pane_id}',
      '-t',
      'work',
      '-c',
      worker,
      'bash --norc',
    ).trim();
    if (command !== '') tmux('send-keys', '-t', pane, command, 'Enter');
  }
  for (const script of DETACHED)
    spawn('sh', ['-c', script], { cwd: worker, env: ENV, stdio: 'ignore', detached: true }).unref();
  return missing;
};

/** All processes with our home, whatever their parent, except this one. */
const ours = (table) =>
  [...table.rows.values()].filter(({ pid, dead }) => !dead && pid !== process.pid && isOurs(pid));
const isOurs = (pid) => {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`HOME=${home}`);
  } catch {
    return false;
  }
};

const settle = async () => {
  const startedAt = Date.now();
  let known = '';
  let since = Date.now();
  while (Date.now() - startedAt < LONGEST_MS && Date.now() - since < QUIET_MS) {
    await sleep(500);
    const now = ours(await readProcessTable())
      .map(({ pid, comm }) => `${pid} ${comm}`)
      .join();
    if (now !== known) since = Date.now();
    known = now;
  }
};

/** Neutral PIDs and paths, so that the same programs give the same text on every machine. */
const scrubber = (pids) => {
  const numbers = new Map(pids.map((pid, index) => [String(pid), String(1000 + index)]));
  const places = [
    [tools, '/tools'],
    [worker, '/town/gastown/crew/ada'],
    [home, '/home/ann'],
    [scratch, '/tmp/capture'],
    [process.execPath, '/usr/bin/node'],
    [realpathSync(process.execPath), '/usr/bin/node'],
  ];
  return {
    number: (pid, other) => Number(numbers.get(String(pid)) ?? other),
    text: (text) =>
      places
        .reduce((result, [place, name]) => result.replaceAll(place, name), text)
        .replace(/\b\d{3,10}\b/g, (digits) => numbers.get(digits) ?? digits),
  };
};

/** A PID that is not in use. */
const GONE = 999;

/** Process 1, whatever it is on the capturing machine. */
const INIT = {
  ...{ pid: 1, ppid: 0, leader: 1, hasTerminal: false, inForeground: false },
  ...{ comm: 'init', argv: ['/sbin/init'], cwd: '/' },
};

const capture = async () => {
  const table = await readProcessTable();
  const rows = ours(table).sort(
    (one, other) => Number(one.startToken) - Number(other.startToken) || one.pid - other.pid,
  );
  const cwds = await table.details.workingDirectories(rows.map(({ pid }) => pid));
  const { number, text } = scrubber(rows.map(({ pid }) => pid));
  const shown = rows.map(({ pid, ppid, leader, hasTerminal, inForeground, comm }) => {
    const cwd = cwds.get(pid);
    return {
      // The parents of shown processes are shown too, except init; a session may have lost its leader.
      ...{ pid: number(pid), ppid: number(ppid, 1), leader: number(leader, GONE) },
      ...{ hasTerminal: hasTerminal === true, inForeground: inForeground === true, comm: text(comm) },
      argv: table.details.argv(pid).map(text),
      cwd: cwd?.seen === true ? text(cwd.value) : null,
    };
  });
  return [INIT, ...shown];
};

const VERSIONED = [
  'claude',
  'codex',
  'gemini',
  'qwen',
  'opencode',
  'copilot',
  'amp',
  'vite',
  'vitest',
  'tsc',
  'node',
];

const versions = () =>
  Object.fromEntries(
    VERSIONED.flatMap((program) => {
      const { stdout } = spawnSync(program, ['--version'], {
        cwd: worker,
        env: ENV,
        encoding: 'utf8',
        timeout: 30_000,
      });
      const version = /\d+(\.\d+)+/.exec(stdout ?? '')?.[0];
      return version === undefined ? [] : [[program, version]];
    }),
  );

/** Kills exactly the processes with our home in their environment, by PID. */
const endAll = async () => {
  for (let round = 0; round < 5; round += 1) {
    const left = ours(await readProcessTable());
    if (left.length === 0) return;
    for (const { pid } of left)
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended already.
      }
    await sleep(200);
  }
};

try {
  prepare();
  const found = versions();
  const missing = startAll();
  await settle();
  const processes = await capture();
  for (const command of missing) console.error(`left out, not installed: ${command}`);
  const lines = processes.map((one) => `  ${JSON.stringify(one)}`).join(',\n');
  process.stdout.write(`{"versions": ${JSON.stringify(found)},\n"processes": [\n${lines}\n]}\n`);
} finally {
  await endAll();
  if (existsSync(scratch)) rmSync(scratch, { recursive: true, force: true });
}
