/** How a lock is released and restored. A kind names its deed; the steps around the deed are the same for all kinds. */
import type { ReleaseOutcome } from '../../core/report/report.ts';
import type { Stamp, TrueHolder } from '../../core/types/evidence.ts';
import type { Guard } from '../../lock/guard/guard.ts';

/** What a release left on the disk, as the journal tells it. */
interface ReleasedLock {
  /** Absolute path of the kept copy. */
  readonly backup: string;
  readonly stamp: Stamp;
  readonly companion: TrueHolder | null;
}

export interface PutBack {
  readonly status: 'restored' | 'already' | 'newer-lock' | 'missing' | 'no-guard';
  /** A sentence fragment. */
  readonly reason: string;
}

export interface Deed {
  /** Lets go of the lock with this stamp, and keeps a copy at `backup`. Expected failures are outcomes. */
  readonly letGo: (guard: Guard, stamp: Stamp, backup: string) => ReleaseOutcome;
  /**
   * Looks whether it can be restored, never over a newer lock. Returns why not, or a function that restores it and that is called
   * once the journal has the entry. Changes nothing itself. Both throw what the system throws.
   */
  readonly putBack: (guard: Guard, released: ReleasedLock) => PutBack | (() => PutBack);
}
