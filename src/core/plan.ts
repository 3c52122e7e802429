/** What `--fix` would do and what it would leave, decided before anything is touched. Pure: a dry run prints just this. */
import { askersOwn } from './askers-own.ts';
import { isAbandoned, isExpiredCopy } from './record/lock-names.ts';
import { refusalOf } from './report/refusals.ts';
import { claimsWorker, workersClaimed } from './town/lock-rules.ts';
import { inNameOrder } from './town/name-order.ts';
import type { Finding } from './types/check.ts';
import type { Leftover } from './types/evidence.ts';
import type { Examination, Verdict } from './types/judgement.ts';

/** One release to be made, on exactly this file and this verdict. */
export interface PlanStep {
  readonly verdict: Verdict;
  /** Asked for by `--force`, by its own name or its worker's: whoever holds it. */
  readonly force: boolean;
}

interface LeftLock extends PlanStep {
  readonly why: string;
  /** Only the asker works there: the diagnosis, which does not count the asker, would have it released. */
  readonly isAskers?: true;
}

export interface Plan {
  readonly steps: readonly PlanStep[];
  /** Locks that findings or force would release, and that are left; each with the reason. */
  readonly left: readonly LeftLock[];
  /** Workers with files of earlier runs: unfinished ones are finished or undone under the guard, old copies cleared. */
  readonly leftovers: readonly string[];
}

/** Why force that names a worker leaves a lock that it would release by the lock's own name. */
const NOT_OF_THE_WORKER = "--worker means only agents' own locks: name this one with --lock";

export interface PlanRequest {
  readonly examination: Examination;
  /** What the checks found; only their proposals count. */
  readonly outcomes: readonly { readonly findings: readonly Pick<Finding, 'fix'>[] }[];
  /** Only these; null for the whole town. */
  readonly workers: readonly string[] | null;
  /** With `workers`: what these claim. Else with `named`: these locks, of whatever kind. */
  readonly force: boolean;
  /** Ids of locks that somebody named one by one. */
  readonly named?: readonly string[] | undefined;
  /** The asker wants to start at that worker itself: it does not count there, as everywhere in preflight. */
  readonly wantsToStart?: boolean | undefined;
  /** Ids of kinds of lock: only such, and nothing is tidied then; empty or left out for all. */
  readonly kinds?: readonly string[] | undefined;
}

/** Our own unfinished files always, another tool's once it was abandoned, kept copies when their week is over. */
export const isToBeTidied = ({ kind, path, mtimeMs }: Leftover, nowMs: number): boolean => {
  if (kind === 'released') return isExpiredCopy(path, nowMs);
  return kind !== 'tmp' || isAbandoned(mtimeMs, nowMs);
};

/** Plans a repair from the proposals of the checks; a check proposes, the verdict decides. */
export const planRepair = (request: PlanRequest): Plan => {
  const { examination, outcomes, workers, force, named = [], wantsToStart = false, kinds = [] } = request;
  // A worker's name stands for its claim, not for everything that lies there.
  const isForced = ({ lock }: Verdict): boolean =>
    force && (workers === null ? named.includes(lock.id) : claimsWorker(lock));
  const concerned = (worker: string): boolean => workers === null || workers.includes(worker);
  const proposed = new Set(
    outcomes.flatMap(({ findings }) =>
      findings.flatMap(({ fix }) => (fix?.action === 'release' ? [fix.lock] : [])),
    ),
  );
  const claimed = workersClaimed(examination.verdicts);
  // With --force, a worker that has only other locks gets the reason why they stay.
  const isMissed = ({ lock }: Verdict): boolean =>
    force && workers !== null && !claimsWorker(lock) && !claimed.has(lock.worker);
  const judged = examination.verdicts
    .filter(({ lock }) => concerned(lock.worker) && (kinds.length === 0 || kinds.includes(lock.kind)))
    .map((verdict) => ({ verdict, force: isForced(verdict), isMissed: isMissed(verdict) }))
    .filter((step) => step.force || step.isMissed || proposed.has(step.verdict.lock.id))
    .map(({ isMissed, ...step }) => {
      const why = refusalOf(step.verdict, step.force);
      return isMissed && why !== null
        ? { ...step, force: true, why: refusalOf(step.verdict, true) ?? NOT_OF_THE_WORKER }
        : { ...step, why };
    });
  const isAnyReleased = judged.some((step) => step.why === null && !step.force);
  const own = isAnyReleased && !wantsToStart ? askersOwn(examination) : new Map<string, string>();
  const planned = judged.map((step) => {
    const why = step.why === null && !step.force ? own.get(step.verdict.lock.id) : undefined;
    return why === undefined ? step : { ...step, why, isAskers: true as const };
  });
  const { leftovers, takenAtMs } = examination.snapshot;
  const toBeTidied = leftovers.filter(
    (leftover) => concerned(leftover.worker) && isToBeTidied(leftover, takenAtMs),
  );
  return {
    steps: planned
      .filter(({ why }) => why === null)
      .map(({ verdict, force: forced }) => ({ verdict, force: forced })),
    left: planned.flatMap(({ why, ...step }) => (why === null ? [] : [{ ...step, why }])),
    leftovers: kinds.length > 0 ? [] : inNameOrder(new Set(toBeTidied.map(({ worker }) => worker))),
  };
};

/** A lock by its id, as somebody saw it. */
export interface NamedLock {
  readonly id: string;
  /** Digest of its bytes then; null for whatever they are. */
  readonly sha256: string | null;
}

/** The part of a plan that releases these locks, and those of them that have changed since they were named. Nothing is tidied. */
export const onlyNamed = (
  plan: Plan,
  named: readonly NamedLock[],
): { readonly plan: Plan; readonly changed: readonly string[] } => {
  const seen = new Map(named.map(({ id, sha256 }) => [id, sha256]));
  const steps = plan.steps.filter(({ verdict }) => seen.has(verdict.lock.id));
  const isSame = ({ verdict: { lock } }: PlanStep): boolean => {
    const sha256 = seen.get(lock.id) ?? null;
    return sha256 === null || sha256 === lock.stamp?.sha256;
  };
  return {
    plan: {
      steps: steps.filter(isSame),
      left: plan.left.filter(({ verdict }) => seen.has(verdict.lock.id)),
      leftovers: [],
    },
    changed: steps.filter((step) => !isSame(step)).map(({ verdict }) => verdict.lock.id),
  };
};
