/**
 * What a lease engine does: one holder per key in the whole fleet, expiry by the server's clock, and a number that grows with
 * every holder. Another engine is one more file like `etcd.ts`.
 */

/** The holder of a lease, as its value says; it never contains secrets. */
export interface LeaseRecord {
  readonly worker: string;
  readonly hostname: string;
  readonly bootId: string | null;
  readonly pidNamespace: string | null;
  /** Of the town there; empty in records of versions that did not keep it. */
  readonly root: string;
  /** The doctor that keeps it. */
  readonly pid: number;
  readonly startToken: string | null;
  readonly sessionId: string;
  /** RFC 3339, by the holder's clock. */
  readonly acquiredAt: string;
  /** Random text, unique to this holder; that of the lock which it takes besides. */
  readonly nonce: string;
}

/** A lease that is held. */
export interface Lease {
  readonly key: string;
  /** Grows with every holder of every key: a smaller one means an earlier holder. */
  readonly epoch: string;
  /** Milliseconds after which the server drops it, counted from the last confirmed request. */
  readonly ttlMs: number;
  /** The engine's own name for it. */
  readonly id: string;
}

export type Taken =
  | { readonly status: 'taken'; readonly lease: Lease }
  /** Somebody else has it; null where the value is not one of ours. */
  | { readonly status: 'held'; readonly by: LeaseRecord | null }
  | { readonly status: 'failed'; readonly why: string };

/** `lost`: the server says that it is gone. `failed`: not known. */
export type Kept =
  | { readonly status: 'kept' }
  | { readonly status: 'lost'; readonly why: string }
  | { readonly status: 'failed'; readonly why: string };

/** A lease as anybody sees it. */
export interface HeldLease {
  readonly key: string;
  /** Null where the value is not one of ours. */
  readonly by: LeaseRecord | null;
  readonly epoch: string;
  /** The engine's own name for it; null for a key that somebody wrote by hand and that never expires. */
  readonly id: string | null;
}

export type Read =
  | { readonly status: 'free' }
  | { readonly status: 'held'; readonly lease: HeldLease }
  | { readonly status: 'failed'; readonly why: string };

export type Listed =
  | { readonly status: 'ok'; readonly leases: readonly HeldLease[] }
  | { readonly status: 'failed'; readonly why: string };

/** A server, or a cluster of them. None of these throws for a server's answer, or for a missing one. */
export interface LeaseEngine {
  readonly take: (key: string, record: LeaseRecord, ttlSeconds: number) => Promise<Taken>;
  /** Asks for another whole period, and whether the key is still ours; resolves within `withinMs`. */
  readonly keep: (lease: Lease, withinMs: number) => Promise<Kept>;
  /** Reads who holds a key; changes nothing. */
  readonly read: (key: string) => Promise<Read>;
  /** All that are held below a prefix, in one question. */
  readonly list: (prefix: string) => Promise<Listed>;
  /** Seconds until the server lets it go; null where that is not known. */
  readonly secondsLeft: (id: string) => Promise<number | null>;
  /**
   * Tells at once when the key of a lease goes or becomes another's, until the signal is aborted. It only hastens what `keep` finds
   * out by itself: a server that does not answer is asked again, and nothing is said of it.
   */
  readonly watch: (lease: Lease, onGone: (why: string) => void, signal: AbortSignal) => void;
  /** Lets a lease go. Null where that was done; else why it is not known. It expires by itself then. */
  readonly giveBack: (lease: Pick<Lease, 'id'>) => Promise<string | null>;
}

/** `its lease is held on mini2 by doctor (pid 4242), since …` */
export const leaseHolderInWords = (by: LeaseRecord | null): string =>
  by === null
    ? 'somebody else holds its lease'
    : `its lease is held on ${by.hostname} by doctor (pid ${by.pid}), since ${by.acquiredAt}`;
