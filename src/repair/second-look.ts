/** The look at some locks at the moment of acting: it must see what the diagnosis saw, and as it did. */
import type { Config } from '../config.ts';
import { countingTheAsker } from '../core/judge/asker.ts';
import { judgeSnapshot } from '../core/judge/examine.ts';
import { claimsWorker } from '../core/town/claims-worker.ts';
import type { LockFile, Snapshot } from '../core/types/evidence.ts';
import type { Examination, Verdict } from '../core/types/judgement.ts';
import { hasPanes, type KnownLayout } from '../evidence/gather.ts';
import type { LockTable } from '../evidence/locks/lock-table.ts';
import { townPlaceFinder } from '../evidence/town/place.ts';
import type { TownRoot } from '../evidence/town/root.ts';
import { type LookOptions, look } from '../look.ts';
import type { JudgeAgain } from './context.ts';

export interface SecondLook extends LookOptions {
  readonly town: TownRoot;
  /** As the diagnosis read it: it is not read again. */
  readonly config: Config;
  /** What the diagnosis looked for. */
  readonly table: LockTable;
  /** The asker wants to start at that worker itself: it does not count there, nor where somebody tells us to force. */
  readonly wantsToStart: boolean;
}

/** Judges locks again, together with whatever their first judgement depended on: one look for all of them. */
export const secondLook = (
  examination: Examination,
  { town, config, wantsToStart, ...options }: SecondLook,
): JudgeAgain => {
  // The layout is read by the first of these looks, and holds for the seconds of the run: it says whose a place is, of
  // nobody whether he lives, and in a town of ten thousand workers it costs more than all the rest.
  let layout: KnownLayout | undefined;
  return async (steps) => {
    const locks = steps.map(({ lock }) => lock);
    const again = await look(
      town,
      'worker',
      placesToLookAt(locks, examination),
      { ...options, locks, layout, before: undefined, onProgress: undefined, onStage: undefined },
      config,
    );
    if (hasPanes(again.machine.tmux))
      layout ??= { ...again.town, gaps: [], placeInTown: townPlaceFinder(town.root, again.town.workers) };
    const asItIs = verdictsOf(again);
    // An agent that asks is alive like any other.
    const counted = countingTheAsker(again);
    const withAsker = counted === again ? asItIs : verdictsOf(counted);
    return new Map(
      steps.flatMap(({ lock, force }) => {
        const verdict = (force || wantsToStart ? asItIs : withAsker).get(lock.path);
        return verdict === undefined ? [] : [[lock.id, verdict] as const];
      }),
    );
  };
};

const verdictsOf = (snapshot: Snapshot): ReadonlyMap<string, Verdict> =>
  new Map(judgeSnapshot(snapshot).map((verdict) => [verdict.lock.path, verdict]));

/**
 * The workers of these locks, and beside them those of locks with the same bytes and of locks further down: a copy is told
 * from its original by looking at both, and an agent further down belongs to the lock that lies there.
 */
const placesToLookAt = (
  locks: readonly LockFile[],
  { snapshot }: Pick<Examination, 'snapshot'>,
): readonly string[] => {
  const workers = new Set(locks.map(({ worker }) => worker));
  const digests = new Set(locks.map(({ stamp }) => stamp?.sha256 ?? null));
  digests.delete(null);
  const beside = snapshot.locks
    .filter(claimsWorker)
    .filter(({ stamp, worker }) => digests.has(stamp?.sha256 ?? null) || isBelowOneOf(workers, worker))
    .map(({ worker }) => worker);
  return [...new Set([...workers, ...beside])];
};

/** As `isWithin` asked for each of them, but a town may have ten thousand. */
const isBelowOneOf = (workers: ReadonlySet<string>, path: string): boolean => {
  if (workers.has('.')) return true;
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1))
    if (workers.has(path.slice(0, end))) return true;
  return false;
};
