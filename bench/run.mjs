// `npm run bench`: times the scanner and the program in interleaved rounds and compares the ratios with the bars.
// `--help` lists the options.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { FEW_ROUNDS, firstQuartile, judge, median } from './bars.mjs';
import { ACCOUNTANT, CLI, cannotRun, contenders, environment, OTHERS, succeeds } from './contenders.mjs';
import { checkFidelity, countSystemCalls } from './fidelity.mjs';
import { makeFleet } from './make-fleet.mjs';
import { makeRepositories } from './make-repositories.mjs';
import { makeTown, SIZES } from './make-town.mjs';
import { printComparison, printTable } from './print-table.mjs';

/** Node and one request to tmux: the least that a reliable answer about locks costs. Not an ES module, which starts slower. */
const BASE = `const { spawnSync } = require('node:child_process');
spawnSync('tmux', ['list-panes', '-a', '-F', '#{pane_id}'], { stdio: ['ignore', 'pipe', 'ignore'] });`;

/** A run with the defaults ends within five minutes, on slow machines too: preparation and the last run take the rest. */
const MINUTES = '3';

const USAGE = `Usage: npm run bench -- [options]

Times the scanner and the program in interleaved rounds, and compares the ratios with the bars.
The table goes to stderr, one JSON document to stdout.

  --town SIZE     ${Object.keys(SIZES).join(', ')} (default: medium)
  --at DIR        keep the measured town in DIR; it is created if it is missing
  --rounds N      maximum number of rounds (default: 7)
  --minutes N     start no run after this many minutes (default: ${MINUTES})
  --only A,B      measure only these; an unknown name lists all of them
  --against DIR   compare with the program and the scanner of another built tree, in the same rounds
  --cold          also drop the machine's caches before some runs: only as root, slows everything down
  --help          show this

Exit code: 0 every bar was met, 1 a bar was missed or a scanner differs from find, 2 a wrong option.
A bar is a figure that has been met; a missed goal, or a row that was not measured, or not often enough, fails nothing.
With fewer than 7 rounds a bar is missed only if every round misses it; else the row is unclear.
`;

const readOptions = () => {
  try {
    const { values } = parseArgs({
      options: {
        town: { type: 'string', default: 'medium' },
        at: { type: 'string' },
        rounds: { type: 'string', default: '7' },
        minutes: { type: 'string', default: MINUTES },
        only: { type: 'string' },
        against: { type: 'string' },
        cold: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    return values;
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
};

const options = readOptions();
if (options.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const rounds = Number(options.rounds);
const minutes = Number(options.minutes);
const startedAt = performance.now();
/** Whether this part of the time is over. */
const isLate = (part = 1) => performance.now() - startedAt > part * minutes * 60_000;
/** Before the benchmark itself loads the machine. */
const loadAtStart = loadavg()[0];
const hasIdleCore = loadAtStart <= availableParallelism() - 1;

const measure = async (scratch) => {
  const tools = {
    goWalk: succeeds('go', ['version']) ? buildGoWalk(scratch) : null,
    hasTmux: succeeds('tmux', ['-V']),
    cold: options.cold,
  };
  const wanted = options.only?.split(',');
  const all = contenders(tools);
  const unknown = wanted?.filter((name) => !(name in all)) ?? [];
  if (unknown.length > 0) {
    process.stderr.write(`cannot measure ${unknown.join(', ')}; there are ${Object.keys(all).join(', ')}\n`);
    process.exitCode = 2;
    return null;
  }
  warnOfSockets();
  const town = prepareTown(options.at ?? join(scratch, 'town'), options.town);
  const chosen = Object.entries(all).filter(([name]) => wanted?.includes(name) ?? true);
  const names = chosen.map(([name]) => name);

  const context = {
    town,
    scratch,
    cli: CLI,
    bundle: await bundleScanner(scratch, '.'),
    base: writeScript(scratch, 'base.cjs', BASE),
    accountant: writeScript(scratch, 'accountant.cjs', ACCOUNTANT),
    env: environment({ TMUX_TMPDIR: scratch }),
    paths: sideTowns(scratch, names),
  };
  const other = options.against === undefined ? null : await contextOf(options.against, context);
  const stopTmux = tools.hasTmux ? startTmux(scratch) : () => {};
  try {
    const fidelity = checkFidelity(context);
    const isCold = ([name]) => name.startsWith('cold-');
    const warm = chosen.filter((each) => !isCold(each));
    const { samples, others } = runRounds(warm, context, other);
    // Apart from the others, because the next run finds the caches empty.
    const cold = runRounds(chosen.filter(isCold), context, other);
    Object.assign(samples, cold.samples);
    Object.assign(others, cold.others);
    if (wanted === undefined) samples['system-calls'] = countSystemCalls(context, fidelity.directories);
    const notMeasured = [
      ...(wanted === undefined ? cannotRun(tools) : ['everything that --only leaves out']),
      ...(isLate() ? tooFew(chosen, samples) : []),
      ...('system-calls' in samples && samples['system-calls'] === undefined
        ? ['system calls: strace is not installed']
        : []),
    ];
    return { ...conclude(samples, fidelity, notMeasured), ...compare(samples, others) };
  } finally {
    stopTmux();
  }
};

/** The doctor asks every tmux server of its user, and one process for each makes all its runs slower. */
const warnOfSockets = () => {
  const directory = `/tmp/tmux-${process.getuid()}`;
  const sockets = existsSync(directory) ? readdirSync(directory) : [];
  if (sockets.length === 0) return;
  process.stderr.write(
    `warning: every run asks the tmux servers in ${directory} too: ${sockets.join(', ')}. End them, and remove the sockets of dead ones.\n`,
  );
};

/** The same towns for the program and the scanner of another built tree. */
const contextOf = async (tree, context) => {
  const scratch = join(context.scratch, 'against');
  mkdirSync(scratch);
  return { ...context, cli: join(tree, CLI), bundle: await bundleScanner(scratch, tree) };
};

/** What was measured of both trees: each value as the first quartile of its rounds, which is what a busy machine disturbs least. */
const compare = (samples, others) => {
  if (options.against === undefined) return {};
  const rows = Object.entries(others).map(([name, values]) => {
    const ratios = values
      .map((value, round) => (samples[name]?.[round] ?? Number.NaN) / value)
      .filter(Number.isFinite);
    const [here, there] = [samples[name] ?? [], values].map((all) => firstQuartile(all));
    return { name, here, there, ratio: median(ratios) };
  });
  printComparison(options.against, rows);
  return { against: { tree: options.against, rows } };
};

/** What had too few rounds when time ran out, in words. */
const tooFew = (chosen, samples) => {
  return chosen.flatMap(([name]) => {
    const wanted = Math.min(FEW_ROUNDS[name] ?? rounds, rounds);
    const had = samples[name]?.filter((value) => value !== undefined).length ?? 0;
    return had < wanted ? [`${name}: ${had} of ${wanted} rounds within ${minutes} minutes`] : [];
  });
};

const conclude = (samples, fidelity, notMeasured) => {
  const measured = Object.entries(samples).filter(([, values]) => values !== undefined);
  const medians = Object.fromEntries(measured.map(([name, values]) => [name, median(values)]));
  const rows = judge(samples, { town: options.town, rounds, hasIdleCore });
  const ok = fidelity.equal && rows.every((row) => row.ok !== false);
  printTable({ town: options.town, rounds, fidelity, medians, rows, notMeasured, loadAtStart, hasIdleCore });
  const machine = {
    node: process.version,
    cores: availableParallelism(),
    cpu: cpus()[0]?.model,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    load: loadAtStart,
  };
  return { ok, town: options.town, rounds, machine, fidelity, medians, rows, notMeasured };
};

/**
 * Rounds in which each contender runs once, in a different order each time, so that drift of the machine affects all alike and
 * none always runs after the same one.
 */
const runRounds = (chosen, context, other) => {
  const [samples, others] = [{}, {}];
  // Warms the caches; not counted. On a slow machine the rounds are worth more: a median forgives a first cold run.
  for (const [name, run] of chosen) if (!(name in FEW_ROUNDS) && !isLate(1 / 6)) run(context);
  for (let round = 0; round < rounds && chosen.length > 0; round++) {
    for (const [name, run] of shuffle(chosen, round)) {
      if (round >= (FEW_ROUNDS[name] ?? rounds) || isLate()) continue;
      const here = () => note(samples, name, round, run(context));
      const there = () => other !== null && !OTHERS.has(name) && note(others, name, round, run(other));
      // Neither tree always runs after the other.
      for (const one of round % 2 === 0 ? [here, there] : [there, here]) one();
    }
    process.stderr.write(`round ${round + 1} of ${rounds}\n`);
    if (isLate()) break;
  }
  return { samples, others };
};

/** Adds the value of one run, or each of its values by its name. */
const note = (samples, name, round, measured) => {
  for (const [key, value] of Object.entries(typeof measured === 'number' ? { [name]: measured } : measured)) {
    samples[key] ??= [];
    samples[key][round] = value;
  }
};

/** A deterministic order for each round. */
const shuffle = (values, round) => {
  const keyed = values.map((value, index) => ({
    value,
    key: Math.imul((index + 1) * 2_654_435_761, round * 40_503 + 1) >>> 0,
  }));
  return keyed.sort((a, b) => a.key - b.key).map(({ value }) => value);
};

const prepareTown = (path, size) => {
  if (!existsSync(path)) {
    process.stderr.write(`creating a ${size} town …\n`);
    makeTown(path, size);
  }
  return realpathSync(path);
};

/** Towns besides the measured one, created only if a contender requires them. */
const sideTowns = (scratch, names) => {
  const paths = {
    SMALL: join(scratch, 'small'),
    LOCKS_1000: join(scratch, 'locks-1000'),
    LOCKS_10000: join(scratch, 'locks-10000'),
    FIX_1000: join(scratch, 'fix-1000'),
    FIX_10000: join(scratch, 'fix-10000'),
    EMPTY: join(scratch, 'empty'),
    WORKTREES: join(scratch, 'worktrees'),
    CLONES: join(scratch, 'clones'),
  };
  mkdirSync(paths.EMPTY);
  const wants = (...any) => any.some((name) => names.includes(name));
  const start = ['preflight-lock', 'preflight-free', 'preflight-processes', 'doctor-small'];
  const elsewhere = start.flatMap((name) => [`cpu-${name}`, `executable-${name}`]);
  if (wants(...start, ...elsewhere)) makeTown(paths.SMALL, 'small');
  if (wants('locks-1000')) makeTown(paths.LOCKS_1000, 'locks-1000');
  if (wants('fix-1000')) makeTown(paths.FIX_1000, 'locks-1000');
  if (wants('fix-10000')) makeTown(paths.FIX_10000, 'locks-10000');
  if (wants('locks-10000', 'cpu-scan')) makeTown(paths.LOCKS_10000, 'locks-10000');
  if (wants('worktrees-list', 'worktrees-doctor', 'worktrees-locked'))
    makeRepositories(paths.WORKTREES, 'worktrees-500');
  if (wants('cpu-clones-kinds')) makeRepositories(paths.CLONES, 'clones-50');
  if (wants('machines-200')) {
    makeFleet(join(scratch, 'fleet'), 'dist/bin/doctor.js', environment({ TMUX_TMPDIR: scratch }));
    paths.FLEET = join(scratch, 'fleet/here');
  }
  return paths;
};

/** Starts a private server with one session on the default socket; returns a function that stops it. */
const startTmux = (scratch) => {
  const env = environment({ TMUX_TMPDIR: scratch });
  execFileSync('tmux', ['-f', '/dev/null', 'new-session', '-d', '-s', 'bench', 'sleep 3600'], { env });
  return () => spawnSync('tmux', ['kill-session', '-t', '=bench'], { env });
};

/** The scanner of a tree as one program. */
const bundleScanner = async (scratch, tree) => {
  // The second is where the helper thread's module was at 830ce02.
  const threads = ['src/evidence/scan/scan-thread.ts', 'src/evidence/scan-thread.ts'];
  const entryPoints = {
    'scan-once': join(tree, 'bench/scan-once.ts'),
    'scan-thread': threads.map((path) => join(tree, path)).find(existsSync),
  };
  writeFileSync(join(scratch, 'package.json'), '{"type":"module"}');
  await build({
    entryPoints,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    outdir: scratch,
    logLevel: 'warning',
  });
  return join(scratch, 'scan-once.js');
};

const buildGoWalk = (scratch) => {
  const target = join(scratch, 'seed-walk');
  execFileSync('go', ['build', '-o', target, 'bench/seed-walk/main.go'], {
    env: { ...process.env, GO111MODULE: 'off' },
  });
  return target;
};

const writeScript = (scratch, name, text) => {
  const path = join(scratch, name);
  writeFileSync(path, text);
  return path;
};

if (!(options.town in SIZES) || !Number.isInteger(rounds) || rounds < 1 || !(minutes > 0)) {
  process.stderr.write(
    `--town is one of ${Object.keys(SIZES).join(', ')}; --rounds a whole number above 0, --minutes a number above 0\n`,
  );
  process.exitCode = 2;
} else {
  const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'bench-')));
  try {
    const result = await measure(scratch);
    if (result !== null) {
      process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
      if (!result.ok) process.exitCode = 1;
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
