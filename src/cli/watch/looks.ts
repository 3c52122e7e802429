/** One look at a town after the other, for the screens that stay: only now and then is all of it walked. */
import type { Gap } from '../../core/types/evidence.ts';
import type { Examination } from '../../core/types/judgement.ts';
import type { ReportLock } from '../../core/types/report.ts';
import { type DiagnoseOptions, type Diagnosis, diagnose, type Preparation } from '../../diagnose.ts';
import { treesInside } from '../../evidence/town/new-worker.ts';

/** Often enough to watch an agent start, seldom enough to cost nothing. */
export const LOOK_EVERY_MS = 2000;
/** The town is walked again after this many looks; in between only known places are looked at. */
const LOOKS_PER_WALK = 15;

/** Answers with what the next look finds. Each builds on the one before: ask again only when it has answered. */
export const createLooks = (
  preparation: Preparation,
  options: DiagnoseOptions,
): (() => Promise<Diagnosis>) => {
  let known: Examination | null = null;
  let walkGaps: readonly Gap[] = [];
  let looks = 0;
  return async () => {
    const places = known === null ? [] : knownPlaces(known);
    const walk = known === null || places.length === 0 || looks % LOOKS_PER_WALK === 0;
    const before = known?.snapshot.locks;
    looks += 1;
    const diagnosis = await diagnose(
      preparation,
      walk
        ? { ...options, before }
        : { ...options, scan: 'worker', at: places, inGitDirs: 'all', known: before, walkGaps, before },
    );
    known = diagnosis.examination;
    if (walk) walkGaps = known.snapshot.gaps.filter(({ what }) => what.startsWith('directory:'));
    return diagnosis;
  };
};

/** Where locks and agents are or may appear: the places of all that were seen, the known layout's workers, working trees. */
const knownPlaces = ({ snapshot, lockless, collisions }: Examination): readonly string[] => {
  const { locks, town, asked } = snapshot;
  const { workers, trees = [], worktrees = [] } = town;
  const seen = [...locks.map(({ worker }) => worker), ...lockless.map(({ worker }) => worker)];
  const crowded = collisions.flatMap((collision) => collision.workers);
  const inside = town.isRepository === true ? treesInside(town.root) : [];
  return [...new Set([...seen, ...crowded, ...workers, ...trees, ...inside, ...worktrees, ...asked])];
};

/** What counts as a change of a lock: everything but the passing of time. */
export const essenceOf = ({ state, reasons, notes, sha256, holder }: ReportLock): string =>
  JSON.stringify([state, reasons, notes, sha256, { ...holder, ageSeconds: null }]);

/** What a look finds, or null as soon as nobody waits for it any more; then it goes on alone. */
export const lookUntil = async <Seen>(look: () => Promise<Seen>, stop: AbortSignal): Promise<Seen | null> => {
  const looking = look();
  // Whoever leaves it is not told how it ends.
  looking.catch(() => {});
  let leave = (): void => {};
  const left = new Promise<null>((resolve) => {
    leave = () => resolve(null);
    if (stop.aborted) leave();
    stop.addEventListener('abort', leave);
  });
  try {
    return await Promise.race([looking, left]);
  } finally {
    stop.removeEventListener('abort', leave);
  }
};
