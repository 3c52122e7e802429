/** Agents at work where no lock is: what `doctor locks` shows besides the locks. Pure. */
import { claimsWorker } from '../town/claims-worker.ts';
import type { LocklessAgent, Verdict } from '../types/judgement.ts';
import type { CrowdedPlaces } from './occupants/crowded-places.ts';
import { type OccupantReader, occupantReader } from './occupants/occupants.ts';

/** Every agent for whom no lock's verdict accounts, once, at the innermost place. */
export const findLockless = (
  { places, inhabited, index }: CrowdedPlaces,
  verdicts: readonly Verdict[],
  readOccupants: OccupantReader | null,
): readonly LocklessAgent[] => {
  const locked = new Set(verdicts.flatMap(({ lock }) => (claimsWorker(lock) ? [lock.worker] : [])));
  const open = [...new Set([...places, ...inhabited])].filter((place) => !locked.has(place));
  if (open.length === 0) return [];
  const read = readOccupants ?? occupantReader(index);
  const known = new Set(verdicts.flatMap(({ occupants }) => occupants.map(({ key }) => key)));
  const found: LocklessAgent[] = [];
  // The longest path first: an agent is shown where it stands, not in a directory above.
  for (const worker of open.sort((a, b) => b.length - a.length))
    for (const occupant of read(index.viewOf(worker), null, null).occupants) {
      if (known.has(occupant.key) || occupant.visiting) continue;
      known.add(occupant.key);
      found.push({ worker, occupant });
    }
  return found.sort((a, b) => (a.worker < b.worker ? -1 : a.worker > b.worker ? 1 : 0));
};
