/** Looks at some locks again at the moment of acting, with the same settings as the diagnosis. */
import { countingTheAsker } from '../core/judge/asker.ts';
import { judgeSnapshot } from '../core/judge/examine.ts';
import { claimsWorker } from '../core/town/lock-rules.ts';
import type { LockFile, Snapshot } from '../core/types/evidence.ts';
import type { Examination, Verdict } from '../core/types/judgement.ts';
import { hasPanes } from '../evidence/gather.ts';
import type { KnownLayout } from '../evidence/gather-request.ts';
import { townPlaceFinder } from '../evidence/town/place.ts';
import { type LookOptions, look, type OpenTown } from '../look.ts';
import type { JudgeAgain } from './repair-context.ts';

/** The town as the diagnosis opened it: its configuration is not read again. */
export interface SecondLook extends LookOptions, OpenTown {
  /** The asker wants to start at that worker itself: it does not count there, nor for a forced release. */
  readonly wantsToStart: boolean;
}

/** Judges locks again, together with everything that their first judgement depended on: one look for all of them. */
export const secondLook = (
  examination: Examination,
  { town, config, wantsToStart, ...options }: SecondLook,
): JudgeAgain => {
  // The layout is read by the first of these looks and reused for the seconds of the run. It says which worker a place belongs
  // to, not who lives, and in a town of ten thousand workers reading it costs more than everything else.
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
    // An agent that runs the repair counts like any other.
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
 * The workers of these locks, and those of locks with the same bytes and of locks further down: telling a copy from its
 * original needs both, and an agent further down belongs to the lock there.
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

/** Equal to `isWithin` for each of them, but fast for ten thousand. */
const isBelowOneOf = (workers: ReadonlySet<string>, path: string): boolean => {
  if (workers.has('.')) return true;
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1))
    if (workers.has(path.slice(0, end))) return true;
  return false;
};
