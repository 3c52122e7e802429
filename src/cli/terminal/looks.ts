/** One look at a town after the other, for the screens that stay: only now and then is all of it walked. */
import type { Snapshot } from '../../core/types/evidence.ts';
import type { ReportLock } from '../../core/types/report.ts';
import { type DiagnoseOptions, type Diagnosis, diagnose, type Preparation } from '../../diagnose.ts';

/** Often enough to watch an agent start, seldom enough to cost nothing. */
export const LOOK_EVERY_MS = 2000;
/** The town is walked again after this many looks; in between only known places are looked at. */
const LOOKS_PER_WALK = 15;

/** Answers with what the next look finds. Each builds on the one before: ask again only when it has answered. */
export const createLooks = (
  preparation: Preparation,
  options: DiagnoseOptions,
): (() => Promise<Diagnosis>) => {
  let known: Snapshot | null = null;
  let looks = 0;
  return async () => {
    const places = known === null ? [] : knownPlaces(known);
    const walk = known === null || places.length === 0 || looks % LOOKS_PER_WALK === 0;
    const before = known?.locks;
    looks += 1;
    const diagnosis = await diagnose(
      preparation,
      walk ? { ...options, before } : { ...options, scan: 'worker', at: places, before },
    );
    known = diagnosis.examination.snapshot;
    return diagnosis;
  };
};

/** Where locks are or may appear: the places of all locks seen, and the workers of the known layout. */
const knownPlaces = ({ locks, town, asked }: Snapshot): readonly string[] => [
  ...new Set([...locks.map(({ worker }) => worker), ...town.workers, ...asked]),
];

/** What counts as a change of a lock: everything but the passing of time. */
export const essenceOf = ({ state, reasons, notes, sha256, holder }: ReportLock): string =>
  JSON.stringify([state, reasons, notes, sha256, { ...holder, ageSeconds: null }]);
