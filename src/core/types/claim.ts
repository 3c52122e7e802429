/** Who holds a lock that is not an agent's record, by what the lock says: one member for each way of saying it. No code. */

/** A process by its number; what else the bytes say of it helps to tell it from a later process of that number. */
export interface NumberClaim {
  readonly by: 'number';
  readonly pid: number;
  /**
   * Start of that process as its writer noted it: `ProcessInfo.startToken`, or ctime(3) in UTC. Null where the lock has none; a
   * start in another form than this system's proves nothing, and neither does a number that may be a date.
   */
  readonly start: string | null;
  /** Its writer notes starts in the form of its own system (ticks on Linux, a date on macOS), so another form is another system's. */
  readonly isStartNative?: true;
  /** Empty where the lock names no host. */
  readonly hostname: string;
  /** When it was taken: as written, and in milliseconds since the epoch; null where the lock does not say. */
  readonly since: { readonly text: string; readonly ms: number } | null;
  /** What the lock calls its holder, in one line: `claude agent agent-ab12`; null where it has no name. */
  readonly name: string | null;
  /** That process works for many holders: its life proves nothing about this one, its death proves this one's end. */
  readonly isShared: boolean;
  /** The tool that made it ignores the lock of a dead process, so a stale one blocks nothing. Left out for all other locks. */
  readonly isHarmless?: true;
  /** Milliseconds that its holder keeps it at most; after that it is judged as if `isShared`. Left out where there is no limit. */
  readonly heldAtMostMs?: number;
}

/** A person, or a tool that names nobody: never released. */
export interface PersonClaim {
  readonly by: 'person';
  /** What it says, in one line; empty for nothing. */
  readonly note: string;
}

/** Names nobody: held by whoever has the file open, or is seen at work on what it locks. */
export interface OpenFileClaim {
  readonly by: 'open-file';
}

/** Names nobody: held by whoever keeps refreshing the modification time. Old age is a hint, never proof. */
export interface MtimeClaim {
  readonly by: 'mtime';
  /** Milliseconds after which its holder would have refreshed it. */
  readonly refreshedWithinMs: number;
}

/** The file stays forever; whoever has its flock(2) holds it. Never removed. */
export interface FlockClaim {
  readonly by: 'flock';
}

export type Claim = NumberClaim | PersonClaim | OpenFileClaim | MtimeClaim | FlockClaim;
