/** From evidence to judgement: pure, the same for every command and for a replayed snapshot. */
import { findCollisions } from './collision.ts';
import { occupantReader } from './occupants.ts';
import { indexSnapshot } from './town-index.ts';
import type { Examination, Snapshot } from './types.ts';
import { judgeAll } from './verdict.ts';

/** Judges everything a snapshot holds. Linear in locks and panes; touches nothing outside its argument. */
export const examineSnapshot = (snapshot: Snapshot): Examination => {
  const index = indexSnapshot(snapshot);
  const readOccupants = occupantReader(index);
  const verdicts = judgeAll(index, readOccupants);
  return { snapshot, verdicts, collisions: findCollisions(index, verdicts, readOccupants) };
};
