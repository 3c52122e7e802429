// Everything that is run and timed. Each contender is `(context) => value`: milliseconds, or what its name says. One that
// measures several things at once returns an object with a value for each name.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstQuartile } from './bars.mjs';
import { withProcesses, withSessions } from './crowds.mjs';
import { whileLocked } from './make-repositories.mjs';

const PRUNED = ['.git', '.repo.git', '.dolt-data', '.dolt-backup'];
const PRUNE = ['(', ...PRUNED.flatMap((name, index) => [...(index > 0 ? ['-o'] : []), '-name', name]), ')'];

/** Arguments of find for all locks below `root`, or for those that a default scan sees. */
export const findLocks = (root, pruned) =>
  pruned
    ? [root, ...PRUNE, '-type', 'd', '-prune', '-o', '-name', 'agent.lock', '-print']
    : [root, '-name', 'agent.lock'];

/** Without this variable, which adds some 55 ms to Node's start (nodejs/node#40524). */
export const environment = (extra = {}) => {
  const { NODE_EXTRA_CA_CERTS: _, TMUX: __, TMUX_PANE: ___, ...rest } = process.env;
  return { ...rest, LC_ALL: 'C.UTF-8', ...extra };
};

/** The program of a tree, relative to it. */
export const CLI = 'dist/bin/doctor.js';
const cliExists = existsSync(CLI);

/** The file that `npm run executable` makes. */
const EXECUTABLE = 'executable/doctor';

/** True if a program can be started and exits with 0. */
export const succeeds = (program, args) => spawnSync(program, args, { stdio: 'ignore' }).status === 0;

const timed = (run) => {
  const begin = performance.now();
  run();
  return performance.now() - begin;
};

/** Runs a program with any exit code; throws if it cannot be started or is killed. */
const run = (program, args, env) => {
  const { error, stdout, signal } = spawnSync(program, args, {
    env,
    maxBuffer: 1e9,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  if (error !== undefined || signal !== null) throw error ?? new Error(`${program} was killed by ${signal}`);
  return stdout;
};

const scan =
  (mode, threads, ...more) =>
  ({ town, bundle, env }) =>
    JSON.parse(run(process.execPath, [bundle, town, mode, threads, ...more], env));

const doctor =
  (...args) =>
  ({ cli, env, paths }) =>
    timed(() => run(process.execPath, [cli, ...args.map((arg) => paths[arg] ?? arg)], env));

const executable =
  (...args) =>
  ({ env, paths }) =>
    timed(() => run(EXECUTABLE, [...args.map((arg) => paths[arg] ?? arg)], env));

/**
 * Releases all locks of a town and restores them, so that the next round finds the same town; returns the milliseconds of both.
 * Throws unless exactly the existing locks were released and restored.
 */
const repair = ({ cli, env }, town) => {
  const before = lockDigest(town);
  const fixMs = timed(() => run(process.execPath, [cli, '--fix', '--yes', '--json', '--town', town], env));
  if (lockDigest(town) !== digestOf('')) throw new Error(`--fix left locks in ${town}`);
  const undoMs = timed(() => run(process.execPath, [cli, 'undo', '--json', '--town', town], env));
  if (lockDigest(town) !== before) throw new Error(`undo did not restore the locks of ${town}`);
  rmSync(join(town, '.runtime'), { recursive: true });
  return { fixMs, undoMs };
};

const digestOf = (text) => createHash('sha256').update(text).digest('hex');

/** A digest of all locks of a town: their paths, inodes and content. */
const lockDigest = (town) => {
  const found = execFileSync('find', [town, '-name', 'agent.lock', '-printf', '%i %p\n'], { maxBuffer: 1e9 });
  const lines = found
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .sort();
  return digestOf(
    lines.map((line) => line + readFileSync(line.slice(line.indexOf(' ') + 1), 'utf8')).join(''),
  );
};

/** Contenders that are the same in every tree: they run nothing of ours. */
export const OTHERS = new Set([
  ...['find', 'find-prune', 'cold-find', 'go-walk', 'node', 'base', 'cpu-base', 'worktrees-list'],
  ...['executable-preflight-lock', 'executable-preflight-free', 'executable-version'],
]);

/** Milliseconds, CPU milliseconds and peak MiB of a whole process, including Node's start, by a script that is preloaded. */
const account = (context, ...args) => {
  const file = join(context.scratch, 'account.json');
  const env = { ...context.env, BENCH_ACCOUNT: file };
  const ms = timed(() => run(process.execPath, ['--require', context.accountant, ...args], env));
  return { ms, ...JSON.parse(readFileSync(file, 'utf8')) };
};

const accountOfDoctor = (context, town) => account(context, context.cli, '--json', town);
const accountOfScan = (context, town) => account(context, context.bundle, town, 'default', '1', 'read');

/** All kinds of lock, except the agent's, that are on in any tree. */
const OTHER_KINDS = ['git-worktree', 'git-lock', 'claude-scheduler', 'gsd', 'beads', 'daemon'];

/**
 * CPU milliseconds of a diagnosis with those kinds on, and with them off: the lower of two runs each, back to back in the order off,
 * on, on, off, so that a machine that gets slower or faster meanwhile favours neither. Both have a configuration, because reading
 * one takes time.
 */
const cpuWithAndWithoutKinds = (context, town) => {
  const file = join(town, 'lock-doctor.json');
  const measure = (on) => {
    writeFileSync(file, JSON.stringify({ kinds: Object.fromEntries(OTHER_KINDS.map((kind) => [kind, on])) }));
    return accountOfDoctor(context, town).cpuMs;
  };
  try {
    const [off, on, onAgain, offAgain] = [false, true, true, false].map(measure);
    return { on: Math.min(on, onAgain), off: Math.min(off, offAgain) };
  } finally {
    rmSync(file, { force: true });
  }
};

/** Milliseconds of a preflight beside few and many processes and tmux sessions. Making a crowd takes longer than a few runs in it. */
const preflightInCrowds = (context) => {
  const preflight = doctor('preflight', '--town', 'SMALL', 'rig0/crew/crew0');
  const few = (env) =>
    firstQuartile(
      Array.from({ length: 5 }, () => preflight({ ...context, env: { ...context.env, ...env } })),
    );
  return {
    'preflight-alone': few({}),
    'preflight-processes': withProcesses(3000, () => few({})),
    'preflight-sessions': withSessions(300, context, (TMUX_TMPDIR) => few({ TMUX_TMPDIR })),
  };
};

/**
 * The preloaded script. It tells the program that no core is idle: whether a scan of many directories gets its helper thread would
 * otherwise depend on the load of the moment, and with one it takes some 20 % more CPU. On Linux `maxRSS` of a program includes the
 * peak of the process that started it.
 */
export const ACCOUNTANT = `require('node:os').loadavg = () => [Infinity, Infinity, Infinity];
process.on('exit', () => {
  const { readFileSync, writeFileSync } = require('node:fs');
  const { user, system } = process.cpuUsage();
  const peakKiB = process.platform === 'linux'
    ? Number(/^VmHWM:\\s+(\\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1])
    : process.resourceUsage().maxRSS;
  writeFileSync(process.env.BENCH_ACCOUNT, JSON.stringify({ cpuMs: (user + system) / 1000, peakMiB: peakKiB / 1024 }));
});`;

const dropCaches = () => {
  execFileSync('sync');
  writeFileSync('/proc/sys/vm/drop_caches', '3');
};

/** What cannot be measured here and why; `contenders` leaves it out. */
export const cannotRun = ({ goWalk, hasTmux, cold }) => [
  ...(cliExists ? [] : ['the program: there is no dist/ (npm run build)']),
  ...(existsSync(EXECUTABLE) ? [] : ['the executable: it is missing (npm run executable)']),
  ...(hasTmux ? [] : ['comparisons with base: tmux is not installed']),
  ...(goWalk === null ? ['the original walk: Go is not installed'] : []),
  ...(cold ? [] : ['cold caches: only with --cold']),
];

/** Contenders by name, without those that cannot run here. */
export const contenders = ({ goWalk, hasTmux, cold }) => {
  const list = {
    find: ({ town, env }) => timed(() => run('find', findLocks(town, false), env)),
    'find-prune': ({ town, env }) => timed(() => run('find', findLocks(town, true), env)),
    'scan-deep': (context) => {
      const { ms, peakMiB } = scan('deep', '1')(context);
      return { 'scan-deep': ms, 'memory-scan': peakMiB };
    },
    'scan-default': (context) => scan('default', '1')(context).ms,
    'scan-deep-2': (context) => scan('deep', '2')(context).ms,
    'scan-default-2': (context) => scan('default', '2')(context).ms,
    'scan-quick': (context) => scan('quick', '1')(context).ms,
    node: ({ env }) => timed(() => run(process.execPath, ['-e', ''], env)),
  };
  if (goWalk !== null) list['go-walk'] = ({ town, env }) => timed(() => run(goWalk, [town], env));
  if (cold) {
    list['cold-find'] = (context) => {
      dropCaches();
      return list.find(context);
    };
    list['cold-scan'] = (context) => {
      dropCaches();
      return scan('deep', '1')(context).ms;
    };
  }
  if (hasTmux) {
    list.base = ({ env, base }) => timed(() => run(process.execPath, [base], env));
    list['cpu-base'] = (context) => account(context, context.base).cpuMs;
  }
  if (cliExists) {
    list['preflight-lock'] = doctor('preflight', '--town', 'SMALL', 'rig0/crew/crew0');
    list['preflight-free'] = doctor('preflight', '--town', 'SMALL', 'rig0/crew/nobody');
    list['doctor-small'] = doctor('--json', 'SMALL');
    list.help = doctor('--help');
    list.version = doctor('--version');
    list['locks-1000'] = doctor('--json', 'LOCKS_1000');
    list['locks-10000'] = (context) => {
      const { ms, cpuMs, peakMiB } = accountOfDoctor(context, context.paths.LOCKS_10000);
      return { 'locks-10000': ms, 'cpu-doctor': cpuMs, 'memory-doctor': peakMiB };
    };
    const preflight = (context, worker) =>
      account(context, context.cli, 'preflight', '--town', context.paths.SMALL, worker);
    list['cpu-preflight-lock'] = (context) => {
      const { cpuMs, peakMiB } = preflight(context, 'rig0/crew/crew0');
      return { 'cpu-preflight-lock': cpuMs, 'memory-preflight': peakMiB };
    };
    list['cpu-preflight-free'] = (context) => preflight(context, 'rig0/crew/nobody').cpuMs;
    list['cpu-doctor-small'] = (context) => accountOfDoctor(context, context.paths.SMALL).cpuMs;
    list['machines-200'] = (context) => {
      const { ms, peakMiB } = accountOfDoctor(context, context.paths.FLEET);
      return { 'machines-200': ms, 'memory-machines': peakMiB };
    };
    if (hasTmux) list['preflight-processes'] = preflightInCrowds;
    list['fix-1000'] = (context) => {
      const { fixMs, undoMs } = repair(context, context.paths.FIX_1000);
      return { 'fix-1000': fixMs, 'undo-1000': undoMs };
    };
    list['fix-10000'] = (context) => repair(context, context.paths.FIX_10000).fixMs;
    list['cpu-scan'] = (context) => accountOfScan(context, context.paths.LOCKS_10000).cpuMs;
    list['cpu-doctor-kinds'] = (context) => {
      const { on, off } = cpuWithAndWithoutKinds(context, context.town);
      return { 'cpu-doctor-kinds': on, 'cpu-doctor-agents': off };
    };
    list['cpu-clones-kinds'] = (context) => {
      const { on, off } = cpuWithAndWithoutKinds(context, context.paths.CLONES);
      return { 'cpu-clones-kinds': on, 'cpu-clones-agents': off };
    };
    list['worktrees-list'] = ({ env, paths }) =>
      timed(() => run('git', ['-C', paths.WORKTREES, 'worktree', 'list'], env));
    list['worktrees-doctor'] = doctor('--json', 'WORKTREES');
    list['worktrees-locked'] = (context) =>
      whileLocked(context.paths.WORKTREES, () => list['worktrees-doctor'](context));
    list['cpu-scan-town'] = (context) => accountOfScan(context, context.town).cpuMs;
  }
  if (existsSync(EXECUTABLE)) {
    list['executable-preflight-lock'] = executable('preflight', '--town', 'SMALL', 'rig0/crew/crew0');
    list['executable-preflight-free'] = executable('preflight', '--town', 'SMALL', 'rig0/crew/nobody');
    list['executable-version'] = executable('--version');
  }
  return list;
};
