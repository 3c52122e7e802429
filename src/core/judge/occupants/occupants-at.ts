/** Who works at the worker of a lock, as far as its kind asks for it. Pure. */
import { isAsked } from '../../town/lock-rules.ts';
import type { WorkerView } from '../../town/views.ts';
import type { LockFile } from '../../types/evidence.ts';
import { treeDoubt } from '../claims/linked-tree.ts';
import { NOBODY_FOR_CERTAIN, type OccupantFinding, type OccupantReader } from './occupants.ts';

/** Who works at the worker of a lock, where its kind asks for agents; doubt where its working tree may be elsewhere. */
export const occupantsAt = (
  worker: WorkerView,
  lock: LockFile,
  ownPid: number | null,
  readOccupants: OccupantReader,
): OccupantFinding => {
  if (!isAsked(lock, 'agents')) return NOBODY_FOR_CERTAIN;
  const found = readOccupants(worker, lock, ownPid);
  const doubt = treeDoubt(lock);
  if (doubt === null || found.occupants.length > 0) return found;
  const text = `it is unknown who works in this working tree: ${doubt}`;
  return {
    ...found,
    known: false,
    doubts: [...found.doubts, text],
    facts: [{ source: 'occupants', text }, ...found.facts],
  };
};
