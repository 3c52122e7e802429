/** Carries out a plan, step by step, each under its guard and with its own second look. */
import { dirname } from 'node:path';
import { countingTheAsker } from '../core/judge/asker.ts';
import { examineSnapshot } from '../core/judge/examine.ts';
import { isToBeTidied, type Plan } from '../core/plan.ts';
import type { RepairRecord } from '../core/report/repaired.ts';
import type { ReleaseOutcome } from '../core/report/report.ts';
import type { LockFile } from '../core/types/evidence.ts';
import type { Examination } from '../core/types/judgement.ts';
import { makeRunId } from '../lock/files/names.ts';
import type { LookOptions } from '../look.ts';
import { applyRelease } from './apply.ts';
import type { Asked } from './by-whom.ts';
import { repairLeftovers } from './leftovers.ts';
import { secondLook } from './second-look.ts';

export interface CarryOutOptions extends LookOptions {
  /** Town root, symlinks resolved. */
  readonly town: string;
  /** Who acts, and how it was agreed to; default: a program that calls the library. */
  readonly asked?: Asked | undefined;
  /** The asker wants to start at that worker itself: it does not count there, as everywhere in preflight. */
  readonly wantsToStart?: boolean | undefined;
  /** Called after each release that was tried. */
  readonly onStep?: ((lock: LockFile, outcome: ReleaseOutcome) => void) | undefined;
  /** Once aborted no further step begins. */
  readonly signal?: AbortSignal | undefined;
}

/** The directories in which killed runs left something at these workers: locks may lie at the old place too. */
const leftoversAt = (workers: readonly string[], { snapshot }: Examination): readonly string[] => {
  const left = snapshot.leftovers.filter(
    (leftover) => workers.includes(leftover.worker) && isToBeTidied(leftover, snapshot.takenAtMs),
  );
  return [...new Set(left.map(({ path }) => dirname(path)))];
};

const ASKER_WORKS_THERE =
  'the agent that runs this repair works there itself: have it repaired from elsewhere';

/** Locks that look dead only because the one who asks does not count, and why they may be that one's own. */
const askersOwn = ({ snapshot }: Examination): ReadonlyMap<string, string> => {
  const counted = countingTheAsker(snapshot);
  if (counted === snapshot) return new Map();
  return new Map(
    examineSnapshot(counted).verdicts.flatMap(({ lock, occupants, strangers: [stranger] }) => {
      const why = occupants.length > 0 ? ASKER_WORKS_THERE : stranger?.text;
      return why === undefined ? [] : [[lock.id, why] as const];
    }),
  );
};

/** Finishes what killed runs left, then makes the releases of a plan, in its order. Expected failures are outcomes. */
export const carryOut = async (
  plan: Plan,
  examination: Examination,
  options: CarryOutOptions,
): Promise<RepairRecord> => {
  const { town, onStep, signal, asked, wantsToStart = false } = options;
  const repair = {
    townRoot: town,
    ...(signal === undefined ? {} : { signal }),
    ...(asked === undefined ? {} : { asked }),
  };
  for (const directory of leftoversAt(plan.leftovers, examination)) {
    if (signal?.aborted === true) break;
    await repairLeftovers(directory, repair);
  }
  const run = makeRunId(Date.now());
  // Whoever asked for a worker by name hears of it, also where nothing is tried.
  const outcomes = new Map<string, ReleaseOutcome>(
    plan.left
      .filter(({ force }) => force)
      .map(({ verdict, why }) => [verdict.lock.id, { status: 'skipped', reason: why, backup: null }]),
  );
  const own = askersOwn(examination);
  for (const [index, { verdict, force }] of plan.steps.entries()) {
    const { lock, state } = verdict;
    const countsAsker = !force && !wantsToStart;
    const reason = countsAsker ? own.get(lock.id) : undefined;
    if (reason !== undefined) {
      const outcome = { status: 'skipped', reason, backup: null } as const;
      outcomes.set(lock.id, outcome);
      onStep?.(lock, outcome);
      continue;
    }
    // A signal is heard between two steps only, and only where others get their turn.
    await new Promise((resolve) => setImmediate(resolve));
    const judge = secondLook(lock, examination, { ...options, town, countsAsker });
    const outcome = await applyRelease({ lock, state, force }, run, index + 1, { ...repair, judge });
    outcomes.set(lock.id, outcome);
    onStep?.(lock, outcome);
  }
  const moved = [...outcomes.values()].some(({ status }) => status === 'fixed');
  return { id: moved ? run : null, outcomes };
};
