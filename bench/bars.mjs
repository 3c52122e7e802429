// What is compared, and the bars. A row whose parts were not measured is shown as such and fails nothing. `on` names the towns
// for which the bar holds; for others the ratio is shown without a bar. The same applies to rows with `idle`, which require a
// free core, if there was none when the run began, and to rows for which time ran out after one or two rounds.
/**
 * Contenders that are so slow that one round must do, without one before that is not counted: one has no bar, and the other's
 * single value is already the first quartile of five runs.
 */
export const FEW_ROUNDS = { 'fix-10000': 1, 'preflight-processes': 1 };

/** Below, a median is a coin toss. */
const ENOUGH_ROUNDS = 3;

/** Below, the median of two runs differs by a tenth: a bar is missed only if every round misses it. */
const SURE_ROUNDS = 7;

/** `of / to` must not exceed `bar`; `goal` would be better still. Ratios are paired round by round. */
export const BARS = [
  {
    name: 'full scan, 1 thread / find',
    of: 'scan-deep',
    to: 'find',
    bar: 0.6,
    goal: 0.42,
    on: ['medium', 'large'],
  },
  {
    name: 'full scan, helper thread / find',
    of: 'scan-deep-2',
    to: 'find',
    idle: true,
    bar: 0.42,
    goal: 0.26,
    on: ['medium', 'large'],
  },
  {
    name: 'default scan, 1 thread / find, same prune',
    of: 'scan-default',
    to: 'find-prune',
    bar: 0.55,
    goal: 0.33,
    on: ['medium', 'large'],
  },
  {
    name: 'default scan, helper thread / find, same prune',
    of: 'scan-default-2',
    to: 'find-prune',
    bar: null,
    goal: null,
    on: [],
  },
  {
    name: 'full scan, 1 thread / original Go walk',
    of: 'scan-deep',
    to: 'go-walk',
    bar: 0.25,
    goal: 0.17,
    on: ['medium', 'large'],
  },
  { name: 'quick scan / find', of: 'scan-quick', to: 'find', bar: 0.05, goal: 0.012, on: ['large'] },
  {
    name: 'cold cache, full scan / find',
    of: 'cold-scan',
    to: 'cold-find',
    bar: 0.6,
    goal: 0.4,
    on: ['medium', 'large'],
  },
  {
    name: 'preflight, lock present / base',
    of: 'preflight-lock',
    to: 'base',
    bar: 2.2,
    goal: 1.35,
    on: 'any',
  },
  { name: 'preflight, no lock / base', of: 'preflight-free', to: 'base', bar: 1.6, goal: 1.3, on: 'any' },
  {
    name: 'doctor --json, small town / base',
    of: 'doctor-small',
    to: 'base',
    bar: 2.9,
    goal: 2.0,
    on: 'any',
  },
  // The file that `npm run executable` makes, compared with a base that runs on Node.
  {
    name: 'preflight, 3,000 more processes / without them',
    of: 'preflight-processes',
    to: 'preflight-alone',
    // As it was at 830ce02.
    bar: 3.4,
    goal: 3,
    on: 'any',
  },
  {
    name: 'preflight, 300 tmux sessions / one session',
    of: 'preflight-sessions',
    to: 'preflight-alone',
    bar: null,
    goal: null,
    on: 'any',
  },
  {
    name: 'executable: preflight, lock present / base',
    of: 'executable-preflight-lock',
    to: 'base',
    bar: null,
    goal: 0.7,
    on: [],
  },
  {
    name: 'executable: preflight, no lock / base',
    of: 'executable-preflight-free',
    to: 'base',
    bar: null,
    goal: 0.7,
    on: [],
  },
  {
    name: 'executable: --version / base',
    of: 'executable-version',
    to: 'base',
    bar: null,
    goal: null,
    on: [],
  },
  // The same in CPU time, which a busy machine changes least. It does not include the tmux client.
  {
    name: 'preflight, lock present / base, CPU',
    of: 'cpu-preflight-lock',
    to: 'cpu-base',
    bar: null,
    goal: 1.35,
    on: [],
  },
  {
    name: 'preflight, no lock / base, CPU',
    of: 'cpu-preflight-free',
    to: 'cpu-base',
    bar: null,
    goal: 1.3,
    on: [],
  },
  {
    name: 'doctor --json, small town / base, CPU',
    of: 'cpu-doctor-small',
    to: 'cpu-base',
    bar: null,
    goal: 2.0,
    on: [],
  },
  { name: 'doctor --help / base', of: 'help', to: 'base', bar: null, goal: null, on: [] },
  { name: 'doctor --version / base', of: 'version', to: 'base', bar: null, goal: null, on: [] },
  {
    name: '10,000 locks / 1,000, less the start of Node',
    of: 'locks-10000',
    to: 'locks-1000',
    less: 'node',
    bar: 11,
    goal: 8,
    on: 'any',
  },
  {
    name: '--fix, 1,000 stale locks / doctor --json, 1,000 locks',
    of: 'fix-1000',
    to: 'locks-1000',
    bar: 6,
    goal: 4,
    on: 'any',
  },
  {
    name: '--fix, 10,000 stale locks / 1,000',
    of: 'fix-10000',
    to: 'fix-1000',
    // 11 was never met.
    bar: null,
    goal: 10,
    on: 'any',
  },
  {
    name: 'undo of 1,000 / doctor --json, 1,000 locks',
    of: 'undo-1000',
    to: 'locks-1000',
    bar: 5,
    goal: 3,
    on: 'any',
  },
  {
    name: 'doctor --json, 10,000 locks / its scan, CPU',
    of: 'cpu-doctor',
    to: 'cpu-scan',
    // 1.70 to 1.76 on quiet cores.
    bar: 2,
    goal: 1.8,
    on: 'any',
  },
  {
    name: '200 machines of 50 locks / 10,000 locks here, less the start of Node',
    of: 'machines-200',
    to: 'locks-10000',
    less: 'node',
    bar: 2,
    goal: 1,
    on: 'any',
  },
  {
    name: 'doctor --json, this town, all kinds of lock / agent locks alone, CPU',
    of: 'cpu-doctor-kinds',
    to: 'cpu-doctor-agents',
    bar: 1.1,
    goal: 1.05,
    on: ['medium', 'large'],
  },
  {
    name: '50 clones of 10 worktrees, all kinds / agents, CPU',
    of: 'cpu-clones-kinds',
    to: 'cpu-clones-agents',
    bar: 1.1,
    goal: 1.05,
    on: 'any',
  },
  {
    name: 'doctor --json, 500 worktrees / git worktree list',
    of: 'worktrees-doctor',
    to: 'worktrees-list',
    // git uses one core; a Node process uses a second one for its compiler.
    idle: true,
    bar: 3,
    goal: 2.5,
    on: 'any',
  },
  {
    name: 'the same, 50 of them locked by dead agents',
    of: 'worktrees-locked',
    to: 'worktrees-list',
    bar: null,
    goal: 3,
    on: 'any',
  },
  // The workers of those 10,000 locks contain only a lock; these contain a clone.
  {
    name: 'doctor --json, this town / its scan, CPU',
    of: 'cpu-doctor-kinds',
    to: 'cpu-scan-town',
    bar: null,
    goal: 1.15,
    on: [],
  },
];

/** Single values: the highest one must not exceed the bar. */
export const LIMITS = [
  { name: 'system calls per directory, full scan', of: 'system-calls', bar: 3.0, goal: 2.3, unit: '' },
  { name: 'peak memory, full scan of the town', of: 'memory-scan', bar: 100, goal: 50, unit: ' MiB' },
  { name: 'peak memory, preflight, lock present', of: 'memory-preflight', bar: null, goal: 45, unit: ' MiB' },
  { name: 'peak memory, doctor --json, 10,000 locks', of: 'memory-doctor', bar: 90, goal: 75, unit: ' MiB' },
  { name: 'peak memory, 200 machines of 50 locks', of: 'memory-machines', bar: 200, goal: 120, unit: ' MiB' },
];

/** The median: the mean of the two middle values for an even count. */
export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** The lowest of the highest three quarters. */
export const firstQuartile = (values) => {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 4)];
};

/** The rows of the result: medians of the ratios of `samples` (name → one value per round), with the bars. */
export const judge = (samples, { town, rounds, hasIdleCore }) => {
  const ratios = BARS.map(({ name, of, to, less, bar, goal, on, idle = false }) => {
    const base = less === undefined ? 0 : median(samples[less] ?? [0]);
    // Time may run out in the middle of a round.
    const pairs = (samples[of] ?? [])
      .map((value, round) => (value - base) / ((samples[to]?.[round] ?? Number.NaN) - base))
      .filter(Number.isFinite);
    const isEnough = pairs.length >= Math.min(FEW_ROUNDS[of] ?? ENOUGH_ROUNDS, rounds);
    const applies = bar !== null && isEnough && (hasIdleCore || !idle) && (on === 'any' || on.includes(town));
    const value = pairs.length === 0 ? Number.NaN : median(pairs);
    const decisive = pairs.length < SURE_ROUNDS ? Math.min(...pairs) : value;
    return row(name, value, applies ? bar : null, goal, '', decisive);
  });
  const limits = LIMITS.map(({ name, of, bar, goal, unit }) =>
    row(name, samples[of] === undefined ? Number.NaN : Math.max(...samples[of]), bar, goal, unit),
  );
  return [...ratios, ...limits];
};

/** `ok` is null where there is no verdict: also where the value is above the bar, and the decisive one is not. */
const row = (name, value, bar, goal, unit, decisive = value) => {
  const measured = Number.isFinite(value);
  const isUnclear = value > bar && decisive <= bar;
  return {
    name,
    value: measured ? value : null,
    bar,
    goal,
    unit,
    ok: !measured || bar === null || isUnclear ? null : value <= bar,
  };
};
