// `npm run demo`: creates a town with real lock files, real processes and (if tmux is installed) its own tmux server, runs the
// doctor on it, and removes everything. It touches nothing else, and in a private view (`verify/private-view.mjs`) it does not
// see your own agents either.
import { spawn, spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inPrivateView } from './verify/private-view.mjs';

if (process.argv[2] !== 'in-view') {
  const view = inPrivateView([fileURLToPath(import.meta.url), 'in-view']);
  // The demo cleans up when it gets a signal; wait for that.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {});
  if (view.why !== null) console.log(`Your own tmux servers are counted as well: ${view.why}.`);
  const { status } = spawnSync(view.file, view.args, { stdio: 'inherit' });
  view.remove();
  process.exit(status ?? 1);
}

const program = fileURLToPath(new URL('../dist/bin/doctor.js', import.meta.url));
const base = realpathSync(mkdtempSync(join(tmpdir(), 'doctor-demo-')));
const town = join(base, 'gt');
const socket = join(base, `tmux-${process.getuid()}`, 'default');
const started = [];

const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(GT_|TMUX)/.test(name)));
env.TMUX_TMPDIR = base;

const hasTmux = spawnSync('tmux', ['-V']).status === 0;
const tmux = (...args) => {
  const { status, stdout, stderr } = spawnSync('tmux', ['-u', '-f', '/dev/null', '-S', socket, ...args], {
    env,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`tmux ${args[0]}: ${stderr}`);
  return stdout.trim();
};

// A stand-in agent: `sleep` under an agent's name, because agents are recognized by their command.
const agent = join(base, 'claude');
const sleepPath = spawnSync('sh', ['-c', 'command -v sleep'], { encoding: 'utf8' }).stdout.trim();
symlinkSync(sleepPath, agent);

const ago = (seconds) => new Date(Date.now() - seconds * 1000);
const worker = (name) => {
  const path = join(town, name);
  mkdirSync(path, { recursive: true });
  return path;
};
const lock = (name, content, seconds) => {
  const path = join(worker(name), '.runtime', 'agent.lock');
  mkdirSync(dirname(path), { recursive: true });
  const text =
    typeof content === 'string'
      ? content
      : JSON.stringify(
          { acquired_at: ago(seconds).toISOString(), hostname: hostname(), ...content },
          null,
          2,
        );
  writeFileSync(path, text);
  utimesSync(path, ago(seconds), ago(seconds));
};
const session = (name, place, command, role) =>
  tmux(
    'new-session',
    '-d',
    '-P',
    '-F',
    '#{pane_id}',
    '-s',
    name,
    '-c',
    worker(place),
    '-e',
    `GT_ROLE=${role}`,
    ...command,
  );
// The usual writer of these locks is a helper that has exited by now, in healthy towns too.
const helper = () => spawnSync('true').pid;

const makeTown = () => {
  mkdirSync(join(town, 'mayor'), { recursive: true });
  writeFileSync(join(town, 'mayor', 'town.json'), '{"type":"town","version":2,"name":"gt"}\n');
  writeFileSync(
    join(town, 'mayor', 'rigs.json'),
    '{"version":1,"rigs":{"gastown":{"beads":{"prefix":"gt"}}}}\n',
  );
  writeFileSync(join(town, '.gitignore'), '.runtime/\n');
  mkdirSync(dirname(socket), { recursive: true, mode: 0o700 });

  if (hasTmux) {
    // An agent at work behind its lock; the recorded process has exited long ago, as in every healthy town.
    const pane = session('gt-crew-ada', 'gastown/crew/ada', [agent, '600'], 'gastown/crew/ada');
    lock('gastown/crew/ada', { pid: helper(), session_id: pane }, 0);
    // Two agents in one worker, each of which believes that it is alone.
    const first = session('gt-crew-joe', 'gastown/crew/joe', [agent, '600'], 'gastown/crew/joe');
    session('gt-crew-joe-again', 'gastown/crew/joe', [agent, '600'], 'gastown/crew/joe');
    lock('gastown/crew/joe', { pid: helper(), session_id: first }, 0);
  }
  // An agent that outlived its terminal.
  const orphan = spawn(agent, ['600'], { cwd: worker('gastown/crew/zoe'), stdio: 'ignore', detached: true });
  orphan.unref();
  started.push(orphan.pid);
  lock('gastown/crew/zoe', { pid: orphan.pid, session_id: 'gt-crew-zoe' }, 120);
  // Dead for hours, half-written, and taken on another machine.
  lock('gastown/crew/bob', { pid: helper(), session_id: '%4196' }, 8 * 3600);
  lock('gastown/polecats/max/gastown', '{"pid": 28', 3600);
  lock('gastown/crew/eve', { pid: 3681378, session_id: '%12', hostname: '4e449adbac66' }, 3 * 86400);
  worker('gastown/crew/new');
};

const wrong = [];
const doctor = (expected, ...args) => {
  console.log(`\n$ ${['doctor', ...args].join(' ')}`);
  const { status } = spawnSync(process.execPath, [program, ...args], { cwd: town, env, stdio: 'inherit' });
  console.log(`(exit code ${status})`);
  if (status !== expected) wrong.push(`doctor ${args.join(' ')}: exit code ${status} instead of ${expected}`);
};

const cleanUp = () => {
  if (hasTmux) spawnSync('tmux', ['-S', socket, 'kill-server'], { env, stdio: 'ignore' });
  for (const pid of started.splice(0))
    try {
      process.kill(pid);
    } catch {
      // It has ended already.
    }
  rmSync(base, { recursive: true, force: true });
};
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    cleanUp();
    process.kill(process.pid, signal);
  });

try {
  makeTown();
  console.log(
    `A town in ${town}${hasTmux ? ', with agents in its own tmux server' : '; tmux is not installed, so it has no healthy agents'}.`,
  );
  doctor(1);
  doctor(1, 'locks');
  if (hasTmux) doctor(20, 'preflight', 'gastown/crew/ada');
  doctor(hasTmux ? 21 : 22, 'preflight', 'gastown/crew/bob');
  doctor(0, 'explain', 'gastown/crew/bob');
  doctor(1, '--fix', '--yes');
  doctor(0, 'undo');
} finally {
  cleanUp();
}
console.log('\nThe town is gone again. Try it yourself: doctor [town], doctor --fix, doctor explain WORKER.');
for (const problem of wrong) console.error(`unexpected: ${problem}`);
process.exitCode = wrong.length === 0 ? 0 : 1;
