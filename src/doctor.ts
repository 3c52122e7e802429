/** The use cases: each a straight line from a question to its answer. The CLI and the library call the same ones. */
import { builtInChecks } from '../checks/index.ts';
import { readConfig } from './config.ts';
import { Failure } from './core/failure.ts';
import { examineSnapshot } from './core/judge/examine.ts';
import { type Plan, planRepair } from './core/plan.ts';
import { buildReport, reportRepair } from './core/report/report.ts';
import { type CheckOutcome, runCheck, skippedCheck } from './core/run-checks.ts';
import type { Check, Severity } from './core/types/check.ts';
import type { Examination } from './core/types/judgement.ts';
import type { Report } from './core/types/report.ts';
import type { TownRoot } from './evidence/town/root.ts';
import { type LookOptions, look, townOf } from './look.ts';
import { loadPlugins } from './plugins.ts';
import { VERSION } from './version.ts';

export { preflight } from './preflight.ts';

export interface ExamineOptions extends LookOptions {
  /** Checks to run besides the built-in ones and the configured plug-ins. */
  readonly checks?: readonly Check[] | undefined;
  /** Ids to run; default all. */
  readonly only?: readonly string[] | undefined;
  readonly skip?: readonly string[] | undefined;
  /** What counts as a problem; default `warning`. */
  readonly failOn?: Severity | undefined;
  /** Only these workers count, relative to the town; default all. */
  readonly workers?: readonly string[] | undefined;
}

interface Diagnosis {
  readonly town: TownRoot;
  readonly examination: Examination;
  readonly outcomes: readonly CheckOutcome[];
  readonly report: Report;
  readonly failOn: Severity;
}

/**
 * Diagnoses a town and answers what `doctor --json` prints. Reads only.
 *
 * @param town directory; default as on the command line: the marked town above the working directory, the environment's, or it itself
 * @throws Failure E_USAGE (no such town, unknown check id) or E_CONFIG (broken configuration or plug-in)
 */
export const examine = async (town?: string, options: ExamineOptions = {}): Promise<Report> =>
  (await diagnose(town, options)).report;

const diagnose = async (given: string | undefined, options: ExamineOptions): Promise<Diagnosis> => {
  const startedAt = performance.now();
  const town = townOf(given, options);
  const config = readConfig(town.root);
  const plugins = await loadPlugins(config.plugins.map((spec) => ({ spec, from: town.root })));
  const checks = [...builtInChecks, ...plugins, ...(options.checks ?? [])];
  const chosen = chooseChecks(checks, options.only ?? null, options.skip ?? config.skip);
  const examination = examineSnapshot(await look(town, options.scan ?? 'default', [], options));
  const outcomes = checks.map((check) =>
    chosen.has(check.id) ? runCheck(check, examination, () => performance.now()) : skippedCheck(check),
  );
  const failOn = options.failOn ?? config.failOn ?? 'warning';
  const report = buildReport({
    examination,
    outcomes,
    command: 'doctor',
    version: VERSION,
    durationMs: performance.now() - startedAt,
    failOn,
    workers: options.workers ?? null,
  });
  return { town, examination, outcomes, report, failOn };
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

export interface HealOptions extends ExamineOptions {
  /** Release whatever the `workers` hold, whoever holds it; needs `workers`. */
  readonly force?: boolean | undefined;
  /** Ids of the locks to release out of the plan; default: all of it. */
  readonly consent?: ((plan: Plan) => Promise<readonly string[]>) | undefined;
  /** Once aborted no further release begins. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * `doctor --fix`: diagnoses, plans, asks, acts under the guard with a second look at each lock, and diagnoses again. The
 * second diagnosis decides the exit code. Every release is kept as a copy, journalled and can be undone.
 *
 * @throws Failure as `examine`, and E_USAGE for `force` without `workers`
 */
export const heal = async (town?: string, options: HealOptions = {}): Promise<Report> => {
  const { force = false, workers = null, consent, signal } = options;
  if (force && workers === null)
    throw new Failure(
      'E_USAGE',
      'force needs the workers it is meant for',
      'doctor --fix --force --worker WORKER',
    );
  const before = await diagnose(town, options);
  const plan = planRepair({ ...before, workers, force });
  const agreed = consent === undefined ? null : new Set(await consent(plan));
  const steps = plan.steps.filter(({ verdict }) => agreed === null || agreed.has(verdict.lock.id));
  const { carryOut } = await import('./repair/carry-out.ts');
  const repair = await carryOut({ ...plan, steps }, before.examination, {
    ...options,
    town: before.town.root,
    signal,
  });
  const after = await diagnose(before.town.root, options);
  return reportRepair(before.report, after.report, repair, before.failOn);
};
