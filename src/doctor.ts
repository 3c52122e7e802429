/** The use cases: each a straight line from a question to its answer. The CLI and the library call the same ones. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { builtInChecks } from '../checks/index.ts';
import { readConfig } from './config.ts';
import { clear, clearanceCode } from './core/clearance.ts';
import { examineSnapshot } from './core/examine.ts';
import { Failure } from './core/failure.ts';
import { buildReport } from './core/report.ts';
import type { PreflightReport, PreflightResult, Report } from './core/report-types.ts';
import { runCheck, skippedCheck } from './core/run-checks.ts';
import type { Check, Examination, Gap, ScanMode, Severity, Snapshot } from './core/types.ts';
import { DEFAULT_TIMEOUT_MS, gather } from './evidence/gather.ts';
import { findTownRoot, type TownRoot } from './evidence/town-root.ts';
import { resolveWorker } from './evidence/worker-path.ts';
import { loadPlugins } from './plugins.ts';
import { VERSION } from './version.ts';

/** How to look at a town. Everything is optional; the town's own `lock-doctor.json` fills in what is left open. */
export interface LookOptions {
  readonly scan?: Exclude<ScanMode, 'worker'> | undefined;
  /** tmux sockets by name or path; default: all of the user's servers. */
  readonly sockets?: readonly string[] | undefined;
  /** Milliseconds for each question to tmux and git; default 2000. */
  readonly timeoutMs?: number | undefined;
  /** Names of agent commands besides the built-in ones. */
  readonly agents?: readonly string[] | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly cwd?: string | undefined;
}

export interface ExamineOptions extends LookOptions {
  /** Checks to run besides the built-in ones and the configured plug-ins. */
  readonly checks?: readonly Check[] | undefined;
  /** Ids to run; default all. */
  readonly only?: readonly string[] | undefined;
  readonly skip?: readonly string[] | undefined;
  /** What counts as a problem; default `warning`. */
  readonly failOn?: Severity | undefined;
}

const townOf = (
  town: string | undefined,
  { env = process.env, cwd = process.cwd() }: LookOptions,
): TownRoot => findTownRoot({ town, cwd, env });

const look = (
  town: TownRoot,
  scan: ScanMode,
  workers: readonly string[],
  options: LookOptions,
): Promise<Snapshot> => {
  const config = readConfig(town.root);
  return gather({
    town,
    scan,
    workers,
    sockets: options.sockets ?? config.sockets,
    timeoutMs: options.timeoutMs ?? config.timeout ?? DEFAULT_TIMEOUT_MS,
    agents: [...config.agents, ...(options.agents ?? [])],
    env: options.env ?? process.env,
  });
};

/**
 * Diagnoses a town and answers what `doctor --json` prints. Reads only.
 *
 * @param town directory; default as on the command line: the marked town above the working directory, the environment's, or it itself
 * @throws Failure E_USAGE (no such town, unknown check id) or E_CONFIG (broken configuration or plug-in)
 */
export const examine = async (town?: string, options: ExamineOptions = {}): Promise<Report> => {
  const startedAt = performance.now();
  const place = townOf(town, options);
  const config = readConfig(place.root);
  const plugins = await loadPlugins(config.plugins.map((spec) => ({ spec, from: place.root })));
  const checks = [...builtInChecks, ...plugins, ...(options.checks ?? [])];
  const chosen = chooseChecks(checks, options.only ?? null, options.skip ?? config.skip);
  const examination = examineSnapshot(await look(place, options.scan ?? 'default', [], options));
  return buildReport({
    examination,
    outcomes: checks.map((check) =>
      chosen.has(check.id) ? runCheck(check, examination, () => performance.now()) : skippedCheck(check),
    ),
    command: 'doctor',
    version: VERSION,
    durationMs: performance.now() - startedAt,
    failOn: options.failOn ?? config.failOn ?? 'warning',
    workers: null,
  });
};

const chooseChecks = (
  checks: readonly Check[],
  only: readonly string[] | null,
  skip: readonly string[],
): ReadonlySet<string> => {
  const ids = checks.map(({ id }) => id);
  const unknown = [...(only ?? []), ...skip].find((id) => !ids.includes(id));
  if (unknown !== undefined) throw new Failure('E_USAGE', `there is no check "${unknown}"`, 'doctor checks');
  return new Set((only ?? ids).filter((id) => !skip.includes(id)));
};

/**
 * Judges every lock of a town: the examination that a report is made of. Reads only.
 *
 * @param town directory; default as for `examine`
 * @throws Failure E_USAGE (no such town) or E_CONFIG (broken configuration)
 */
export const examineTown = async (town?: string, options: LookOptions = {}): Promise<Examination> =>
  examineSnapshot(await look(townOf(town, options), options.scan ?? 'default', [], options));

/**
 * Judges the lock of one worker directory, and nothing else: what repair and the lock library decide by.
 *
 * @param workerDir absolute path
 * @param town root to judge it in; default: the outermost marked directory above the worker, or the worker itself
 */
export const lookAtWorker = async (
  workerDir: string,
  options: LookOptions & { readonly town?: string } = {},
): Promise<Examination> => {
  const { town, worker } = placeWorker(workerDir, options.town);
  return examineSnapshot(await look(town, 'worker', [worker], options));
};

/** A worker directory with the town it belongs to; one that does not exist yet belongs to where it would be made. */
const placeWorker = (
  workerDir: string,
  root: string | undefined,
): { readonly town: TownRoot; readonly worker: string } => {
  const above = findTownRoot({ town: root, cwd: existingPartOf(workerDir), env: {} });
  const place = resolveWorker(workerDir, above.root, above.root);
  if (place.kind === 'inside') return { town: above, worker: place.worker };
  return { town: findTownRoot({ town: place.path, cwd: place.path, env: {} }), worker: '.' };
};

const existingPartOf = (path: string): string => {
  let place = path;
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  return place;
};

/**
 * May an agent start at these workers? Looks at their locks, the processes and tmux only; the town is not walked. A
 * worker that does not exist yet is free. Reads only.
 *
 * @param workers relative to the town, or absolute
 * @throws Failure E_USAGE for a worker outside the town that is not given as an absolute path
 */
export const preflight = async (
  town: string | undefined,
  workers: string | readonly string[],
  options: LookOptions = {},
): Promise<PreflightReport> => {
  const { cwd = process.cwd() } = options;
  const place = townOf(town, options);
  const asked = (typeof workers === 'string' ? [workers] : workers).map((given) => {
    const found = resolveWorker(given, place.root, cwd);
    if (found.kind === 'outside')
      throw new Failure(
        'E_USAGE',
        `${given} lies outside the town ${place.root}`,
        `doctor preflight ${found.path}`,
      );
    return found;
  });
  const inside = asked.flatMap((found) => (found.kind === 'inside' ? [found.worker] : []));
  const gaps: Gap[] = [];
  const answers = new Map<string, PreflightResult>();
  if (inside.length > 0) {
    const snapshot = await look(place, 'worker', [...new Set(inside)], options);
    gaps.push(...snapshot.gaps);
    for (const result of clear(snapshot)) answers.set(result.worker, result);
  }
  for (const found of asked) {
    if (found.kind !== 'elsewhere' || answers.has(found.path)) continue;
    const other = placeWorker(found.path, undefined);
    const snapshot = await look(other.town, 'worker', [other.worker], options);
    gaps.push(...snapshot.gaps);
    const [result] = clear(snapshot);
    if (result !== undefined) answers.set(found.path, { ...result, worker: found.path });
  }
  const results = asked.flatMap(
    (found) => answers.get(found.kind === 'inside' ? found.worker : found.path) ?? [],
  );
  return {
    schemaVersion: 1,
    tool: { name: 'lock-doctor', version: VERSION },
    command: 'preflight',
    exitCode: clearanceCode(results.map(({ answer }) => answer)),
    town: { root: place.root, source: place.source },
    results,
    gaps,
    error: null,
  };
};
