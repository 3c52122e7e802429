/** From evidence to judgement: pure, the same for every command and for a replayed snapshot. */
import { indexSnapshot } from '../town/town-index.ts';
import type { Snapshot } from '../types/evidence.ts';
import type { Examination, Verdict } from '../types/judgement.ts';
import { judgeAll } from './judge.ts';
import { findLockless } from './lockless.ts';
import { findCollisions, placesOf } from './occupants/collision.ts';
import { occupantReader } from './occupants/occupants.ts';

/** Judges the locks alone, in the snapshot's order: a repair decides by this. */
export const judgeSnapshot = (snapshot: Snapshot): readonly Verdict[] => judgeAll(indexSnapshot(snapshot));

/** Judges everything a snapshot holds. Linear in locks and panes; touches nothing outside its argument. */
export const examineSnapshot = (snapshot: Snapshot): Examination => {
  const index = indexSnapshot(snapshot);
  const readOccupants = occupantReader(index);
  const verdicts = judgeAll(index, readOccupants);
  // In a home only the locks of tools are examined, not who works anywhere below it.
  if (snapshot.town.source === 'home') return { snapshot, verdicts, collisions: [], lockless: [] };
  const crowded = placesOf(index, verdicts);
  return {
    snapshot,
    verdicts,
    collisions: findCollisions(index, verdicts, readOccupants, crowded),
    lockless: findLockless(crowded, verdicts, crowded.index === index ? readOccupants : null),
  };
};
