// Captures what a developer's machine runs: starts real programs, agents among them, in a private tmux server, and prints their
// process table as the doctor reads it, one process a line, with the versions first. Needs a build, tmux and git.
//
//     mkdir tools && cd tools && npm install PACKAGE…   (those of VERSIONED and more; what is missing is left out, and said)
//     node scripts/capture-programs.mjs tools > fixtures/programs/captured-machine.json
//
// Agents without an account stop at their login, which is all that is needed. Nothing of this machine stays in the capture:
// directories and the user are written as /tools, /home/ann and /town, and numbers count from 1000 in the order of starts.
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
  // Agents ask a person, or the network, before they settle; neither is here.
  DISABLE_AUTOUPDATER: '1',
  ...Object.fromEntries(['http_proxy', 'https_proxy'].map((name) => [name, 'http://127.0.0.1:9'])),
};

/** What the panes run, with bash as the user's shell around it, as people start things. */
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

/** Programs outside panes: services of the user, and what a dead agent left behind. */
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

/** How long a capture waits for programs to settle: no new process for a while, and never longer than that. */
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
  // Claude Code wants the network before its first session.
  writeFileSync(join(home, '.claude.json'), '{"hasCompletedOnboarding": true, "theme": "dark"}');
  run('git', ['init', '-q']);
  run('git', ['add', '.']);
  run('git', ['commit', '-qm', 'Begin']);
  writeFileSync(join(worker, 'more.md'), 'more\n');
  run('git', ['add', '.']);
};

const tmux = (...args) => run('tmux', ['-f', '/dev/null', '-S', socket, ...args]);

const isThere = (command) => {
  const [program = 'bash'] = command === '' ? [] : command.split(' ');
  return spawnSync('sh', ['-c', 'command -v "$0"', program], { cwd: worker, env: ENV }).status === 0;
};

const startAll = () => {
  tmux('new-session', '-d', '-s', 'work', '-x', '160', '-y', '50', '-c', worker, 'bash --norc');
  const left = [];
  for (const command of IN_PANES) {
    if (!isThere(command)) {
      left.push(command);
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
  return left;
};

/** All processes of the capture: those of our home, whatever their parent, and none that asks. */
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

/** Neutral numbers and places, so that the same programs give the same text wherever they are captured. */
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
        .reduce((said, [place, name]) => said.replaceAll(place, name), text)
        .replace(/\b\d{3,10}\b/g, (digits) => numbers.get(digits) ?? digits),
  };
};

/** A PID that no process has. */
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
      // The parents of what is shown are shown, but for init; a session may have lost its leader.
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

/** Ends exactly the processes with our home in their environment, by their PIDs. */
const endAll = async () => {
  for (let round = 0; round < 5; round += 1) {
    const left = ours(await readProcessTable());
    if (left.length === 0) return;
    for (const { pid } of left)
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself.
      }
    await sleep(200);
  }
};

try {
  prepare();
  const said = versions();
  const left = startAll();
  await settle();
  const processes = await capture();
  for (const command of left) console.error(`left out, not installed: ${command}`);
  const lines = processes.map((one) => `  ${JSON.stringify(one)}`).join(',\n');
  process.stdout.write(`{"versions": ${JSON.stringify(said)},\n"processes": [\n${lines}\n]}\n`);
} finally {
  await endAll();
  if (existsSync(scratch)) rmSync(scratch, { recursive: true, force: true });
}
