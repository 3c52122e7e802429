/** The use case of `--fix`: diagnose, plan, ask, act under the guard, diagnose again. The second diagnosis decides. */
import { resolve } from 'node:path';
import { didYouMean, idMeant } from './core/did-you-mean.ts';
import { Failure } from './core/failure.ts';
import { type NamedLock, onlyNamed, type Plan, planRepair } from './core/plan.ts';
import { findingId } from './core/report/finding-id.ts';
import { interruptedReport, markDeclined, plannedReport, repairedReport } from './core/report/repaired.ts';
import type { ReleaseOutcome } from './core/report/report.ts';
import type { Report, ReportFinding } from './core/types/report.ts';
import {
  type Diagnosis,
  type DiagnosisLook,
  diagnose,
  type ExamineOptions,
  openTown,
  type Preparation,
  prepare,
} from './diagnose.ts';
import { builtInTable } from './kinds-of.ts';
import type { Asked } from './repair/by-whom.ts';
import type { CarryOutOptions } from './repair/carry-out.ts';

export interface HealOptions extends ExamineOptions {
  /** Release the locks of `workers`, or without workers the `locks`, whoever holds them; needs one of the two. */
  readonly force?: boolean | undefined;
  /** Only these locks are released, each by its id in the report or by its path. */
  readonly locks?: readonly string[] | undefined;
  /** Ids of the locks to release out of the plan, or null for a refusal; not called for an empty plan. Default: all of it. `root` is the town's. */
  readonly consent?: ((plan: Plan, root?: string) => Promise<readonly string[] | null>) | undefined;
  /** Once aborted no further release begins. */
  readonly signal?: AbortSignal | undefined;
}

/** Further options, for the command line. */
export interface HealRun extends DiagnosisLook, Pick<HealOptions, 'force' | 'locks' | 'consent' | 'signal'> {
  /** Who acts, and how it is agreed to; default: a program that calls the library. */
  readonly asked?: Asked | undefined;
  /** Ids of the kinds of lock that may be released; empty, the default, for all. */
  readonly kinds?: readonly string[] | undefined;
  /** Plan only: nothing is written. */
  readonly dryRun?: boolean | undefined;
  /** The asker wants to start at that worker itself: it does not count there, as everywhere in preflight. */
  readonly wantsToStart?: boolean | undefined;
  /** Release only these locks, each only while its bytes have this digest (null: any bytes). Nothing is tidied then. */
  readonly exactly?: readonly NamedLock[] | undefined;
  readonly onPlan?: ((plan: Plan) => void) | undefined;
  /** Right before the first change. Awaited, so that a screen can be cleared first. */
  readonly onChange?: (() => void | Promise<void>) | undefined;
  /** After each release that was tried. */
  readonly onStep?: ((finding: TriedFinding, outcome: ReleaseOutcome) => void) | undefined;
}

/** Throws Failure E_USAGE for an id of a kind that is not looked for. */
export const refuseUnknown = (kinds: readonly string[], { place }: Preparation): void => {
  const known = [...(place?.table.kinds.keys() ?? [])];
  const unknown = place === null ? undefined : kinds.find((id) => !known.includes(id));
  if (unknown === undefined) return;
  const near = idMeant(unknown, known);
  const isOfHome = builtInTable().kinds.get(unknown)?.livesIn !== undefined;
  throw new Failure(
    'E_USAGE',
    `no kind of lock "${unknown}" is looked for`,
    isOfHome
      ? 'Its locks lie in your home directory. Run: doctor --home'
      : near === null
        ? `Known kinds: ${known.join(', ')}.`
        : `Did you mean ${near}?`,
  );
};

/**
 * The id of a lock that is named by its id or its path. One that was seen before, and is named with its digest, may be gone by
 * now. Throws Failure E_USAGE for any other that is not there.
 */
const idOf = (
  { id, sha256 }: NamedLock,
  { examination: { snapshot } }: Pick<Diagnosis, 'examination'>,
  { cwd = process.cwd() }: Pick<ExamineOptions, 'cwd'>,
): string => {
  const { locks, town } = snapshot;
  const path = resolve(cwd, id);
  const found = locks.find((lock) => lock.id === id) ?? locks.find((lock) => lock.path === path);
  if (found !== undefined) return found.id;
  if (sha256 !== null) return id;
  const near = didYouMean(
    id,
    locks.map((lock) => lock.id),
  );
  throw new Failure(
    'E_USAGE',
    `no lock "${id}" in ${town.root}`,
    near === null ? 'The ids are in: doctor locks --json' : `Did you mean ${near}?`,
  );
};

type TriedFinding = Pick<ReportFinding, 'id' | 'worker' | 'lock'>;

const CHANGED: ReleaseOutcome = {
  status: 'changed',
  reason: 'it is not the lock that was named: its contents have changed',
  backup: null,
};

/**
 * `doctor --fix`: diagnoses, plans, asks, acts under the guard with a second look at each lock, and diagnoses again. The
 * second diagnosis decides the exit code. Every release is kept as a copy, journalled and can be undone.
 *
 * @throws Failure as `examine`, and E_USAGE for `force` without `workers` and `locks`, and for a lock that is not there
 */
export const heal = async (town?: string, options: HealRun = {}): Promise<Report> => {
  const { force = false, consent, signal, onStep, ...others } = options;
  if (force && (options.workers ?? options.locks ?? options.exactly) === undefined)
    throw new Failure('E_USAGE', 'force requires workers or locks');
  const preparation = await prepare(town, options);
  const { kinds = [] } = options;
  refuseUnknown(kinds, preparation);
  const first = await diagnose(preparation, options);
  const exactly = options.exactly ?? options.locks?.map((id) => ({ id, sha256: null }));
  const named = exactly?.map((lock) => ({ ...lock, id: idOf(lock, first, options) }));
  const planOf = (diagnosis: Diagnosis): Plan =>
    planRepair({
      ...diagnosis,
      force,
      kinds,
      wantsToStart: options.wantsToStart,
      named: named?.map(({ id }) => id),
    });
  const whole = planOf(first);
  const { plan, changed } = named === undefined ? { plan: whole, changed: [] } : onlyNamed(whole, named);
  options.onPlan?.(plan);
  if (options.dryRun === true) return plannedReport(first.report, plan);
  const isEmpty = plan.steps.length === 0 && plan.leftovers.length === 0;
  const { root } = first.examination.snapshot.town;
  const ask = consent === undefined ? undefined : (asked: Plan) => consent(asked, root);
  const agreed = isEmpty ? undefined : await ask?.(plan);
  if (agreed === null) return markDeclined(first.report, plan.steps);
  const declined =
    agreed === undefined ? [] : plan.steps.filter((step) => !agreed.includes(step.verdict.lock.id));
  await options.onChange?.();
  const { carryOut } = await import('./repair/carry-out.ts');
  const { tidyPutsBack, withPutBack } = await import('./repair/put-back.ts');
  const acting = {
    ...others,
    signal,
    ...(preparation.place ?? (await openTown(root, options))),
    scan: undefined,
  };
  const again = { ...options, events: undefined, meant: first.workers };
  let before = first;
  let toDo: Plan = { ...plan, steps: plan.steps.filter((step) => !declined.includes(step)) };
  if (await tidyPutsBack(plan, first.examination, acting)) {
    before = await diagnose(preparation, again);
    const known = first.examination.verdicts.map(({ lock }) => lock.id);
    toDo = await withPutBack(toDo, planOf(before), known, ask);
  }
  const told = { ...before.report, startedAt: first.report.startedAt };
  const record = await carryOut(toDo, before.examination, { ...acting, onStep: stepTeller(told, onStep) });
  const after = await diagnose(preparation, again);
  const outcomes = new Map([...record.outcomes, ...changed.map((id) => [id, CHANGED] as const)]);
  const report = repairedReport(told, after.report, { ...record, outcomes }, preparation.failOn, toDo);
  return interruptedReport(markDeclined(report, declined), signal);
};

/** Tells each release by the finding that proposed it; a forced one, which none proposed, by an id of its own. */
const stepTeller = ({ findings }: Report, onStep: HealRun['onStep']): CarryOutOptions['onStep'] => {
  const proposedBy = new Map<string | null, string>();
  for (const { id, lock, fix } of findings)
    if (fix?.action === 'release' && !proposedBy.has(lock)) proposedBy.set(lock, id);
  return ({ id, worker }, outcome) => {
    const finding = proposedBy.get(id) ?? findingId('forced', { worker, lock: id });
    onStep?.({ id: finding, worker, lock: id }, outcome);
  };
};
