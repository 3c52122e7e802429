/** Which witnesses count for a lock: its kind may say that only some of them are asked. Pure. */
import type { WorkerView } from '../town/views.ts';
import type { LockFile, Witness } from '../types/evidence.ts';
import { treeDoubt } from './claims/linked-tree.ts';
import { NOBODY_FOR_CERTAIN, type OccupantFinding, type OccupantReader } from './occupants/occupants.ts';

/** May that witness show that the lock's holder lives? */
export const isAsked = ({ rules }: LockFile, witness: Witness): boolean =>
  rules === undefined || rules.witnesses.includes(witness);

/** True where the lock does not name its holder by PID. One with a person's note needs no witness, unless it may be git's own. */
export const needsWitnesses = ({ content, tree }: LockFile): boolean =>
  content.kind === 'claim' &&
  (content.claim.by === 'open-file' || (content.claim.by === 'person' && tree?.isUnfinished === true));

/** Whoever has locked the file itself holds it. */
export const isFlock = ({ content }: LockFile): boolean =>
  content.kind === 'claim' && content.claim.by === 'flock';

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
  const text = `who works in this working tree cannot be told: ${doubt}`;
  return {
    ...found,
    known: false,
    doubts: [...found.doubts, text],
    facts: [{ source: 'occupants', text }, ...found.facts],
  };
};
