/** Copies: of several locks with the same bytes, the one where the live holder is seen is the original. Pure. */
import { claimsWorker } from '../town/claims-worker.ts';
import { isWithin, relativeTo } from '../town/roles.ts';
import type { TownIndex, WorkerView } from '../town/views.ts';
import type { LockFile } from '../types/evidence.ts';
import type { Fact } from '../types/judgement.ts';
import type { Case } from './case.ts';
import type { ProcessFinding } from './holder/process-finding.ts';
import { judgeSession } from './session/session.ts';

const NO_TWINS: readonly WorkerView[] = [];

/** The workers whose locks have the same bytes, unless they are this one's own places. */
export const twinsOf = (lock: LockFile, worker: WorkerView, index: TownIndex): readonly WorkerView[] => {
  const group =
    lock.stamp === null || !claimsWorker(lock) ? undefined : index.locksByDigest.get(lock.stamp.sha256);
  // Nearly always the group is the lock itself.
  if (group === undefined || group.length === 1) return NO_TWINS;
  return group
    .filter((other) => other.worker !== lock.worker)
    .filter((other) => !isWithin(other.worker, lock.worker) && !isWithin(lock.worker, other.worker))
    .map((other) => index.viewOf(other.worker))
    .filter((other) => other.owner === null || other.owner.role !== worker.owner?.role);
};

/** A live holder that works at a twin, and not here, holds that lock: this one is the copy. */
export const worksAtTwin = (finding: ProcessFinding | null, { worker, twins, index }: Case): boolean => {
  const cwd = finding?.state === 'alive' ? finding.process?.cwd : null;
  if (cwd?.seen !== true) return false;
  const path = relativeTo(index.snapshot.town.root, cwd.value);
  if (path === null || isWithin(path, worker.worker)) return false;
  return twins.some((twin) => isWithin(path, twin.worker));
};

/** True where the session that the record names, or an agent at work, is seen at a twin. */
export const isCopy = (one: Case): boolean =>
  one.twins.some(
    (twin) =>
      judgeSession({ ...one, worker: twin, twins: [one.worker] }).state === 'live' ||
      one.readOccupants(twin, null, null).occupants.length > 0,
  );

/** What the report says of a copy. */
export const copyFact = ({ twins }: Case): Fact => ({
  source: 'lock',
  text: `same bytes as the lock of ${twins.map((twin) => twin.worker).join(', ')}, where its holder is`,
});
