/** What became of a town's locks by the hand of the doctor, as its journal tells it. */
import type { LockKind } from './evidence.ts';
import type { State } from './judgement.ts';

/**
 * `begun`: a release was begun, and nothing says how it ended: that run was killed. `released` and `not-released`: how it
 * ended. `restored` and `not-restored`: it was undone, or could not be. `tidied`: files of a killed run were cleaned up.
 */
export type HistoryDeed = 'begun' | 'released' | 'not-released' | 'restored' | 'not-restored' | 'tidied';

export interface HistoryEvent {
  /** RFC 3339, UTC. */
  readonly at: string;
  readonly deed: HistoryDeed;
  /** Of the release; null for `tidied`. */
  readonly id: string | null;
  readonly worker: string;
  /** What the released lock was; null for `tidied`. */
  readonly lock: {
    readonly kind: LockKind;
    readonly state: State;
    readonly forced: boolean;
    readonly holder: {
      readonly pid: number;
      readonly sessionId: string;
      readonly hostname: string;
    } | null;
  } | null;
  /** A sentence fragment; null where there is nothing to add. */
  readonly reason: string | null;
}

export interface History {
  /** The oldest first. */
  readonly events: readonly HistoryEvent[];
  /** What could not be read of it: a sentence fragment; null where everything was. */
  readonly missing: string | null;
}
