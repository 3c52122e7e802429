/** A case: one lock with everything that its judgement depends on, put together once and handed to every question about it. */
import type { TownIndex, WorkerView } from '../town/views.ts';
import type { NumberClaim } from '../types/claim.ts';
import type { LockFile, LockRecord } from '../types/evidence.ts';
import type { WhereTaken } from './holder/where-taken.ts';
import type { OccupantReader } from './occupants/occupants.ts';

/** The workers whose locks have the same bytes as a lock. There may be thousands for each of thousands of locks. */
export interface Twins {
  /** In the order of their locks. Whoever goes through all of them for each lock takes quadratic time. */
  readonly all: Iterable<WorkerView>;
  /**
   * Those to which something applies. `key` says what it is: a question with the same key is put once for all locks of these
   * bytes, so the answer must not depend on the lock.
   */
  readonly among: (key: unknown, applies: (worker: WorkerView) => boolean) => readonly WorkerView[];
}

/** A lock whose bytes are a record, ready to be judged. */
export interface Case {
  readonly lock: LockFile;
  readonly record: LockRecord;
  /** What the record was made of, for a lock of a kind that claims no worker; null for an agent's. */
  readonly claim: NumberClaim | null;
  /** The evidence as seen from where the record was taken: from inside its container, or from here. */
  readonly index: TownIndex;
  readonly worker: WorkerView;
  readonly taken: WhereTaken;
  /** Taken on another host or in another PID namespace: its numbers mean nothing here. */
  readonly foreign: boolean;
  /** Other workers whose locks have the same bytes: at most one of them is not a copy. */
  readonly twins: Twins;
  readonly readOccupants: OccupantReader;
}
