/** Which witnesses count for a lock: its kind may say that only some of them know anything about it. Pure. */
import type { WorkerView } from '../town/views.ts';
import type { LockFile, Witness } from '../types/evidence.ts';
import { NOBODY_FOR_CERTAIN, type OccupantFinding, type OccupantReader } from './occupants/occupants.ts';

/** May that witness show that the lock's holder lives? */
export const isAsked = ({ rules }: LockFile, witness: Witness): boolean =>
  rules === undefined || rules.witnesses.includes(witness);

/** Who works at the worker of a lock, where that says anything about it. */
export const occupantsAt = (
  worker: WorkerView,
  lock: LockFile,
  ownPid: number | null,
  readOccupants: OccupantReader,
): OccupantFinding => (isAsked(lock, 'agents') ? readOccupants(worker, lock, ownPid) : NOBODY_FOR_CERTAIN);
