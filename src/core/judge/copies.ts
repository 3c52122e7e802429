/** Copies: of several locks with the same bytes, the one where the live holder is seen is the original. Pure. */
import { claimsWorker } from '../town/lock-rules.ts';
import { isWithin, relativeTo } from '../town/roles.ts';
import type { TownIndex, WorkerView } from '../town/views.ts';
import type { LockFile } from '../types/evidence.ts';
import type { Fact } from '../types/judgement.ts';
import type { Case, Twins } from './case.ts';
import type { ProcessFinding } from './holder/process-finding.ts';
import { isAtCopy } from './session/rejected.ts';
import { judgeSession } from './session/session.ts';

const NOBODY: readonly WorkerView[] = [];

/** What most locks have. */
const NO_TWINS: Twins = { all: NOBODY, among: () => NOBODY };

/** All workers whose locks have certain bytes, and what has been asked about them. */
interface SameBytes {
  readonly workers: readonly WorkerView[];
  readonly answers: Map<unknown, readonly WorkerView[]>;
}

/** Two workers that may have copies of each other's lock: neither is a part of the other, nor another place of one agent. */
const areUnrelated = (one: WorkerView, other: WorkerView): boolean =>
  !isWithin(other.worker, one.worker) &&
  !isWithin(one.worker, other.worker) &&
  (other.owner === null || other.owner.role !== one.owner?.role);

/** Finds the twins of the locks of one snapshot. */
export const twinFinder = (): ((lock: LockFile, worker: WorkerView, index: TownIndex) => Twins) => {
  const groups = new Map<string, SameBytes>();
  return (lock, worker, index) => {
    if (lock.stamp === null || !claimsWorker(lock)) return NO_TWINS;
    const { sha256 } = lock.stamp;
    const locks = index.locksByDigest.get(sha256);
    // Nearly always the group is the lock itself.
    if (locks === undefined || locks.length === 1) return NO_TWINS;
    const known = groups.get(sha256);
    const group = known ?? { workers: locks.map((each) => index.viewOf(each.worker)), answers: new Map() };
    if (known === undefined) groups.set(sha256, group);
    return twinsIn(group, worker);
  };
};

const twinsIn = ({ workers, answers }: SameBytes, worker: WorkerView): Twins => ({
  all: {
    *[Symbol.iterator]() {
      for (const other of workers) if (areUnrelated(worker, other)) yield other;
    },
  },
  among: (key, applies) => {
    const known = answers.get(key);
    const found = known ?? workers.filter(applies);
    if (known === undefined) answers.set(key, found);
    return found.length === 0 ? found : found.filter((other) => areUnrelated(worker, other));
  },
});

/** As if no other worker's lock had these bytes. */
const only = (worker: WorkerView): Twins => ({
  all: [worker],
  among: (_, applies) => (applies(worker) ? [worker] : NOBODY),
});

/** A live holder that works at a twin, and not here, holds that lock: this one is the copy. */
export const worksAtTwin = (
  finding: ProcessFinding | null,
  { lock, worker, twins, index }: Case,
): boolean => {
  const cwd = finding?.state === 'alive' ? finding.process?.cwd : null;
  if (cwd?.seen !== true) return false;
  if (isAtCopy(cwd.value, lock, index)) return true;
  const path = relativeTo(index.snapshot.town.root, cwd.value);
  if (path === null || isWithin(path, worker.worker)) return false;
  return twins.among(`around ${path}`, (twin) => isWithin(path, twin.worker)).length > 0;
};

/** True where the session that the record names, or an agent at work, is seen at a twin. */
export const isCopy = (one: Case): boolean => {
  const { lock, index, worker, twins, readOccupants } = one;
  if (lock.copies !== undefined && judgeSession({ ...one, lock: { ...lock, copies: [] } }).state === 'live')
    return true;
  const occupied = twins.among(readOccupants, (twin) => readOccupants(twin, null, null).occupants.length > 0);
  if (occupied.length > 0) return true;
  const isLive = (twin: WorkerView, others: Twins): boolean =>
    judgeSession({ ...one, worker: twin, twins: others }).state === 'live';
  // Cheaper first: a session that is not live when no twin counts is not live with one either.
  return twins.among(index, (twin) => isLive(twin, NO_TWINS)).some((twin) => isLive(twin, only(worker)));
};

/** More names would not help. */
const MAX_NAMED = 5;

/** What is said of a copy. */
export const copyFact = ({ lock: { copies = [] }, twins }: Case): Fact => {
  const names = copies.map(({ name }) => name).slice(0, MAX_NAMED);
  for (const { worker } of twins.all) {
    if (names.length === MAX_NAMED) {
      names[MAX_NAMED - 1] += ' and others';
      break;
    }
    names.push(worker);
  }
  return { source: 'lock', text: `same bytes as the lock of ${names.join(', ')}, where its holder is` };
};
