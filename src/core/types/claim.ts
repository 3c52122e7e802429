/** Whom a lock names that is not an agent's record: a closed union, one member for each way of saying who holds it. No code. */

/** A process by its number; what else the bytes say of it helps to tell it from a later process of that number. */
export interface NumberClaim {
  readonly by: 'number';
  readonly pid: number;
  /**
   * Start of that process as its writer noted it: `ProcessInfo.startToken`, or ctime(3) in UTC. Null where it says none; one
   * that is of another form than the system's proves nothing.
   */
  readonly start: string | null;
  /** Empty where the lock names no host. */
  readonly hostname: string;
  /** When it was taken: as written, and in milliseconds since the epoch; null where the lock does not say. */
  readonly since: { readonly text: string; readonly ms: number } | null;
  /** What the lock calls its holder, in one line: `claude agent agent-ab12`; null where it has no name. */
  readonly name: string | null;
  /** That process does the work of many holders: that it lives says nothing of this one, that it is dead says all. */
  readonly isShared: boolean;
  /** Its own tool passes by the lock of a process that is gone: nobody is kept out. Left out where that is not so. */
  readonly isHarmless?: true;
  /** Milliseconds that its holder means to keep it at most: later it is as though that process were shared. Left out: for ever. */
  readonly heldAtMostMs?: number;
}

/** A person, or a tool that names nobody: never released. */
export interface PersonClaim {
  readonly by: 'person';
  /** What it says, in one line; empty for nothing. */
  readonly note: string;
}

/** Nobody by name: whoever has the file open, or is seen at work on what it locks. */
export interface OpenFileClaim {
  readonly by: 'open-file';
}

/** Nobody by name: held by whoever keeps refreshing the modification time. Old age is advice, never proof. */
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
